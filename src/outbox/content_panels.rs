//! Mail about panels and the examination of bids: to whoever is called to a seat, to bidders who are asked something. No mail tells who else
//! is on a panel.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// The reader was called to a seat of a panel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelCalled {
    /// The book's title.
    pub book: Both,
    /// Whether they sit for the buyer; otherwise they were drawn as an expert.
    pub for_buyer: bool,
    /// Where the panel is.
    pub path: String,
}

impl Facts for PanelCalled {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.book;
        let why = if self.for_buyer {
            Text::fixed(
                "您收到此邮件，是因为采购人指派您参加评标委员会。",
                "You receive this because the buyer named you for its panel.",
            )
        } else {
            Text::fixed(
                "您收到此邮件，是因为您在专家库中被随机抽中。",
                "You receive this because you were drawn from the pool of experts.",
            )
        };
        Wording::new(
            text!("请您参加“{zh}”的评标委员会", "You are called to the panel of {en}"),
            why,
        )
        .says(Text::fixed(
            "请先查看投标人名单，声明您与各投标人有无利害关系。有利害关系的应当回避，由依次递补的人员替换。作出声明之前，您看不到任何投标内容。",
            "Look at who has bid, and declare whether you have an interest in any of them. Whoever has one steps back, and the next in the order of the draw is called. Before you declare, no bid is shown to you.",
        ))
        .says(Text::fixed(
            "结果公告之前，评标委员会成员名单保密：请勿告诉任何人您是成员。",
            "Until the result is published it is secret who sits on the panel: tell nobody that you do.",
        ))
        .leads_to(Text::fixed("作出声明", "Declare"), &self.path)
    }
}

/// The reader was recorded as absent from a panel, and does not sit on it any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelLeft {
    /// The book's title.
    pub book: Both,
    /// Why, in the words of whoever recorded it.
    pub reason: String,
}

impl Facts for PanelLeft {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, reason) = (&self.book, &self.reason);
        Wording::new(
            text!(
                "您不再是“{zh}”的评标委员会成员",
                "You are not on the panel of {en} any more"
            ),
            Text::fixed(
                "您收到此邮件，是因为您曾被请入该评标委员会。",
                "You receive this because you were called to that panel.",
            ),
        )
        .says(text!(
            "采购人记录您缺席：{reason}",
            "The buyer recorded that you were absent: {reason}"
        ))
        .says(Text::fixed(
            "如与事实不符，请告知财政部门。",
            "If that is not so, tell the finance bureau.",
        ))
    }
}

/// A seat of a panel is free, and nobody is left to be called.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelIncomplete {
    /// The book's title.
    pub book: Both,
    /// Where the panel is.
    pub path: String,
}

impl Facts for PanelIncomplete {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.book;
        Wording::new(
            text!("“{zh}”的评标委员会有席位空缺", "A seat on the panel of {en} is free"),
            Text::fixed(
                "您收到此邮件，是因为您负责该项目。",
                "You receive this because you act for the buyer.",
            ),
        )
        .says(Text::fixed(
            "已抽取的专家均已依次通知，仍有席位空缺。请补充抽取，或者另行指派采购人代表。",
            "Everybody who was drawn has been called, and a seat is still free. Draw again, or name another member for the buyer.",
        ))
        .leads_to(Text::fixed("查看评标委员会", "See the panel"), &self.path)
    }
}

/// The bids that the reader judges are scored again, in a new round.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoringReopened {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// Which round it is now.
    pub round: i64,
    /// On what ground.
    pub ground: Both,
    /// Where the reader scores.
    pub path: String,
}

impl Facts for ScoringReopened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot, round) = (&self.book, &self.lot, self.round);
        let Both {
            zh: ground_zh,
            en: ground_en,
        } = &self.ground;
        Wording::new(
            text!(
                "请重新评审“{zh}”标段 {lot}",
                "Score the bids for lot {lot} of {en} again"
            ),
            Text::fixed(
                "您收到此邮件，是因为您是该评标委员会成员。",
                "You receive this because you sit on the panel that judges them.",
            ),
        )
        .says(text!(
            "现为第 {round} 轮评审。理由：{ground_zh}。",
            "It is round {round} now. The ground: {ground_en}."
        ))
        .says(Text::fixed(
            "以前提交的评分表不计入本轮，请重新独立评分并提交。",
            "What you handed in before does not count in this round. Score alone again, and hand your sheet in.",
        ))
        .leads_to(Text::fixed("评分", "Score"), &self.path)
    }
}

/// The panel corrected the price of the reader's bid, and asks for a confirmation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceCorrected {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// The price as it was read out.
    pub from: Money,
    /// The corrected price.
    pub to: Money,
    /// Until when it is to be confirmed.
    pub until: Instant,
    /// Where.
    pub path: String,
}

impl Facts for PriceCorrected {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let (from, to) = (self.from, self.to);
        let at = moment(self.until, head.zone);
        let (at_zh, at_en) = (&at.zh, &at.en);
        Wording::new(
            text!(
                "请确认“{zh}”标段 {lot} 的报价修正",
                "Confirm the corrected price of your bid for lot {lot} of {en}"
            ),
            Text::fixed(
                "您收到此邮件，是因为您的单位参加了本次投标。",
                "You receive this because your organisation has bid.",
            ),
        )
        .says(text!(
            "评标委员会按规定顺序作算术修正：报价由 {from} 修正为 {to}。",
            "The panel has corrected the price in the order that the rules prescribe: from {from} to {to}."
        ))
        .says(text!(
            "请在{at_zh}之前答复；不确认或者逾期未答复的，投标无效。",
            "Answer before {at_en}. If the correction is not confirmed by then, the bid is invalid."
        ))
        .leads_to(Text::fixed("查看并答复", "See and answer"), &self.path)
    }
}

/// The price of the reader's bid is abnormally low, and is to be justified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceQuestioned {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// Until when it is to be justified.
    pub until: Instant,
    /// Where.
    pub path: String,
}

impl Facts for PriceQuestioned {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let at = moment(self.until, head.zone);
        let (at_zh, at_en) = (&at.zh, &at.en);
        Wording::new(
            text!(
                "请书面说明“{zh}”标段 {lot} 的报价",
                "Justify the price of your bid for lot {lot} of {en}"
            ),
            Text::fixed(
                "您收到此邮件，是因为您的单位参加了本次投标。",
                "You receive this because your organisation has bid.",
            ),
        )
        .says(text!(
            "您的报价属于异常低价。请在{at_zh}之前书面说明其合理性，必要时附证明材料；不能说明的，投标无效。",
            "The price of your bid is abnormally low. Justify it in writing before {at_en}, with documents where they are needed; if it is not justified, the bid is invalid."
        ))
        .leads_to(Text::fixed("提交说明", "Justify it"), &self.path)
    }
}

/// The reader's bid was disqualified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BidDisqualified {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// Why.
    pub reason: Both,
}

impl Facts for BidDisqualified {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let Both {
            zh: reason_zh,
            en: reason_en,
        } = &self.reason;
        Wording::new(
            text!(
                "您在“{zh}”标段 {lot} 的投标被否决",
                "Your bid for lot {lot} of {en} was disqualified"
            ),
            Text::fixed(
                "您收到此邮件，是因为您的单位参加了本次投标。",
                "You receive this because your organisation has bid.",
            ),
        )
        .says(text!("理由：{reason_zh}", "The reason: {reason_en}"))
    }
}
