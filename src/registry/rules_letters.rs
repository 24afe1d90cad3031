//! The codes of invitation letters. Pure: random bytes arrive as values. A letter has two: a link of 128 bits for whoever can read
//! its QR code, and one of 75 bits to be typed, in Crockford's base 32 with his check symbol, so that a slip of the finger is told
//! from a wrong code before anything is asked. Both are kept as hashes only, and both are used up together.

use sha2::{Digest, Sha256};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::kernel::refusal::{Kind, Reason};

/// The code opens nothing: which of the possible reasons it is, is not told.
pub static CODE_NOT_GOOD: Reason = Reason::new(
    Kind::Conflict,
    "residence_code_not_good",
    "邀请码与出生日期不符，或邀请码不存在、已使用、已过期；请核对，或向社区居委会索取新的邀请函",
    "The code and the date of birth do not fit, or the code does not exist, was used or has expired; check both, or ask your \
     community for a new letter",
);
/// Only a person with an account of this service can be a resident in it.
pub static ACCOUNT_NEEDED: Reason = Reason::new(
    Kind::Conflict,
    "residence_account_needed",
    "须以本系统的个人账户登录",
    "Sign in with a person's account of this service",
);
/// The account stands for another resident of the community.
pub static RESIDENCE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "residence_taken",
    "该账户已关联本社区的另一居民",
    "This account is another resident of the community already",
);
/// Whoever follows the link that was mailed does not know whose letter it is.
pub static BIRTH_DATE_WRONG: Reason = Reason::new(
    Kind::Conflict,
    "residence_birth_date_wrong",
    "与邀请函所邀请的居民的出生日期不符",
    "This is not the date of birth of the resident whom the letter invites",
);
/// The letters were printed; their codes are not kept, so they cannot be shown again.
pub static LETTERS_PRINTED: Reason = Reason::new(
    Kind::Conflict,
    "letters_printed",
    "邀请函已生成且只显示一次；如未收到，请使用新的 Idempotency-Key 重新生成，旧码随即作废",
    "These letters were printed and are shown once only; if they did not reach you, print new ones with another Idempotency-Key, \
     which makes the old codes void",
);
/// Somebody among the residents named cannot be invited.
pub static NOT_INVITABLE: Reason = Reason::new(
    Kind::Conflict,
    "resident_not_invitable",
    "部分居民不能邀请",
    "Some of the residents cannot be invited",
);
/// Everybody has an account or a letter.
pub static NOBODY_TO_INVITE: Reason = Reason::new(
    Kind::Conflict,
    "nobody_to_invite",
    "没有可邀请的居民",
    "There is nobody to invite",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &CODE_NOT_GOOD,
    &ACCOUNT_NEEDED,
    &RESIDENCE_TAKEN,
    &BIRTH_DATE_WRONG,
    &LETTERS_PRINTED,
    &NOT_INVITABLE,
    &NOBODY_TO_INVITE,
];

/// Letters printed at once.
pub const LETTERS_MAX: usize = 500;
/// Days that a letter can be used if its sender does not say.
pub const VALID_DAYS_USUAL: i64 = 60;
/// Dates of birth that are heard with one mailed link.
pub const REGISTRATION_TRIES_MAX: i64 = 5;
/// Days that it can be used at most.
pub const VALID_DAYS_MAX: i64 = 366;

/// Crockford's digits: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a code before its check symbol.
const CODE_DIGITS: usize = 15;
/// Crockford's check symbol is the number modulo this.
const CHECK_MODULUS: u128 = 37;
/// Bytes of the secret in a link.
pub const LINK_BYTES: usize = 16;

/// The codes of one letter, before they are printed and forgotten.
#[derive(Clone, PartialEq, Eq)]
pub struct Codes {
    /// The one in the link.
    pub link: String,
    /// The one to be typed, without hyphens.
    pub typed: String,
}

/// The codes made of random bytes; `None` if they would need one of the check symbols that are no letter or digit, which are hard
/// to read aloud: five times out of 37 other bytes have to be drawn.
pub fn codes(link: [u8; LINK_BYTES], typed: [u8; 16]) -> Option<Codes> {
    let number = u128::from_be_bytes(typed) >> (128 - 5 * CODE_DIGITS);
    let check = usize::try_from(number % CHECK_MODULUS).ok()?;
    let check = ALPHABET.get(check).copied().map(char::from)?;
    let digits = (0..CODE_DIGITS).rev().filter_map(|place| {
        let digit = usize::try_from((number >> (5 * place)) & 31).ok()?;
        ALPHABET.get(digit).copied().map(char::from)
    });
    Some(Codes {
        link: BASE64_URL_SAFE_NO_PAD.encode(link),
        typed: digits.chain([check]).collect(),
    })
}

/// The code as it is printed: in groups of four.
pub fn grouped(typed: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in typed.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(digit);
    }
    grouped
}

/// A code that somebody presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The one of a link, as its hash.
    Link([u8; 32]),
    /// The typed one, as its hash.
    Typed([u8; 32]),
}

impl Presented {
    /// The hash, whichever of the two it is of.
    pub const fn hash(&self) -> &[u8; 32] {
        match self {
            Self::Link(hash) | Self::Typed(hash) => hash,
        }
    }
}

/// A typed code as it was made: in upper case, without what is between its groups, of the usual width however an input method writes it, and with digits where letters look like them.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(narrow)
        .filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{3000}'))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

/// A character of the full width as the one that it stands for.
fn narrow(wide: char) -> char {
    match u32::from(wide) {
        code @ 0xff01..=0xff5e => code.checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(wide),
        _ => wide,
    }
}

/// Reads what somebody presents, in either form. Letters that look like digits are taken for them.
///
/// `None` if it cannot be a code: it has another length, or its check symbol does not fit.
pub fn presented(text: &str) -> Option<Presented> {
    let text = text.trim();
    if BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == LINK_BYTES)
    {
        return Some(Presented::Link(link_hash(text)));
    }
    let plain = plain(text);
    let digits: Vec<u128> = plain
        .bytes()
        .map(|byte| ALPHABET.iter().position(|known| *known == byte))
        .map(|place| place.and_then(|place| u128::try_from(place).ok()))
        .collect::<Option<_>>()?;
    let (check, digits) = digits.split_last()?;
    if digits.len() != CODE_DIGITS {
        return None;
    }
    let number = digits.iter().fold(0_u128, |number, digit| (number << 5) | digit);
    (number % CHECK_MODULUS == *check).then(|| Presented::Typed(typed_hash(&plain)))
}

/// What is kept of a link's code.
pub fn link_hash(link: &str) -> [u8; 32] {
    hash("wardbook letter link", link)
}

/// What is kept of a typed code.
pub fn typed_hash(typed: &str) -> [u8; 32] {
    hash("wardbook letter code", typed)
}

/// Codes of 75 and 128 random bits cannot be tried one by one, so that a fast hash keeps them as well as a slow one would.
fn hash(purpose: &str, code: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(purpose)
        .chain_update([0])
        .chain_update(code)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_codes(seed: [u8; 16]) -> Codes {
        let mut seed = seed;
        loop {
            if let Some(codes) = codes(seed, seed) {
                return codes;
            }
            seed[9] = seed[9].wrapping_add(1);
            seed[8] = seed[8].wrapping_add(3);
        }
    }

    #[test]
    fn a_code_is_known_again_however_it_is_typed() {
        let codes = some_codes([0xa7; 16]);
        let printed = grouped(&codes.typed);
        assert_eq!((codes.typed.len(), printed.len()), (16, 19));
        let good = Presented::Typed(typed_hash(&codes.typed));
        for typed in [
            printed.clone(),
            printed.to_lowercase(),
            codes.typed.clone(),
            format!("  {} ", printed.replace('-', " ")),
            printed.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(presented(&typed), Some(good), "{typed}");
        }
        assert_eq!(
            presented(&codes.link),
            Some(Presented::Link(link_hash(&codes.link)))
        );
        for bad in [
            "",
            "-",
            "0",
            &printed[1..],
            &format!("{printed}0"),
            "UUUU-UUUU-UUUU-UUUU",
            "邀请码",
        ] {
            assert_eq!(presented(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_slip_of_the_finger_is_noticed(seed: [u8; 16], at in 0usize..16, digit in 0usize..32) {
            let typed = some_codes(seed).typed;
            let mut slipped: Vec<u8> = typed.bytes().collect();
            slipped[at] = ALPHABET[digit];
            let slipped = String::from_utf8(slipped).unwrap();
            prop_assert_eq!(presented(&slipped).is_some(), slipped == typed);
            let mut swapped: Vec<u8> = typed.bytes().collect();
            if at < 15 {
                swapped.swap(at, at + 1);
                let swapped = String::from_utf8(swapped).unwrap();
                prop_assert_eq!(presented(&swapped).is_some(), swapped == typed);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = presented(&text);
        }
    }
}
