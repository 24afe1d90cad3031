//! How names are written for a bank: in Chinese, as ISO 20022 has every character, or in the Latin letters that many banks' systems are limited to. Then characters are read by
//! the commonest of their readings (汉语拼音), without tones, in capitals, a space between syllables; ü is YU, as in passports (GB/T 28039). Pure.

use pinyin::ToPinyin;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// In which letters the names of a batch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentBatchNames)]
pub enum Names {
    /// As they are.
    Chinese,
    /// In Latin letters, digits, spaces and `/-?:().,'+`.
    Latin,
}

impl Names {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::Latin];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chinese => "chinese",
            Self::Latin => "latin",
        }
    }

    /// That of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Punctuation of the Latin set of banks.
const MARKS: &str = "/-?:().,'+";

/// A text of at most so many characters as a bank can read it; `None` if nothing is left of it.
pub fn written(text: &str, names: Names, length_max: usize) -> Option<String> {
    let all = match names {
        Names::Chinese => text.chars().map(visible).collect(),
        Names::Latin => latin(text),
    };
    let cut: String = spaced(&all).chars().take(length_max).collect();
    let cut = match names {
        Names::Chinese => cut.trim().to_owned(),
        Names::Latin => cut.trim_matches(|one: char| one == ' ' || one == '/').to_owned(),
    };
    cut.chars().any(char::is_alphanumeric).then_some(cut)
}

/// A character that XML can hold, or a space.
fn visible(one: char) -> char {
    if one.is_control() || matches!(one, '\u{fffe}' | '\u{ffff}') {
        ' '
    } else {
        one
    }
}

/// One space where there are some, one slash where there are two.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for one in text.chars() {
        let one = if one.is_whitespace() { ' ' } else { one };
        let is_repeated = matches!(one, ' ' | '/') && spaced.ends_with(one);
        if !is_repeated {
            spaced.push(one);
        }
    }
    spaced
}

fn latin(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut after_syllable = false;
    for one in text.chars() {
        let syllable = one.to_pinyin().map(|read| capitals(read.plain()));
        if let Some(syllable) = &syllable {
            if written.ends_with(|last: char| last.is_ascii_alphanumeric()) {
                written.push(' ');
            }
            written.push_str(syllable);
        } else {
            let one = plain(one);
            if after_syllable && one.is_ascii_alphanumeric() {
                written.push(' ');
            }
            written.push(one);
        }
        after_syllable = syllable.is_some();
    }
    written
}

fn capitals(syllable: &str) -> String {
    let mut capitals = String::with_capacity(6);
    for one in syllable.chars() {
        match one {
            'ü' | 'v' => capitals.push_str("YU"),
            'ê' => capitals.push('E'),
            one if one.is_ascii_alphabetic() => capitals.push(one.to_ascii_uppercase()),
            _ => {}
        }
    }
    capitals
}

/// What is no Chinese character: as it is, where banks know it; the plain form of a full-width one; a space for anything else.
fn plain(one: char) -> char {
    let half = match one {
        '、' => ',',
        '。' => '.',
        '·' | '—' | '–' => '-',
        '【' | '〔' | '[' | '［' => '(',
        '】' | '〕' | ']' | '］' => ')',
        '“' | '”' | '‘' | '’' => '\'',
        '\u{ff01}'..='\u{ff5e}' => u32::from(one)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(' '),
        one => one,
    };
    if half.is_ascii_alphanumeric() || MARKS.contains(half) {
        half
    } else {
        ' '
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn as_latin(text: &str) -> Option<String> {
        written(text, Names::Latin, 140)
    }

    #[test]
    fn names_are_read_by_their_characters() {
        for (name, read) in [
            (
                "梧桐洁城环境服务有限公司",
                "WU TONG JIE CHENG HUAN JING FU WU YOU XIAN GONG SI",
            ),
            ("绿化（凤鸣）有限公司", "LYU HUA(FENG MING)YOU XIAN GONG SI"),
            ("吕氏Ａ１保洁", "LYU SHI A1 BAO JIE"),
            ("德润 & Söhne <GmbH>", "DE RUN S hne GmbH"),
            ("//A//B/", "A/B"),
            ("No. 3、5 号", "No. 3,5 HAO"),
        ] {
            assert_eq!(as_latin(name).as_deref(), Some(read), "{name}");
        }
        for nothing in ["", " \u{7}", "🐉", "—"] {
            assert_eq!(as_latin(nothing), None, "{nothing:?}");
        }
        assert_eq!(
            written(" 洁\u{1}城\n公司 ", Names::Chinese, 140).as_deref(),
            Some("洁 城 公司")
        );
        assert_eq!(written("洁城公司", Names::Chinese, 2).as_deref(), Some("洁城"));
        assert_eq!(written("洁城", Names::Latin, 4).as_deref(), Some("JIE"));
        for names in Names::ALL {
            assert_eq!(Names::named(names.name()), Some(names));
        }
    }

    proptest! {
        /// Whatever a name is, what is written is in the set, not too long, and the same when it is written again.
        #[test]
        fn nothing_but_the_set_is_written(text in "\\PC{0,60}", other in any::<String>(), max in 1_usize..150) {
            for text in [text, other] {
                if let Some(latin) = written(&text, Names::Latin, max) {
                    prop_assert!(latin.len() <= max);
                    prop_assert!(latin.chars().all(|one| one.is_ascii_alphanumeric() || one == ' ' || MARKS.contains(one)), "{}", latin);
                    prop_assert!(!latin.contains("//") && !latin.starts_with('/') && !latin.ends_with('/'));
                    prop_assert_eq!(written(&latin, Names::Latin, max), Some(latin));
                }
                if let Some(chinese) = written(&text, Names::Chinese, max) {
                    prop_assert!(chinese.chars().count() <= max && !chinese.chars().any(char::is_control));
                }
            }
        }
    }
}
