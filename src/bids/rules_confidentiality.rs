//! What of an opened bid everybody sees. Names of people are never shown; what the bidder marked as confidential is kept until the buyer has decided
//! about it, as long as the buyer accepts the mark, and otherwise until the bidder's time to challenge the decision is over (政府采购法 arts 11, 52).
//! Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::bids::rules_document::{BidDocument, CONFIDENTIAL_MAX, ConfidentialDocument, REMARK_LENGTH_MAX};
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Fault, Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// Decisions on one mark at most.
pub const DECISIONS_MAX: usize = 20;

/// What becomes public at the opening whatever the bidder wants: who bids, for which lot, and for how much; and what is marked.
const PUBLIC: [&str; 6] = [
    "lot_id",
    "supplier_id",
    "book_version",
    "price_lines",
    "total",
    "confidential",
];

/// What was marked is public already.
pub static PUBLIC_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "confidentiality_public_already",
    "该内容已经公开，不能再作保密处理",
    "It is public already, and cannot be kept any more",
);
/// It was decided too often.
pub static DECIDED_TOO_OFTEN: Reason = Reason::new(
    Kind::Conflict,
    "confidentiality_decided_too_often",
    "同一标注的决定次数已达上限",
    "There are as many decisions on this mark as there can be",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&PUBLIC_ALREADY, &DECIDED_TOO_OFTEN];

/// What came of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidConfidentialState)]
pub enum State {
    /// The buyer has not decided: it is kept from the public.
    Pending,
    /// The buyer agrees: it stays with the bidder, the panel, the buyer and auditors.
    Accepted,
    /// The buyer does not agree: it becomes public when the time to challenge that is over.
    Refused,
}

/// A decision of the buyer on a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// On which mark of the bid, counted from 1.
    pub mark: u32,
    /// Which decision on it, counted from 1; the last one holds.
    pub ordinal: u32,
    /// Whether what is marked is kept from the public.
    pub is_accepted: bool,
    /// Why.
    pub reason: String,
    /// By whom.
    pub decided_by: AccountId,
    /// When, UTC.
    pub decided_at: Instant,
    /// From when on everybody sees it, UTC; `None` if the mark was accepted.
    pub public_from: Option<Instant>,
}

/// What is to be decided on one mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// On which mark, counted from 1.
    pub mark: u32,
    /// Whether what is marked is kept from the public.
    pub is_accepted: bool,
    /// Why.
    pub reason: String,
}

/// A mark of a bid, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<'b> {
    /// Which, counted from 1.
    pub number: u32,
    /// What the bidder marked, of what kind, and why.
    pub marked: &'b ConfidentialDocument,
    /// The decision that holds.
    pub decision: Option<&'b Decision>,
}

impl Mark<'_> {
    /// What came of it.
    pub fn state(&self) -> State {
        match self.decision {
            None => State::Pending,
            Some(decision) if decision.is_accepted => State::Accepted,
            Some(_) => State::Refused,
        }
    }

    /// Whether it is kept from the public at that instant.
    pub fn is_kept(&self, now: Instant) -> bool {
        let public_from = self.decision.and_then(|decision| decision.public_from);
        public_from.is_none_or(|from| now < from)
    }
}

/// Whether what lies at a place of a bid is public whatever its bidder wants.
pub fn is_public_anyway(pointer: &str) -> bool {
    let member = pointer.split('/').nth(1).unwrap_or_default();
    PUBLIC.contains(&member)
}

/// The marks of a bid, each with the decision that holds. `decisions` may come in any order.
pub fn marks<'b>(bid: &'b BidDocument, decisions: &'b [Decision]) -> Vec<Mark<'b>> {
    let mut last: BTreeMap<u32, &Decision> = BTreeMap::new();
    for one in decisions {
        let held = last.entry(one.mark).or_insert(one);
        if one.ordinal > held.ordinal {
            *held = one;
        }
    }
    (1_u32..)
        .zip(&bid.confidential)
        .map(|(number, marked)| Mark {
            number,
            marked,
            decision: last.get(&number).copied(),
        })
        .collect()
}

/// The places of a bid that are kept from the public at that instant, as JSON pointers, in their order: names of people and what qualifies them, and
/// what is marked. Marks on what is public in any case keep nothing.
pub fn kept(bid: &BidDocument, decisions: &[Decision], now: Instant) -> Vec<String> {
    let staff = (0..bid.key_staff.len())
        .flat_map(|index| ["name", "qualification"].map(|member| format!("/key_staff/{index}/{member}")));
    let interests = (0..bid.interests.len())
        .flat_map(|index| ["name", "text"].map(|member| format!("/interests/{index}/{member}")));
    let marked = marks(bid, decisions)
        .into_iter()
        .filter(|mark| mark.is_kept(now) && !is_public_anyway(&mark.marked.pointer))
        .map(|mark| mark.marked.pointer.clone());
    let mut places: Vec<String> = staff.chain(interests).chain(marked).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Whether a place lies in one of those.
pub fn lies_within(pointer: &str, places: &[String]) -> bool {
    places.iter().any(|place| {
        let rest = pointer.strip_prefix(place.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What everybody sees of a bid: the bid with `null` at each of those places.
///
/// # Errors
/// A fault if the bid cannot be written as JSON.
pub fn redacted(bid: &BidDocument, places: &[String]) -> Result<Value, Fault> {
    let mut shown = serde_json::to_value(bid).map_err(|error| Fault::caused("redact a bid", error))?;
    for place in places {
        if let Some(kept) = shown.pointer_mut(place) {
            *kept = Value::Null;
        }
    }
    Ok(shown)
}

/// The judgements that change something, as the next decisions on their marks. What is not accepted becomes public at `public_from`.
///
/// # Errors
/// In this order: [`INVALID`](crate::web::problem::INVALID) with every fault; for a mark [`PUBLIC_ALREADY`], [`DECIDED_TOO_OFTEN`], and where it is
/// not accepted that of `public_from`.
pub fn decided(
    (bid, before): (&BidDocument, &[Decision]),
    judgements: Vec<Judgement>,
    by: &AccountId,
    (now, public_from): (Instant, Result<Instant, Refusal>),
) -> Result<Vec<Decision>, Refusal> {
    let marks = marks(bid, before);
    let count = marks.len().min(CONFIDENTIAL_MAX);
    let mut form = Form::new();
    let mut found = Vec::with_capacity(judgements.len());
    for (index, one) in judgements.into_iter().enumerate() {
        let reason = form.line(
            &format!("/decisions/{index}/reason"),
            &one.reason,
            REMARK_LENGTH_MAX,
        );
        let place = format!("/decisions/{index}/mark");
        let mark = marks.iter().take(count).find(|mark| mark.number == one.mark);
        match mark {
            None => form.object(&place, text!("应为 1 至 {count}", "must be from 1 to {count}")),
            Some(_)
                if found
                    .iter()
                    .any(|(_, known, _): &(_, Judgement, _)| known.mark == one.mark) =>
            {
                form.object(&place, Text::fixed("不得重复", "is there already"));
            }
            Some(mark) => found.push((place, Judgement { reason, ..one }, mark)),
        }
    }
    form.finish(())?;
    let mut decisions = Vec::with_capacity(found.len());
    for (place, judgement, mark) in found {
        if mark.state() == State::Refused && !mark.is_kept(now) {
            return Err(PUBLIC_ALREADY.refuse().at(&place));
        }
        let of_mark = before.iter().filter(|one| one.mark == judgement.mark);
        let ordinal = of_mark
            .map(|one| one.ordinal)
            .max()
            .unwrap_or_default()
            .saturating_add(1);
        if usize::try_from(ordinal).map_or(true, |ordinal| ordinal > DECISIONS_MAX) {
            return Err(DECIDED_TOO_OFTEN.refuse().at(&place));
        }
        if mark
            .decision
            .is_some_and(|last| last.is_accepted == judgement.is_accepted)
        {
            continue;
        }
        let public_from = if judgement.is_accepted {
            None
        } else {
            Some(public_from.clone()?)
        };
        decisions.push(Decision {
            mark: judgement.mark,
            ordinal,
            is_accepted: judgement.is_accepted,
            reason: judgement.reason,
            decided_by: by.clone(),
            decided_at: now,
            public_from,
        });
    }
    Ok(decisions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone, Utc};
    use serde_json::json;

    fn bid() -> BidDocument {
        let written = json!({
            "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
            "price_lines": [{"quantity": 1, "unit_price": "1", "amount": {"amount": "1.00", "currency": "CNY"}}],
            "total": {"amount": "1.00", "currency": "CNY"},
            "criteria": [{"code": "T1", "text": "两班作业", "documents": [1]}, {"code": "T2", "text": "自研设备", "documents": []}],
            "indicators": [], "key_staff": [{"name": "张三", "position": "项目经理", "qualification": "高级工程师 20210001"}],
            "subcontractors": [], "consortium": [], "ties": [], "interests": [{"kind": "kin", "name": "李四", "text": "其妹在采购人处任职"}],
            "documents": [{"name": "方案.pdf", "sha256": "00", "bytes": 1}, {"name": "配方.pdf", "sha256": "01", "bytes": 1}],
            "confidential": [
                {"pointer": "/criteria/1/text", "kind": "trade_secret", "reason": "专有技术"},
                {"pointer": "/documents/1", "kind": "trade_secret", "reason": "配方"},
                {"pointer": "/total", "kind": "trade_secret", "reason": "价格"},
                {"pointer": "/nowhere", "kind": "personal", "reason": "无此处"}
            ]
        });
        BidDocument::read(written.to_string().as_bytes()).unwrap()
    }

    fn at(minute: i64) -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 1, 1, 0, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn by() -> AccountId {
        "user_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()
    }

    fn judged(mark: u32, is_accepted: bool) -> Judgement {
        let reason = "经核实".to_owned();
        Judgement {
            mark,
            is_accepted,
            reason,
        }
    }

    #[test]
    fn names_and_marks_are_kept_and_prices_and_bidders_never() {
        let places = kept(&bid(), &[], at(0));
        let expected = [
            "/criteria/1/text",
            "/documents/1",
            "/interests/0/name",
            "/interests/0/text",
            "/key_staff/0/name",
            "/key_staff/0/qualification",
            "/nowhere",
        ];
        assert_eq!(places, expected);
        let shown = redacted(&bid(), &places).unwrap();
        let written = shown.to_string();
        for secret in ["张三", "20210001", "李四", "其妹", "自研设备", "配方.pdf"] {
            assert!(!written.contains(secret), "{secret}");
        }
        assert_eq!(
            (&shown["total"]["amount"], &shown["criteria"][0]["text"]),
            (&json!("1.00"), &json!("两班作业"))
        );
        assert_eq!(
            (&shown["key_staff"][0]["position"], &shown["documents"][0]["name"]),
            (&json!("项目经理"), &json!("方案.pdf"))
        );
        assert!(lies_within("/documents/1", &places) && lies_within("/documents/1/name", &places));
        assert!(!lies_within("/documents/10", &places) && !lies_within("/documents/0", &places));
    }

    #[test]
    fn what_is_refused_is_kept_until_the_time_to_challenge_it_is_over_and_what_is_accepted_for_good() {
        let bid = bid();
        let first = decided(
            (&bid, &[]),
            vec![judged(1, false), judged(2, true)],
            &by(),
            (at(0), Ok(at(60))),
        )
        .unwrap();
        let state =
            |decisions: &[Decision]| marks(&bid, decisions).iter().map(Mark::state).collect::<Vec<_>>();
        assert_eq!(
            state(&first),
            [State::Refused, State::Accepted, State::Pending, State::Pending]
        );
        let is_kept = |place: &str, minute| lies_within(place, &kept(&bid, &first, at(minute)));
        assert!(is_kept("/criteria/1/text", 59) && !is_kept("/criteria/1/text", 60));
        assert!(is_kept("/documents/1", 60) && is_kept("/key_staff/0/name", 60));
        // The same again changes nothing; another decision holds from then on, until it is too late for one.
        let again = decided((&bid, &first), vec![judged(1, false)], &by(), (at(1), Ok(at(61)))).unwrap();
        assert_eq!(again, []);
        let other = decided(
            (&bid, &first),
            vec![judged(1, true)],
            &by(),
            (at(59), Ok(at(120))),
        )
        .unwrap();
        assert_eq!(
            (other.len(), other[0].ordinal, other[0].public_from),
            (1, 2, None)
        );
        let all: Vec<Decision> = other.into_iter().chain(first.clone()).collect();
        assert!(lies_within("/criteria/1/text", &kept(&bid, &all, at(1_000))));
        let late = decided(
            (&bid, &first),
            vec![judged(1, true)],
            &by(),
            (at(60), Ok(at(120))),
        )
        .unwrap_err();
        assert_eq!(
            (late.reason.code, late.objections[0].pointer.as_str()),
            ("confidentiality_public_already", "/decisions/0/mark")
        );
    }

    #[test]
    fn decisions_name_marks_that_there_are_once_and_with_a_reason() {
        let bid = bid();
        let silent = Judgement {
            reason: " ".to_owned(),
            ..judged(2, true)
        };
        let wrong = decided(
            (&bid, &[]),
            vec![
                judged(0, true),
                judged(5, true),
                judged(1, true),
                judged(1, false),
                silent,
            ],
            &by(),
            (at(0), Ok(at(1))),
        );
        let places: Vec<String> = wrong
            .unwrap_err()
            .objections
            .into_iter()
            .map(|one| one.pointer)
            .collect();
        assert_eq!(
            places,
            [
                "/decisions/0/mark",
                "/decisions/1/mark",
                "/decisions/3/mark",
                "/decisions/4/reason"
            ]
        );
        let mut before = Vec::new();
        for turn in 0..DECISIONS_MAX {
            before.extend(
                decided(
                    (&bid, &before),
                    vec![judged(1, turn % 2 == 0)],
                    &by(),
                    (at(0), Ok(at(1))),
                )
                .unwrap(),
            );
        }
        let once_more = decided((&bid, &before), vec![judged(1, true)], &by(), (at(0), Ok(at(1))));
        assert_eq!(
            (before.len(), once_more.unwrap_err().reason.code),
            (DECISIONS_MAX, "confidentiality_decided_too_often")
        );
    }
}
