//! Mail about contract books: what suppliers that are qualified for one hear of it, and whoever follows it or its category. All of it
//! may be switched off.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// Why somebody hears of a book.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// They follow it.
    FollowsBook,
    /// They follow its category.
    FollowsCategory {
        /// Which.
        category: Both,
    },
    /// They act for a supplier that is qualified for it.
    Supplier {
        /// Which.
        organisation: Both,
        /// For which category of services.
        category: Both,
    },
    /// They act for a supplier that may have a bid for it.
    Bidder {
        /// Which.
        organisation: Both,
    },
}

impl Because {
    fn reason(&self) -> Text {
        match self {
            Self::FollowsBook => Text::fixed(
                "您收到此邮件，是因为您关注了该项目承包责任书。",
                "You receive this because you follow this contract book.",
            ),
            Self::FollowsCategory {
                category: Both { zh, en },
            } => text!(
                "您收到此邮件，是因为您关注了“{zh}”类别。",
                "You receive this because you follow the category {en}."
            ),
            Self::Supplier {
                organisation,
                category,
            } => {
                let (zh, en) = (&organisation.zh, &organisation.en);
                let (of_zh, of_en) = (&category.zh, &category.en);
                text!(
                    "您收到此邮件，是因为{zh}具备“{of_zh}”类项目的相关资质，而您是其联系人。",
                    "You receive this because you act for {en}, which holds a qualification for {of_en}."
                )
            }
            Self::Bidder { organisation } => {
                let (zh, en) = (&organisation.zh, &organisation.en);
                text!(
                    "您收到此邮件，是因为您是{zh}的供应商代表，该项目的变更与其有关。",
                    "You receive this because you act for {en}, which the change concerns."
                )
            }
        }
    }
}

fn read_it() -> Text {
    Text::fixed("查看全文", "Read the whole book")
}

fn until(wording: Wording, deadline: Option<Instant>, head: &Letterhead) -> Wording {
    let Some(deadline) = deadline else {
        return wording;
    };
    let Both { zh, en } = moment(deadline, head.zone);
    wording.says(text!("投标截止时间：{zh}。", "Bids are taken until {en}."))
}

/// A book was published.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookPublished {
    /// Its title.
    pub book: Both,
    /// Who buys.
    pub buyer: Both,
    /// What kind of service.
    pub category: Both,
    /// The ceilings of all lots together, in yuan.
    pub ceiling: Option<String>,
    /// Until when bids are taken.
    pub bid_deadline: Option<Instant>,
    /// Where it is read.
    pub path: String,
    /// Why the reader hears of it.
    pub because: Because,
}

impl Facts for BookPublished {
    fn category(&self) -> Category {
        Category::News
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (Both { zh, en }, buyer, category) = (&self.book, &self.buyer, &self.category);
        let (buyer_zh, buyer_en, of_zh, of_en) = (&buyer.zh, &buyer.en, &category.zh, &category.en);
        let mut wording = Wording::new(
            text!("新发布：{zh}", "New contract book: {en}"),
            self.because.reason(),
        )
        .says(text!(
            "{buyer_zh}发布了项目承包责任书“{zh}”（{of_zh}）。",
            "{buyer_en} has published the contract book {en} ({of_en})."
        ));
        if let Some(ceiling) = &self.ceiling {
            wording = wording.says(text!(
                "最高限价合计 {ceiling} 元。",
                "The ceiling is {ceiling} yuan in all."
            ));
        }
        until(wording, self.bid_deadline, head).leads_to(read_it(), &self.path)
    }
}

/// A book has a further version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookAmended {
    /// Its title.
    pub book: Both,
    /// The number of the version.
    pub version: i64,
    /// Why there is one.
    pub reason: Option<Both>,
    /// Whether it affects bids.
    #[serde(default)]
    pub affects_bids: bool,
    /// Until when bids are taken now.
    pub bid_deadline: Option<Instant>,
    /// Where it is read.
    pub path: String,
    /// Why the reader hears of it.
    pub because: Because,
}

impl Facts for BookAmended {
    fn category(&self) -> Category {
        // Whoever may have a bid under way has to hear of what affects it; the mail is the same for all, so that nobody can tell
        // by its kind who has one.
        if self.affects_bids {
            Category::Duty
        } else {
            Category::News
        }
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (Both { zh, en }, version) = (&self.book, self.version);
        let mut wording =
            Wording::new(text!("已变更：{zh}", "Amended: {en}"), self.because.reason()).says(text!(
                "项目承包责任书“{zh}”已变更，现行版本为第 {version} 版。",
                "The contract book {en} was amended; its version {version} holds now."
            ));
        if let Some(Both { zh, en }) = &self.reason {
            wording = wording.says(text!("变更理由：{zh}", "Reason: {en}"));
        }
        if self.affects_bids {
            wording = wording.says(Text::fixed(
                "本次变更影响投标：此前提交的投标须在投标截止前确认或替换，否则不参加开标。",
                "The change affects bids: one that was handed in before counts only if it is confirmed or replaced before the deadline.",
            ));
        }
        until(wording, self.bid_deadline, head).leads_to(read_it(), &self.path)
    }
}

/// A book was cancelled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookCancelled {
    /// Its title.
    pub book: Both,
    /// Why.
    pub reason: Option<Both>,
    /// Where it is read.
    pub path: String,
    /// Why the reader hears of it.
    pub because: Because,
}

impl Facts for BookCancelled {
    fn category(&self) -> Category {
        Category::News
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.book;
        let mut wording =
            Wording::new(text!("已终止：{zh}", "Cancelled: {en}"), self.because.reason()).says(text!(
                "项目承包责任书“{zh}”已终止，不再接收投标。",
                "The contract book {en} was cancelled. No bids are taken any more."
            ));
        if let Some(Both { zh, en }) = &self.reason {
            wording = wording.says(text!("终止理由：{zh}", "Reason: {en}"));
        }
        wording.leads_to(read_it(), &self.path)
    }
}
