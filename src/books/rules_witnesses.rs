//! The rules of those who witness openings: when a share is shown, when it is handed in, and what is refused. Pure.

use crate::books::recipients;
use crate::books::rules::{Book, State, WRONG_STATE};
use crate::books::shares::{Share, same, word_sha256};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::text;

/// What should be a recipient is none.
pub static WITNESS_KEY_INVALID: Reason = Reason::new(
    Kind::Invalid,
    "witness_key_invalid",
    "应为 age1… 形式的 X25519 接收方（不接受插件）",
    "It must be an age X25519 recipient, age1…, and not one of a plugin",
);
/// Somebody has registered it before: two shares for one key would be one witness too few.
pub static WITNESS_KEY_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "witness_key_taken",
    "该接收方已被登记过",
    "This recipient was registered before",
);
/// The account has replaced its recipient too often.
pub static WITNESS_KEYS_TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "witness_keys_too_many",
    "登记的接收方数量已达上限",
    "You have registered as many recipients as one may",
);
/// The opening has come, and with it the time for the shares themselves.
pub static REHEARSAL_OVER: Reason = Reason::new(
    Kind::Conflict,
    "rehearsal_over",
    "已到开标时间，不再演练",
    "The opening has come; there is nothing to rehearse any more",
);
/// It is not what lies beside the witness's share.
pub static REHEARSAL_WORD_WRONG: Reason = Reason::new(
    Kind::Conflict,
    "rehearsal_word_wrong",
    "该口令与封存给您的份额不符",
    "This is not the word that was sealed to you beside your share",
);
/// Nobody may have shares before the opening.
pub static OPENING_NOT_YET: Reason = Reason::new(
    Kind::Conflict,
    "opening_not_yet",
    "未到开标时间",
    "The time of the opening has not come",
);
/// What should be a share is none.
pub static OPENING_SHARE_MALFORMED: Reason = Reason::new(
    Kind::Invalid,
    "opening_share_malformed",
    "不是开标密钥份额",
    "This is no share of an opening key",
);
/// It is a share, and not the witness's.
pub static OPENING_SHARE_WRONG: Reason = Reason::new(
    Kind::Conflict,
    "opening_share_wrong",
    "该份额与封存给您的份额不符",
    "This is not the share that was sealed to you",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 8] = [
    &WITNESS_KEY_INVALID,
    &WITNESS_KEY_TAKEN,
    &WITNESS_KEYS_TOO_MANY,
    &REHEARSAL_OVER,
    &REHEARSAL_WORD_WRONG,
    &OPENING_NOT_YET,
    &OPENING_SHARE_MALFORMED,
    &OPENING_SHARE_WRONG,
];

/// Recipients that one account registers at most.
pub const KEYS_MAX: i64 = 1_000;

/// A recipient of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    /// Whose.
    pub account_id: String,
    /// Counts those of the account, from 1; the last one counts.
    pub number: i64,
    /// The recipient, `age1…`.
    pub recipient: String,
    /// When it was registered, UTC.
    pub registered_at: Instant,
}

/// What is known of a share that a witness holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldShare {
    /// Which one it is, counted from 1.
    pub number: u8,
    /// Whose.
    pub account_id: String,
    /// To which of the account's recipients it is sealed.
    pub witness_key: i64,
    /// SHA-256 of it, as published.
    pub commitment: [u8; 32],
    /// SHA-256 of the word beside it.
    pub word_sha256: [u8; 32],
    /// When the word was shown, UTC.
    pub rehearsed_at: Option<Instant>,
    /// When the share was handed in, UTC.
    pub given_at: Option<Instant>,
}

/// A key that is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCustody {
    /// To whom bids are sealed.
    pub recipient: String,
    /// How many shares it takes.
    pub threshold: u8,
    /// The shares, by number.
    pub shares: Vec<HeldShare>,
}

impl SharedCustody {
    /// The share of an account.
    pub fn of_account(&self, account: &str) -> Option<&HeldShare> {
        self.shares.iter().find(|share| share.account_id == account)
    }

    /// How many were handed in.
    pub fn given(&self) -> usize {
        self.shares
            .iter()
            .filter(|share| share.given_at.is_some())
            .count()
    }

    /// Whether as many were handed in as it takes.
    pub fn suffices(&self) -> bool {
        self.given() >= usize::from(self.threshold)
    }
}

/// The next recipient of an account; `None` if it is the one it has.
///
/// # Errors
/// [`WITNESS_KEY_INVALID`], [`WITNESS_KEY_TAKEN`], [`WITNESS_KEYS_TOO_MANY`], in this order.
pub fn registered(
    account: &str,
    recipient: &str,
    (current, taken): (Option<&WitnessKey>, bool),
    now: Instant,
) -> Result<Option<WitnessKey>, Refusal> {
    if recipients::recipient(recipient).is_none() {
        return Err(WITNESS_KEY_INVALID.refuse().at("/recipient"));
    }
    if current.is_some_and(|current| current.recipient == recipient) {
        return Ok(None);
    }
    if taken {
        return Err(WITNESS_KEY_TAKEN.refuse().at("/recipient"));
    }
    let number = current.map_or(0, |current| current.number).saturating_add(1);
    if number > KEYS_MAX {
        return Err(WITNESS_KEYS_TOO_MANY.refuse());
    }
    Ok(Some(WitnessKey {
        account_id: account.to_owned(),
        number,
        recipient: recipient.to_owned(),
        registered_at: now,
    }))
}

/// Whether the opening of a published book has come: at its instant, and not a moment before.
fn has_come(book: &Book, now: Instant) -> bool {
    let opening = book.content.document().timetable.opening;
    opening.is_some_and(|opening| now >= opening)
}

fn is_published(book: &Book) -> Result<(), Refusal> {
    let state = book.state.name();
    if book.state == State::Published {
        return Ok(());
    }
    Err(WRONG_STATE.because(text!("当前状态为 {state}", "its state is {state}")))
}

/// Whether a witness has shown that their share can be opened.
///
/// # Errors
/// [`WRONG_STATE`], [`REHEARSAL_OVER`], [`REHEARSAL_WORD_WRONG`], in this order.
pub fn rehearsed(book: &Book, share: &HeldShare, word: &str, now: Instant) -> Result<(), Refusal> {
    is_published(book)?;
    if has_come(book, now) {
        return Err(REHEARSAL_OVER.refuse());
    }
    match word_sha256(word) {
        Some(hash) if same(&hash, &share.word_sha256) => Ok(()),
        _ => Err(REHEARSAL_WORD_WRONG.refuse().at("/word")),
    }
}

/// Whether the opening may go on as far as its time goes.
///
/// # Errors
/// [`WRONG_STATE`], [`OPENING_NOT_YET`], in this order.
pub fn may_open(book: &Book, now: Instant) -> Result<(), Refusal> {
    is_published(book)?;
    if has_come(book, now) {
        Ok(())
    } else {
        Err(OPENING_NOT_YET.refuse())
    }
}

/// The share that a witness hands in, which is theirs.
///
/// # Errors
/// [`WRONG_STATE`], [`OPENING_NOT_YET`], [`OPENING_SHARE_MALFORMED`], [`OPENING_SHARE_WRONG`], in this order.
pub fn handed_in(book: &Book, held: &HeldShare, share: &str, now: Instant) -> Result<Share, Refusal> {
    may_open(book, now)?;
    let share = Share::from_hex(share).ok_or_else(|| OPENING_SHARE_MALFORMED.refuse().at("/share"))?;
    if share.number() == held.number && same(&share.commitment(&book.id), &held.commitment) {
        Ok(share)
    } else {
        Err(OPENING_SHARE_WRONG.refuse().at("/share"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    #[test]
    fn a_recipient_takes_the_place_of_the_one_before_and_nobody_takes_anothers() {
        let now = Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
        let fresh = || age::x25519::Identity::generate().to_public().to_string();
        let (first, second) = (fresh(), fresh());
        let code = |outcome: Result<Option<WitnessKey>, Refusal>| outcome.unwrap_err().reason.code;
        let one = registered("user_a", &first, (None, false), now).unwrap().unwrap();
        assert_eq!((one.number, &one.recipient), (1, &first));
        assert_eq!(registered("user_a", &first, (Some(&one), true), now), Ok(None));
        let two = registered("user_a", &second, (Some(&one), false), now)
            .unwrap()
            .unwrap();
        assert_eq!(two.number, 2);
        assert_eq!(
            code(registered("user_b", &first, (None, true), now)),
            "witness_key_taken"
        );
        assert_eq!(
            code(registered("user_b", "age1plugin", (None, true), now)),
            "witness_key_invalid"
        );
        let last = WitnessKey {
            number: KEYS_MAX,
            ..one
        };
        assert_eq!(
            code(registered("user_a", &second, (Some(&last), false), now)),
            "witness_keys_too_many"
        );
    }
}
