//! Text that people enter and that is shown in tables: what no line of it may hold. Gathers the faults of a whole form, so that
//! all come back at once. Pure.

use chrono::NaiveDate;

use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::text::{FORMULA, Text, is_hidden};
use crate::outbox::address::Address;
use crate::text;
use crate::web::problem::INVALID;

/// Longest mail address, in characters (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const MAIL_LENGTH_MAX: usize = 254;
/// Years that a date of a document may lie in.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// Whether a trimmed line has 1 to `length_max` characters, hides none of them, and is nothing that spreadsheets would run as a
/// formula.
///
/// # Errors
/// What is wrong with it, the first that applies.
pub fn line_fits(line: &str, length_max: usize) -> Result<(), Text> {
    let length = line.chars().count();
    if !(1..=length_max).contains(&length) {
        return Err(text!(
            "应为 1 至 {length_max} 个字符",
            "must have 1 to {length_max} characters"
        ));
    }
    if line.chars().any(is_hidden) {
        return Err(Text::fixed(
            "含有不可见字符",
            "must not have invisible characters",
        ));
    }
    if line.starts_with(FORMULA) {
        return Err(Text::fixed(
            "不得以 = + - @ 开头",
            "must not begin with = + - or @",
        ));
    }
    Ok(())
}

/// The fields of a form that is being checked.
#[derive(Debug, Default)]
pub struct Form {
    objections: Vec<Objection>,
}

impl Form {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fault at a place.
    pub fn object(&mut self, pointer: &str, detail: Text) {
        self.objections
            .extend(INVALID.because(detail).at(pointer).objections);
    }

    /// A line of text, trimmed.
    pub fn line(&mut self, pointer: &str, line: &str, length_max: usize) -> String {
        let trimmed = line.trim();
        if let Err(detail) = line_fits(trimmed, length_max) {
            self.object(pointer, detail);
        }
        trimmed.to_owned()
    }

    /// A line of text that may be left out.
    pub fn optional_line(&mut self, pointer: &str, line: Option<&str>, length_max: usize) -> Option<String> {
        line.map(|line| self.line(pointer, line, length_max))
    }

    /// A date, `2026-03-01`, of the years that documents are from.
    pub fn day(&mut self, pointer: &str, day: &str) -> NaiveDate {
        day_of(day).unwrap_or_else(|| {
            self.object(
                pointer,
                Text::fixed("应为日期，如 2026-03-01", "must be a date, like 2026-03-01"),
            );
            NaiveDate::MIN
        })
    }

    /// A telephone number: digits, spaces and hyphens, with a plus sign before them if need be.
    pub fn phone(&mut self, pointer: &str, phone: &str) -> String {
        let trimmed = phone.trim();
        let digits = trimmed.bytes().filter(u8::is_ascii_digit).count();
        let rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let known = rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
        if !known || !(5..=15).contains(&digits) || trimmed.len() > 30 {
            self.object(
                pointer,
                Text::fixed(
                    "应为 5 至 15 位的电话号码",
                    "must be a phone number of 5 to 15 digits",
                ),
            );
        }
        trimmed.to_owned()
    }

    /// A mail address, as far as one can tell without writing to it.
    pub fn mail(&mut self, pointer: &str, mail: &str) -> String {
        let trimmed = mail.trim();
        let plain = line_fits(trimmed, MAIL_LENGTH_MAX).is_ok()
            && !trimmed.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"'));
        let parts = trimmed.split_once('@');
        let whole = parts.is_some_and(|(local, host)| {
            !local.is_empty()
                && local.len() <= 64
                && host.contains('.')
                && !host.contains('@')
                && !host.split('.').any(str::is_empty)
        });
        // Whatever is stored can be written to.
        if !plain || !whole || trimmed.parse::<Address>().is_err() {
            self.object(
                pointer,
                Text::fixed("不是有效的电子邮件地址", "is not a valid mail address"),
            );
        }
        trimmed.to_owned()
    }

    /// The result of the check.
    ///
    /// # Errors
    /// [`INVALID`] with every fault found.
    pub fn finish<T>(self, value: T) -> Result<T, Refusal> {
        if self.objections.is_empty() {
            Ok(value)
        } else {
            Err(INVALID.refuse().listing(self.objections))
        }
    }
}

/// The date of a text of exactly the form `2026-03-01`.
pub fn day_of(text: &str) -> Option<NaiveDate> {
    use chrono::Datelike;
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let day: NaiveDate = shaped.then(|| text.parse().ok()).flatten()?;
    YEARS.contains(&day.year()).then_some(day)
}

/// A date in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl std::str::FromStr for Day {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        day_of(text).map(Self).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_hides_nothing_and_is_no_formula() {
        for good in ["梧桐", "a b", "O'Neil & Söhne", "1+1"] {
            assert!(line_fits(good, 20).is_ok(), "{good}");
        }
        for bad in [
            "",
            "=1",
            "+1",
            "-1",
            "@x",
            "＝1",
            "＠x",
            "a\tb",
            "a\u{202e}b",
            "a\u{feff}b",
            "a\u{0}b",
            "a\nb",
        ] {
            assert!(line_fits(bad, 20).is_err(), "{bad:?}");
        }
        assert!(line_fits(&"字".repeat(21), 20).is_err());
    }

    #[test]
    fn phones_and_mail_addresses_look_like_what_they_are() {
        let phone = |text: &str| {
            let mut form = Form::new();
            form.phone("/phone", text);
            form.finish(()).is_ok()
        };
        for good in ["13800000000", "+86 138-0000-0000", "010 1234567"] {
            assert!(phone(good), "{good}");
        }
        for bad in [
            "",
            "1234",
            "138x",
            "++8613800000000",
            "1380000000012345",
            "=1234567",
            "(010)1234567",
        ] {
            assert!(!phone(bad), "{bad}");
        }
        let mail = |text: &str| {
            let mut form = Form::new();
            form.mail("/mail", text);
            form.finish(()).is_ok()
        };
        for good in ["a@b.cn", "qing.lan+ward@mail.example.com"] {
            assert!(mail(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.cn",
            "a@",
            "a@b..cn",
            "a b@c.cn",
            "a@b.cn\r\nBcc: x@y.cn",
            "<a@b.cn>",
            "a@b@c.cn",
            "=a@b.cn",
        ] {
            assert!(!mail(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_date_has_one_form() {
        assert_eq!(day_of("2026-02-28"), NaiveDate::from_ymd_opt(2026, 2, 28));
        for bad in [
            "2026-02-29",
            "2026-2-8",
            "20260228",
            "+2026-02-28",
            "1899-12-31",
            "2200-01-01",
            "2026-02-28T00",
            "",
        ] {
            assert_eq!(day_of(bad), None, "{bad}");
        }
    }
}
