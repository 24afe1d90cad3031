//! Acceptance (验收) of a period: what the contractor has handed over is inspected in time, a certificate is signed by somebody who neither handled nor drafted
//! it, or silence accepts it (政府采购法 art 61; 政府采购法实施条例 art 45; 国务院令第802号). Whether silence has, follows from the clock. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_periods::Span;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A round of the acceptance of a period.
    AcceptanceId "acceptance"
}

/// Rounds of one period at most.
pub const ROUNDS_MAX: i64 = 50;
/// Drafts of one certificate at most.
pub const DRAFTS_MAX: i64 = 20;
/// Characters of what was done, of an objection and of a decision at most.
pub const WORDS_LENGTH_MAX: usize = 2_000;

/// Its last day is not over.
pub static NOT_OVER: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_period_not_over",
    "该期尚未结束",
    "The period is not over",
);
/// The contract ended before it began.
pub static NEVER_RAN: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_period_never_ran",
    "合同在该期开始前已解除，无可验收",
    "The contract ended before the period began, and there is nothing to accept",
);
/// It was handed over.
pub static HANDED_OVER_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_handed_over_already",
    "该期已经提交验收",
    "The period was handed over already",
);
/// It was accepted.
pub static CONCLUDED: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_concluded",
    "该期已经验收",
    "The period was accepted already",
);
/// Silence has accepted it.
pub static SILENT: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_silent",
    "检验期限届满未签署，视为验收合格",
    "The time for inspection passed in silence, which has accepted the period",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_wrong_state",
    "该次验收当前状态不允许此操作",
    "The state of the acceptance does not allow this",
);
/// There is nothing to sign.
pub static NOT_DRAFTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_not_drafted",
    "验收书尚未起草",
    "No certificate was drafted",
);
/// Other bytes were meant.
pub static HASH_DIFFERS: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_hash_differs",
    "签署的哈希与最后一份草稿不符",
    "The hash is not that of the last draft",
);
/// What it rests on is not what it was.
pub static OVERTAKEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_overtaken",
    "起草后考核记录或得分已有变化，请重新起草",
    "Inspections or scores have changed since it was drafted; draft it anew",
);
/// The contractor has objected.
pub static OBJECTED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_objected_already",
    "已对该验收书提出过异议",
    "The certificate was objected to already",
);
/// The last day is over.
pub static OBJECTION_LATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_objection_late",
    "提出异议的期限已过",
    "The time for objecting is over",
);
/// It waits for a decision.
pub static OBJECTION_OPEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_objection_open",
    "对验收书的异议尚未裁定",
    "An objection to the certificate is not decided",
);
/// The contractor may still object to what was refused.
pub static OBJECTION_TIME: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_objection_time",
    "承接主体仍可对不合格的验收书提出异议或重新提交",
    "The contractor may still object to the refusal, or hand the period over again",
);
/// There is none, or none that waits.
pub static NO_OBJECTION: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_no_objection",
    "没有待裁定的异议",
    "There is no objection that waits for a decision",
);
/// There were too many.
pub static TOO_MANY_ROUNDS: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_too_many_rounds",
    "该期的验收轮次已达上限",
    "The period has had as many rounds of acceptance as there may be",
);
/// There were too many.
pub static TOO_MANY_DRAFTS: Reason = Reason::new(
    ReasonKind::Conflict,
    "acceptance_too_many_drafts",
    "该验收书的草稿已达上限",
    "There are as many drafts of the certificate as there may be",
);
/// They would judge their own work.
pub static OWN_WORK: Reason = Reason::new(
    ReasonKind::Forbidden,
    "acceptance_of_own_work",
    "不得验收本人所代理单位的服务",
    "Whoever acts for the contractor does not accept its work, nor decide about that",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 17] = [
    &NOT_OVER,
    &NEVER_RAN,
    &HANDED_OVER_ALREADY,
    &CONCLUDED,
    &SILENT,
    &WRONG_STATE,
    &NOT_DRAFTED,
    &HASH_DIFFERS,
    &OVERTAKEN,
    &OBJECTED_ALREADY,
    &OBJECTION_LATE,
    &OBJECTION_OPEN,
    &OBJECTION_TIME,
    &NO_OBJECTION,
    &TOO_MANY_ROUNDS,
    &TOO_MANY_DRAFTS,
    &OWN_WORK,
];

/// How a round began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AcceptanceBeginning)]
pub enum Beginning {
    /// The contractor has handed the period over.
    HandOver,
    /// The buyer has drafted a certificate, and nothing was handed over.
    Buyer,
    /// An objection to the certificate before was upheld; what was handed over stays so.
    Objection,
}

impl Beginning {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HandOver, Self::Buyer, Self::Objection];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandOver => "hand_over",
            Self::Buyer => "buyer",
            Self::Objection => "objection",
        }
    }

    /// The beginning of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a certificate concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AcceptanceConclusion)]
pub enum Conclusion {
    /// 合格
    Accepted,
    /// 有保留地合格: a part is undisputed, and something is outstanding.
    AcceptedWithReservations,
    /// 不合格
    Refused,
}

impl Conclusion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::AcceptedWithReservations, Self::Refused];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithReservations => "accepted_with_reservations",
            Self::Refused => "refused",
        }
    }

    /// The conclusion of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How far a round has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AcceptanceState)]
pub enum State {
    /// It waits for the buyer's signature.
    Open,
    /// A certificate accepts the period.
    Accepted,
    /// A certificate accepts the undisputed part of it.
    AcceptedWithReservations,
    /// A certificate refuses it.
    Refused,
    /// The time for inspection passed, and no certificate was signed.
    AcceptedBySilence,
    /// An objection to the certificate was upheld; a further round takes its place.
    Replaced,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Accepted,
        Self::AcceptedWithReservations,
        Self::Refused,
        Self::AcceptedBySilence,
        Self::Replaced,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::AcceptedWithReservations => "accepted_with_reservations",
            Self::Refused => "refused",
            Self::AcceptedBySilence => "accepted_by_silence",
            Self::Replaced => "replaced",
        }
    }
}

/// That the contractor has handed a period over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// What was done.
    pub words: String,
    /// Through whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// The time for inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspecting {
    /// Its last day, a local date of the ward.
    pub until: NaiveDate,
    /// When silence accepts, UTC; `None` where it never does.
    pub silent_at: Option<Instant>,
}

/// That a certificate was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it concludes.
    pub conclusion: Conclusion,
    /// The part of the period that is undisputed.
    pub undisputed: Weight,
    /// What the period scores in all, where that was settled.
    pub score: Option<Score>,
    /// The code of the grade of it.
    pub grade: Option<String>,
    /// SHA-256 of its bytes, as the log has it.
    pub sha256: [u8; 32],
    /// By whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
    /// The last day on which the contractor may object.
    pub object_until: NaiveDate,
}

/// What was decided of an objection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Whether the certificate falls.
    pub is_upheld: bool,
    /// Why.
    pub words: Line,
    /// By whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// What the contractor holds against a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objecting {
    /// In its words.
    pub words: String,
    /// Through whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
    /// What was decided.
    pub decided: Option<Decided>,
}

/// A round of the acceptance of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its id.
    pub id: AcceptanceId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    pub period: i64,
    /// Its number among the rounds of the period, from 1.
    pub round: i64,
    /// How it began.
    pub beginning: Beginning,
    /// When, UTC.
    pub begun_at: Instant,
    /// The days of the period that were served.
    pub served: Span,
    /// What the contractor has handed over in this round.
    pub hand_over: Option<HandOver>,
    /// The time for inspection; `None` before anything was handed over.
    pub inspecting: Option<Inspecting>,
    /// How many certificates were drafted; the last one is what is signed.
    pub drafts: i64,
    /// The signature.
    pub signed: Option<Signed>,
    /// The objection to what was signed.
    pub objection: Option<Objecting>,
    /// When it was written down that silence has accepted it, UTC.
    pub silence_noted_at: Option<Instant>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Acceptance {
    /// How far it has come.
    pub fn state(&self, now: Instant) -> State {
        match &self.signed {
            Some(_) if self.decided().is_some_and(|decided| decided.is_upheld) => State::Replaced,
            Some(signed) => match signed.conclusion {
                Conclusion::Accepted => State::Accepted,
                Conclusion::AcceptedWithReservations => State::AcceptedWithReservations,
                Conclusion::Refused => State::Refused,
            },
            None if self.silent_at().is_some_and(|at| now >= at) => State::AcceptedBySilence,
            None => State::Open,
        }
    }

    fn decided(&self) -> Option<&Decided> {
        self.objection.as_ref()?.decided.as_ref()
    }

    /// When silence accepts, or has.
    pub fn silent_at(&self) -> Option<Instant> {
        self.inspecting.and_then(|inspecting| inspecting.silent_at)
    }

    /// Whether an objection waits for a decision.
    pub fn has_open_objection(&self) -> bool {
        self.objection.as_ref().is_some_and(|one| one.decided.is_none())
    }

    /// Since when the period is accepted by this round, wholly or in part, and by which.
    pub fn accepted_since(&self, now: Instant) -> Option<Instant> {
        match self.state(now) {
            State::Accepted | State::AcceptedWithReservations => self.signed.as_ref().map(|one| one.at),
            State::AcceptedBySilence => self.silent_at(),
            State::Open | State::Refused | State::Replaced => None,
        }
    }

    fn advanced(self) -> Self {
        Self {
            revision: self.revision.saturating_add(1),
            ..self
        }
    }
}

/// The days of a period that were served under a contract that may have ended before its time; `None` if none was.
pub fn served(span: Span, terminated_on: Option<NaiveDate>) -> Option<Span> {
    let last = terminated_on.map_or(span.last, |last| last.min(span.last));
    (span.first <= last).then_some(Span {
        first: span.first,
        last,
    })
}

/// The days of a period that can be accepted today: those that were served, once the last of them is over.
///
/// # Errors
/// In this order: [`NEVER_RAN`], [`NOT_OVER`].
pub fn acceptable(span: Span, terminated_on: Option<NaiveDate>, today: NaiveDate) -> Result<Span, Refusal> {
    let served = served(span, terminated_on).ok_or_else(|| NEVER_RAN.refuse())?;
    let last = served.last;
    if today <= last {
        return Err(NOT_OVER.because(text!("最后一天为 {last}", "its last day is {last}")));
    }
    Ok(served)
}

/// What a hand-over or a draft belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The round that is open.
    Open(Box<Acceptance>),
    /// A round of this number, which begins with it.
    Next(i64),
}

/// What a hand-over or a draft belongs to, after the last round so far.
///
/// # Errors
/// In this order: [`SILENT`], [`CONCLUDED`], [`OBJECTION_OPEN`], [`TOO_MANY_ROUNDS`].
pub fn entry(last: Option<Acceptance>, now: Instant) -> Result<Entry, Refusal> {
    let Some(last) = last else {
        return Ok(Entry::Next(1));
    };
    match last.state(now) {
        State::Open => Ok(Entry::Open(Box::new(last))),
        State::AcceptedBySilence => Err(SILENT.refuse()),
        State::Accepted | State::AcceptedWithReservations => Err(CONCLUDED.refuse()),
        State::Refused if last.has_open_objection() => Err(OBJECTION_OPEN.refuse()),
        State::Refused | State::Replaced => Ok(Entry::Next(next_round(last.round)?)),
    }
}

/// Whether the buyer may begin a round by itself: not as long as the contractor may object to a refusal, for the round before would not be the last any more.
///
/// # Errors
/// [`OBJECTION_TIME`].
pub fn may_begin(last: Option<&Acceptance>, now: Instant, today: NaiveDate) -> Result<(), Refusal> {
    let refused = last.filter(|last| last.state(now) == State::Refused && last.objection.is_none());
    match refused.and_then(|last| last.signed.as_ref()) {
        Some(signed) if today <= signed.object_until => {
            let until = signed.object_until;
            Err(OBJECTION_TIME.because(text!("最后一天为 {until}", "its last day is {until}")))
        }
        _ => Ok(()),
    }
}

fn next_round(round: i64) -> Result<i64, Refusal> {
    if round >= ROUNDS_MAX {
        return Err(TOO_MANY_ROUNDS.refuse());
    }
    Ok(round.saturating_add(1))
}

/// A round that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its id.
    pub id: AcceptanceId,
    /// The contract.
    pub contract_id: ContractId,
    /// The period.
    pub period: i64,
    /// The days that were served.
    pub served: Span,
}

impl Begun {
    /// The round of this number.
    pub fn round(self, round: i64, beginning: Beginning, now: Instant) -> Acceptance {
        Acceptance {
            id: self.id,
            contract_id: self.contract_id,
            period: self.period,
            round,
            beginning,
            begun_at: now,
            served: self.served,
            hand_over: None,
            inspecting: None,
            drafts: 0,
            signed: None,
            objection: None,
            silence_noted_at: None,
            revision: 1,
        }
    }
}

/// The open round that the contractor hands over. One that the buyer has begun is handed over in it; one that follows an upheld objection counts as handed
/// over, and its time for inspection runs.
///
/// # Errors
/// [`HANDED_OVER_ALREADY`].
pub fn handed_over(
    open: Acceptance,
    hand_over: HandOver,
    inspecting: Inspecting,
) -> Result<Acceptance, Refusal> {
    if open.hand_over.is_some() || open.inspecting.is_some() {
        return Err(HANDED_OVER_ALREADY.refuse());
    }
    Ok(Acceptance {
        hand_over: Some(hand_over),
        inspecting: Some(inspecting),
        ..open.advanced()
    })
}

/// The words of a hand-over.
///
/// # Errors
/// Words that are none.
pub fn words(pointer: &str, words: &str) -> Result<String, Refusal> {
    let mut form = Form::new();
    let words = form.line(pointer, words, WORDS_LENGTH_MAX);
    form.finish(words)
}

/// The open round with one more draft.
///
/// # Errors
/// [`TOO_MANY_DRAFTS`].
pub fn drafted(open: Acceptance) -> Result<Acceptance, Refusal> {
    if open.drafts >= DRAFTS_MAX {
        return Err(TOO_MANY_DRAFTS.refuse());
    }
    Ok(Acceptance {
        drafts: open.drafts.saturating_add(1),
        ..open.advanced()
    })
}

fn wrong(before: &Acceptance, now: Instant) -> Refusal {
    let name = before.state(now).name();
    WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}"))
}

/// Whether somebody may sign the last draft of a round, of which they say the hash.
///
/// # Errors
/// In this order: [`SILENT`], [`WRONG_STATE`], [`NOT_DRAFTED`], [`HASH_DIFFERS`].
pub fn may_sign(
    before: &Acceptance,
    draft: Option<&[u8; 32]>,
    sha256: &str,
    now: Instant,
) -> Result<(), Refusal> {
    match before.state(now) {
        State::Open => {}
        State::AcceptedBySilence => return Err(SILENT.refuse()),
        _ => return Err(wrong(before, now)),
    }
    let draft = draft.ok_or_else(|| NOT_DRAFTED.refuse())?;
    if sha256 != hex::encode(draft) {
        return Err(HASH_DIFFERS.refuse().at("/sha256"));
    }
    Ok(())
}

/// The round with its signature, whose act has asked [`may_sign`].
pub fn signed(before: Acceptance, signature: Signed) -> Acceptance {
    Acceptance {
        signed: Some(signature),
        ..before.advanced()
    }
}

/// The contractor objects to a certificate: once, in time, and as long as nothing has taken its place.
///
/// # Errors
/// In this order: [`WRONG_STATE`], of what was not signed, or is not the last round; [`OBJECTED_ALREADY`]; [`OBJECTION_LATE`]; words that are none.
pub fn object(
    before: Acceptance,
    (words, is_last): (&str, bool),
    (by, now, today): (AccountId, Instant, NaiveDate),
) -> Result<Acceptance, Refusal> {
    let Some(signed) = before.signed.as_ref().filter(|_| is_last) else {
        return Err(wrong(&before, now));
    };
    if before.objection.is_some() {
        return Err(OBJECTED_ALREADY.refuse());
    }
    let last = signed.object_until;
    if today > last {
        return Err(OBJECTION_LATE.because(text!("最后一天为 {last}", "its last day was {last}")));
    }
    let words = self::words("/objection", words)?;
    Ok(Acceptance {
        objection: Some(Objecting {
            words,
            by,
            at: now,
            decided: None,
        }),
        ..before.advanced()
    })
}

/// The objection was decided. One that is upheld needs the number of a further round.
///
/// # Errors
/// In this order: [`NO_OBJECTION`]; words that are none; [`TOO_MANY_ROUNDS`], of one that is upheld.
pub fn decide(
    before: Acceptance,
    (is_upheld, words): (bool, (&str, &str)),
    (by, now): (AccountId, Instant),
) -> Result<(Acceptance, Option<i64>), Refusal> {
    let Some(objection) = before.objection.clone().filter(|one| one.decided.is_none()) else {
        return Err(NO_OBJECTION.refuse());
    };
    let mut form = Form::new();
    let words = Line {
        zh: form.line("/decision_zh", words.0, WORDS_LENGTH_MAX),
        en: form.line("/decision_en", words.1, WORDS_LENGTH_MAX),
    };
    form.finish(())?;
    let next = is_upheld.then(|| next_round(before.round)).transpose()?;
    let decided = Decided {
        is_upheld,
        words,
        by,
        at: now,
    };
    let after = Acceptance {
        objection: Some(Objecting {
            decided: Some(decided),
            ..objection
        }),
        ..before.advanced()
    };
    Ok((after, next))
}

/// It is written down that silence has accepted a round; `None` if it has not, or it was.
pub fn noted(before: Acceptance, now: Instant) -> Option<Acceptance> {
    let is_new = before.silence_noted_at.is_none() && before.state(now) == State::AcceptedBySilence;
    is_new.then(|| Acceptance {
        silence_noted_at: Some(now),
        ..before.advanced()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::tests::now;
    use crate::kernel::calendar::Calendar;
    use crate::kernel::days::Days;
    use crate::kernel::local_day::ZONE_DEFAULT;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn may() -> Span {
        Span {
            first: day("2026-05-01"),
            last: day("2026-05-31"),
        }
    }

    fn begun(round: i64, beginning: Beginning) -> Acceptance {
        let begun = Begun {
            id: AcceptanceId::mint(now()),
            contract_id: ContractId::mint(now()),
            period: 1,
            served: may(),
        };
        begun.round(round, beginning, at("2026-06-01T02:00:00Z"))
    }

    fn over() -> HandOver {
        HandOver {
            words: "已完成".to_owned(),
            by: AccountId::mint(now()),
            at: at("2026-06-01T02:00:00Z"),
        }
    }

    fn time() -> Inspecting {
        Inspecting {
            until: day("2026-06-10"),
            silent_at: Some(at("2026-06-10T16:00:00Z")),
        }
    }

    fn open() -> Acceptance {
        handed_over(begun(1, Beginning::HandOver), over(), time()).unwrap()
    }

    fn certified(conclusion: Conclusion) -> Acceptance {
        let signature = Signed {
            conclusion,
            undisputed: Weight::HUNDRED,
            score: None,
            grade: None,
            sha256: [7; 32],
            by: AccountId::mint(now()),
            at: at("2026-06-05T02:00:00Z"),
            object_until: day("2026-06-12"),
        };
        signed(drafted(open()).unwrap(), signature)
    }

    fn code<T>(result: &Result<T, Refusal>) -> &'static str {
        result
            .as_ref()
            .map_or_else(|refusal| refusal.reason.code, |_| "ok")
    }

    #[test]
    fn what_was_served_is_accepted_once_it_is_over() {
        let asked = |ended: Option<&str>, today: &str| acceptable(may(), ended.map(day), day(today));
        assert_eq!(code(&asked(None, "2026-05-31")), "acceptance_period_not_over");
        assert_eq!(asked(None, "2026-06-01").unwrap(), may());
        assert_eq!(
            code(&asked(Some("2026-04-30"), "2026-06-01")),
            "acceptance_period_never_ran"
        );
        // The running one can be accepted for the part that was served.
        assert_eq!(
            code(&asked(Some("2026-05-10"), "2026-05-10")),
            "acceptance_period_not_over"
        );
        assert_eq!(
            asked(Some("2026-05-10"), "2026-05-11").unwrap().last,
            day("2026-05-10")
        );
        assert_eq!(asked(Some("2026-07-10"), "2026-06-01").unwrap(), may());
        assert_eq!(
            served(may(), Some(day("2026-05-01"))).unwrap().last,
            day("2026-05-01")
        );
    }

    #[test]
    fn the_buyer_begins_no_round_while_a_refusal_can_be_objected_to() {
        let now = at("2026-06-08T02:00:00Z");
        let begins = |last: &Acceptance, today: &str| code(&may_begin(Some(last), now, day(today)));
        let refused = certified(Conclusion::Refused);
        assert_eq!(begins(&refused, "2026-06-12"), "acceptance_objection_time");
        assert_eq!(begins(&refused, "2026-06-13"), "ok");
        assert_eq!(begins(&certified(Conclusion::Accepted), "2026-06-12"), "ok");
        assert_eq!(begins(&open(), "2026-06-12"), "ok");
        assert!(may_begin(None, now, day("2026-06-12")).is_ok());
    }

    #[test]
    fn silence_accepts_at_the_instant_at_which_the_last_day_is_over() {
        let open = open();
        let (before, then) = (at("2026-06-10T15:59:59.999999Z"), at("2026-06-10T16:00:00Z"));
        assert_eq!(
            (open.state(before), open.state(then)),
            (State::Open, State::AcceptedBySilence)
        );
        assert_eq!(
            (open.accepted_since(before), open.accepted_since(then)),
            (None, Some(then))
        );
        let drafted = drafted(open.clone()).unwrap();
        let signs = |at| code(&may_sign(&drafted, Some(&[7; 32]), &hex::encode([7; 32]), at));
        assert_eq!((signs(before), signs(then)), ("ok", "acceptance_silent"));
        assert_eq!(noted(open.clone(), before), None);
        let noted_once = noted(open.clone(), then).unwrap();
        assert_eq!(
            (noted_once.silence_noted_at, noted(noted_once.clone(), then)),
            (Some(then), None)
        );
        assert_eq!(code(&entry(Some(open), then)), "acceptance_silent");
        // What the buyer began waits for the contractor, and where no rule says it silence accepts nothing.
        let late = at("2027-01-01T00:00:00Z");
        assert_eq!(begun(1, Beginning::Buyer).state(late), State::Open);
        let never = Inspecting {
            silent_at: None,
            ..time()
        };
        assert_eq!(
            handed_over(begun(1, Beginning::HandOver), over(), never)
                .unwrap()
                .state(late),
            State::Open
        );
        assert_eq!(certified(Conclusion::Refused).state(late), State::Refused);
    }

    #[test]
    fn the_time_for_inspection_is_counted_in_working_days_over_holidays() {
        let calendar = Calendar::builtin().unwrap();
        let days = Days {
            calendar: &calendar,
            zone: ZONE_DEFAULT,
        };
        // 1 June is a Monday; 19 June, a Friday, is the Dragon Boat Festival; 13 June is a Saturday.
        for (from, until) in [
            ("2026-06-01", "2026-06-10"),
            ("2026-06-12", "2026-06-24"),
            ("2026-06-13", "2026-06-24"),
        ] {
            assert_eq!(days.working(day(from), 7).unwrap(), day(until), "{from}");
        }
        let over = days.over(day("2026-06-24")).unwrap();
        assert_eq!(over, at("2026-06-24T16:00:00Z"));
    }

    #[test]
    fn a_hand_over_or_a_draft_goes_into_the_open_round_or_begins_the_next() {
        let then = at("2026-06-06T02:00:00Z");
        assert_eq!(entry(None, then).unwrap(), Entry::Next(1));
        let one = open();
        assert_eq!(
            entry(Some(one.clone()), then).unwrap(),
            Entry::Open(Box::new(one))
        );
        assert_eq!(
            code(&entry(Some(certified(Conclusion::Accepted)), then)),
            "acceptance_concluded"
        );
        assert_eq!(
            code(&entry(
                Some(certified(Conclusion::AcceptedWithReservations)),
                then
            )),
            "acceptance_concluded"
        );
        let refused = certified(Conclusion::Refused);
        assert_eq!(entry(Some(refused.clone()), then).unwrap(), Entry::Next(2));
        let by = || (AccountId::mint(now()), then, day("2026-06-06"));
        let objected = object(refused.clone(), ("不同意", true), by()).unwrap();
        assert_eq!(code(&entry(Some(objected), then)), "acceptance_objection_open");
        let last = Acceptance {
            round: ROUNDS_MAX,
            ..refused
        };
        assert_eq!(code(&entry(Some(last), then)), "acceptance_too_many_rounds");
        assert_eq!(
            code(&handed_over(open(), over(), time())),
            "acceptance_handed_over_already"
        );
        // The buyer has begun, and the contractor hands over in the same round.
        let same = handed_over(begun(1, Beginning::Buyer), over(), time()).unwrap();
        assert_eq!(
            (same.beginning, same.inspecting, same.revision),
            (Beginning::Buyer, Some(time()), 2)
        );
        let full = Acceptance {
            drafts: DRAFTS_MAX,
            ..open()
        };
        assert_eq!(code(&drafted(full)), "acceptance_too_many_drafts");
    }

    #[test]
    fn the_last_draft_is_signed_and_no_other() {
        let then = at("2026-06-05T02:00:00Z");
        let signs = |one: &Acceptance, draft: Option<&[u8; 32]>, hash: &[u8; 32]| {
            code(&may_sign(one, draft, &hex::encode(hash), then))
        };
        assert_eq!(signs(&open(), None, &[7; 32]), "acceptance_not_drafted");
        let drafted = drafted(open()).unwrap();
        assert_eq!(
            signs(&drafted, Some(&[7; 32]), &[8; 32]),
            "acceptance_hash_differs"
        );
        assert_eq!(signs(&drafted, Some(&[7; 32]), &[7; 32]), "ok");
        assert_eq!(
            signs(&certified(Conclusion::Refused), Some(&[7; 32]), &[7; 32]),
            "acceptance_wrong_state"
        );
    }

    #[test]
    fn a_certificate_is_objected_to_once_and_in_time_and_falls_if_that_is_upheld() {
        let then = at("2026-06-12T02:00:00Z");
        let by = |today: &str| (AccountId::mint(now()), then, day(today));
        let one = certified(Conclusion::AcceptedWithReservations);
        assert_eq!(
            code(&object(open(), ("x", true), by("2026-06-12"))),
            "acceptance_wrong_state"
        );
        assert_eq!(
            code(&object(one.clone(), ("x", false), by("2026-06-12"))),
            "acceptance_wrong_state"
        );
        assert_eq!(
            code(&object(one.clone(), ("x", true), by("2026-06-13"))),
            "acceptance_objection_late"
        );
        assert_eq!(
            code(&object(one.clone(), (" ", true), by("2026-06-12"))),
            "invalid"
        );
        let objected = object(one.clone(), ("面积算错", true), by("2026-06-12")).unwrap();
        assert_eq!(
            code(&object(objected.clone(), ("x", true), by("2026-06-12"))),
            "acceptance_objected_already"
        );
        let decides = |one: Acceptance, is_upheld: bool, zh: &str| {
            decide(one, (is_upheld, (zh, "Agreed")), (AccountId::mint(now()), then))
        };
        assert_eq!(code(&decides(one, true, "同意")), "acceptance_no_objection");
        assert_eq!(code(&decides(objected.clone(), true, "")), "invalid");
        let (upheld, next) = decides(objected.clone(), true, "同意").unwrap();
        assert_eq!(
            (upheld.state(then), next, upheld.accepted_since(then)),
            (State::Replaced, Some(2), None)
        );
        assert_eq!(code(&decides(upheld, true, "同意")), "acceptance_no_objection");
        let (rejected, next) = decides(objected.clone(), false, "不同意").unwrap();
        assert_eq!(
            (rejected.state(then), next),
            (State::AcceptedWithReservations, None)
        );
        let last = Acceptance {
            round: ROUNDS_MAX,
            ..objected
        };
        assert_eq!(
            code(&decides(last.clone(), true, "同意")),
            "acceptance_too_many_rounds"
        );
        assert_eq!(code(&decides(last, false, "不同意")), "ok");
    }

    #[test]
    fn names_lead_back() {
        for one in Beginning::ALL {
            assert_eq!(Beginning::named(one.name()), Some(one));
        }
        for one in Conclusion::ALL {
            assert_eq!(Conclusion::named(one.name()), Some(one));
        }
        let names: std::collections::BTreeSet<_> = State::ALL.iter().map(|state| state.name()).collect();
        assert_eq!(names.len(), State::ALL.len());
    }

    proptest! {
        #[test]
        fn a_period_is_served_up_to_the_earlier_of_its_end_and_the_contracts(first in 0_u64..300, length in 0_u64..60, end in prop::option::of(0_u64..400)) {
            let base = day("2026-01-01");
            let span = Span { first: base + chrono::Days::new(first), last: base + chrono::Days::new(first + length) };
            let end = end.map(|end| base + chrono::Days::new(end));
            match served(span, end) {
                Some(found) => {
                    prop_assert!(found.first == span.first && found.first <= found.last && found.last <= span.last);
                    prop_assert!(found.last == span.last || Some(found.last) == end);
                    prop_assert!(acceptable(span, end, found.last).is_err());
                    prop_assert_eq!(acceptable(span, end, found.last + chrono::Days::new(1)).unwrap(), found);
                }
                None => prop_assert!(end.unwrap() < span.first),
            }
        }
    }
}
