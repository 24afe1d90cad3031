//! Second factors: time-based one-time codes (RFC 6238 on RFC 4226, with HMAC-SHA-1, six digits, thirty seconds: what every
//! authenticator app speaks) and recovery codes. Pure.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason};

/// Bytes of a secret: as many as the hash has (RFC 4226 §4 R6).
pub const SECRET_LENGTH: usize = 20;
/// Seconds that a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// Steps by which the device's time may be off, either way.
const STEPS_OFF_MAX: i64 = 1;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// Recovery codes that are made at once.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: 80 bits, so that one plain hash is enough.
pub const RECOVERY_CODE_LENGTH: usize = 10;

/// The password was right, and a second factor is asked for.
pub static SECOND_FACTOR_NEEDED: Reason = Reason::new(
    Kind::Invalid,
    "second_factor_needed",
    "请输入双重验证码",
    "Show your second factor too",
);
/// The code is none, or was used before.
pub static SECOND_FACTOR_REFUSED: Reason = Reason::new(
    Kind::Invalid,
    "second_factor_refused",
    "双重验证码不正确或已使用",
    "This code is not accepted",
);
/// There is a second factor already.
pub static SECOND_FACTOR_ENABLED: Reason = Reason::new(
    Kind::Conflict,
    "second_factor_enabled",
    "已启用双重验证",
    "There is a second factor already; remove it first",
);
/// There is no second factor, or none waits to be confirmed.
pub static SECOND_FACTOR_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "second_factor_missing",
    "没有可确认或移除的双重验证",
    "There is no second factor to confirm or to remove",
);

/// Nobody takes away their own second factor as a lost one.
pub static SECOND_FACTOR_OWN: Reason = Reason::new(
    Kind::Conflict,
    "second_factor_own",
    "不能以遗失为由移除本人的双重验证",
    "One's own second factor is removed by a code of it; if it is lost, by another administrator",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &SECOND_FACTOR_NEEDED,
    &SECOND_FACTOR_OWN,
    &SECOND_FACTOR_REFUSED,
    &SECOND_FACTOR_ENABLED,
    &SECOND_FACTOR_MISSING,
];

/// The time step of an instant.
pub fn step_of(now: Instant) -> i64 {
    now.timestamp().div_euclid(STEP_SECONDS)
}

/// The code of a counter (RFC 4226 §5.3); `None` only if the key is unusable.
pub fn code(secret: &[u8], counter: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&counter.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let bytes: [u8; 4] = hash.get(offset..offset.checked_add(4)?)?.try_into().ok()?;
    let number = (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000;
    Some(format!("{number:06}"))
}

/// The step whose code this is, near `now` and after `last_step`: a code is good once, and none before it afterwards.
pub fn step_shown(secret: &[u8], shown: &str, now: Instant, last_step: i64) -> Option<i64> {
    let present = step_of(now);
    let near = present.saturating_sub(STEPS_OFF_MAX)..=present.saturating_add(STEPS_OFF_MAX);
    near.filter(|step| *step > last_step)
        .rfind(|step| code(secret, *step).is_some_and(|code| is_same(&code, shown)))
}

/// Compares without telling by its time where they differ.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |d, (a, b)| d | (a ^ b)) == 0
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base 32 without padding (RFC 4648 §6), which is what authenticator apps read.
pub fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or_default();
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let digits = bytes.len().saturating_mul(8).div_ceil(5);
    (0..digits)
        .filter_map(|digit| {
            let value = (0..5).fold(0, |value, place| value << 1 | bit(digit * 5 + place));
            ALPHABET.get(value).copied().map(char::from)
        })
        .collect()
}

/// What an authenticator app reads from the QR code.
pub fn otpauth_uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let encoded = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let (issuer, account, secret) = (encoded(issuer), encoded(account), base32(secret));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

/// A recovery code as its owner writes it down: four groups of four.
pub fn recovery_code(bytes: &[u8; RECOVERY_CODE_LENGTH]) -> String {
    let text = base32(bytes).to_ascii_lowercase();
    let characters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A recovery code as it is hashed, however its owner types it; `None` if it is none.
pub fn typed_recovery_code(text: &str) -> Option<String> {
    let code: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let fits = code.len() == 16
        && code
            .bytes()
            .all(|byte| ALPHABET.contains(&byte.to_ascii_uppercase()));
    fits.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Instant {
        chrono::Utc.timestamp_opt(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_4226_and_rfc_6238() {
        let hotp = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, expected) in (0..).zip(hotp) {
            assert_eq!(code(SECRET, counter).as_deref(), Some(expected));
        }
        // RFC 6238 appendix B shows eight digits; these are the last six of them.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step_of(at(seconds))).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_either_way_and_once() {
        let shown = code(SECRET, 100).unwrap();
        for (step, good) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            let now = at(step * STEP_SECONDS + 5);
            assert_eq!(
                step_shown(SECRET, &shown, now, i64::MIN).is_some(),
                good,
                "{step}"
            );
        }
        let now = at(100 * STEP_SECONDS);
        assert_eq!(step_shown(SECRET, &shown, now, 99), Some(100));
        assert_eq!(step_shown(SECRET, &shown, now, 100), None, "used");
        let before = code(SECRET, 99).unwrap();
        assert_eq!(
            step_shown(SECRET, &before, now, 100),
            None,
            "older than one that was used"
        );
        for bad in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(step_shown(SECRET, bad, now, i64::MIN), None);
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(
            otpauth_uri(b"foobar", "ward.test", "a b@c.d"),
            "otpauth://totp/ward.test:a%20b%40c.d?secret=MZXW6YTBOI&issuer=ward.test&algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        #[test]
        fn a_recovery_code_is_known_again_however_it_is_typed(bytes: [u8; RECOVERY_CODE_LENGTH]) {
            let code = recovery_code(&bytes);
            prop_assert_eq!(code.len(), 19);
            let typed = typed_recovery_code(&code);
            prop_assert!(typed.is_some());
            prop_assert_eq!(&typed, &typed_recovery_code(&code.to_uppercase().replace('-', " ")));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = typed_recovery_code(&text);
            let _ = step_shown(SECRET, &text, at(0), 0);
        }
    }
}
