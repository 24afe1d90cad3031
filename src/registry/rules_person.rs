//! What is written about a person and their dwelling, strictly read: names, dates of birth, telephone numbers, addresses, and the
//! area of a dwelling. Pure. No fault found here ever repeats the value: it is personal.

use chrono::{Datelike, NaiveDate};

use crate::kernel::fixed::{self, Shape};
use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::text::{FORMULA, Text, is_hidden};
use crate::text;
use crate::web::problem::INVALID;

/// Characters of a name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Characters of a household's code: building, unit and room.
pub const HOUSEHOLD_CODE_LENGTH_MAX: usize = 50;
/// Characters of a mail address (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const EMAIL_LENGTH_MAX: usize = 254;
/// Digits of a telephone number: from a service number to ITU-T E.164's fifteen, with a prefix for abroad.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=18;
/// Hundredths of a square metre that a dwelling has at most: 100,000 m².
const DWELLING_AREA_DM2_MAX: i64 = 10_000_000;
/// Nobody is older than this.
const AGE_MAX_YEARS: i32 = 130;
/// From this age on a person is an adult (民法典 art 17: 十八周岁以上的自然人为成年人; by art 1259 the number itself counts).
pub const ADULT_AT_YEARS: i32 = 18;

/// The area of a dwelling, exact to the hundredth of a square metre, as title deeds state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DwellingArea {
    dm2: i64,
}

impl DwellingArea {
    /// From hundredths of a square metre, which are square decimetres.
    pub fn of_dm2(dm2: i64) -> Option<Self> {
        (1..=DWELLING_AREA_DM2_MAX).contains(&dm2).then_some(Self { dm2 })
    }

    /// In hundredths of a square metre.
    pub const fn dm2(self) -> i64 {
        self.dm2
    }

    /// Reads square metres: `89.35`.
    ///
    /// # Errors
    /// What is wrong, without the value.
    pub fn read(square_metres: &str) -> Result<Self, Text> {
        let shape = Shape {
            places_max: 2,
            signed: false,
        };
        fixed::read(square_metres.trim(), shape)
            .ok()
            .and_then(|fixed| fixed.units_at(2))
            .and_then(Self::of_dm2)
            .ok_or_else(|| {
                Text::fixed(
                    "面积应为 0.01 至 100000 的数，至多两位小数，单位平方米",
                    "an area is a number of square metres from 0.01 to 100000, with at most two decimals",
                )
            })
    }
}

impl std::fmt::Display for DwellingArea {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&square_metres(self.dm2))
    }
}

/// Hundredths of a square metre as square metres with two decimals.
pub fn square_metres(dm2: i64) -> String {
    format!("{}.{:02}", dm2.div_euclid(100), dm2.rem_euclid(100))
}

/// A line that a person has entered: trimmed, visible, and nothing that a spreadsheet would run as a formula.
fn line(value: &str, length_max: usize) -> Result<String, Text> {
    let trimmed = value.trim();
    if !(1..=length_max).contains(&trimmed.chars().count()) {
        return Err(text!(
            "应为 1 至 {length_max} 个字符",
            "must have 1 to {length_max} characters"
        ));
    }
    if trimmed.chars().any(is_hidden) {
        return Err(Text::fixed(
            "含有不可见字符",
            "must not have invisible characters",
        ));
    }
    if trimmed.starts_with(FORMULA) {
        return Err(Text::fixed(
            "不得以 = + - @ 开头",
            "must not begin with = + - or @",
        ));
    }
    Ok(trimmed.to_owned())
}

/// A person's name: any script, with the middle dot of minorities' names, rare characters beyond the basic plane, and spaces.
///
/// # Errors
/// What is wrong, without the value.
pub fn name(value: &str) -> Result<String, Text> {
    line(value, NAME_LENGTH_MAX)
}

/// A household's code within its community.
///
/// # Errors
/// What is wrong, without the value.
pub fn household_code(value: &str) -> Result<String, Text> {
    line(value, HOUSEHOLD_CODE_LENGTH_MAX)
}

/// A telephone number, without the spaces and hyphens it may be written with.
///
/// # Errors
/// What is wrong, without the value.
pub fn phone(value: &str) -> Result<String, Text> {
    let plain: String = value.trim().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    if PHONE_DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(plain)
    } else {
        Err(Text::fixed(
            "应为 5 至 18 位数字的电话号码",
            "must be a telephone number of 5 to 18 digits",
        ))
    }
}

/// A mail address in lower case, as far as one can tell without writing to it.
///
/// # Errors
/// What is wrong, without the value.
pub fn email(value: &str) -> Result<String, Text> {
    let wrong = Text::fixed("应为邮箱地址", "must be a mail address");
    let Ok(line) = line(value, EMAIL_LENGTH_MAX) else {
        return Err(wrong);
    };
    let plain = |c: char| !c.is_whitespace() && !"\"()<>[]:;,\\@".contains(c);
    match line.split_once('@') {
        Some((local, host))
            if !local.is_empty()
                && local.chars().all(plain)
                && host.chars().all(plain)
                && host.contains('.')
                && host.split('.').all(|label| !label.is_empty()) =>
        {
            Ok(line.to_lowercase())
        }
        _ => Err(wrong),
    }
}

/// A date as people and spreadsheets write it: `2001-02-03`, `2001/2/3`, `2001.2.3`, `20010203`, `2001年2月3日`.
pub fn date(value: &str) -> Option<NaiveDate> {
    let value = value.trim();
    if !value.is_ascii() && !value.ends_with('日') {
        return None;
    }
    let plain = value.trim_end_matches('日').replace(['年', '月', '/', '.'], "-");
    let parts: Vec<&str> = match plain.split('-').collect::<Vec<_>>().as_slice() {
        [whole] if whole.len() == 8 => {
            vec![whole.get(..4)?, whole.get(4..6)?, whole.get(6..)?]
        }
        parts => parts.to_vec(),
    };
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(year, 4..=4) || !digits(month, 1..=2) || !digits(day, 1..=2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// A date of birth, seen from `today`.
///
/// # Errors
/// What is wrong, without the value.
pub fn birth_date(value: &str, today: NaiveDate) -> Result<NaiveDate, Text> {
    let born = date(value).ok_or_else(|| {
        Text::fixed(
            "应为日期，如 2001-02-03 或 2001/2/3",
            "must be a date, like 2001-02-03 or 2001/2/3",
        )
    })?;
    if born > today || age_on(born, today) > AGE_MAX_YEARS {
        return Err(text!(
            "不得晚于今天，也不得早于 {AGE_MAX_YEARS} 年前",
            "must not be after today, nor more than {AGE_MAX_YEARS} years ago"
        ));
    }
    Ok(born)
}

/// Completed years of age on a date: a year is completed on the birthday itself. Who was born on 29 February has it on the
/// 28th in other years, because where the day is missing the month's last stands for it (民法典 art 202). The years before birth
/// are negative.
pub fn age_on(born: NaiveDate, on: NaiveDate) -> i32 {
    let years = on.year().saturating_sub(born.year());
    if on < birthday_in(born, on.year()) {
        years.saturating_sub(1)
    } else {
        years
    }
}

fn birthday_in(born: NaiveDate, year: i32) -> NaiveDate {
    born.with_year(year)
        .or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
        .unwrap_or(born)
}

/// The latest date of birth of those who have completed `years` on a date: the way to ask a database for them.
pub fn born_by(on: NaiveDate, years: i32) -> NaiveDate {
    let year = on.year().saturating_sub(years);
    // On the last day of February those born on the 29th have their birthday too.
    let same = on.with_year(year);
    let end_of_february = on.month() == 2 && on.succ_opt().is_some_and(|next| next.month() == 3);
    match (end_of_february, NaiveDate::from_ymd_opt(year, 2, 29)) {
        (true, Some(leap_day)) => leap_day,
        _ => same
            .or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
            .unwrap_or(NaiveDate::MIN),
    }
}

/// The fields of a form that is being read, and what is wrong with them so far.
#[derive(Debug, Default)]
pub struct Form {
    objections: Vec<Objection>,
}

impl Form {
    /// What a field holds; a fault is kept for the end.
    pub fn field<T>(&mut self, pointer: &str, read: Result<T, Text>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(detail) => {
                self.object(pointer, detail);
                None
            }
        }
    }

    /// A fault at a place.
    pub fn object(&mut self, pointer: &str, detail: Text) {
        self.objections
            .extend(INVALID.because(detail).at(pointer).objections);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`INVALID`] with every fault found.
    pub fn end(self) -> Result<(), Refusal> {
        if self.objections.is_empty() {
            Ok(())
        } else {
            Err(INVALID.refuse().listing(self.objections))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn names_of_all_kinds_are_names_and_hidden_characters_are_not() {
        for good in [
            "张三",
            "阿卜杜拉·买买提",
            "𠮷野家𬬻",
            "Ngũgĩ wa Thiong'o",
            "  欧阳 娜娜 ",
            "O'Neill-Smith",
        ] {
            assert_eq!(name(good).as_deref(), Ok(good.trim()));
        }
        for bad in [
            "",
            "  ",
            "=1+1",
            "@x",
            "-甲",
            "+86",
            "张\u{200b}三",
            "张\u{202e}三",
            "张\n三",
            "张\u{0}三",
            "张\u{fe0f}三",
            "\u{e0041}",
            "\u{fffd}",
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(name(&"字".repeat(100)).is_ok() && name(&"字".repeat(101)).is_err());
        assert!(household_code("3-2-501").is_ok() && household_code(&"1".repeat(51)).is_err());
    }

    #[test]
    fn numbers_and_addresses_are_brought_to_one_form() {
        assert_eq!(phone(" 138-0013 8000 ").as_deref(), Ok("13800138000"));
        assert_eq!(phone("+852 2123 4567").as_deref(), Ok("+85221234567"));
        for bad in [
            "",
            "1234",
            "+",
            "138 0013 800x",
            "１３８００１３８０００",
            "++8612345",
            "1234567890123456789",
        ] {
            assert!(phone(bad).is_err(), "{bad}");
        }
        assert_eq!(
            email(" Zhang.San@Example.org").as_deref(),
            Ok("zhang.san@example.org")
        );
        for bad in [
            "",
            "a",
            "@b.c",
            "a@",
            "a@b",
            "a@b..c",
            "a b@c.d",
            "a@b@c.d",
            "a\r\nb@c.d",
            "=a@b.c",
            "<a@b.c>",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_area_is_exact_to_the_hundredth() {
        let read = |text: &str| DwellingArea::read(text).map(|area| (area.dm2(), area.to_string()));
        assert_eq!(read(" 89.35 "), Ok((8_935, "89.35".to_owned())));
        assert_eq!(read("120"), Ok((12_000, "120.00".to_owned())));
        assert_eq!(read("0.01"), Ok((1, "0.01".to_owned())));
        assert_eq!(read("100000.00").map(|(dm2, _)| dm2), Ok(10_000_000));
        for bad in [
            "",
            "0",
            "0.00",
            "-5",
            "89.355",
            "100000.01",
            "1e3",
            "89,35",
            "89.35㎡",
            "٣",
        ] {
            assert!(DwellingArea::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_are_read_as_spreadsheets_write_them() {
        for good in [
            "2001-02-03",
            "2001/2/3",
            "2001.2.3",
            "20010203",
            "2001年2月3日",
            " 2001-2-03 ",
        ] {
            assert_eq!(date(good), Some(day("2001-02-03")), "{good}");
        }
        for bad in [
            "",
            "2001-02-30",
            "03/02/2001",
            "2001",
            "2001-02",
            "2001-02-03-04",
            "200102031",
            "二〇〇一年",
            "36925",
            "2001-02-03T00:00",
            "+2001-2-3",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
        let today = day("2026-03-02");
        assert!(birth_date("2026-03-02", today).is_ok() && birth_date("2026-03-03", today).is_err());
        assert!(birth_date("1896-03-01", today).is_ok() && birth_date("1895-03-01", today).is_err());
    }

    #[test]
    fn who_turns_eighteen_today_is_an_adult_today() {
        assert_eq!(age_on(day("2008-03-02"), day("2026-03-02")), 18);
        assert_eq!(age_on(day("2008-03-03"), day("2026-03-02")), 17);
        // Born on a leap day: the last of February stands for the birthday.
        assert_eq!(age_on(day("2008-02-29"), day("2026-02-27")), 17);
        assert_eq!(age_on(day("2008-02-29"), day("2026-02-28")), 18);
        assert_eq!(age_on(day("2008-02-29"), day("2028-02-28")), 19);
        assert_eq!(age_on(day("2008-02-29"), day("2028-02-29")), 20);
        assert_eq!(age_on(day("2026-03-02"), day("2026-03-01")), -1);
        assert_eq!(born_by(day("2026-02-28"), 18), day("2008-02-29"));
        assert_eq!(born_by(day("2028-02-29"), 18), day("2010-02-28"));
        assert_eq!(born_by(day("2028-02-28"), 20), day("2008-02-28"));
    }

    proptest! {
        #[test]
        fn asking_by_date_of_birth_is_asking_by_age(born in 0i64..45_000, on in 0i64..60_000, years in 0i32..100) {
            let from = day("1900-01-01");
            let (born, on) = (from + chrono::Duration::days(born), from + chrono::Duration::days(on));
            prop_assert_eq!(age_on(born, on) >= years, born <= born_by(on, years));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (name(&text), phone(&text), email(&text), date(&text), DwellingArea::read(&text).is_ok());
        }
    }
}
