//! What somebody follows: a public book, or a category of services. Pure.

use crate::books::rules::BookId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason, Refusal};

crate::ids! {
    /// That an account follows something.
    FollowId "follow"
}

/// Books and categories that one account follows at most.
pub const FOLLOWS_MAX: usize = 200;

/// One follows exactly one thing at a time.
pub static UNCLEAR: Reason = Reason::new(
    Kind::Invalid,
    "follow_unclear",
    "应在项目承包责任书与服务类别中选其一",
    "One follows a book or a category, one of the two",
);
/// The account follows as much as one may.
pub static TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "follows_too_many",
    "关注数量已达上限",
    "You follow as much as one may",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&UNCLEAR, &TOO_MANY];

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// A book.
    Book(BookId),
    /// A category of services, by its code.
    Category(String),
}

impl Followed {
    /// What a request names.
    ///
    /// # Errors
    /// [`UNCLEAR`] unless it names exactly one.
    pub fn named(book: Option<BookId>, category: Option<String>) -> Result<Self, Refusal> {
        match (book, category) {
            (Some(book), None) => Ok(Self::Book(book)),
            (None, Some(category)) => Ok(Self::Category(category)),
            _ => Err(UNCLEAR.refuse().at("")),
        }
    }

    /// The book, if it is one.
    pub const fn book(&self) -> Option<&BookId> {
        match self {
            Self::Book(book) => Some(book),
            Self::Category(_) => None,
        }
    }

    /// The category, if it is one.
    pub fn category(&self) -> Option<&str> {
        match self {
            Self::Book(_) => None,
            Self::Category(category) => Some(category),
        }
    }
}

/// That somebody follows something. Has no `Debug`: what one follows is one's own business.
#[derive(Clone, PartialEq, Eq)]
pub struct Follow {
    /// Its id.
    pub id: FollowId,
    /// Whose it is.
    pub account_id: String,
    /// What is followed.
    pub followed: Followed,
    /// Since when, UTC.
    pub begun_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_follows_exactly_one_thing_at_a_time() {
        let book = || "book_01jd3n8f5teqkrzvq1c0m6h2ax".parse::<BookId>().ok();
        let category = || Some("sanitation".to_owned());
        let refused = |followed: Result<Followed, Refusal>| followed.unwrap_err().reason.code;
        assert!(Followed::named(book(), None).unwrap().book().is_some());
        assert_eq!(
            Followed::named(None, category()).unwrap().category(),
            Some("sanitation")
        );
        assert_eq!(refused(Followed::named(book(), category())), "follow_unclear");
        assert_eq!(refused(Followed::named(None, None)), "follow_unclear");
    }
}
