//! What is entered of a book, trimmed: no text that is stored, hashed and compared begins or ends with white space. What was stored before
//! is read as it is, because its bytes are what was hashed. Pure.

use crate::books::rules_ballots::BallotDocument;
use crate::books::rules_documents::{BookDocument, LotDocument};
use crate::standards::rules_documents::IndicatorDocument;

fn trim(text: &mut String) {
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        *text = trimmed.to_owned();
    }
}

fn trim_all<'t>(texts: impl IntoIterator<Item = &'t mut String>) {
    for text in texts {
        trim(text);
    }
}

/// The document with every text of it trimmed.
pub fn trimmed(mut book: BookDocument) -> BookDocument {
    trim_all([&mut book.title_zh, &mut book.title_en, &mut book.category]);
    for clause in &mut book.clauses {
        trim_all([&mut clause.number, &mut clause.text_zh, &mut clause.text_en]);
    }
    for one in &mut book.qualifications {
        trim_all([&mut one.name_zh, &mut one.name_en]);
        trim_all(&mut one.kind);
    }
    for lot in &mut book.lots {
        trim_lot(lot);
    }
    book
}

fn trim_lot(lot: &mut LotDocument) {
    trim_all([&mut lot.code, &mut lot.title_zh, &mut lot.title_en]);
    for one in &mut lot.quantities {
        trim_all([
            &mut one.name_zh,
            &mut one.name_en,
            &mut one.amount,
            &mut one.unit_zh,
            &mut one.unit_en,
        ]);
        trim_all(&mut one.grade);
    }
    for one in &mut lot.places {
        trim_all([&mut one.name_zh, &mut one.name_en]);
    }
    for one in &mut lot.indicators {
        trim_indicator(one);
    }
    for one in &mut lot.criteria {
        trim_all([
            &mut one.code,
            &mut one.name_zh,
            &mut one.name_en,
            &mut one.scale_zh,
            &mut one.scale_en,
        ]);
        trim_all(one.ballot.iter_mut().flat_map(BallotDocument::texts));
    }
    for one in &mut lot.score_sources {
        trim_all([&mut one.code, &mut one.name_zh, &mut one.name_en]);
        trim_all(one.ballot.iter_mut().flat_map(BallotDocument::texts));
    }
    for table in &mut lot.pay_tables {
        trim_all(&mut table.source);
    }
    for one in &mut lot.penalties {
        trim_all([&mut one.name_zh, &mut one.name_en]);
    }
}

fn trim_indicator(one: &mut IndicatorDocument) {
    trim_all([
        &mut one.code,
        &mut one.name_zh,
        &mut one.name_en,
        &mut one.text_zh,
        &mut one.text_en,
        &mut one.method_zh,
        &mut one.method_en,
    ]);
    trim_all(&mut one.source_zh);
    trim_all(&mut one.source_en);
    for limit in &mut one.limits {
        trim_all(&mut limit.grade);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::books::templates;

    /// Puts white space around every text of the document that a template has; codes of closed lists, dates and numbers are no texts.
    fn padded(value: &mut Value, name: &str) {
        const TEXTS: [&str; 8] = [
            "title", "name", "text", "scale", "unit", "method", "source", "note",
        ];
        match value {
            Value::String(text) => {
                let is_text = TEXTS
                    .iter()
                    .any(|stem| name == format!("{stem}_zh") || name == format!("{stem}_en"));
                if is_text || matches!(name, "code" | "number" | "category") {
                    *text = format!("\u{3000} {text}\n");
                }
            }
            Value::Array(members) => members.iter_mut().for_each(|member| padded(member, name)),
            Value::Object(members) => members.iter_mut().for_each(|(name, member)| padded(member, name)),
            _ => {}
        }
    }

    #[test]
    fn every_text_of_a_book_is_trimmed_and_nothing_else_is_touched() {
        for category in templates::categories() {
            let template = templates::template(category).unwrap().unwrap();
            let mut value = serde_json::to_value(&template).unwrap();
            padded(&mut value, "");
            let entered: BookDocument = serde_json::from_value(value).unwrap();
            assert_ne!(entered, template);
            assert_eq!(trimmed(entered), template);
            assert_eq!(trimmed(template.clone()), template);
        }
    }
}
