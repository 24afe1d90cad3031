//! The standards that come with the program: one file for each category, with the newest version that there is. They are brought
//! into the database by an act, which is the one place they are read from.

use serde::Deserialize;

use crate::kernel::refusal::{Fault, Stop};
use crate::standards::rules;
use crate::standards::rules_documents::ContentDocument;
use crate::standards::rules_indicators::Content;

/// The country whose wards these standards are for.
pub const JURISDICTION: &str = "cn";

const FILES: [&str; 4] = [
    include_str!("catalogue/sanitation.json"),
    include_str!("catalogue/greening.json"),
    include_str!("catalogue/security.json"),
    include_str!("catalogue/property.json"),
];

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    category: Named,
    standard: Head,
    content: ContentDocument,
}

/// A category.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// What is said of a standard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its code.
    pub code: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Where its figures come from, in Chinese.
    pub source_zh: String,
    /// Where its figures come from, in English.
    pub source_en: String,
}

/// A standard that comes with the program.
#[derive(Clone, Debug)]
pub struct BuiltIn {
    /// Its category.
    pub category: Named,
    /// What is said of it.
    pub standard: Head,
    /// What its newest version says.
    pub content: Content,
}

/// Those for a ward of this jurisdiction: its country's, or none.
///
/// # Errors
/// As [`catalogue`].
pub fn catalogue_for(jurisdiction: &str) -> Result<Vec<BuiltIn>, Fault> {
    if jurisdiction.split('-').next() == Some(JURISDICTION) {
        catalogue()
    } else {
        Ok(Vec::new())
    }
}

/// All of them, checked.
///
/// # Errors
/// A fault if one of them is not good, which a test would have shown.
pub fn catalogue() -> Result<Vec<BuiltIn>, Fault> {
    FILES.into_iter().map(whole).collect()
}

fn whole(file: &str) -> Result<BuiltIn, Fault> {
    let document: Document =
        serde_json::from_str(file).map_err(|error| Fault::caused("read a standard built in", error))?;
    let content = rules::content(&document.content)
        .map_err(|refusal| Fault::caused("a standard built in", Stop::from(refusal)))?;
    Ok(BuiltIn {
        category: document.category,
        standard: document.standard,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ward_gets_its_countrys_standards() {
        let codes = |jurisdiction: &str| -> Vec<String> {
            let all = catalogue_for(jurisdiction).unwrap().into_iter();
            all.map(|one| one.category.code).collect()
        };
        let all = ["sanitation", "greening", "security", "property"];
        assert_eq!(codes("cn"), all);
        assert_eq!(codes("cn-31"), all);
        assert_eq!(codes("xx"), [""; 0]);
        assert_eq!(codes("cnx"), [""; 0]);
    }

    #[test]
    fn a_file_that_is_not_good_says_what_is_wrong() {
        let error = whole("{}").unwrap_err().to_string();
        assert!(error.contains("category"), "{error}");
    }
}
