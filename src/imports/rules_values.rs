//! Single values as publishers write them, and what they are: amounts, currencies, instants. Each function says what it made of a value and why, or that it
//! cannot be read; none of them guesses where two readings are possible and one is not the usual one. Pure.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::imports::rules_findings::Code;
use crate::kernel::clock::Instant;

/// Digits from which on more than two decimals are taken for the rest of a binary fraction.
const ARTEFACT_DIGITS_MIN: usize = 15;
/// The years that anything published can be of.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// An amount in hundredths of its currency's unit, and how it was got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Hundredths: whole numbers, so that nothing is lost in adding up.
    pub hundredths: i64,
    /// What had to be done to it.
    pub code: Option<Code>,
}

impl Amount {
    /// As a number in JSON.
    pub fn number(&self) -> String {
        decimal(self.hundredths)
    }
}

/// Hundredths as a decimal number.
pub fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let whole = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", whole / 100, whole % 100)
}

/// Reads a number of JSON as an amount. A half is rounded away from zero, as prices are.
///
/// # Errors
/// [`Code::AmountUnreadable`] if it is larger than what can be kept.
pub fn amount_of_number(text: &str) -> Result<Amount, Code> {
    let read = if text.contains(['e', 'E']) {
        Decimal::from_scientific(text)
    } else {
        text.parse::<Decimal>()
    };
    let exact = read.map_err(|_| Code::AmountUnreadable)?.normalize();
    let rounded = exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let code = (rounded != exact).then_some(if digits >= ARTEFACT_DIGITS_MIN {
        Code::FloatArtefact
    } else {
        Code::AmountRounded
    });
    let hundredths = rounded
        .checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|hundredths| i64::try_from(hundredths).ok());
    Ok(Amount {
        hundredths: hundredths.ok_or(Code::AmountUnreadable)?,
        code,
    })
}

/// Signs and words that stand for a currency beside an amount, for each currency that has any; its code always may stand there. A sign of several currencies stands for the one
/// that is said.
const MARKS: [(&str, &[&str]); 17] = [
    ("CNY", &["人民币", "元", "¥", "￥", "RMB"]),
    ("JPY", &["円", "¥", "￥"]),
    ("EUR", &["€"]),
    ("GBP", &["£"]),
    ("KRW", &["₩"]),
    ("INR", &["₹"]),
    ("PYG", &["₲"]),
    ("USD", &["US$", "U$S", "$"]),
    ("HKD", &["HK$", "$"]),
    ("TWD", &["NT$", "$"]),
    ("MXN", &["MX$", "$"]),
    ("DOP", &["RD$", "$"]),
    ("BRL", &["R$"]),
    ("CAD", &["C$", "$"]),
    ("AUD", &["A$", "$"]),
    ("COP", &["$"]),
    ("CLP", &["$"]),
];
/// What stands between thousands and nowhere else.
const GROUPING: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '_'];

/// Reads a text as an amount of a currency: digits with or without groups, the currency's code or sign before or behind. Nothing else may stand there: a word may be a magnitude,
/// and a mark of another currency, or of one that nobody has said, contradicts the amount. A comma or a point before exactly three digits, with one to three others than a zero
/// before it and nothing else, may stand between thousands or before decimals: whichever of both it is, nobody can say, so that neither is read.
///
/// # Errors
/// [`Code::AmountUnreadable`] if it is none, or could be two.
pub fn amount_of_text(text: &str, currency: Option<&str>) -> Result<Amount, Code> {
    let (text, currency) = (text.trim(), self::currency(currency.unwrap_or_default()).0);
    let (sign, text) = signed(text);
    let bare = unmarked(text, currency.as_deref());
    let (sign, bare) = match (sign, signed(bare)) {
        ("", (inner, bare)) => (inner, bare),
        (sign, ("", bare)) => (sign, bare),
        _ => return Err(Code::AmountUnreadable),
    };
    let plain = ungrouped(bare).ok_or(Code::AmountUnreadable)?;
    let mut amount = amount_of_number(&format!("{}{plain}", sign.trim_start_matches('+')))?;
    amount.code = Some(Code::AmountAsText);
    Ok(amount)
}

/// A sign before a text, and what comes behind it.
fn signed(text: &str) -> (&str, &str) {
    for sign in ["-", "+"] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (sign, rest.trim_start());
        }
    }
    ("", text)
}

/// A text without one mark of its currency before it and one behind it.
fn unmarked<'t>(text: &'t str, currency: Option<&str>) -> &'t str {
    let Some(currency) = currency else { return text };
    let signs = MARKS.iter().find(|(code, _)| *code == currency);
    let signs = signs.map(|(_, signs)| *signs).unwrap_or_default();
    let bare = std::iter::once(&currency)
        .chain(signs)
        .find_map(|mark| text.strip_prefix(*mark));
    let text = bare.map_or(text, str::trim_start);
    let bare = std::iter::once(&currency)
        .chain(signs)
        .find_map(|mark| text.strip_suffix(*mark));
    bare.map_or(text, str::trim_end)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits in groups of three, of which the first may be shorter, without the mark between them.
fn in_groups(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or_default();
    let fits = (1..=3).contains(&first.len())
        && is_digits(first)
        && groups.all(|one| one.len() == 3 && is_digits(one));
    fits.then(|| text.replace(mark, ""))
}

/// Digits without the marks between thousands, with a point before decimals.
fn ungrouped(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let decimal = |whole: String, decimals: &str| {
        (!decimals.is_empty() && is_digits(decimals)).then(|| format!("{whole}.{decimals}"))
    };
    if let Some(mark) = text.chars().find(|c| GROUPING.contains(c)) {
        // With these between thousands, a comma or a point stands before decimals.
        return match text.split_once([',', '.']) {
            None => in_groups(text, mark),
            Some((whole, decimals)) => decimal(in_groups(whole, mark)?, decimals),
        };
    }
    let with_decimals = |mark: char, groups: char| {
        let (whole, decimals) = text.rsplit_once(mark)?;
        let whole = if is_digits(whole) {
            whole.to_owned()
        } else {
            in_groups(whole, groups)?
        };
        decimal(whole, decimals)
    };
    let alone = |mark: char, other: char| {
        if text.matches(mark).count() > 1 {
            return in_groups(text, mark);
        }
        let (whole, decimals) = text.split_once(mark)?;
        let is_either = decimals.len() == 3 && whole.len() <= 3 && !whole.starts_with('0');
        (!is_either).then(|| with_decimals(mark, other)).flatten()
    };
    match (text.rfind(','), text.rfind('.')) {
        (None, None) => is_digits(text).then(|| text.to_owned()),
        (Some(comma), Some(point)) if comma > point => with_decimals(',', '.'),
        (Some(_), Some(_)) => with_decimals('.', ','),
        (Some(_), None) => alone(',', '.'),
        (None, Some(_)) => alone('.', ','),
    }
}

/// A currency's code of three letters; `None` with a code if it is none.
pub fn currency(text: &str) -> (Option<String>, Option<Code>) {
    let plain = text.trim();
    let is_code = plain.len() == 3 && plain.bytes().all(|byte| byte.is_ascii_alphabetic());
    let upper = plain.to_ascii_uppercase();
    match (is_code, upper == text) {
        (true, true) => (Some(upper), None),
        (true, false) => (Some(upper), Some(Code::CurrencyMalformed)),
        (false, _) => {
            let known = match plain {
                "人民币" | "元" | "人民币元" | "¥" => Some("CNY".to_owned()),
                _ => None,
            };
            (known, Some(Code::CurrencyMalformed))
        }
    }
}

/// Reads an instant, and says what was missing of it.
///
/// # Errors
/// [`Code::DateImpossible`] if it has the form of one; else [`Code::DateUnreadable`].
pub fn instant(text: &str) -> Result<(Instant, Option<Code>), Code> {
    let trimmed = text.trim();
    if let Ok(read) = DateTime::parse_from_rfc3339(trimmed)
        && trimmed.len() >= 20
        && trimmed.as_bytes().get(10) == Some(&b'T')
    {
        return known_year(read.naive_utc()).map(|at| (at, None));
    }
    let (day, rest) = day_of(trimmed)?;
    let (date, is_usual) = day;
    let rest = rest.trim();
    if rest.is_empty() {
        let code = if is_usual {
            Code::DateWithoutTime
        } else {
            Code::DateForm
        };
        return known_year(date.and_time(NaiveTime::MIN)).map(|at| (at, Some(code)));
    }
    let (clock, zone) = zone_of(rest.trim_start_matches(['T', 't', ' ']));
    let (time, has_seconds, extra_day) = time_of(clock)?;
    let local = date.and_time(time).checked_add_signed(Duration::days(extra_day));
    let local = local.ok_or(Code::DateImpossible)?;
    let offset = match zone {
        Zone::Minutes(minutes) => Duration::minutes(minutes),
        Zone::None => Duration::zero(),
        Zone::Unreadable => return Err(Code::DateUnreadable),
    };
    let at = known_year(local.checked_sub_signed(offset).ok_or(Code::DateImpossible)?)?;
    let code = if !is_usual {
        Code::DateForm
    } else if zone == Zone::None {
        Code::DateWithoutZone
    } else if has_seconds {
        Code::DateForm
    } else {
        Code::DateWithoutSeconds
    };
    Ok((at, Some(code)))
}

fn known_year(at: NaiveDateTime) -> Result<Instant, Code> {
    if !YEARS.contains(&at.year()) {
        return Err(Code::DateImpossible);
    }
    // What a database keeps of it.
    let micros = at.and_utc().timestamp_micros();
    DateTime::<Utc>::from_timestamp_micros(micros).ok_or(Code::DateImpossible)
}

/// The day that a text begins with, whether it is written as the standard wants it, and what comes after it.
fn day_of(text: &str) -> Result<((NaiveDate, bool), &str), Code> {
    let end = text
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_digit() || matches!(c, '-' | '/' | '.')))
        .map_or(text.len(), |(at, _)| at);
    let (day, rest) = (
        text.get(..end).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    );
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = |from: usize, to: usize| day.get(from..to).and_then(|part| part.parse::<u32>().ok());
        let parts = (number(0, 4), number(4, 6), number(6, 8));
        if let (Some(year), Some(month), Some(date)) = parts {
            let year = i32::try_from(year).map_err(|_| Code::DateImpossible)?;
            let read = NaiveDate::from_ymd_opt(year, month, date).ok_or(Code::DateImpossible)?;
            return Ok(((read, false), rest));
        }
    }
    let mark = day
        .chars()
        .find(|c| !c.is_ascii_digit())
        .ok_or(Code::DateUnreadable)?;
    let parts: Vec<&str> = day.split(mark).collect();
    let [first, second, third] = parts.as_slice() else {
        return Err(Code::DateUnreadable);
    };
    let number = |part: &str| part.parse::<u32>().map_err(|_| Code::DateUnreadable);
    let (year, month, date) = if first.len() == 4 {
        (number(first)?, number(second)?, number(third)?)
    } else if third.len() == 4 {
        // The day comes first nearly everywhere; where it cannot, the month does.
        let (one, two) = (number(first)?, number(second)?);
        if two > 12 && one <= 12 {
            (number(third)?, one, two)
        } else {
            (number(third)?, two, one)
        }
    } else {
        return Err(Code::DateUnreadable);
    };
    let is_usual = mark == '-' && first.len() == 4 && second.len() == 2 && third.len() == 2;
    let year = i32::try_from(year).map_err(|_| Code::DateImpossible)?;
    let read = NaiveDate::from_ymd_opt(year, month, date).ok_or(Code::DateImpossible)?;
    Ok(((read, is_usual), rest))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    None,
    Minutes(i64),
    Unreadable,
}

/// A time of the day apart from its zone.
fn zone_of(text: &str) -> (&str, Zone) {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return (clock.trim_end(), Zone::Minutes(0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return (text, Zone::None);
    };
    let (clock, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let minutes = match digits.len() {
        2 => number(0, 2).map(|hours| hours * 60),
        4 => number(0, 2)
            .zip(number(2, 4))
            .map(|(hours, minutes)| hours * 60 + minutes),
        _ => None,
    };
    match minutes {
        Some(minutes) if minutes <= 18 * 60 => (clock.trim_end(), Zone::Minutes(sign * minutes)),
        _ => (clock, Zone::Unreadable),
    }
}

/// A time of the day, whether it has seconds, and days that lie in it: 24:00 is the beginning of the next.
fn time_of(text: &str) -> Result<(NaiveTime, bool, i64), Code> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let number = |part: &str| {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            .then(|| part.parse::<u32>().ok())
            .flatten()
            .ok_or(Code::DateUnreadable)
    };
    let (hour, minute, second, has_seconds) = match parts.as_slice() {
        [hour, minute] => (number(hour)?, number(minute)?, 0, false),
        [hour, minute, second] => (number(hour)?, number(minute)?, number(second)?, true),
        _ => return Err(Code::DateUnreadable),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Code::DateUnreadable);
    }
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = nanos.parse::<u32>().map_err(|_| Code::DateUnreadable)?;
    if (hour, minute, second) == (24, 0, 0) {
        return Ok((NaiveTime::MIN, has_seconds, 1));
    }
    // A leap second is the last of its minute.
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second.min(59), nanos);
    if second > 60 {
        return Err(Code::DateImpossible);
    }
    Ok((time.ok_or(Code::DateImpossible)?, has_seconds, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::rfc3339;

    #[test]
    fn numbers_are_exact_and_rests_of_binary_fractions_are_told() {
        let read = |text: &str| amount_of_number(text).map(|amount| (amount.hundredths, amount.code));
        assert_eq!(read("27140"), Ok((2_714_000, None)));
        assert_eq!(read("2346287623.44"), Ok((234_628_762_344, None)));
        assert_eq!(read("8100.0"), Ok((810_000, None)));
        assert_eq!(read("1.5E7"), Ok((1_500_000_000, None)));
        assert_eq!(read("-3"), Ok((-300, None)));
        assert_eq!(
            read("63819.340000000004"),
            Ok((6_381_934, Some(Code::FloatArtefact)))
        );
        assert_eq!(read("0.30000000000000004"), Ok((30, Some(Code::FloatArtefact))));
        assert_eq!(read("1.005"), Ok((101, Some(Code::AmountRounded))));
        for bad in ["1e40", "99999999999999999999", "90000000000000000000.01", "x", ""] {
            assert_eq!(read(bad), Err(Code::AmountUnreadable), "{bad}");
        }
        assert_eq!(decimal(-5), "-0.05");
        assert_eq!(decimal(i64::MIN), "-92233720368547758.08");
    }

    #[test]
    fn texts_are_amounts_where_they_can_be_only_one() {
        for (text, currency, hundredths) in [
            ("1234", None, 123_400),
            (" 1234 ", None, 123_400),
            ("1,234.50", None, 123_450),
            ("1.234,50", None, 123_450),
            ("1 234 567,8", None, 123_456_780),
            ("1 234,567", None, 123_457),
            ("1'234", None, 123_400),
            ("$ 1,234,567", Some("MXN"), 123_456_700),
            ("RD$ 27,140.00", Some("DOP"), 2_714_000),
            ("1.234.567", None, 123_456_700),
            ("12,5", None, 1_250),
            ("1234.567", None, 123_457),
            ("1234,567", None, 123_457),
            ("0.125", None, 13),
            ("0,125", None, 13),
            ("1,2345", None, 123),
            ("1.2345", None, 123),
            ("¥3.20", Some("CNY"), 320),
            ("人民币3.20元", Some("CNY"), 320),
            ("3.20 MXN", Some("MXN"), 320),
            ("3.20 MXN", Some("mxn"), 320),
            ("USD 3.20", Some("USD"), 320),
            ("-7", None, -700),
            ("-$7", Some("USD"), -700),
            ("$ -7", Some("USD"), -700),
            ("+7", None, 700),
        ] {
            assert_eq!(
                amount_of_text(text, currency),
                Ok(Amount {
                    hundredths,
                    code: Some(Code::AmountAsText)
                }),
                "{text}"
            );
        }
        let bad = [
            "",
            "n/a",
            "1,23,4",
            "1..2",
            "12a4",
            "1-2",
            "--1",
            "+-1",
            "1 2 3",
            "12 34",
            "1,234 567",
            "1 234'567",
        ];
        for bad in bad {
            for currency in [None, Some("CNY")] {
                assert_eq!(
                    amount_of_text(bad, currency),
                    Err(Code::AmountUnreadable),
                    "{bad}"
                );
            }
        }
    }

    #[test]
    fn no_magnitude_and_no_contradiction_is_read_over() {
        for bad in [
            "100万",
            "100 万元",
            "12k",
            "1.5M",
            "3 millones",
            "12abc",
            "abc12",
            "1e",
            "100 EUR",
            "€100",
            "$5",
            "100 CNYk",
            "¥¥5",
            "CNY",
            "元",
            "１００",
        ] {
            assert_eq!(
                amount_of_text(bad, Some("CNY")),
                Err(Code::AmountUnreadable),
                "{bad}"
            );
        }
        // Nobody has said which currency it is, so that no mark is that of the amount.
        for bad in ["100 EUR", "¥5", "$ 1,234,567"] {
            assert_eq!(amount_of_text(bad, None), Err(Code::AmountUnreadable), "{bad}");
        }
    }

    #[test]
    fn one_mark_before_three_digits_is_read_neither_way() {
        for mark in [',', '.'] {
            for text in ["1_234", "12_345", "999_000", "-1_234"] {
                let text = text.replace('_', &mark.to_string());
                assert_eq!(amount_of_text(&text, None), Err(Code::AmountUnreadable), "{text}");
            }
            for (text, hundredths) in [
                ("1_23", 123),
                ("1_234_567", 123_456_700),
                ("1234_567", 123_457),
                ("0_234", 23),
            ] {
                let text = text.replace('_', &mark.to_string());
                assert_eq!(
                    amount_of_text(&text, None).map(|amount| amount.hundredths),
                    Ok(hundredths),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn currencies_are_codes() {
        assert_eq!(currency("MXN"), (Some("MXN".into()), None));
        assert_eq!(
            currency(" mxn"),
            (Some("MXN".into()), Some(Code::CurrencyMalformed))
        );
        assert_eq!(
            currency("元"),
            (Some("CNY".into()), Some(Code::CurrencyMalformed))
        );
        assert_eq!(currency("Pesos"), (None, Some(Code::CurrencyMalformed)));
    }

    #[test]
    fn instants_are_read_in_every_usual_form() {
        let read = |text: &str| instant(text).map(|(at, code)| (rfc3339(at), code));
        let of = |text: &str, code| Ok((text.to_owned(), code));
        assert_eq!(
            read("2017-10-04T00:53:15.426Z"),
            of("2017-10-04T00:53:15.426000Z", None)
        );
        assert_eq!(
            read("2017-08-08T08:24:33-04:00"),
            of("2017-08-08T12:24:33.000000Z", None)
        );
        assert_eq!(
            read("2019-11-25T17:20:38.1197059Z"),
            of("2019-11-25T17:20:38.119705Z", None)
        );
        assert_eq!(
            read("2022-02-28 10:18:00.0000000"),
            of("2022-02-28T10:18:00.000000Z", Some(Code::DateWithoutZone))
        );
        assert_eq!(
            read("2022-02-28T10:18+0800"),
            of("2022-02-28T02:18:00.000000Z", Some(Code::DateWithoutSeconds))
        );
        assert_eq!(
            read("2022-02-28"),
            of("2022-02-28T00:00:00.000000Z", Some(Code::DateWithoutTime))
        );
        assert_eq!(
            read("28/02/2022"),
            of("2022-02-28T00:00:00.000000Z", Some(Code::DateForm))
        );
        assert_eq!(
            read("12/31/2022"),
            of("2022-12-31T00:00:00.000000Z", Some(Code::DateForm))
        );
        assert_eq!(
            read("2022/3/1 9:05"),
            of("2022-03-01T09:05:00.000000Z", Some(Code::DateForm))
        );
        assert_eq!(
            read("20220301"),
            of("2022-03-01T00:00:00.000000Z", Some(Code::DateForm))
        );
        assert_eq!(
            read("2022-02-28T24:00:00Z"),
            of("2022-03-01T00:00:00.000000Z", Some(Code::DateForm))
        );
        for bad in [
            "2017-02-30",
            "2017-02-30T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31",
            "2017-01-01T25:00:00Z",
        ] {
            assert_eq!(read(bad), Err(Code::DateImpossible), "{bad}");
        }
        for bad in [
            "",
            "soon",
            "2017",
            "2017-01",
            "T10:00",
            "2017-01-01Tx",
            "1/2/3",
            "2017-01-01T10:00:00+99:00",
        ] {
            assert_eq!(read(bad), Err(Code::DateUnreadable), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_reading(text in "\\PC{0,40}", digits in "[0-9./,:+TZ -]{0,30}") {
            for text in [text, digits] {
                let _ = (instant(&text), amount_of_text(&text, None), amount_of_text(&text, Some("CNY")), amount_of_number(&text), currency(&text));
            }
        }
    }
}
