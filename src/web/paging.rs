//! Pages of lists: keyset cursors, never offsets, so that nothing is skipped or repeated while others write. A cursor
//! belongs to one question; with other filters or another order it is refused.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::kernel::refusal::{Answer, Refusal};
use crate::kernel::text::Text;
use crate::web::problem::MALFORMED;

/// Items on a page if the caller does not say.
pub const LIMIT_USUAL: u16 = 50;
/// Items on a page at most.
pub const LIMIT_MAX: u16 = 200;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last one.
    #[schema(required = true, example = "eyJvZiI6IjVjMGQ3ZTk0MTJhYiIsImFmdGVyIjpbIjE3Il19")]
    pub next_cursor: Option<String>,
}

/// Where a page ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The first bytes of the hash of the question.
    of: String,
    /// The key of the last item.
    after: Vec<String>,
}

/// The filters and order of a list, whatever the page.
pub struct Question(String);

impl Question {
    /// `parts` are all that decides which items come in which order.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hex::encode(
            hash.finalize().iter().take(6).copied().collect::<Vec<u8>>(),
        ))
    }

    /// The cursor after an item whose key is `after`.
    pub fn cursor(&self, after: Vec<String>) -> String {
        let mark = Mark {
            of: self.0.clone(),
            after,
        };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&mark).unwrap_or_default())
    }

    /// The key in a cursor of this question, which has `parts` parts.
    ///
    /// # Errors
    /// [`MALFORMED`] if the cursor is not one of ours or belongs to another question.
    pub fn after(&self, cursor: Option<&str>, parts: usize) -> Answer<Option<Vec<String>>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let mark = BASE64_URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|json| serde_json::from_slice::<Mark>(&json).ok());
        match mark {
            Some(mark)
                if mark.of == self.0
                    && mark.after.len() == parts
                    // PostgreSQL has no text with a zero character; a cursor of ours never holds one.
                    && !mark.after.iter().any(|part| part.contains('\0')) =>
            {
                Ok(Some(mark.after))
            }
            _ => Err(bad_cursor().into()),
        }
    }
}

/// The refusal of a cursor that cannot be followed.
pub fn bad_cursor() -> Refusal {
    MALFORMED
        .because(Text::fixed(
            "cursor 无效，或属于另一组筛选条件；请从第一页重新开始",
            "the cursor is not valid or belongs to other filters; begin again with the first page",
        ))
        .at("?cursor")
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` items: the one too many only tells that there is a next page.
    pub fn cut(mut items: Vec<T>, limit: u16, question: &Question, key: impl Fn(&T) -> Vec<String>) -> Self {
        let limit = usize::from(limit);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more {
            items.last().map(|last| question.cursor(key(last)))
        } else {
            None
        };
        Self { items, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next_cursor: self.next_cursor,
        }
    }

    /// Adds the `Link` header (RFC 8288) to the next page.
    pub fn link(&self, request: &HttpRequest, response: &mut HttpResponseBuilder) {
        if let Some(cursor) = &self.next_cursor {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
                if name != "cursor" {
                    pairs.append_pair(&name, &value);
                }
            }
            pairs.append_pair("cursor", cursor);
            response.insert_header((
                LINK,
                format!("<{}?{}>; rel=\"next\"", request.path(), pairs.finish()),
            ));
        }
    }
}

impl<T: Serialize> Page<T> {
    /// The page as an answer, with the link to the next one.
    pub fn answer(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        self.link(request, &mut response);
        response.json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_in_its_own_question_only() {
        let question = Question::of(&["name", "street"]);
        let cursor = question.cursor(vec!["梧桐".into(), "area_1".into()]);
        assert_eq!(
            question.after(Some(&cursor), 2).unwrap(),
            Some(vec!["梧桐".into(), "area_1".into()])
        );
        assert!(question.after(Some(&cursor), 1).is_err());
        assert!(Question::of(&["names", "treet"]).after(Some(&cursor), 2).is_err());
        assert!(question.after(Some("%%%"), 2).is_err());
        let forged = question.cursor(vec!["\0".into(), "area_1".into()]);
        assert!(question.after(Some(&forged), 2).is_err());
        assert_eq!(question.after(None, 2).unwrap(), None);
    }

    #[test]
    fn only_a_full_page_with_more_behind_it_has_a_cursor() {
        let question = Question::of(&[]);
        let key = |n: &u8| vec![n.to_string()];
        assert!(Page::cut(vec![1, 2], 2, &question, key).next_cursor.is_none());
        let page = Page::cut(vec![1, 2, 3], 2, &question, key);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(
            question.after(page.next_cursor.as_deref(), 1).unwrap(),
            Some(vec!["2".into()])
        );
        assert!(Page::cut(Vec::new(), 2, &question, key).next_cursor.is_none());
    }
}
