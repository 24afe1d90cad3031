//! Which words a profile may use: what is read by people is there, bounded, without hidden characters, and nothing that a
//! spreadsheet would run as a formula, because every text of a profile is also a cell of a table.

use crate::kernel::text::{FORMULA, Text, is_hidden};
use crate::text;

/// Checks a text that people read.
///
/// # Errors
/// The first thing that is wrong, in words.
pub fn sentence(words: &str, length_max: usize) -> Result<(), Text> {
    let length = words.chars().count();
    if words.trim().is_empty() || length > length_max {
        return Err(text!(
            "应为 1 至 {length_max} 个字符",
            "must have 1 to {length_max} characters"
        ));
    }
    if words.chars().any(is_hidden) {
        return Err(Text::fixed("含有不可见字符", "has invisible characters"));
    }
    if words.starts_with(FORMULA) || words.starts_with(' ') {
        return Err(Text::fixed(
            "不得以空格或 = + - @ 开头",
            "must not begin with a space, = + - or @",
        ));
    }
    Ok(())
}

/// Checks a word for programs: snake_case.
///
/// # Errors
/// What is wrong, in words.
pub fn word(code: &str, length_max: usize) -> Result<(), Text> {
    let fits = code.starts_with(|first: char| first.is_ascii_lowercase())
        && code.len() <= length_max
        && code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if fits {
        Ok(())
    } else {
        Err(text!(
            "代码应为小写字母、数字与下划线，最多 {length_max} 个字符",
            "a code has lower-case letters, digits and underscores, at most {length_max}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_there_bounded_visible_and_no_formula() {
        for good in ["不少于 20 日", "“以上” includes the number", &"字".repeat(10)] {
            assert!(sentence(good, 30).is_ok(), "{good}");
        }
        for bad in [
            "",
            "  ",
            " x",
            "=1+1",
            "+1",
            "-1",
            "@x",
            "a\u{200b}b",
            "a\nb",
            "a\0b",
            &"字".repeat(31),
        ] {
            assert!(sentence(bad, 30).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_word_is_in_snake_case() {
        assert!(word("same_person_2", 20).is_ok());
        for bad in [
            "",
            "2x",
            "_x",
            "Same",
            "same-person",
            "字",
            "aaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(word(bad, 20).is_err(), "{bad}");
        }
    }
}
