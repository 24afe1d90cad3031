//! Query parameters, read one by one so that every fault is reported at once; an unknown or repeated parameter is a
//! fault, because a filter that is silently ignored answers another question than the one asked.

use std::str::FromStr;

use actix_web::HttpRequest;
use chrono::{DateTime, Datelike, Utc};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Objection};
use crate::kernel::text::Text;
use crate::text;
use crate::web::problem::MALFORMED;

/// Longest value of a parameter, in characters after decoding.
pub const VALUE_LENGTH_MAX: usize = 2_000;

/// The parameters of one request that have not been asked for yet, and the faults found so far.
pub struct Query {
    pairs: Vec<(String, String)>,
    objections: Vec<Objection>,
}

/// What a parameter was read as that has to be given.
///
/// # Errors
/// [`MALFORMED`] at the parameter, if it was not.
pub fn required<T>(value: Option<T>, name: &str) -> Answer<T> {
    let missing = || {
        let detail = Text::fixed("缺少此参数", "is missing");
        MALFORMED.because(detail).at(format!("?{name}"))
    };
    Ok(value.ok_or_else(missing)?)
}

impl Query {
    /// Splits the query string (percent- and plus-encoded UTF-8).
    pub fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    fn parse(text: &str) -> Self {
        let mut query = Self {
            pairs: Vec::new(),
            objections: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if query.pairs.iter().any(|(known, _)| *known == name) {
                query.object(&name, "repeated", Text::fixed("参数重复", "is given twice"));
            } else if value.chars().count() > VALUE_LENGTH_MAX || value.contains(['\0', '\u{fffd}']) {
                query.object(
                    &name,
                    "not_valid",
                    Text::fixed("不是有效的文本", "is not valid text"),
                );
            } else {
                query.pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        query
    }

    fn object(&mut self, name: &str, code: &'static str, detail: Text) {
        self.objections.push(Objection {
            pointer: format!("?{name}"),
            code,
            detail,
        });
    }

    /// The text of a parameter, if it was given and is not empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.pairs.swap_remove(at);
        (!value.is_empty()).then_some(value)
    }

    /// A parameter that a type of ours reads.
    pub fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let value = self.text(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.object(
                name,
                "not_valid",
                text!("“{value}” 无效", "`{value}` is not valid here"),
            );
        }
        parsed
    }

    /// A parameter that is one of a few words.
    pub fn one_of<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.text(name)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == value)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let all = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.object(
                name,
                "not_one_of",
                text!("应为 {all} 之一", "must be one of {all}"),
            );
        }
        found
    }

    /// An instant, RFC 3339.
    pub fn instant(&mut self, name: &str) -> Option<Instant> {
        let value = self.text(name)?;
        let parsed = DateTime::parse_from_rfc3339(&value)
            .map(|instant| instant.with_timezone(&Utc))
            .ok()
            // An offset can lead out of the years of RFC 3339, in which no answer could tell the instant.
            .filter(|instant| (0..=9999).contains(&instant.year()));
        if parsed.is_none() {
            self.object(
                name,
                "not_an_instant",
                Text::fixed(
                    "应为 RFC 3339 时间，如 2026-03-01T08:00:00Z",
                    "must be RFC 3339, like 2026-03-01T08:00:00Z",
                ),
            );
        }
        parsed
    }

    /// `limit`: how many items a page may have, 1 to `max`, `usual` if it is not given.
    pub fn limit(&mut self, usual: u16, max: u16) -> u16 {
        let Some(value) = self.text("limit") else {
            return usual;
        };
        match value.parse::<u16>() {
            Ok(limit) if (1..=max).contains(&limit) => limit,
            _ => {
                self.object(
                    "limit",
                    "out_of_range",
                    text!("应在 1 至 {max} 之间", "must be from 1 to {max}"),
                );
                usual
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`MALFORMED`] with every fault, parameters that nobody asked for among them.
    pub fn finish(mut self) -> Answer<()> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.object(
                &name,
                "unknown_parameter",
                Text::fixed("没有这个参数", "there is no such parameter"),
            );
        }
        if self.objections.is_empty() {
            Ok(())
        } else {
            Err(MALFORMED.refuse().listing(self.objections).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::refusal::Stop;

    #[test]
    fn an_instant_is_one_that_an_answer_can_tell() {
        let read = |text: &str| Query::parse(&format!("at={text}")).instant("at").is_some();
        assert!(read("9999-12-31T23:59:59Z") && read("0000-01-01T00:00:00Z"));
        assert!(!read("9999-12-31T23:59:59-01:00") && !read("0000-01-01T00:00:00%2B01:00"));
    }

    #[test]
    fn all_faults_are_reported_together() {
        let mut query = Query::parse("limit=900&from=yesterday&colour=red&sort=size&q=a&q=b");
        assert_eq!(query.limit(20, 200), 20);
        assert!(query.instant("from").is_none());
        assert!(query.one_of("sort", &[("name", 1)]).is_none());
        assert_eq!(query.text("q").as_deref(), Some("a"));
        let Err(Stop::Refused(refusal)) = query.finish() else {
            unreachable!()
        };
        let mut codes: Vec<_> = refusal
            .objections
            .iter()
            .map(|o| (o.pointer.as_str(), o.code))
            .collect();
        codes.sort_unstable();
        assert_eq!(
            codes,
            [
                ("?colour", "unknown_parameter"),
                ("?from", "not_an_instant"),
                ("?limit", "out_of_range"),
                ("?q", "repeated"),
                ("?sort", "not_one_of"),
            ]
        );
    }

    #[test]
    fn good_parameters_leave_nothing_to_object_to() {
        let mut query = Query::parse("limit=5&from=2026-03-01T08:00:00%2B08:00&q=%E6%A2%A7+x&empty=");
        assert_eq!(query.limit(20, 200), 5);
        assert_eq!(
            query
                .instant("from")
                .map(crate::kernel::clock::rfc3339)
                .as_deref(),
            Some("2026-03-01T00:00:00.000000Z")
        );
        assert_eq!(query.text("q").as_deref(), Some("梧 x"));
        assert_eq!(query.text("empty"), None);
        assert!(query.finish().is_ok());
    }
}
