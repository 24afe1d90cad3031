//! The rules of budget movements: money that comes into a fund, is given to a line, moves from one line to another, is carried
//! over into the next year or goes back. One person proposes each, another confirms it, and with that it is done. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::rules::{BudgetLine, BudgetLineId, FundId, REASON_LENGTH_MAX, fiscal_year};
use crate::budget::rules_ledger::TransferCode;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Kind as Sort, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::Doing;
use crate::registry::rules_text::Form;

crate::ids! {
    /// A budget movement.
    MovementId "movement"
}

/// Characters of a document's number.
pub const DOCUMENT_LENGTH_MAX: usize = 100;

/// The movement was confirmed, refused or withdrawn.
pub static DECIDED: Reason = Reason::new(
    Sort::Conflict,
    "budget_movement_decided",
    "该项已确认、退回或撤回",
    "The movement was confirmed, refused or withdrawn already",
);
/// A fund is appropriated once for a year.
pub static APPROPRIATED: Reason = Reason::new(
    Sort::Conflict,
    "fund_appropriated_already",
    "该年度已有拨款，追加请用 supplementary_appropriation",
    "The fund has its appropriation for that year; more is a supplementary appropriation",
);
/// Nothing to supplement.
pub static NOT_APPROPRIATED: Reason = Reason::new(
    Sort::Conflict,
    "fund_not_appropriated",
    "该年度尚无拨款，不能追加",
    "The fund has no appropriation for that year that could be supplemented",
);
/// The lines do not fit the movement.
pub static LINES_DO_NOT_FIT: Reason = Reason::new(
    Sort::Conflict,
    "budget_lines_do_not_fit",
    "预算项与该项调整不符",
    "The budget lines do not fit this movement",
);
/// The year is not over.
pub static YEAR_NOT_OVER: Reason = Reason::new(
    Sort::Conflict,
    "fiscal_year_not_over",
    "该年度尚未结束，不能结转",
    "The year is not over, so nothing is carried over from it",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &DECIDED,
    &APPROPRIATED,
    &NOT_APPROPRIATED,
    &LINES_DO_NOT_FIT,
    &YEAR_NOT_OVER,
];

/// What sort of movement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetMovementKind)]
pub enum MovementKind {
    /// 拨款: a fund gets its money for a year.
    Appropriation,
    /// 追加: it gets more.
    SupplementaryAppropriation,
    /// 分配: a line gets money of the fund's year.
    Allocation,
    /// 收回分配: a line gives it back to the fund's year.
    Withdrawal,
    /// 调剂: from one line to another of the same fund and year.
    Transfer,
    /// 结转: from a line of a year that is over to a line of the next.
    CarryOver,
    /// 上缴: a line gives money back to the treasury.
    Return,
}

impl MovementKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Appropriation,
        Self::SupplementaryAppropriation,
        Self::Allocation,
        Self::Withdrawal,
        Self::Transfer,
        Self::CarryOver,
        Self::Return,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        self.code().name()
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The same as the ledger calls it.
    pub const fn code(self) -> TransferCode {
        match self {
            Self::Appropriation => TransferCode::Appropriation,
            Self::SupplementaryAppropriation => TransferCode::SupplementaryAppropriation,
            Self::Allocation => TransferCode::Allocation,
            Self::Withdrawal => TransferCode::Withdrawal,
            Self::Transfer => TransferCode::Transfer,
            Self::CarryOver => TransferCode::CarryOver,
            Self::Return => TransferCode::Return,
        }
    }

    /// Whether money comes into the fund with it, which takes a document.
    pub const fn is_appropriation(self) -> bool {
        matches!(self, Self::Appropriation | Self::SupplementaryAppropriation)
    }

    /// Whether it takes from a line.
    pub const fn takes_from_line(self) -> bool {
        matches!(
            self,
            Self::Withdrawal | Self::Transfer | Self::CarryOver | Self::Return
        )
    }

    /// Whether it gives to a line.
    pub const fn gives_to_line(self) -> bool {
        matches!(self, Self::Allocation | Self::Transfer | Self::CarryOver)
    }
}

/// How far a movement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetMovementState)]
pub enum MovementState {
    /// It waits for another person.
    Proposed,
    /// The money has moved.
    Confirmed,
    /// Another person said no.
    Refused,
    /// It was taken back.
    Withdrawn,
}

impl MovementState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Confirmed, Self::Refused, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A movement as it is entered.
#[derive(Clone, Debug)]
pub struct NewMovement {
    /// What sort.
    pub kind: MovementKind,
    /// Of which fiscal year; of a carry-over the year that it is taken from.
    pub fiscal_year: i64,
    /// From which line.
    pub from_line_id: Option<BudgetLineId>,
    /// To which line.
    pub to_line_id: Option<BudgetLineId>,
    /// How much.
    pub amount: Money,
    /// The document that it stands on.
    pub document: Option<String>,
    /// Why.
    pub reason: String,
}

/// What was decided about a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// By whom.
    pub by: String,
    /// When, UTC.
    pub at: Instant,
    /// Why it was refused or taken back.
    pub reason: Option<String>,
}

/// A movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Its id.
    pub id: MovementId,
    /// Of which fund.
    pub fund_id: FundId,
    /// What sort.
    pub kind: MovementKind,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// From which line.
    pub from_line_id: Option<BudgetLineId>,
    /// To which line.
    pub to_line_id: Option<BudgetLineId>,
    /// How much.
    pub amount: Money,
    /// The document that it stands on.
    pub document: Option<String>,
    /// Why.
    pub reason: String,
    /// How far it has come.
    pub state: MovementState,
    /// Who proposed it.
    pub proposed_by: String,
    /// When, UTC.
    pub proposed_at: Instant,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// What a movement is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Whether the fund has, or is proposed to have, its appropriation for the year.
    pub is_appropriated: bool,
    /// The line that it takes from.
    pub from: Option<&'a BudgetLine>,
    /// The line that it gives to.
    pub to: Option<&'a BudgetLine>,
    /// Which year it is in the ward.
    pub current_year: i64,
}

/// A movement that waits for another person; every fault of what was entered is listed before any rule is asked.
///
/// # Errors
/// [`crate::web::problem::INVALID`]; then those of [`fits`].
pub fn propose(
    id: MovementId,
    fund_id: FundId,
    new: &NewMovement,
    known: Known<'_>,
    doing: Doing<'_>,
) -> Result<Movement, Refusal> {
    let mut form = Form::new();
    fiscal_year(&mut form, new.fiscal_year);
    let lines = [
        (
            "/from_line_id",
            new.kind.takes_from_line(),
            new.from_line_id.is_some(),
        ),
        ("/to_line_id", new.kind.gives_to_line(), new.to_line_id.is_some()),
    ];
    for (pointer, is_needed, is_given) in lines {
        match (is_needed, is_given) {
            (true, false) => form.object(
                pointer,
                Text::fixed("此类调整必须填写", "is needed for this kind"),
            ),
            (false, true) => form.object(
                pointer,
                Text::fixed("此类调整不得填写", "does not go with this kind"),
            ),
            _ => (),
        }
    }
    if new.amount.fen() <= 0 {
        form.object("/amount", Text::fixed("应大于零", "must be more than zero"));
    }
    if new.kind.is_appropriation() && new.document.is_none() {
        form.object(
            "/document",
            Text::fixed("拨款须有文号", "an appropriation needs a document"),
        );
    }
    let document = form.optional_line("/document", new.document.as_deref(), DOCUMENT_LENGTH_MAX);
    let reason = form.line("/reason", &new.reason, REASON_LENGTH_MAX);
    let movement = form.finish(Movement {
        id,
        fund_id,
        kind: new.kind,
        fiscal_year: new.fiscal_year,
        from_line_id: new.from_line_id.clone(),
        to_line_id: new.to_line_id.clone(),
        amount: new.amount,
        document,
        reason,
        state: MovementState::Proposed,
        proposed_by: doing.by.to_owned(),
        proposed_at: doing.at,
        decision: None,
    })?;
    if movement.kind == MovementKind::Appropriation && known.is_appropriated {
        return Err(APPROPRIATED.refuse().at("/fiscal_year"));
    }
    fits(&movement, known)?;
    Ok(movement)
}

/// Whether a movement is one that may be done: asked when it is proposed and again when it is confirmed.
///
/// # Errors
/// [`NOT_APPROPRIATED`], [`LINES_DO_NOT_FIT`] with where, [`YEAR_NOT_OVER`].
pub fn fits(movement: &Movement, known: Known<'_>) -> Result<(), Refusal> {
    if movement.kind == MovementKind::SupplementaryAppropriation && !known.is_appropriated {
        return Err(NOT_APPROPRIATED.refuse().at("/fiscal_year"));
    }
    let year_of_to = match movement.kind {
        MovementKind::CarryOver => movement.fiscal_year.saturating_add(1),
        _ => movement.fiscal_year,
    };
    for (line, year, pointer) in [
        (known.from, movement.fiscal_year, "/from_line_id"),
        (known.to, year_of_to, "/to_line_id"),
    ] {
        if line.is_some_and(|line| line.fund_id != movement.fund_id || line.fiscal_year != year) {
            let why = Text::fixed(
                "预算项须属于同一专项和相应年度",
                "the line must be of this fund and of the year in question",
            );
            return Err(LINES_DO_NOT_FIT.because(why).at(pointer));
        }
    }
    if let (Some(from), Some(to)) = (known.from, known.to) {
        if from.id == to.id {
            let why = Text::fixed("转出与转入预算项相同", "both lines are the same");
            return Err(LINES_DO_NOT_FIT.because(why).at("/to_line_id"));
        }
        let same = from.organisation_id == to.organisation_id && from.category == to.category;
        if movement.kind == MovementKind::CarryOver && !same {
            let why = Text::fixed(
                "结转须在同一单位、同一类别之内",
                "what is carried over stays with its organisation and category",
            );
            return Err(LINES_DO_NOT_FIT.because(why).at("/to_line_id"));
        }
    }
    if movement.kind == MovementKind::CarryOver && movement.fiscal_year >= known.current_year {
        return Err(YEAR_NOT_OVER.refuse().at("/fiscal_year"));
    }
    Ok(())
}

/// The movement, decided. That another person confirms or refuses than proposed is separation of duties.
///
/// # Errors
/// [`DECIDED`]; [`crate::web::problem::INVALID`] for a reason that does not fit.
pub fn decide(
    movement: Movement,
    state: MovementState,
    reason: Option<&str>,
    doing: Doing<'_>,
) -> Result<Movement, Refusal> {
    if movement.state != MovementState::Proposed {
        return Err(DECIDED.refuse());
    }
    let mut form = Form::new();
    let reason = form.optional_line("/reason", reason, REASON_LENGTH_MAX);
    form.finish(Movement {
        state,
        decision: Some(Decision {
            by: doing.by.to_owned(),
            at: doing.at,
            reason,
        }),
        ..movement
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::rules::State;

    fn at() -> Instant {
        "2026-03-02T00:00:00Z".parse().unwrap()
    }

    fn doing() -> Doing<'static> {
        Doing {
            by: "user_a",
            at: at(),
        }
    }

    const FUND: &str = "fund_01jd3n8f5teqkrzvq1c0m6h2ax";

    fn line(year: i64, category: &str) -> BudgetLine {
        BudgetLine {
            id: BudgetLineId::mint(at()),
            fund_id: FUND.parse().unwrap(),
            fiscal_year: year,
            code: "SAN".to_owned(),
            organisation_id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            category: category.to_owned(),
            purpose_zh: "甲".to_owned(),
            purpose_en: "a".to_owned(),
            state: State::Open,
            version: 1,
            created_at: at(),
            updated_at: at(),
        }
    }

    fn known<'a>(from: Option<&'a BudgetLine>, to: Option<&'a BudgetLine>) -> Known<'a> {
        Known {
            is_appropriated: true,
            from,
            to,
            current_year: 2026,
        }
    }

    fn proposed(kind: MovementKind, year: i64, known: Known<'_>) -> Result<Movement, Refusal> {
        let new = NewMovement {
            kind,
            fiscal_year: year,
            from_line_id: known.from.map(|line| line.id.clone()),
            to_line_id: known.to.map(|line| line.id.clone()),
            amount: Money::from_yuan(1).unwrap(),
            document: Some("凤财预〔2026〕3号".to_owned()),
            reason: "年初安排".to_owned(),
        };
        propose(
            MovementId::mint(at()),
            FUND.parse().unwrap(),
            &new,
            known,
            doing(),
        )
    }

    fn code(result: Result<Movement, Refusal>) -> &'static str {
        result.err().map_or("", |refusal| refusal.reason.code)
    }

    #[test]
    fn a_fund_is_appropriated_once_and_supplemented_only_then() {
        use MovementKind::{Appropriation, SupplementaryAppropriation};
        let fresh = Known {
            is_appropriated: false,
            ..known(None, None)
        };
        assert!(proposed(Appropriation, 2026, fresh).is_ok());
        assert_eq!(
            code(proposed(Appropriation, 2026, known(None, None))),
            "fund_appropriated_already"
        );
        assert_eq!(
            code(proposed(SupplementaryAppropriation, 2026, fresh)),
            "fund_not_appropriated"
        );
        assert!(proposed(SupplementaryAppropriation, 2026, known(None, None)).is_ok());
    }

    #[test]
    fn each_kind_has_the_lines_that_it_needs_and_no_other() {
        let (one, other) = (line(2026, "sanitation"), line(2026, "greening"));
        let pointers = |kind, known| {
            let refusal = proposed(kind, 2026, known).err();
            refusal
                .map(|one| {
                    one.objections
                        .into_iter()
                        .map(|fault| fault.pointer)
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default()
        };
        for kind in MovementKind::ALL {
            let mut all = Vec::new();
            if !kind.takes_from_line() {
                all.push("/from_line_id");
            }
            if !kind.gives_to_line() {
                all.push("/to_line_id");
            }
            if !all.is_empty() {
                assert_eq!(pointers(kind, known(Some(&one), Some(&other))), all, "{kind:?}");
            }
        }
        assert_eq!(
            pointers(MovementKind::Transfer, known(None, None)),
            ["/from_line_id", "/to_line_id"]
        );
    }

    #[test]
    fn lines_are_of_the_fund_and_of_the_year() {
        use MovementKind::{Allocation, CarryOver, Transfer};
        let (one, other, next) = (
            line(2026, "sanitation"),
            line(2026, "greening"),
            line(2027, "sanitation"),
        );
        assert!(proposed(Transfer, 2026, known(Some(&one), Some(&other))).is_ok());
        assert_eq!(
            code(proposed(Transfer, 2026, known(Some(&one), Some(&one)))),
            "budget_lines_do_not_fit"
        );
        assert_eq!(
            code(proposed(Transfer, 2026, known(Some(&one), Some(&next)))),
            "budget_lines_do_not_fit"
        );
        assert_eq!(
            code(proposed(Allocation, 2027, known(None, Some(&one)))),
            "budget_lines_do_not_fit"
        );
        let stranger = BudgetLine {
            fund_id: "fund_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap(),
            ..line(2026, "greening")
        };
        assert_eq!(
            code(proposed(Transfer, 2026, known(Some(&one), Some(&stranger)))),
            "budget_lines_do_not_fit"
        );

        let over = |to| Known {
            current_year: 2027,
            ..known(Some(&one), Some(to))
        };
        assert!(proposed(CarryOver, 2026, over(&next)).is_ok());
        assert_eq!(
            code(proposed(CarryOver, 2026, known(Some(&one), Some(&next)))),
            "fiscal_year_not_over"
        );
        let elsewhere = line(2027, "greening");
        assert_eq!(
            code(proposed(CarryOver, 2026, over(&elsewhere))),
            "budget_lines_do_not_fit"
        );
    }

    #[test]
    fn a_movement_is_decided_once() {
        let movement = proposed(MovementKind::SupplementaryAppropriation, 2026, known(None, None)).unwrap();
        for state in [
            MovementState::Confirmed,
            MovementState::Refused,
            MovementState::Withdrawn,
        ] {
            let decided = decide(movement.clone(), state, Some("核对无误"), doing()).unwrap();
            assert_eq!(decided.state, state);
            for again in [
                MovementState::Confirmed,
                MovementState::Refused,
                MovementState::Withdrawn,
            ] {
                assert_eq!(
                    code(decide(decided.clone(), again, None, doing())),
                    "budget_movement_decided"
                );
            }
        }
    }

    #[test]
    fn names_are_the_same_in_the_api_and_in_the_database() {
        for kind in MovementKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(MovementKind::named(kind.name()), Some(kind));
        }
        for state in MovementState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(MovementState::named(state.name()), Some(state));
        }
    }
}
