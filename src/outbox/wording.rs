//! What a mail says, in both languages and in no form yet: `letter.rs` makes text and HTML of the same blocks, so that the
//! two can never say different things.

use chrono::{Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;

/// A name that a thing has in both languages, or the same in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Both {
    /// A name in each language.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// One name for both languages, as people have.
    pub fn same(name: &str) -> Self {
        Self::new(name, name)
    }
}

impl From<Both> for Text {
    fn from(name: Both) -> Self {
        Self::made(name.zh, name.en)
    }
}

/// One piece of a mail.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph of our own words.
    Paragraph(Text),
    /// A code to copy, on a line of its own.
    Code(String),
    /// Something to follow: a path on this service, never an address elsewhere.
    Button {
        /// What it is called.
        label: Text,
        /// The path, beginning with a slash.
        path: String,
    },
    /// Somebody's own words, shown as such.
    Quote(String),
    /// A list of what has happened, each perhaps with a path.
    List(Vec<Item>),
}

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub text: Text,
    /// Where it is on this service.
    pub path: Option<String>,
}

/// A whole mail, without a form.
#[derive(Clone, Debug)]
pub struct Wording {
    /// The subject.
    pub subject: Text,
    /// The body, from top to bottom.
    pub blocks: Vec<Block>,
    /// Why the reader gets it; every mail says so.
    pub reason: Text,
}

impl Wording {
    /// A mail that says nothing yet.
    pub fn new(subject: Text, reason: Text) -> Self {
        Self {
            subject,
            blocks: Vec::new(),
            reason,
        }
    }

    /// The same with a paragraph.
    #[must_use]
    pub fn says(mut self, text: Text) -> Self {
        self.blocks.push(Block::Paragraph(text));
        self
    }

    /// The same with a code to copy.
    #[must_use]
    pub fn shows_code(mut self, code: &str) -> Self {
        self.blocks.push(Block::Code(code.to_owned()));
        self
    }

    /// The same with something to follow.
    #[must_use]
    pub fn leads_to(mut self, label: Text, path: &str) -> Self {
        let path = path.to_owned();
        self.blocks.push(Block::Button { label, path });
        self
    }

    /// The same with somebody's own words.
    #[must_use]
    pub fn quotes(mut self, words: &str) -> Self {
        self.blocks.push(Block::Quote(words.to_owned()));
        self
    }

    /// The same with a list.
    #[must_use]
    pub fn lists(mut self, items: Vec<Item>) -> Self {
        self.blocks.push(Block::List(items));
        self
    }
}

/// A local date in words.
pub fn day(date: NaiveDate) -> Both {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let name = date.format("%B");
    Both::new(
        format!("{year}年{month}月{day}日"),
        format!("{day} {name} {year}"),
    )
}

/// An instant in words, by the ward's clock.
pub fn moment(instant: Instant, zone: Tz) -> Both {
    let local = instant.with_timezone(&zone);
    let Both { zh, en } = day(local.date_naive());
    let (hour, minute) = (local.hour(), local.minute());
    Both::new(
        format!("{zh} {hour:02}:{minute:02}"),
        format!("{en}, {hour:02}:{minute:02} ({zone})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::local_day::ZONE_DEFAULT;
    use chrono::{TimeZone, Utc};

    #[test]
    fn moments_are_told_by_the_wards_clock() {
        let at = Utc.with_ymd_and_hms(2026, 3, 1, 16, 5, 0).unwrap();
        assert_eq!(
            moment(at, ZONE_DEFAULT),
            Both::new("2026年3月2日 00:05", "2 March 2026, 00:05 (Asia/Shanghai)")
        );
        assert_eq!(
            day("2026-12-31".parse().unwrap()),
            Both::new("2026年12月31日", "31 December 2026")
        );
    }
}
