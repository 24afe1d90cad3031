//! Which representation a caller gets (RFC 9110 §12.5.1), and tables as CSV (RFC 4180).

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

use crate::kernel::refusal::{Answer, Fault};
use crate::text;
use crate::web::problem::NOT_ACCEPTABLE;
use crate::web::sheet::XLSX;

/// A representation of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
    /// `application/jsonl`: one JSON document a line.
    JsonLines,
    /// A spreadsheet's workbook (XLSX).
    Workbook,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonl",
            Self::Workbook => XLSX,
        }
    }

    /// The one among `offered` that the caller likes best; the first if the caller does not care.
    ///
    /// # Errors
    /// [`NOT_ACCEPTABLE`] if none will do.
    pub fn wanted(request: &HttpRequest, offered: &[Self]) -> Answer<Self> {
        let lines = request.headers().get_all(ACCEPT);
        let header = lines
            .map(|line| line.to_str().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(",");
        let header = if header.is_empty() { "*/*" } else { &header };
        let mut best: Option<(u16, Self)> = None;
        for format in offered {
            // The range that says most about a type decides, whatever wider ones say.
            let named = header
                .split(',')
                .filter_map(|range| weight(range, format.media_type()))
                .max();
            if let Some((_, weight)) = named.filter(|(_, weight)| *weight > 0)
                && best.is_none_or(|(known, _)| weight > known)
            {
                best = Some((weight, *format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            let all = offered
                .iter()
                .map(|format| format.media_type())
                .collect::<Vec<_>>()
                .join(", ");
            NOT_ACCEPTABLE
                .because(text!("可提供 {all}", "offered here: {all}"))
                .into()
        })
    }
}

/// How closely one range of `Accept` names a media type, and the weight in thousandths that it gives to it; `None` if it
/// does not cover it.
fn weight(range: &str, media_type: &str) -> Option<(u8, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let pattern = parts.next()?.to_ascii_lowercase();
    let closeness = if pattern == media_type {
        2
    } else if pattern == "*/*" {
        0
    } else {
        let kind = pattern.strip_suffix("/*")?;
        (media_type.split('/').next() == Some(kind)).then_some(1)?
    };
    let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let thousandths = format!("{fraction:0<3}")
        .get(..3)
        .and_then(|digits| digits.parse::<u16>().ok())?;
    let quality = if whole == "1" { 1000 } else { thousandths };
    Some((closeness, quality))
}

/// A table as CSV with a header line.
///
/// # Errors
/// A fault if it cannot be written, which memory always can.
pub fn csv_table<R>(header: &[&str], rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, Fault>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer
        .write_record(header)
        .map_err(|error| Fault::caused("write CSV", error))?;
    for row in rows {
        writer
            .write_record(row)
            .map_err(|error| Fault::caused("write CSV", error))?;
    }
    writer
        .into_inner()
        .map_err(|error| Fault::broken(format!("write CSV: {error}")))
}

/// Lines of CSV, without a header line: a part of a table that is sent part by part.
///
/// # Errors
/// As [`csv_table`].
pub fn csv_lines<R>(rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, Fault>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .map_err(|error| Fault::caused("write CSV", error))?;
    }
    writer
        .into_inner()
        .map_err(|error| Fault::broken(format!("write CSV: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_caller_gets_what_it_likes_best() {
        let wanted = |accept: &str| {
            let request = TestRequest::default()
                .insert_header((ACCEPT, accept))
                .to_http_request();
            Format::wanted(&request, &[Format::Json, Format::Csv]).ok()
        };
        assert_eq!(wanted("*/*"), Some(Format::Json));
        assert_eq!(wanted("text/csv"), Some(Format::Csv));
        assert_eq!(wanted("text/*, application/json;q=0.5"), Some(Format::Csv));
        assert_eq!(wanted("application/json;q=0, text/csv;q=0.1"), Some(Format::Csv));
        assert_eq!(wanted("application/json;q=0, */*"), Some(Format::Csv));
        assert_eq!(
            wanted("text/csv;q=0.2, text/*;q=0.9, application/json;q=0.5"),
            Some(Format::Json)
        );
        assert_eq!(wanted("image/png"), None);
        let none = TestRequest::default().to_http_request();
        assert_eq!(Format::wanted(&none, &[Format::Csv]).ok(), Some(Format::Csv));
    }

    #[test]
    fn a_field_with_commas_and_quotes_is_quoted() {
        let table = csv_table(&["a", "b"], [["1,2", "say \"x\""]]).unwrap();
        assert_eq!(
            String::from_utf8(table).unwrap(),
            "a,b\r\n\"1,2\",\"say \"\"x\"\"\"\r\n"
        );
    }
}
