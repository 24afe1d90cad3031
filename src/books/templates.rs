//! The templates that come with the program, one for each of its categories: sensible clauses, criteria and tables to begin with.
//! What only a book of its own knows (dates, places, money, the standard's version) is left open in them.

use crate::books::rules_documents::BookDocument;
use crate::kernel::refusal::Fault;

const TEMPLATES: [(&str, &str); 4] = [
    ("greening", include_str!("templates/greening.json")),
    ("property", include_str!("templates/property.json")),
    ("sanitation", include_str!("templates/sanitation.json")),
    ("security", include_str!("templates/security.json")),
];

/// The categories that have a template.
pub fn categories() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(category, _)| *category)
}

/// The template of a category, if there is one.
///
/// # Errors
/// A fault if it cannot be read.
pub fn template(category: &str) -> Result<Option<BookDocument>, Fault> {
    let found = TEMPLATES.iter().find(|(code, _)| *code == category);
    found
        .map(|(_, content)| BookDocument::stored(content))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::rules_content::Content;

    #[test]
    fn every_template_holds_together_and_is_of_its_category() {
        for category in categories() {
            let document = template(category).unwrap().unwrap();
            assert_eq!(document.category, category);
            let content = Content::checked(document).unwrap();
            assert!(content.document().clauses.len() >= 8, "{category}");
        }
        assert_eq!(template("tea").unwrap(), None);
    }
}
