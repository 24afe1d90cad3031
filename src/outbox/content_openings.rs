//! Mail about openings: to those who witness them.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// A share of an opening key was sealed to the reader.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareSealed {
    /// The book's title.
    pub book: Both,
    /// When its bids are opened.
    pub opening: Instant,
    /// Where the book says who shares its key.
    pub path: String,
}

impl Facts for ShareSealed {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = &self.book;
        let at = moment(self.opening, head.zone);
        let (at_zh, at_en) = (&at.zh, &at.en);
        Wording::new(
            text!("您是“{zh}”的开标见证人", "You witness the opening of {en}"),
            Text::fixed(
                "您收到此邮件，是因为该项目承包责任书指定您为开标见证人。",
                "You receive this because the contract book names you as a witness of its opening.",
            ),
        )
        .says(text!(
            "开标密钥已分成若干份额，其中一份已封存给您登记的接收方。请现在下载并打开，用其中的口令（word）完成演练。",
            "The key that opens the bids was split, and one share of it was sealed to the recipient that you registered. Download it and open it now, and rehearse with the word beside it."
        ))
        .says(text!(
            "开标时间为{at_zh}。份额（share）在此之前请勿交给任何人，包括本系统。",
            "The bids are opened on {at_en}. Until then give the share itself to nobody, this service included."
        ))
        .leads_to(Text::fixed("查看密钥保管情况", "See who shares the key"), &self.path)
    }
}

/// The time for an opening has come, and witnesses have not handed in enough shares.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharesAwaited {
    /// The book's title.
    pub book: Both,
    /// How many shares were handed in.
    pub given: usize,
    /// How many it takes.
    pub threshold: u8,
    /// Whether the reader is a witness who has not handed in theirs; otherwise one of the buyer's people.
    pub is_witness: bool,
    /// Where the book says who shares its key.
    pub path: String,
}

impl Facts for SharesAwaited {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, given, threshold) = (&self.book, self.given, self.threshold);
        let reason = if self.is_witness {
            Text::fixed(
                "您收到此邮件，是因为您是其开标见证人，尚未提交份额。",
                "You receive this because you witness its opening and have not handed in your share.",
            )
        } else {
            Text::fixed(
                "您收到此邮件，是因为该项目承包责任书由您的单位发布。",
                "You receive this because the contract book is your organisation's.",
            )
        };
        let wording = Wording::new(
            text!("“{zh}”：等待见证人提交份额方可开标", "{en}: bids wait to be opened for want of shares"),
            reason,
        )
        .says(text!(
            "开标时间已到，需 {threshold} 份，已提交 {given} 份。份额齐备后系统自动开标。",
            "The time for the opening has come. It takes {threshold} shares, and {given} were handed in. The bids are opened as soon as there are enough."
        ));
        let told = if self.is_witness {
            wording.says(Text::fixed(
                "请即用您的密钥打开份额文件，提交其中的份额（share）。",
                "Please open your share's file with your key now, and hand in the share that it holds.",
            ))
        } else {
            wording
        };
        told.leads_to(
            Text::fixed("查看密钥保管情况", "See who shares the key"),
            &self.path,
        )
    }
}

/// What became of one bid at the opening of its lot.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BidFate {
    /// It was opened.
    Opened {
        /// What was found that puts it out, if anything was.
        #[serde(default)]
        against: Vec<Both>,
    },
    /// It could not be opened.
    Unopenable {
        /// The name of the reason, as in the record.
        reason: String,
    },
    /// An addendum affected it, and it was not confirmed.
    Unconfirmed,
    /// It was withdrawn.
    Withdrawn,
}

impl BidFate {
    fn wording(&self, wording: Wording) -> Wording {
        match self {
            Self::Opened { against } if against.is_empty() => wording.says(Text::fixed(
                "您的投标已开启，进入评审。投标中列明的文件，请即提交。",
                "Your bid was opened and goes on to the evaluation. Hand in now the files that it names.",
            )),
            Self::Opened { against } => {
                let wording = wording.says(Text::fixed(
                    "您的投标已开启，但因下列情形不参加评审：",
                    "Your bid was opened, and does not go on to the evaluation, because of this:",
                ));
                against
                    .iter()
                    .fold(wording, |wording, Both { zh, en }| wording.says(text!("{zh}", "{en}")))
            }
            Self::Unopenable { reason } => {
                let (zh, en) = why_unopenable(reason);
                wording.says(text!(
                    "您的投标未能开启，不参加评审：{zh}。",
                    "Your bid could not be opened, and does not count: {en}."
                ))
            }
            Self::Unconfirmed => wording.says(Text::fixed(
                "变更公告影响投标后，您的投标未经确认，不予开启，不参加评审。",
                "An addendum affected your bid and it was not confirmed. It was not opened, and does not count.",
            )),
            Self::Withdrawn => wording.says(Text::fixed(
                "您的投标已撤回，不予开启。",
                "Your bid was withdrawn, and was not opened.",
            )),
        }
    }
}

/// The reason why a bid could not be opened, in words.
fn why_unopenable(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "not_to_this_book" => (
            "未按本责任书的公钥加密",
            "it is not sealed to the key of this book",
        ),
        "header_broken" => ("加密文件的头部已损坏", "the head of the sealed file is broken"),
        "content_broken" => ("加密文件的内容已损坏", "the content of the sealed file is broken"),
        "too_large" => ("内容超过上限", "its content is too large"),
        "names_another" => (
            "投标写明的是其他标段或其他投标人",
            "it names another lot or another bidder",
        ),
        _ => (
            "解密后的内容不是规定格式的投标",
            "what it holds is no bid in the form that is asked for",
        ),
    }
}

/// A lot was opened for which the reader's organisation has bid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotOpened {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// True if there were too few bids, and nothing was opened.
    pub is_unsuccessful: bool,
    /// What became of the bid; `None` if nothing was opened.
    #[serde(default)]
    pub bid: Option<BidFate>,
    /// Where the record of the opening is.
    pub path: String,
}

impl Facts for LotOpened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let (subject, words) = if self.is_unsuccessful {
            (
                text!("“{zh}”标段 {lot} 流标", "Lot {lot} of {en} is unsuccessful"),
                Text::fixed(
                    "投标人数不足，本标段未开标，所有投标均未开启。",
                    "There were too few bids. Nothing was opened: every bid stays sealed.",
                ),
            )
        } else {
            (
                text!("“{zh}”标段 {lot} 已开标", "Lot {lot} of {en} was opened"),
                Text::fixed(
                    "投标人与报价已经公开。开标记录中有每份投标的哈希与文件密钥，可据以核验。",
                    "Bidders and prices are public. The record of the opening has the hash of each bid and the key of its file, by which it can be checked.",
                ),
            )
        };
        let wording = Wording::new(
            subject,
            Text::fixed(
                "您收到此邮件，是因为您的单位参加了本次投标。",
                "You receive this because your organisation has bid.",
            ),
        )
        .says(words);
        let told = match &self.bid {
            Some(bid) => bid.wording(wording),
            None => wording,
        };
        told.leads_to(Text::fixed("查看开标记录", "See the record"), &self.path)
    }
}

/// The buyer has decided what of an opened bid of the reader's organisation is kept from the public.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfidentialityDecided {
    /// The book's title.
    pub book: Both,
    /// How many marks were accepted.
    pub accepted: usize,
    /// How many were not.
    pub refused: usize,
    /// From when on what was not accepted is public.
    pub public_from: Option<Instant>,
    /// Where one reads what everybody sees of the bid.
    pub path: String,
}

impl Facts for ConfidentialityDecided {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (Both { zh, en }, accepted, refused) = (&self.book, self.accepted, self.refused);
        let wording = Wording::new(
            text!(
                "“{zh}”：您标注的保密内容已有决定",
                "{en}: what you marked as confidential was decided"
            ),
            Text::fixed(
                "您收到此邮件，是因为您的单位参加了本次投标。",
                "You receive this because your organisation has bid.",
            ),
        )
        .says(text!(
            "采购人同意保密 {accepted} 处，不同意 {refused} 处。",
            "The buyer keeps {accepted} of what you marked from the public, and does not keep {refused}."
        ));
        let told = match self.public_from {
            Some(at) => {
                let at = moment(at, head.zone);
                let (at_zh, at_en) = (&at.zh, &at.en);
                wording.says(text!(
                    "不同意保密的内容将于{at_zh}公开。在此之前，您可以依法提出质疑。",
                    "What is not kept becomes public on {at_en}. Until then you may challenge the decision."
                ))
            }
            None => wording,
        };
        told.leads_to(
            Text::fixed("查看公开内容与决定", "See what is public, and the decisions"),
            &self.path,
        )
    }
}
