//! A bid is a row of versions: sealed, replaced, confirmed after an addendum, withdrawn. Which version may follow which, until when, and
//! which one counts at the opening. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::audit::entry::EventId;
use crate::books::rules::{LotId, State as BookState};
use crate::books::rules_addenda::needs_confirmation;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::text;

crate::ids! {
    /// A bid of one supplier for one lot.
    BidId "bid"
}

/// Versions of one bid at most.
pub const VERSIONS_MAX: i64 = 50;
/// Bytes of a bid before it is sealed.
pub const BID_BYTES_MAX: usize = 1_048_576;
/// Late bids of one supplier for one lot that are recorded; further ones are refused without a record.
pub const LATE_MAX: i64 = 10;

/// The deadline has passed.
pub static LATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_late",
    "投标截止时间已过，拒收",
    "The deadline for bids has passed",
);
/// The book takes no bids.
pub static NOT_TAKEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_not_taken",
    "该标段不接受投标",
    "No bids are taken for this lot",
);
/// The bid was made for another version of the book.
pub static BOOK_MOVED_ON: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_book_moved_on",
    "责任书已有新的版本，请先阅读",
    "The book has another version; read it first",
);
/// The supplier has a bid for the lot already.
pub static EXISTS: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_exists",
    "已对该标段投标，如需更换请附 If-Match",
    "There is a bid for this lot already; replace it with If-Match",
);
/// The bid was withdrawn.
pub static WITHDRAWN: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_withdrawn",
    "投标已撤回",
    "The bid was withdrawn",
);
/// There are as many versions as there may be.
pub static TOO_MANY_VERSIONS: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_too_many_versions",
    "投标版本过多",
    "The bid has as many versions as it may have",
);
/// No addendum since asks for a confirmation.
pub static NOTHING_TO_CONFIRM: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_nothing_to_confirm",
    "投标依据的已是当前版本，无需确认",
    "The bid is one for the current version of the book",
);
/// Whoever bids is no supplier that was verified.
pub static NOT_A_SUPPLIER: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_not_a_supplier",
    "投标人应为已核验的承接主体",
    "A bidder must be a supplier that was verified",
);
/// The supplier is debarred.
pub static DEBARRED: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_debarred",
    "处于禁止参加政府采购活动期间",
    "The supplier is debarred",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 9] = [
    &LATE,
    &NOT_TAKEN,
    &BOOK_MOVED_ON,
    &EXISTS,
    &WITHDRAWN,
    &TOO_MANY_VERSIONS,
    &NOTHING_TO_CONFIRM,
    &NOT_A_SUPPLIER,
    &DEBARRED,
];

/// What a version of a bid is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidVersionKind)]
pub enum Kind {
    /// A sealed bid: the first, or one that takes the place of those before.
    Sealed,
    /// That what was sealed before holds for another version of the book.
    Confirmed,
    /// That there is no bid any more.
    Withdrawn,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sealed, Self::Confirmed, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The first line of a receipt for it.
    const fn title(self) -> &'static str {
        match self {
            Self::Sealed => "wardbook/bid-receipt/v1",
            Self::Confirmed => "wardbook/bid-confirmation/v1",
            Self::Withdrawn => "wardbook/bid-withdrawal/v1",
        }
    }
}

/// A version of a bid, without its sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// For which lot.
    pub lot_id: LotId,
    /// Whose bid.
    pub supplier_id: OrganisationId,
    /// Counts the versions of the bid, from 1.
    pub number: i64,
    /// The bid's id, the same for all its versions.
    pub bid_id: BidId,
    /// What it is.
    pub kind: Kind,
    /// The version whose sealed bytes it is about: itself, if it is sealed.
    pub sealed_number: i64,
    /// SHA-256 of those bytes.
    pub sha256: [u8; 32],
    /// How many they are.
    pub bytes: i64,
    /// The version of the book that it was made for.
    pub book_version: i64,
    /// When, UTC: the instant of the transaction, before the deadline.
    pub received_at: Instant,
    /// The signed receipt.
    pub receipt: String,
    /// Its event, which comes into the log when the lot is opened.
    pub event_id: EventId,
}

/// The hash of sealed bytes.
pub fn hash(sealed: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed).into()
}

/// What of a book decides whether a bid is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state of the book.
    pub state: BookState,
    /// Until when bids are taken; none is taken then or later.
    pub deadline: Option<Instant>,
    /// How many versions of the book were published.
    pub versions: i64,
    /// The number of the last one that affects bids.
    pub last_affecting: Option<i64>,
}

/// Whether the book takes bids at all, and the bid was made for what the book says now, as far as bids go; whether it is in time is asked
/// last, so that only a bid that would otherwise have been taken counts as late.
///
/// # Errors
/// In this order: [`NOT_TAKEN`], [`BOOK_MOVED_ON`], [`LATE`].
pub fn may_be_taken(book: &Standing, book_version: i64, now: Instant) -> Result<(), Refusal> {
    in_time_for(book)?;
    let current = book.versions;
    let is_one = (1..=current).contains(&book_version);
    if !is_one || needs_confirmation(book_version, book.last_affecting) {
        return Err(BOOK_MOVED_ON.because(text!(
            "投标依据第 {book_version} 版，当前为第 {current} 版",
            "the bid is for version {book_version}; the book has version {current}"
        )));
    }
    in_time(book, now)
}

fn in_time_for(book: &Standing) -> Result<(), Refusal> {
    if book.state == BookState::Published && book.deadline.is_some() {
        return Ok(());
    }
    let name = book.state.name();
    Err(NOT_TAKEN.because(text!("责任书状态为 {name}", "the book is {name}")))
}

/// Strictly before the deadline (87号令 arts 33, 39).
///
/// # Errors
/// [`NOT_TAKEN`] if the book takes no bids; [`LATE`].
pub fn in_time(book: &Standing, now: Instant) -> Result<(), Refusal> {
    in_time_for(book)?;
    match book.deadline {
        Some(deadline) if now < deadline => Ok(()),
        Some(deadline) => {
            let (at, deadline) = (rfc3339(now), rfc3339(deadline));
            Err(LATE.because(text!(
                "收到时间 {at}，截止时间 {deadline}",
                "it came at {at}; the deadline was {deadline}"
            )))
        }
        None => Err(NOT_TAKEN.refuse()),
    }
}

/// What comes next in a bid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The bid's id.
    pub bid_id: BidId,
    /// The number of the version.
    pub number: i64,
}

/// The number of a version to seal: the first, or one after a withdrawal, or, if `replacing`, one after any that stands.
///
/// # Errors
/// In this order: [`EXISTS`] if there is one that stands and it is not to be replaced; [`WITHDRAWN`] if there is none to replace;
/// [`TOO_MANY_VERSIONS`].
pub fn next_sealed(last: Option<&Version>, replacing: bool, fresh: BidId) -> Result<Next, Refusal> {
    let Some(last) = last else {
        return Ok(Next {
            bid_id: fresh,
            number: 1,
        });
    };
    match (last.kind, replacing) {
        (Kind::Sealed | Kind::Confirmed, false) => return Err(EXISTS.refuse()),
        (Kind::Withdrawn, true) => return Err(WITHDRAWN.refuse()),
        _ => {}
    }
    after(last, VERSIONS_MAX - 1)
}

/// The number of a confirmation.
///
/// # Errors
/// In this order: [`WITHDRAWN`]; [`NOTHING_TO_CONFIRM`] if the bid was made for this version of the book; [`TOO_MANY_VERSIONS`].
pub fn next_confirmed(last: &Version, book: &Standing) -> Result<Next, Refusal> {
    if last.kind == Kind::Withdrawn {
        return Err(WITHDRAWN.refuse());
    }
    if last.book_version >= book.versions {
        return Err(NOTHING_TO_CONFIRM.refuse());
    }
    after(last, VERSIONS_MAX - 1)
}

/// The number of a withdrawal. There is always room for one.
///
/// # Errors
/// [`WITHDRAWN`] if it was withdrawn already.
pub fn next_withdrawn(last: &Version) -> Result<Next, Refusal> {
    if last.kind == Kind::Withdrawn {
        return Err(WITHDRAWN.refuse());
    }
    after(last, VERSIONS_MAX)
}

fn after(last: &Version, versions_max: i64) -> Result<Next, Refusal> {
    if last.number >= versions_max {
        return Err(TOO_MANY_VERSIONS.because(text!(
            "最多 {VERSIONS_MAX} 个版本",
            "at most {VERSIONS_MAX} versions"
        )));
    }
    Ok(Next {
        bid_id: last.bid_id.clone(),
        number: last.number.saturating_add(1),
    })
}

/// The text that a receipt's signature is of.
pub fn receipt_text(
    kind: Kind,
    lot: &LotId,
    bid: &BidId,
    (sha256, bytes): (&[u8; 32], i64),
    received_at: Instant,
) -> String {
    let (title, sha256, at) = (kind.title(), hex::encode(sha256), rfc3339(received_at));
    format!("{title}\n{lot}\n{bid}\n{sha256}\n{bytes}\n{at}\n")
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of what kind of version.
    pub kind: Kind,
    /// For which lot.
    pub lot_id: LotId,
    /// Of which bid.
    pub bid_id: BidId,
    /// SHA-256 of the sealed bytes.
    pub sha256: [u8; 32],
    /// How many they are.
    pub bytes: i64,
    /// When they were received, as it is written.
    pub received_at: String,
}

/// Reads the text of a receipt, whose signature was checked; `None` if it is none.
pub fn read_receipt(text: &str) -> Option<Receipt> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let title = lines.next()?;
    let receipt = Receipt {
        kind: Kind::ALL.into_iter().find(|kind| kind.title() == title)?,
        lot_id: lines.next()?.parse().ok()?,
        bid_id: lines.next()?.parse().ok()?,
        sha256: hex::decode(lines.next()?).ok()?.try_into().ok()?,
        bytes: lines.next()?.parse().ok()?,
        received_at: lines.next()?.to_owned(),
    };
    lines.next().is_none().then_some(receipt)
}

/// What becomes of a bid when its lot is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is opened: what is sealed in the version of this number.
    Opened(i64),
    /// It was withdrawn, and stays sealed.
    Withdrawn,
    /// An addendum that affects bids came after it, and it was neither replaced nor confirmed: it stays sealed.
    Unconfirmed,
}

/// The last version of each bid strictly before the deadline, and what becomes of it: after the last version of the book that affects
/// bids only what was sealed or confirmed for that one or a later one counts. In the order of the suppliers' ids.
pub fn at_opening(
    versions: Vec<Version>,
    deadline: Instant,
    last_affecting: Option<i64>,
) -> Vec<(Version, Fate)> {
    let mut last: BTreeMap<String, Version> = BTreeMap::new();
    for version in versions {
        if version.received_at >= deadline {
            continue;
        }
        let known = last.get(version.supplier_id.as_str());
        if known.is_none_or(|known| known.number < version.number) {
            last.insert(version.supplier_id.to_string(), version);
        }
    }
    last.into_values()
        .map(|version| {
            let fate = match version.kind {
                Kind::Withdrawn => Fate::Withdrawn,
                _ if needs_confirmation(version.book_version, last_affecting) => Fate::Unconfirmed,
                _ => Fate::Opened(version.sealed_number),
            };
            (version, fate)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, TimeZone, Utc};
    use proptest::prelude::*;

    fn start() -> Instant {
        Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
    }

    fn book(versions: i64) -> Standing {
        Standing {
            state: BookState::Published,
            deadline: Some(start() + Duration::hours(1)),
            versions,
            last_affecting: (versions > 1).then_some(versions),
        }
    }

    fn version(kind: Kind, number: i64, book_version: i64, minutes: i64) -> Version {
        let now = start();
        Version {
            lot_id: "lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            supplier_id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            number,
            bid_id: "bid_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            kind,
            sealed_number: number,
            sha256: [7; 32],
            bytes: 65_700,
            book_version,
            received_at: now + Duration::minutes(minutes),
            receipt: "r".to_owned(),
            event_id: EventId::mint(now),
        }
    }

    #[test]
    fn a_bid_is_in_time_strictly_before_the_deadline_and_late_only_if_nothing_else_is_wrong() {
        let (book, deadline) = (book(2), start() + Duration::hours(1));
        let code =
            |book: &Standing, version, now| may_be_taken(book, version, now).map_err(|r| r.reason.code);
        assert_eq!(code(&book, 2, deadline - Duration::microseconds(1)), Ok(()));
        assert_eq!(code(&book, 2, deadline), Err("bid_late"));
        assert_eq!(code(&book, 1, start()), Err("bid_book_moved_on"));
        assert_eq!(code(&book, 1, deadline), Err("bid_book_moved_on"));
        assert_eq!(code(&book, 3, start()), Err("bid_book_moved_on"));
        assert_eq!(code(&book, 0, start()), Err("bid_book_moved_on"));
        // An addendum that leaves bids alone leaves those alone that were made before it.
        let untouched = Standing {
            last_affecting: None,
            ..book.clone()
        };
        assert_eq!(code(&untouched, 1, start()), Ok(()));
        let cancelled = Standing {
            state: BookState::Cancelled,
            ..book
        };
        assert_eq!(code(&cancelled, 2, deadline), Err("bid_not_taken"));
        let endless = Standing {
            deadline: None,
            ..cancelled
        };
        assert_eq!(
            in_time(&endless, start()).unwrap_err().reason.code,
            "bid_not_taken"
        );
    }

    #[test]
    fn which_version_may_follow_which() {
        let fresh = || BidId::mint(start());
        let code = |next: Result<Next, Refusal>| next.map(|next| next.number).map_err(|r| r.reason.code);
        let sealed = version(Kind::Sealed, 3, 1, 0);
        let withdrawn = version(Kind::Withdrawn, 4, 1, 1);
        assert_eq!(code(next_sealed(None, false, fresh())), Ok(1));
        assert_eq!(
            code(next_sealed(Some(&sealed), false, fresh())),
            Err("bid_exists")
        );
        assert_eq!(code(next_sealed(Some(&sealed), true, fresh())), Ok(4));
        assert_eq!(code(next_sealed(Some(&withdrawn), false, fresh())), Ok(5));
        assert_eq!(
            code(next_sealed(Some(&withdrawn), true, fresh())),
            Err("bid_withdrawn")
        );
        assert_eq!(
            next_sealed(Some(&withdrawn), false, fresh()).unwrap().bid_id,
            sealed.bid_id
        );
        assert_eq!(
            code(next_confirmed(&sealed, &book(1))),
            Err("bid_nothing_to_confirm")
        );
        assert_eq!(code(next_confirmed(&sealed, &book(2))), Ok(4));
        assert_eq!(code(next_confirmed(&withdrawn, &book(2))), Err("bid_withdrawn"));
        assert_eq!(code(next_withdrawn(&withdrawn)), Err("bid_withdrawn"));
        // The last number is kept for a withdrawal, so that nobody is held to a bid by a limit.
        let full = version(Kind::Sealed, VERSIONS_MAX - 1, 1, 0);
        assert_eq!(
            code(next_sealed(Some(&full), true, fresh())),
            Err("bid_too_many_versions")
        );
        assert_eq!(
            code(next_confirmed(&full, &book(2))),
            Err("bid_too_many_versions")
        );
        assert_eq!(code(next_withdrawn(&full)), Ok(VERSIONS_MAX));
    }

    #[test]
    fn the_last_version_before_the_deadline_counts_if_it_is_one_for_the_addendum() {
        let deadline = start() + Duration::hours(1);
        let fate =
            |versions: Vec<Version>, demanded| at_opening(versions, deadline, Some(demanded)).remove(0).1;
        let first = || version(Kind::Sealed, 1, 1, 0);
        assert_eq!(fate(vec![first()], 1), Fate::Opened(1));
        assert_eq!(fate(vec![first()], 2), Fate::Unconfirmed);
        let confirmed = Version {
            sealed_number: 1,
            ..version(Kind::Confirmed, 2, 2, 5)
        };
        assert_eq!(fate(vec![confirmed.clone(), first()], 2), Fate::Opened(1));
        assert_eq!(
            fate(
                vec![first(), confirmed.clone(), version(Kind::Withdrawn, 3, 2, 9)],
                2
            ),
            Fate::Withdrawn
        );
        // What came at the deadline was never taken, and is passed over even if it stood there.
        assert_eq!(
            fate(vec![first(), version(Kind::Withdrawn, 2, 1, 60)], 1),
            Fate::Opened(1)
        );
    }

    #[test]
    fn a_receipt_is_read_as_it_was_written_and_nothing_else_is_one() {
        let version = version(Kind::Confirmed, 1, 1, 0);
        let text = receipt_text(
            version.kind,
            &version.lot_id,
            &version.bid_id,
            (&version.sha256, version.bytes),
            version.received_at,
        );
        let read = read_receipt(&text).unwrap();
        assert_eq!(
            (read.kind, read.sha256, read.bytes),
            (Kind::Confirmed, [7; 32], 65_700)
        );
        assert_eq!(read.received_at, "2026-03-02T00:00:00.000000Z");
        for other in [
            text.trim_end().to_owned(),
            format!("{text}x\n"),
            text.replace("/v1", "/v2"),
            String::new(),
        ] {
            assert_eq!(read_receipt(&other), None, "{other}");
        }
    }

    proptest! {
        /// Whatever is tried in whatever order: numbers follow each other, a withdrawn bid is confirmed by nobody, and the opening
        /// finds what a plain model says.
        #[test]
        fn random_sequences_end_as_a_plain_model_says(steps in proptest::collection::vec(0_u8..5, 0..40)) {
            let (mut versions, mut current): (Vec<Version>, i64) = (Vec::new(), 1);
            // The number of the version whose bytes count, and for which version of the book they do.
            let mut model: Option<(i64, i64)> = None;
            for (minute, step) in (0_i64..).zip(steps) {
                let last = versions.last().cloned();
                let fresh = BidId::mint(start());
                let made = match step {
                    0 | 1 => next_sealed(last.as_ref(), step == 1, fresh).ok().map(|next| (Kind::Sealed, next.number, next.number)),
                    2 => last.as_ref().and_then(|last| {
                        let next = next_confirmed(last, &book(current)).ok()?;
                        Some((Kind::Confirmed, next.number, last.sealed_number))
                    }),
                    3 => last.as_ref().and_then(|last| {
                        let next = next_withdrawn(last).ok()?;
                        Some((Kind::Withdrawn, next.number, last.sealed_number))
                    }),
                    _ => {
                        current += 1;
                        None
                    }
                };
                let expected = match (step, model) {
                    (0, None) => Some((versions.len() as i64 + 1, current)),
                    (1, None) if last.is_none() => Some((1, current)),
                    (1, Some(_)) => Some((versions.len() as i64 + 1, current)),
                    (2, Some((number, version))) if version < current => Some((number, current)),
                    (3, Some(_)) => None,
                    _ => model,
                };
                model = expected;
                if let Some((kind, number, sealed_number)) = made {
                    prop_assert_eq!(number, versions.len() as i64 + 1);
                    versions.push(Version { sealed_number, ..version(kind, number, current, minute) });
                }
            }
            let found = at_opening(versions.clone(), start() + Duration::hours(1), Some(current));
            match (found.first(), model) {
                (None, None) => prop_assert!(versions.is_empty()),
                (Some((_, Fate::Withdrawn)), None) => {}
                (Some((_, Fate::Unconfirmed)), Some((_, version))) => prop_assert!(version < current),
                (Some((_, Fate::Opened(number))), Some((expected, version))) => prop_assert!(*number == expected && version == current),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
