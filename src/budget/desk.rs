//! What the handlers of money share: ids and cursors read, tables sent.

use std::str::FromStr;

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::budget::rules::YEARS;
use crate::kernel::refusal::Answer;
use crate::web::format::Format;
use crate::web::paging::{Page, Question};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// What is not an id of the kind asked for names nothing.
///
/// # Errors
/// Not found.
pub fn parsed<T: FromStr>(id: &str) -> Answer<T> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

/// Where a page begins: the one part of its cursor.
///
/// # Errors
/// A cursor that cannot be followed.
pub fn after(question: &Question, cursor: Option<&str>) -> Answer<Option<String>> {
    let parts = question.after(cursor, 1)?;
    Ok(parts.and_then(|parts| parts.into_iter().next()))
}

/// How many rows a page needs to know whether there is another.
pub fn one_more(limit: u16) -> i64 {
    i64::from(limit).saturating_add(1)
}

/// The parameter `fiscal_year`.
pub fn fiscal_year(query: &mut Query) -> Option<i64> {
    query.parsed::<Year>("fiscal_year").map(|year| year.0)
}

struct Year(i64);

impl FromStr for Year {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let year = text.parse().map_err(|_| ())?;
        if YEARS.contains(&year) && text.len() == 4 {
            Ok(Self(year))
        } else {
            Err(())
        }
    }
}

/// A table to save under a name.
pub fn attached(mut response: HttpResponseBuilder, name: &'static str, table: Vec<u8>) -> HttpResponse {
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.insert_header((CONTENT_DISPOSITION, disposition));
    }
    response.content_type("text/csv; charset=utf-8").body(table)
}

/// A page, or the same as a table to save under a name, with the link to the next one.
///
/// # Errors
/// A fault if the table cannot be written.
pub fn page_or_table<T: Serialize>(
    request: &HttpRequest,
    page: Page<T>,
    format: Format,
    (name, table): (&'static str, impl FnOnce(&[T]) -> Answer<Vec<u8>>),
) -> Answer<HttpResponse> {
    if format == Format::Json {
        return Ok(page.answer(request));
    }
    let mut response = HttpResponse::Ok();
    page.link(request, &mut response);
    Ok(attached(response, name, table(&page.items)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_four_digits_of_those_that_books_are_kept_of() {
        let year = |text: &str| text.parse::<Year>().ok().map(|year| year.0);
        assert_eq!((year("2000"), year("2199")), (Some(2000), Some(2199)));
        for wrong in ["1999", "2200", "02026", "+2026", "", "年"] {
            assert_eq!(year(wrong), None, "{wrong}");
        }
    }
}
