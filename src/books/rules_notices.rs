//! Who hears of what happens to a book, and why: suppliers that are qualified for it, and whoever follows it or its category. Pure.

use std::collections::BTreeSet;

use crate::books::rules_documents::BookDocument;
use crate::registry::rules_qualifications::KNOWN;

/// What happened to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was published.
    Published,
    /// It has a further version.
    Amended,
    /// It was cancelled.
    Cancelled,
}

impl What {
    /// All of it.
    pub const ALL: [Self; 3] = [Self::Published, Self::Amended, Self::Cancelled];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Amended => "amended",
            Self::Cancelled => "cancelled",
        }
    }

    /// What has that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }

    /// Whether those are told too who do not follow the book itself: its category's followers, and suppliers that are qualified
    /// for it. Of an amendment only if it affects bids, for then everybody has to hear of it who may have a bid under way (87号令 art 27).
    pub const fn is_told_widely(self, affects_bids: bool) -> bool {
        match self {
            Self::Published | Self::Cancelled => true,
            Self::Amended => affects_bids,
        }
    }
}

/// The licences that make a supplier one of a category: the kinds of qualifications by which the wards' services are known.
const OF_CATEGORY: [(&str, &str); 4] = [
    ("sanitation", "city_cleaning"),
    ("greening", "greening"),
    ("property", "property_service"),
    ("security", "security_service"),
];

/// The kinds of qualifications of which one makes a supplier fit for a book: those of its category (of any category, the kind of the
/// same code), and those that the book requires, by their codes or by the names that they have here. A supplier that has one may still lack another.
pub fn fitting_kinds(book: &BookDocument) -> BTreeSet<String> {
    let of_category = OF_CATEGORY
        .iter()
        .filter(|(category, _)| *category == book.category)
        .map(|(_, kind)| (*kind).to_owned());
    let required = KNOWN.iter().filter(|kind| {
        book.qualifications.iter().any(|one| {
            one.name_zh.trim() == kind.name_zh || one.name_en.trim().eq_ignore_ascii_case(kind.name_en)
        })
    });
    let named = book.qualifications.iter().filter_map(|one| one.kind.clone());
    required
        .map(|kind| kind.code.to_owned())
        .chain(named)
        .chain(of_category)
        .chain([book.category.clone()])
        .collect()
}

/// Why somebody is told of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// They follow it.
    FollowsBook,
    /// They follow its category.
    FollowsCategory,
    /// They act for a supplier that is qualified for it: its name in Chinese and in English.
    Supplier(String, String),
}

impl Why {
    /// What was chosen comes before what follows from something else.
    pub const fn rank(&self) -> u8 {
        match self {
            Self::FollowsBook => 0,
            Self::FollowsCategory => 1,
            Self::Supplier(..) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::rules_documents::RequirementDocument;
    use crate::books::templates;

    #[test]
    fn a_supplier_fits_by_its_category_or_by_what_the_book_requires() {
        let mut book = templates::template("sanitation").unwrap().unwrap();
        let kinds = |book: &BookDocument| fitting_kinds(book).into_iter().collect::<Vec<_>>();
        assert_eq!(kinds(&book), ["city_cleaning", "sanitation"]);
        book.qualifications = vec![
            RequirementDocument {
                kind: None,
                name_zh: "道路运输经营许可证".to_owned(),
                name_en: "A licence".to_owned(),
            },
            RequirementDocument {
                kind: Some("tea_licence".to_owned()),
                name_zh: "某证".to_owned(),
                name_en: "work SAFETY licence".to_owned(),
            },
        ];
        assert_eq!(
            kinds(&book),
            [
                "city_cleaning",
                "road_transport",
                "sanitation",
                "tea_licence",
                "work_safety"
            ]
        );
        book.category = "tea".to_owned();
        book.qualifications.clear();
        assert_eq!(kinds(&book), ["tea"]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for what in What::ALL {
            assert_eq!(What::named(what.name()), Some(what));
        }
        assert!(
            !What::Amended.is_told_widely(false)
                && What::Amended.is_told_widely(true)
                && What::Cancelled.is_told_widely(false)
        );
    }
}
