//! Termination (解除): the contract ends before its time, on a ground and with a reason, after the supplier could be heard, by the decision of another
//! person than who has proposed it. What is undisputed stays committed to be settled; the rest goes back. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A proposal to end a contract before its time.
    TerminationId "termination"
}

/// Proposals to end one contract at most.
pub const TERMINATIONS_MAX: usize = 50;
/// Characters of a reason, a basis, a statement and a decision at most.
pub const WORDS_LENGTH_MAX: usize = 2_000;

/// There is one that is not decided about.
pub static PENDING: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_pending",
    "已有一项解除合同的提议尚未决定",
    "There is a proposal to end the contract that is not decided about",
);
/// There were too many.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_too_many",
    "该合同的解除提议已达上限",
    "There were as many proposals to end the contract as there may be",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_wrong_state",
    "该解除提议当前状态不允许此操作",
    "The proposal's state does not allow this",
);
/// The supplier has been heard.
pub static STATED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_stated_already",
    "承接主体已经陈述申辩",
    "The supplier has made its statement already",
);
/// The supplier can still be heard.
pub static HEARING_OPEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_hearing_open",
    "承接主体仍可陈述申辩，尚不得决定",
    "The supplier can still make its statement; it is not decided before",
);
/// The day on which the contract was to end is past.
pub static DAY_PAST: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_day_past",
    "拟定的解除日已过，请撤回后重新提出",
    "The day on which the contract was to end is past; withdraw the proposal and make it anew",
);
/// More is to be settled than is still committed.
pub static SETTLEMENT_EXCEEDS: Reason = Reason::new(
    ReasonKind::Conflict,
    "termination_settlement_exceeds",
    "结算金额超出尚未支付的承诺资金",
    "More is to be settled than is still committed for the contract",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &PENDING,
    &TOO_MANY,
    &WRONG_STATE,
    &STATED_ALREADY,
    &HEARING_OPEN,
    &DAY_PAST,
    &SETTLEMENT_EXCEEDS,
];

/// On what ground a contract is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TerminationGround)]
pub enum Ground {
    /// 考核触发: a trigger of the book was due and is followed.
    Trigger,
    /// 违约
    Breach,
    /// 协商一致
    Agreement,
    /// 不可抗力
    ForceMajeure,
    /// 承接主体提出
    SupplierRequest,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Trigger,
        Self::Breach,
        Self::Agreement,
        Self::ForceMajeure,
        Self::SupplierRequest,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Breach => "breach",
            Self::Agreement => "agreement",
            Self::ForceMajeure => "force_majeure",
            Self::SupplierRequest => "supplier_request",
        }
    }

    /// The ground of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.name() == name)
    }
}

/// How far a termination has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TerminationState)]
pub enum State {
    /// It waits for the supplier's statement, or for the decision.
    Proposed,
    /// The contract ends.
    Decided,
    /// It does not.
    Rejected,
    /// The buyer's officer has taken the proposal back.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Decided, Self::Rejected, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Decided => "decided",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// On what ground.
    pub ground: Ground,
    /// Why.
    pub reason: Line,
    /// The contract's last day.
    pub effective_on: NaiveDate,
    /// What is undisputed and stays committed to be paid.
    pub settlement: Money,
    /// How that was reckoned.
    pub basis: Line,
    /// The last day for the supplier's statement.
    pub statement_until: NaiveDate,
}

/// What the supplier had to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// In its words.
    pub words: String,
    /// Through whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// How a proposal was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Why.
    pub words: Line,
    /// By whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// A proposal to end a contract before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// Its id.
    pub id: TerminationId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// What is proposed.
    pub entered: Entered,
    /// How far it has come.
    pub state: State,
    /// By whom it was proposed.
    pub proposed_by: AccountId,
    /// When, UTC.
    pub proposed_at: Instant,
    /// What the supplier had to say.
    pub statement: Option<Statement>,
    /// How it was closed.
    pub closed: Option<Closed>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

/// What somebody wants to propose, with everything that is wrong with its form. `last` is the last day of the contract as it is now: to end it later than that would
/// prolong it.
///
/// # Errors
/// Every fault of the form: words that are none, days that are past or beyond the contract, a settlement below zero.
pub fn entered(raw: Entered, today: NaiveDate, last: Option<NaiveDate>) -> Result<Entered, Refusal> {
    let mut form = Form::new();
    let mut both = |name: &str, line: &Line| Line {
        zh: form.line(&format!("/{name}_zh"), &line.zh, WORDS_LENGTH_MAX),
        en: form.line(&format!("/{name}_en"), &line.en, WORDS_LENGTH_MAX),
    };
    let (reason, basis) = (both("reason", &raw.reason), both("basis", &raw.basis));
    if raw.settlement.is_negative() {
        form.object("/settlement", Text::fixed("不得小于零", "must not be below zero"));
    }
    let past = || text!("不得早于 {today}", "must not be before {today}");
    if raw.statement_until < today {
        form.object("/statement_until", past());
    }
    if raw.effective_on < today {
        form.object("/effective_on", past());
    } else if let Some(last) = last.filter(|last| *last < raw.effective_on) {
        form.object(
            "/effective_on",
            text!(
                "不得晚于合同最后一日 {last}",
                "must not be after the contract's last day, {last}"
            ),
        );
    } else if raw.statement_until >= raw.effective_on {
        // Whoever says nothing would otherwise keep it from being decided in time.
        let last = raw.effective_on;
        form.object(
            "/statement_until",
            text!("应早于 {last}", "must be before {last}"),
        );
    }
    form.finish(Entered { reason, basis, ..raw })
}

/// Whether so much may be settled of what is still committed.
///
/// # Errors
/// [`SETTLEMENT_EXCEEDS`].
pub fn can_be_settled(settlement: Money, committed: Money) -> Result<(), Refusal> {
    if settlement <= committed {
        return Ok(());
    }
    Err(SETTLEMENT_EXCEEDS
        .because(text!(
            "尚有 {committed} 元，拟结算 {settlement} 元",
            "{committed} CNY are still committed, {settlement} CNY are to be settled"
        ))
        .at("/settlement"))
}

fn is_proposed(before: &Termination) -> Result<(), Refusal> {
    if before.state == State::Proposed {
        return Ok(());
    }
    let name = before.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

fn advanced(before: Termination) -> Termination {
    Termination {
        revision: before.revision.saturating_add(1),
        ..before
    }
}

/// The supplier is heard: once, and before the decision, also when its day is past.
///
/// # Errors
/// In this order: [`WRONG_STATE`], [`STATED_ALREADY`]; words that are none.
pub fn state(
    before: Termination,
    words: &str,
    (by, now): (AccountId, Instant),
) -> Result<Termination, Refusal> {
    is_proposed(&before)?;
    if before.statement.is_some() {
        return Err(STATED_ALREADY.refuse());
    }
    let mut form = Form::new();
    let words = form.line("/statement", words, WORDS_LENGTH_MAX);
    form.finish(())?;
    Ok(Termination {
        statement: Some(Statement { words, by, at: now }),
        ..advanced(before)
    })
}

/// What closes a proposal.
#[derive(Clone, Debug)]
pub struct Closing<'w> {
    /// With which result.
    pub state: State,
    /// Why.
    pub words: (&'w str, &'w str),
    /// By whom.
    pub by: AccountId,
}

/// The proposal that was decided about, or taken back. The supplier has been heard before, or has let its day pass; whoever takes a proposal back need
/// not wait.
///
/// # Errors
/// In this order: [`WRONG_STATE`]; words that are none; [`HEARING_OPEN`]; [`DAY_PAST`], of one with which the contract ends.
pub fn close(
    before: Termination,
    closing: Closing<'_>,
    (now, today): (Instant, NaiveDate),
) -> Result<Termination, Refusal> {
    is_proposed(&before)?;
    let mut form = Form::new();
    let words = Line {
        zh: form.line("/decision_zh", closing.words.0, WORDS_LENGTH_MAX),
        en: form.line("/decision_en", closing.words.1, WORDS_LENGTH_MAX),
    };
    form.finish(())?;
    let is_heard = before.statement.is_some() || today > before.entered.statement_until;
    if closing.state == State::Decided && !is_heard {
        let until = before.entered.statement_until;
        return Err(HEARING_OPEN.because(text!("陈述申辩截止 {until}", "its last day is {until}")));
    }
    if closing.state == State::Decided && today > before.entered.effective_on {
        return Err(DAY_PAST.refuse());
    }
    Ok(Termination {
        state: closing.state,
        closed: Some(Closed {
            words,
            by: closing.by,
            at: now,
        }),
        ..advanced(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::tests::now;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn raw() -> Entered {
        let line = Line {
            zh: "连续两期不合格".to_owned(),
            en: "Two periods in a row below the limit".to_owned(),
        };
        Entered {
            ground: Ground::Breach,
            reason: line.clone(),
            effective_on: day("2026-08-31"),
            settlement: "68883.33".parse().unwrap(),
            basis: line,
            statement_until: day("2026-08-10"),
        }
    }

    fn proposed() -> Termination {
        Termination {
            id: TerminationId::mint(now()),
            contract_id: ContractId::mint(now()),
            entered: raw(),
            state: State::Proposed,
            proposed_by: AccountId::mint(now()),
            proposed_at: now(),
            statement: None,
            closed: None,
            revision: 1,
        }
    }

    fn closes(before: &Termination, state: State, today: &str) -> Result<Termination, &'static str> {
        let closing = Closing {
            state,
            words: ("同意", "Agreed"),
            by: AccountId::mint(now()),
        };
        close(before.clone(), closing, (now(), day(today))).map_err(|refusal| refusal.reason.code)
    }

    #[test]
    fn what_is_proposed_lies_ahead_and_is_said_in_both_languages() {
        let today = day("2026-08-01");
        assert_eq!(entered(raw(), today, None).unwrap(), raw());
        assert_eq!(entered(raw(), today, Some(raw().effective_on)).unwrap(), raw());
        let beyond = entered(raw(), today, raw().effective_on.pred_opt()).unwrap_err();
        assert_eq!(beyond.objections[0].pointer, "/effective_on");
        let mut bad = raw();
        bad.reason.en = String::new();
        bad.basis.zh = "=1".to_owned();
        bad.settlement = "-0.01".parse().unwrap();
        bad.statement_until = day("2026-07-31");
        bad.effective_on = day("2026-07-31");
        let refusal = entered(bad, today, None).unwrap_err();
        let places: Vec<_> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(
            places,
            [
                "/reason_en",
                "/basis_zh",
                "/settlement",
                "/statement_until",
                "/effective_on"
            ]
        );
        // Silence must not keep it from being decided in time.
        let heard_until = |last: &str| {
            let late = Entered {
                statement_until: day(last),
                ..raw()
            };
            entered(late, today, None).map_or_else(
                |refusal| refusal.objections[0].pointer.clone(),
                |_| "ok".to_owned(),
            )
        };
        assert_eq!(
            (heard_until("2026-08-30"), heard_until("2026-08-31")),
            ("ok".to_owned(), "/statement_until".to_owned())
        );
        let settled = |text: &str| can_be_settled(text.parse().unwrap(), "100.00".parse().unwrap()).is_ok();
        assert!(settled("100.00") && settled("0.00") && !settled("100.01"));
    }

    #[test]
    fn nobody_is_put_out_unheard() {
        let before = proposed();
        assert_eq!(
            closes(&before, State::Decided, "2026-08-10").unwrap_err(),
            "termination_hearing_open"
        );
        assert!(
            closes(&before, State::Rejected, "2026-08-10").is_ok()
                && closes(&before, State::Withdrawn, "2026-08-10").is_ok()
        );
        assert!(closes(&before, State::Decided, "2026-08-11").is_ok());
        let by = || (AccountId::mint(now()), now());
        let code = |result: Result<Termination, Refusal>| {
            result.map_or_else(|refusal| refusal.reason.code, |_| "ok")
        };
        assert_eq!(code(state(before.clone(), "", by())), "invalid");
        let heard = state(before, "已更换项目经理", by()).unwrap();
        assert_eq!(
            code(state(heard.clone(), "再陈述", by())),
            "termination_stated_already"
        );
        let decided = closes(&heard, State::Decided, "2026-08-02").unwrap();
        assert_eq!((decided.state, decided.revision), (State::Decided, 3));
        assert_eq!(
            closes(&heard, State::Decided, "2026-09-01").unwrap_err(),
            "termination_day_past"
        );
        assert!(closes(&heard, State::Decided, "2026-08-31").is_ok());
        assert_eq!(
            closes(&decided, State::Withdrawn, "2026-08-02").unwrap_err(),
            "termination_wrong_state"
        );
        assert_eq!(code(state(decided, "x", by())), "termination_wrong_state");
    }

    #[test]
    fn names_lead_back() {
        for ground in Ground::ALL {
            assert_eq!(Ground::named(ground.name()), Some(ground));
        }
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }
}
