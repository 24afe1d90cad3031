//! Text in the two languages of the ward. Never machine-translated and never half-filled: a sentence
//! that a person may read exists in both languages or does not compile.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The languages wardbook speaks, by their BCP 47 tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese, `zh-CN`.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English, `en`.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The tag sent in `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The language a reader prefers by `Accept-Language` (RFC 9110 §12.5.4). A language that is not
    /// ours is passed over; when none is left, or the header is missing, it is Chinese.
    pub fn preferred(accept_language: &str) -> Self {
        let mut best = (0_u16, Self::Chinese);
        for range in accept_language.split(',').take(RANGES_MAX) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1000, per_mille);
            let language = match tag.split('-').next() {
                Some("zh" | "*") => Self::Chinese,
                Some("en") => Self::English,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// More ranges than this in one header are not looked at.
const RANGES_MAX: usize = 20;

/// A quality value (`0`, `0.5`, `1.000`) as thousandths; anything unreadable counts as refused.
fn per_mille(quality: &str) -> u16 {
    let (whole, fraction) = quality.trim().split_once('.').unwrap_or((quality.trim(), ""));
    let padded = format!("{fraction:0<3}");
    match (
        whole,
        padded.get(..3).and_then(|digits| digits.parse::<u16>().ok()),
    ) {
        ("1", _) => 1000,
        ("0", Some(thousandths)) => thousandths,
        _ => 0,
    }
}

/// One sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    zh: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Text {
    /// A sentence that never varies.
    pub const fn fixed(zh: &'static str, en: &'static str) -> Self {
        Self {
            zh: Cow::Borrowed(zh),
            en: Cow::Borrowed(en),
        }
    }

    /// A sentence made of parts, written out in both languages.
    pub fn made(zh: String, en: String) -> Self {
        Self {
            zh: Cow::Owned(zh),
            en: Cow::Owned(en),
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> &str {
        &self.zh
    }

    /// The sentence in English.
    pub fn en(&self) -> &str {
        &self.en
    }

    /// The sentence in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// True for what a reader does not see, or what makes them see another text than the one that is there: controls, marks of direction,
/// joiners, fillers, variation selectors, tags, and what fonts leave out. Whatever a person enters to be read by others is checked
/// with this one list; several that differ by a character were a way round.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What a spreadsheet takes for the beginning of a formula, in either width. What people enter and tables show does not begin so.
pub const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A cell of words, of which no spreadsheet makes a formula: one that begins like one stands behind an apostrophe.
pub fn plain_cell(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with(['\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// `text!("中文 {x}", "English {x}")`: a [`Text`] with the same captured values in both languages.
#[macro_export]
macro_rules! text {
    ($zh:literal, $en:literal) => {
        $crate::kernel::text::Text::made(format!($zh), format!($en))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula() {
        for formula in ["=1+1", "+86", "-1", "@x", "＝1", "－1", "\t=1", "\r=1"] {
            assert_eq!(plain_cell(formula), format!("'{formula}"));
        }
        for plain in ["", "洁城公司", "'=1", "1-2", " =1"] {
            assert_eq!(plain_cell(plain), plain);
        }
    }

    #[test]
    fn the_reader_gets_the_language_asked_for_and_chinese_otherwise() {
        for (header, language) in [
            ("", Language::Chinese),
            ("fr", Language::Chinese),
            ("*", Language::Chinese),
            ("en", Language::English),
            ("en-GB,en;q=0.9", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("zh;q=0.2, en;q=0.7", Language::English),
            ("en;q=0, zh;q=0.1", Language::Chinese),
            ("en;q=0", Language::Chinese),
            ("fr, en;q=0.001", Language::English),
            ("en;q=abc", Language::Chinese),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }

    #[test]
    fn what_is_not_seen_is_told_from_rare_characters() {
        for hidden in [
            '\0',
            '\n',
            '\u{ad}',
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        for seen in [
            'a', ' ', '\u{3000}', '·', '龘', '𠮷', '🌳', 'é', '\u{301}', 'ء', '한',
        ] {
            assert!(!is_hidden(seen), "{seen:?}");
        }
    }

    #[test]
    fn a_sentence_captures_the_same_values_twice() {
        let n = 3;
        let sentence = text!("第 {n} 行", "row {n}");
        assert_eq!(sentence.in_language(Language::Chinese), "第 3 行");
        assert_eq!(sentence.in_language(Language::English), "row 3");
    }
}
