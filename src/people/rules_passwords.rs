//! Which passwords are good enough (NIST SP 800-63B §3.1.1.2: length, and no password that everybody tries first; no rules
//! about kinds of characters, no expiry). Pure. A password is compared in the form that people vary it in: `P@ssw0rd2026!`
//! is `password`.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::people::rules::Email;
use crate::text;
use crate::web::problem::INVALID;

/// Characters of a password at least.
pub const LENGTH_MIN: usize = 12;
/// Characters of a password at most: enough for any sentence, and no work for those who send a book.
pub const LENGTH_MAX: usize = 128;

/// Different characters that a password has at least.
const DISTINCT_MIN: usize = 5;
/// A known word of fewer characters says nothing about a longer password that contains it.
const PIECE_LENGTH_MIN: usize = 4;
/// A password made of so many known words, with little else, is a known one.
const PIECES_MAX: usize = 2;
/// So many characters beside the known words are little: a date of birth has eight.
const SEASONING_MAX: usize = 8;

/// The commonest passwords in lower case without the digits and signs at their ends, one a line: those of the list that Openwall
/// has placed in the public domain, favourites of Chinese users, and what lies near in a ward.
const COMMON: &str = include_str!("common_passwords.txt");

static COMMON_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());

/// A password's setting: what whoever attacks it would try first.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The account's address.
    pub email: &'a Email,
    /// Names of the ward: the host of its address.
    pub ward: &'a str,
}

/// Checks a password for an account.
///
/// # Errors
/// [`INVALID`] at `/password` with the first thing that is wrong: length, then commonness, then the names.
pub fn check(password: &str, setting: Setting<'_>) -> Result<(), Refusal> {
    fault_of(password, setting).map_or(Ok(()), |detail| Err(INVALID.because(detail).at("/password")))
}

fn fault_of(password: &str, setting: Setting<'_>) -> Option<Text> {
    let length = password.chars().count();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        return Some(text!(
            "密码应为 {LENGTH_MIN} 至 {LENGTH_MAX} 个字符",
            "a password has {LENGTH_MIN} to {LENGTH_MAX} characters"
        ));
    }
    if is_common(password) {
        return Some(Text::fixed(
            "该密码太常见，容易被猜到；可用几个不相关的词组成一句话",
            "this password is too common and would be guessed; a few unrelated words make a good one",
        ));
    }
    let folded = password.to_lowercase();
    let names = setting.ward.split(['.', ':', '/', '-']).chain(
        setting
            .email
            .local_part()
            .split(['.', '+', '-', '_'])
            .chain([setting.email.local_part()]),
    );
    let named = names
        .filter(|name| name.len() >= PIECE_LENGTH_MIN && !matches!(*name, "http" | "https"))
        .any(|name| folded.contains(name));
    named.then(|| {
        Text::fixed(
            "密码不得包含邮箱名或本系统的名称",
            "a password does not contain the name in your mail address or that of this service",
        )
    })
}

/// True for a password that is among the first that are tried, however it is spelt.
pub fn is_common(password: &str) -> bool {
    let folded = password.to_lowercase();
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() < DISTINCT_MIN
        || folded.chars().all(|c| c.is_ascii_digit())
        || is_repeated(&folded)
        || is_walk(&folded)
        || is_made_of_known_words(&folded)
        || is_made_of_known_words(&unspelt(&folded))
}

/// What stands for a letter in the spellings that everybody knows.
fn unspelt(folded: &str) -> String {
    let letter = |c: char| match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    folded.chars().map(letter).collect()
}

/// A short piece, again and again.
fn is_repeated(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    (1..LENGTH_MIN.min(characters.len())).any(|period| {
        period.saturating_mul(2) <= characters.len()
            && characters
                .iter()
                .zip(characters.iter().skip(period))
                .all(|(one, next)| one == next)
    })
}

/// The keys of a keyboard by row; a key's neighbours are beside, above and below it.
const KEYS: [&str; 4] = ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"];

/// What the keys of the first row give with the shift key.
const SHIFTED: &str = "!@#$%^&*()_+";

fn place(c: char) -> Option<(usize, usize)> {
    if let Some(column) = SHIFTED.chars().position(|key| key == c) {
        return Some((0, column));
    }
    KEYS.iter()
        .enumerate()
        .find_map(|(row, keys)| keys.chars().position(|key| key == c).map(|column| (row, column)))
}

/// True if seven steps of ten go to the next key, the next letter or the next digit.
fn is_walk(folded: &str) -> bool {
    let near = |one: char, other: char| {
        let in_order = one.is_ascii_alphanumeric()
            && other.is_ascii_alphanumeric()
            && u32::from(one).abs_diff(u32::from(other)) <= 1;
        let on_keys = place(one)
            .zip(place(other))
            .is_some_and(|(one, other)| one.0.abs_diff(other.0) <= 1 && one.1.abs_diff(other.1) <= 1);
        in_order || on_keys
    };
    let steps: Vec<bool> = folded
        .chars()
        .zip(folded.chars().skip(1))
        .map(|(one, other)| near(one, other))
        .collect();
    let walked = steps.iter().filter(|near| **near).count();
    walked.saturating_mul(10) >= steps.len().saturating_mul(7)
}

/// True if little is left of it when at most two known words are taken away. Letters are taken in the order in which they stand.
fn is_made_of_known_words(folded: &str) -> bool {
    let runs = || {
        folded
            .split(|c: char| !c.is_alphabetic())
            .filter(|run| !run.is_empty())
    };
    let known = runs().filter_map(|run| pieces_of(run).map(|pieces| (pieces, run.chars().count())));
    let (pieces, letters) = known.fold((0_usize, 0_usize), |(pieces, letters), (more, long)| {
        (pieces.saturating_add(more), letters.saturating_add(long))
    });
    let seasoning = folded.chars().count().saturating_sub(letters);
    (1..=PIECES_MAX).contains(&pieces) && seasoning <= SEASONING_MAX
}

/// Into how many known words a run of letters falls, if it does.
fn pieces_of(run: &str) -> Option<usize> {
    if COMMON_WORDS.contains(run) {
        return Some(1);
    }
    let in_two = run
        .char_indices()
        .filter_map(|(at, _)| run.split_at_checked(at))
        .any(|(one, other)| COMMON_WORDS.contains(one) && COMMON_WORDS.contains(other));
    in_two.then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_for(password: &str) -> Result<(), Refusal> {
        let email: Email = "wangmei@ward.example".parse().unwrap();
        check(
            password,
            Setting {
                email: &email,
                ward: "fengming.gov.example",
            },
        )
    }

    #[test]
    fn the_list_is_folded_and_long_enough_to_be_worth_its_place() {
        assert!(COMMON_WORDS.len() > 3_000);
        for word in COMMON_WORDS.iter() {
            assert!(
                word.len() >= PIECE_LENGTH_MIN && word.bytes().all(|b| b.is_ascii_lowercase()),
                "{word}"
            );
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused_however_it_is_spelt() {
        for common in [
            "Password1234!",
            "P@ssw0rd2026!!",
            "123456789012",
            "5201314520131",
            "woaini1314520",
            "5201314woaini",
            "WoAiNi5201314!",
            "qwertyuiop[]",
            "1qaz2wsx3edc4rfv",
            "!QAZ2wsx#EDC4rfv",
            "qazwsxedcrfv",
            "abcdefghijkl",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "admin123admin123",
            "passwordpassword",
            "letmein-please",
            "iloveyou123456",
            "woaizhongguo2026",
            "beijing-shanghai-88",
            "zhangwei19880808",
            "changeme!changeme!",
            "monkeydragon99",
            "310101198001011234",
            "administrator1",
            "Welcome2Wardbook",
            "asdfghjkl;'asdf",
            "qqqq1111qqqq",
        ] {
            assert!(is_common(common), "{common}");
            assert!(check_for(common).is_err());
        }
    }

    #[test]
    fn a_sentence_or_chance_is_good_enough() {
        for good in [
            "violet tram under paper rain",
            "梧桐树下一碗阳春面三块钱",
            "kH7#vQ2p!xLm",
            "correct violin battery tram",
            "tea at four, never coffee",
            "Zq3-tulpe-Krug-91",
        ] {
            assert!(check_for(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn length_counts_characters_and_has_two_ends() {
        assert!(check_for("kH7#vQ2p!xL").is_err());
        assert!(check_for(&"k7#vQ梧".repeat(25)).is_err());
        assert!(
            check_for("梧桐树下一碗阳春面三块").is_err(),
            "eleven characters, however many bytes"
        );
    }

    #[test]
    fn it_names_neither_its_owner_nor_the_ward() {
        for named in ["xK3-wangmei-tulpe", "tram FENGMING paper rain"] {
            let refusal = check_for(named).unwrap_err();
            assert_eq!(refusal.objections[0].pointer, "/password", "{named}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_password_is_in_its_refusal(password in "\\PC{0,140}") {
            if let Err(refusal) = check_for(&password)
                && password.chars().count() > 3
            {
                let said = format!("{refusal:?}");
                prop_assert!(!said.contains(&password), "{}", said);
            }
        }
    }
}
