//! Mail about defects: to the contractor that is called, to whoever has reported, and to the officers whose contracts it is about.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::content_matters::{look, of_your_duties};
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// Something happened to a defect that the contractor has to know of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefectHappened {
    /// The contract, by the title of its book.
    pub contract: Both,
    /// Where.
    pub place: Both,
    /// What is wrong there.
    pub category: Both,
    /// What happened, in a sentence without its full stop.
    pub happened: Both,
    /// When it has to be put right, UTC; `None` if there is no such time.
    pub due_at: Option<Instant>,
    /// Where to look at it.
    pub path: String,
}

impl Facts for DefectHappened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (contract_zh, contract_en) = (&self.contract.zh, &self.contract.en);
        let (place_zh, place_en) = (&self.place.zh, &self.place.en);
        let (category_zh, category_en) = (&self.category.zh, &self.category.en);
        let (happened_zh, happened_en) = (&self.happened.zh, &self.happened.en);
        let wording = Wording::new(
            text!("{place_zh}：{happened_zh}", "{place_en}: {happened_en}"),
            of_your_duties(),
        )
        .says(text!(
            "“{contract_zh}”，{place_zh}，{category_zh}：{happened_zh}。",
            "{contract_en}, {place_en}, {category_en}: {happened_en}."
        ));
        let wording = match self.due_at {
            Some(due_at) => {
                let Both { zh, en } = moment(due_at, head.zone);
                wording.says(text!("须于 {zh} 前处理完毕。", "It has to be put right by {en}."))
            }
            None => wording,
        };
        wording.leads_to(look(), &self.path)
    }
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// The contractor says that it is put right.
    Fixed,
    /// It is over.
    Closed,
    /// It is over, because nobody has said anything.
    ClosedBySilence,
    /// It was found to be none.
    Rejected,
}

impl News {
    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Closed | Self::ClosedBySilence => "closed",
            Self::Rejected => "rejected",
        }
    }
}

/// Something came of what the reader has reported.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefectNews {
    /// Where.
    pub place: Both,
    /// What was wrong there.
    pub category: Both,
    /// What came of it.
    pub news: News,
    /// Why, if it was found to be none.
    pub reason: Option<String>,
    /// Days for which the reader is heard about a fix.
    pub heard_days: u64,
    /// Days after which silence counts as a confirmation.
    pub silent_days: u64,
    /// Where to look at it, and to say what one thinks of it.
    pub path: String,
    /// True if that is a link that lets in whoever has it.
    pub is_link: bool,
}

impl Facts for DefectNews {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn is_secret(&self) -> bool {
        self.is_link
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (place_zh, place_en) = (&self.place.zh, &self.place.en);
        let (category_zh, category_en) = (&self.category.zh, &self.category.en);
        let (heard, silent) = (self.heard_days, self.silent_days);
        let subject = match self.news {
            News::Fixed => text!(
                "{place_zh}：您报告的问题已处理",
                "{place_en}: what you reported was put right"
            ),
            News::Closed | News::ClosedBySilence => {
                text!(
                    "{place_zh}：您报告的问题已办结",
                    "{place_en}: what you reported is closed"
                )
            }
            News::Rejected => text!(
                "{place_zh}：您报告的问题不成立",
                "{place_en}: what you reported was found to be no defect"
            ),
        };
        let wording = Wording::new(
            subject,
            Text::fixed(
                "您收到此邮件，是因为您报告了这一问题，并希望得知结果。",
                "You receive this because you reported it and wanted to hear of it.",
            ),
        )
        .says(text!("{place_zh}，{category_zh}。", "{place_en}, {category_en}."));
        let wording = match self.news {
            News::Fixed => wording.says(text!(
                "请告知问题是否确已解决。{heard} 日内未答复的，由采购人决定；{silent} 日内无人表示异议的，视为已解决。",
                "Please say whether it is really put right. After {heard} days the buyer decides; if nobody objects within {silent}, it counts as put right."
            )),
            News::Closed => wording.says(Text::fixed("已确认解决。", "It was confirmed to be put right.")),
            News::ClosedBySilence => wording.says(Text::fixed(
                "处理后无人表示异议，视为已解决。问题仍在的，请重新报告。",
                "Nobody has objected, so it counts as put right. If it is not, please report it again.",
            )),
            News::Rejected => wording.says(Text::fixed("经采购人核查：", "The buyer has found:")),
        };
        let wording = match &self.reason {
            Some(reason) => wording.quotes(reason),
            None => wording,
        };
        wording.leads_to(look(), &self.path)
    }
}

/// What is late of an office's contracts, and what waits for its officers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefectsWaiting {
    /// Defects that the contractors are late with.
    pub overdue: i64,
    /// Defects that nobody has sent to a contractor yet.
    pub waiting: i64,
    /// Where they are.
    pub path: String,
}

impl Facts for DefectsWaiting {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (overdue, waiting) = (self.overdue, self.waiting);
        Wording::new(
            text!(
                "逾期未处理的问题 {overdue} 件，待核 {waiting} 件",
                "{overdue} defects are overdue, {waiting} wait to be looked at"
            ),
            of_your_duties(),
        )
        .says(text!(
            "贵单位合同中，承接主体逾期未处理的问题 {overdue} 件，待核查派单的 {waiting} 件。",
            "Of your office's contracts {overdue} defects are overdue with their contractors, and {waiting} wait to be sent to them."
        ))
        .leads_to(look(), &self.path)
    }
}
