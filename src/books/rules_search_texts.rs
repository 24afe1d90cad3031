//! What of a book and of a standard is searched: the texts of both languages, one after another. Pure.

use crate::books::rules_documents::BookDocument;
use crate::kernel::text::Text;
use crate::standards::rules_indicators::Content;

/// Characters that the index keeps of a document in each language; what comes after them is not found.
pub const BODY_LENGTH_MAX: usize = 20_000;

/// Two texts that grow together.
#[derive(Default)]
struct Body {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Body {
    fn says(&mut self, zh: &str, en: &str) {
        self.zh.push(zh.trim().to_owned());
        self.en.push(en.trim().to_owned());
    }

    fn finish(self) -> Text {
        let whole = |lines: Vec<String>| lines.join("\n").chars().take(BODY_LENGTH_MAX).collect::<String>();
        Text::made(whole(self.zh), whole(self.en))
    }
}

/// The title of a book.
pub fn title_of_book(book: &BookDocument) -> Text {
    Text::made(book.title_zh.trim().to_owned(), book.title_en.trim().to_owned())
}

/// What a book says: first what is bought and where, then who may bid, what is judged, and both parties' duties.
pub fn of_book(book: &BookDocument) -> Text {
    let mut body = Body::default();
    for lot in &book.lots {
        body.says(&lot.title_zh, &lot.title_en);
        for one in &lot.quantities {
            body.says(&one.name_zh, &one.name_en);
        }
        for one in &lot.places {
            body.says(&one.name_zh, &one.name_en);
        }
    }
    for one in &book.qualifications {
        body.says(&one.name_zh, &one.name_en);
    }
    for lot in &book.lots {
        for one in &lot.criteria {
            body.says(&one.name_zh, &one.name_en);
        }
        for one in &lot.indicators {
            body.says(&one.name_zh, &one.name_en);
        }
    }
    for clause in &book.clauses {
        body.says(&clause.text_zh, &clause.text_en);
    }
    body.finish()
}

/// What a version of a standard says: why there is one, and everything that it measures.
pub fn of_standard(content: &Content) -> Text {
    let mut body = Body::default();
    if let Some(note) = &content.note {
        body.says(&note.zh, &note.en);
    }
    for one in &content.indicators {
        body.says(&one.name.zh, &one.name.en);
        body.says(&one.text.zh, &one.text.en);
    }
    body.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::templates;

    #[test]
    fn a_book_is_found_by_all_that_it_says_in_both_languages_and_never_by_more_than_the_index_keeps() {
        let mut book = templates::template("sanitation").unwrap().unwrap();
        let body = of_book(&book);
        for clause in &book.clauses {
            assert!(body.zh().contains(clause.text_zh.trim()) && body.en().contains(clause.text_en.trim()));
        }
        assert!(body.zh().contains("群众评议") && body.en().contains("Price"));
        for clause in &mut book.clauses {
            clause.text_zh = "长".repeat(2_000);
        }
        assert_eq!(of_book(&book).zh().chars().count(), BODY_LENGTH_MAX);
    }
}
