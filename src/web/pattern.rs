//! What a pattern of the published schemas asks for, in words: whoever fills a field in need not read regular expressions. Pure.

use crate::kernel::text::Text;
use crate::text;

/// What follows the prefix in the pattern of every id.
const ID_TAIL: &str = "_[0-7][0-9a-hjkmnp-tv-z]{25}$";
/// A decimal number or a time of day.
const TIME_OF_DAY: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";

/// What has to stand where a value does not fit `pattern`; the pattern itself where no words are known for it.
pub fn in_words(pattern: &str) -> Text {
    let known = of_ids(pattern)
        .or_else(|| of_choices(pattern))
        .or_else(|| of_digits(pattern))
        .or_else(|| of_whole_numbers(pattern))
        .or_else(|| of_decimals(pattern));
    known.unwrap_or_else(|| text!("格式应符合 {pattern}", "must have the form {pattern}"))
}

fn of_ids(pattern: &str) -> Option<Text> {
    let prefix = pattern.strip_prefix('^')?.strip_suffix(ID_TAIL)?;
    Some(text!(
        "应为形如 {prefix}_… 的编号，前缀之后共 26 位",
        "must be an id of the form {prefix}_… with 26 characters after the stroke"
    ))
}

/// `^(a|b|c)$`
fn of_choices(pattern: &str) -> Option<Text> {
    let inside = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    let is_plain = |one: &str| {
        let mut letters = one.chars();
        !one.is_empty() && letters.all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    };
    let options: Vec<&str> = inside.split('|').collect();
    if !options.iter().all(|one| is_plain(one)) {
        return None;
    }
    let (zh, en) = (options.join("、"), options.join(", "));
    Some(text!("应为 {zh} 之一", "must be one of {en}"))
}

fn of_digits(pattern: &str) -> Option<Text> {
    match pattern {
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => Some(Text::fixed(
            "应为日期，如 2026-05-01",
            "must be a date, such as 2026-05-01",
        )),
        "^[0-9]{4}-[0-9]{2}$" => Some(Text::fixed(
            "应为月份，如 2026-05",
            "must be a month, such as 2026-05",
        )),
        _ => {
            let count: u32 = pattern
                .strip_prefix("^[0-9a-f]{")?
                .strip_suffix("}$")?
                .parse()
                .ok()?;
            Some(text!(
                "应为 {count} 位十六进制数字（小写）",
                "must be {count} hexadecimal digits in lower case"
            ))
        }
    }
}

/// `^[1-9][0-9]{0,2}$`: whole numbers of at most so many digits.
fn of_whole_numbers(pattern: &str) -> Option<Text> {
    let more = pattern.strip_prefix("^[1-9][0-9]")?.strip_suffix('$')?;
    let more: usize = match more {
        "?" => 1,
        counted => counted.strip_prefix("{0,")?.strip_suffix('}')?.parse().ok()?,
    };
    let max = "9".repeat(more.checked_add(1)?);
    Some(text!(
        "应为 1 至 {max} 的整数",
        "must be a whole number from 1 to {max}"
    ))
}

/// Anything with `(\.[0-9]{1,N})?` in it: an exact decimal of at most so many places.
fn of_decimals(pattern: &str) -> Option<Text> {
    let (_, after) = pattern.split_once("(\\.[0-9]{1,")?;
    let (places, _) = after.split_once("})?")?;
    let places: u32 = places.parse().ok()?;
    if pattern.contains(TIME_OF_DAY) {
        return Some(text!(
            "应为数字（如 12.5，至多 {places} 位小数）或时刻（如 07:42）",
            "must be a number, such as 12.5, with at most {places} decimals; or a time of day, such as 07:42"
        ));
    }
    Some(text!(
        "应为数字，如 12.5，至多 {places} 位小数，不带千分位和多余的零",
        "must be a number, such as 12.5, with at most {places} decimals, and neither separators nor leading zeros"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::text::Language;

    #[test]
    fn what_is_asked_for_is_said_in_words() {
        let said = |pattern| in_words(pattern).in_language(Language::English).to_owned();
        assert_eq!(
            said("^file_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
            "must be an id of the form file_… with 26 characters after the stroke"
        );
        assert_eq!(said("^(zh-CN|zh|en|both)$"), "must be one of zh-CN, zh, en, both");
        assert_eq!(
            said("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
            "must be a date, such as 2026-05-01"
        );
        assert_eq!(
            said("^[0-9a-f]{64}$"),
            "must be 64 hexadecimal digits in lower case"
        );
        assert_eq!(said("^[1-9][0-9]?$"), "must be a whole number from 1 to 99");
        assert_eq!(said("^[1-9][0-9]{0,3}$"), "must be a whole number from 1 to 9999");
        assert!(said("^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$").contains("at most 6 decimals, and"));
        let either = said("^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$");
        assert!(either.ends_with("or a time of day, such as 07:42"), "{either}");
    }

    #[test]
    fn a_pattern_without_words_stands_for_itself() {
        for pattern in [
            "^[!-~]+$",
            "^([0-9]{4}|[0-9]{6})$",
            "^x",
            "",
            "^[1-9][0-9]{0,18446744073709551615}$",
        ] {
            let said = in_words(pattern);
            assert!(
                said.in_language(Language::Chinese).ends_with(pattern),
                "{pattern}"
            );
        }
    }
}
