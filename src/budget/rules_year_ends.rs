//! The rules of a year's end (年终结转): what is still held when its fiscal year is over is carried over into a line of the next year, where it is held for the same, or goes back
//! to the treasury. One person proposes it, another decides; until then nothing is paid with it (预算法 arts 42, 57). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::rules::{BudgetLine, BudgetLineId, FundId, REASON_LENGTH_MAX};
use crate::budget::rules_ledger::{AccountCode, Hold, LedgerAccount, TransferCode, TransferId};
use crate::budget::rules_movements::{Decision, LINES_DO_NOT_FIT, MovementState, YEAR_NOT_OVER};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Kind as Sort, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::Doing;
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// What becomes of money that is still held at a year's end.
    YearEndId "yearend"
}

/// It was confirmed, refused or withdrawn.
pub static DECIDED: Reason = Reason::new(
    Sort::Conflict,
    "year_end_decided",
    "该项已确认、退回或撤回",
    "It was confirmed, refused or withdrawn already",
);
/// Something else is proposed for the same money.
pub static PROPOSED: Reason = Reason::new(
    Sort::Conflict,
    "year_end_proposed_already",
    "该笔占用已有待决定的年终处理",
    "Something is proposed for the hold already, and waits to be decided",
);
/// It is not the sum any more that was proposed.
pub static CHANGED: Reason = Reason::new(
    Sort::Conflict,
    "year_end_hold_changed",
    "该笔占用的余额已变化，请重新提出",
    "What is left of the hold has changed since; propose it anew",
);
/// It is reserved for a contract book.
pub static FOR_A_BOOK: Reason = Reason::new(
    Sort::Conflict,
    "year_end_reserved_for_book",
    "该笔预留属于项目承包责任书，请先签订合同或撤销该书",
    "It is reserved for a contract book: sign its contracts or cancel it first",
);
/// The money's year is over, and nobody has decided what becomes of it.
pub static UNDECIDED: Reason = Reason::new(
    Sort::Conflict,
    "fiscal_year_undecided",
    "资金所属年度已结束，尚未决定结转或上缴",
    "The fiscal year of the money is over, and nobody has decided yet what becomes of it",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [&DECIDED, &PROPOSED, &CHANGED, &FOR_A_BOOK, &UNDECIDED];

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = YearEndKind)]
pub enum YearEndKind {
    /// 结转: it is held for the same in a line of the next year.
    CarryOver,
    /// 上缴: it goes back to the treasury, and is held for nothing.
    Return,
}

impl YearEndKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::CarryOver, Self::Return];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CarryOver => "carry_over",
            Self::Return => "return",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What is proposed.
#[derive(Clone, Debug)]
pub struct NewYearEnd {
    /// What becomes of it.
    pub kind: YearEndKind,
    /// In which line it is held from then on, if it is carried over.
    pub to_line_id: Option<BudgetLineId>,
    /// Why.
    pub reason: String,
}

/// What becomes of money that is still held at a year's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearEnd {
    /// Its id.
    pub id: YearEndId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year, which is over.
    pub fiscal_year: i64,
    /// Which hold.
    pub hold_id: TransferId,
    /// In which line it is.
    pub line_id: BudgetLineId,
    /// The id of what it is held for.
    pub matter: String,
    /// What becomes of it.
    pub kind: YearEndKind,
    /// In which line it is held from then on, if it is carried over.
    pub to_line_id: Option<BudgetLineId>,
    /// How much.
    pub amount: Money,
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

/// Money that is held, and where.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The hold.
    pub hold: &'a Hold,
    /// The account that it is in.
    pub account: &'a LedgerAccount,
    /// The line of that.
    pub line: &'a BudgetLine,
    /// The line that it is to be held in.
    pub to: Option<&'a BudgetLine>,
    /// Whether it was reserved by hand.
    pub is_by_hand: bool,
    /// Which year it is in the ward.
    pub current_year: i64,
}

/// As what money of an account is held anew.
pub const fn code(account: AccountCode) -> TransferCode {
    match account {
        AccountCode::Reserved => TransferCode::Reservation,
        AccountCode::Retained => TransferCode::Retention,
        _ => TransferCode::Commitment,
    }
}

/// Whether it may become of it: the year is over, something is left, and the line is one of the next year, of the same fund, organisation and category. What is reserved for a
/// contract book is not carried over: a contract that it becomes is paid from the book's own line.
///
/// # Errors
/// In this order: `fiscal_year_not_over`; `ledger_hold_ended`; [`FOR_A_BOOK`]; `budget_lines_do_not_fit`.
pub fn fits(standing: Standing<'_>) -> Result<(), Refusal> {
    let Standing { hold, line, to, .. } = standing;
    if line.fiscal_year >= standing.current_year {
        return Err(YEAR_NOT_OVER.refuse());
    }
    if hold.remaining.is_zero() {
        return Err(crate::budget::rules_ledger::HOLD_ENDED.refuse());
    }
    if standing.account.code == AccountCode::Reserved && !standing.is_by_hand {
        return Err(FOR_A_BOOK.refuse());
    }
    let is_next = |to: &BudgetLine| {
        to.fund_id == line.fund_id
            && to.fiscal_year == line.fiscal_year.saturating_add(1)
            && to.organisation_id == line.organisation_id
            && to.category == line.category
    };
    if to.is_some_and(|to| !is_next(to)) {
        let why = Text::fixed(
            "须为同一专项、单位和类别的次年预算项",
            "it must be a line of the next year, of the same fund, organisation and category",
        );
        return Err(LINES_DO_NOT_FIT.because(why).at("/to_line_id"));
    }
    Ok(())
}

/// What is proposed for money that is still held; every fault of what was entered is listed before any rule is asked.
///
/// # Errors
/// [`crate::web::problem::INVALID`]; then those of [`fits`].
pub fn propose(
    id: YearEndId,
    new: &NewYearEnd,
    standing: Standing<'_>,
    doing: Doing<'_>,
) -> Result<YearEnd, Refusal> {
    let mut form = Form::new();
    match (new.kind, &new.to_line_id) {
        (YearEndKind::CarryOver, None) => form.object(
            "/to_line_id",
            Text::fixed("结转须填写次年预算项", "is needed to carry it over"),
        ),
        (YearEndKind::Return, Some(_)) => {
            form.object(
                "/to_line_id",
                Text::fixed("上缴不得填写", "does not go with a return"),
            );
        }
        _ => {}
    }
    let reason = form.line("/reason", &new.reason, REASON_LENGTH_MAX);
    form.finish(())?;
    fits(standing)?;
    Ok(YearEnd {
        id,
        fund_id: standing.line.fund_id.clone(),
        fiscal_year: standing.line.fiscal_year,
        hold_id: standing.hold.id.clone(),
        line_id: standing.line.id.clone(),
        matter: standing.hold.matter.clone(),
        kind: new.kind,
        to_line_id: new.to_line_id.clone(),
        amount: standing.hold.remaining,
        reason,
        state: MovementState::Proposed,
        proposed_by: doing.by.to_owned(),
        proposed_at: doing.at,
        decision: None,
    })
}

impl YearEnd {
    fn decide(self, state: MovementState, reason: Option<String>, doing: Doing<'_>) -> Result<Self, Refusal> {
        if self.state != MovementState::Proposed {
            let name = self.state.name();
            return Err(DECIDED.because(text!("当前状态为 {name}", "its state is {name}")));
        }
        Ok(Self {
            state,
            decision: Some(Decision {
                by: doing.by.to_owned(),
                at: doing.at,
                reason,
            }),
            ..self
        })
    }

    /// It is confirmed: the money moves.
    ///
    /// # Errors
    /// In this order: [`DECIDED`]; those of [`fits`]; [`CHANGED`].
    pub fn confirm(self, standing: Standing<'_>, doing: Doing<'_>) -> Result<Self, Refusal> {
        let confirmed = self.decide(MovementState::Confirmed, None, doing)?;
        fits(standing)?;
        if standing.hold.remaining == confirmed.amount {
            Ok(confirmed)
        } else {
            Err(CHANGED.refuse())
        }
    }

    /// It is refused by another person, or taken back.
    ///
    /// # Errors
    /// In this order: [`DECIDED`]; a reason that is none.
    pub fn end(self, state: MovementState, reason: &str, doing: Doing<'_>) -> Result<Self, Refusal> {
        let mut form = Form::new();
        let said = form.line("/reason", reason, REASON_LENGTH_MAX);
        let ended = self.decide(state, Some(said), doing)?;
        form.finish(ended)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;
    use crate::budget::rules::State;
    use crate::budget::rules_ledger::LedgerAccountId;
    use crate::kernel::party::OrganisationId;

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2027, 1, 4, 2, 0, 0).unwrap()
    }

    fn line(like: Option<&BudgetLine>, year: i64) -> BudgetLine {
        let like = like.cloned();
        let mut line = like.unwrap_or_else(|| BudgetLine {
            id: BudgetLineId::mint(now()),
            fund_id: FundId::mint(now()),
            fiscal_year: year,
            code: "01".to_owned(),
            organisation_id: OrganisationId::mint(now()),
            category: "sanitation".to_owned(),
            purpose_zh: "试".to_owned(),
            purpose_en: "Testing".to_owned(),
            state: State::Open,
            version: 1,
            created_at: now(),
            updated_at: now(),
        });
        line.id = BudgetLineId::mint(now());
        line.fiscal_year = year;
        line
    }

    fn account(line: &BudgetLine, code: AccountCode) -> LedgerAccount {
        LedgerAccount {
            id: LedgerAccountId::mint(now()),
            fund_id: line.fund_id.clone(),
            fiscal_year: line.fiscal_year,
            line_id: Some(line.id.clone()),
            code,
            balance: Money::ZERO,
            entries: 0,
            opened_at: now(),
        }
    }

    fn hold(account: &LedgerAccount, left: &str) -> Hold {
        Hold {
            id: TransferId::mint(now()),
            account_id: account.id.clone(),
            origin_account_id: account.id.clone(),
            matter: "contract_1".to_owned(),
            amount: "10.00".parse().unwrap(),
            remaining: left.parse().unwrap(),
            opened_at: now(),
        }
    }

    const DOING: &str = "user_1";

    fn doing() -> Doing<'static> {
        Doing { by: DOING, at: now() }
    }

    #[test]
    fn what_is_left_of_a_year_that_is_over_goes_into_the_next_one() {
        let old = line(None, 2026);
        let next = line(Some(&old), 2027);
        let committed = account(&old, AccountCode::Committed);
        let left = hold(&committed, "3.00");
        let standing = Standing {
            hold: &left,
            account: &committed,
            line: &old,
            to: Some(&next),
            is_by_hand: false,
            current_year: 2027,
        };
        let code = |result: Result<(), Refusal>| result.map_err(|refusal| refusal.reason.code);
        assert_eq!(code(fits(standing)), Ok(()));
        assert_eq!(
            code(fits(Standing {
                current_year: 2026,
                ..standing
            })),
            Err("fiscal_year_not_over")
        );
        let none = hold(&committed, "0.00");
        assert_eq!(
            code(fits(Standing {
                hold: &none,
                ..standing
            })),
            Err("ledger_hold_ended")
        );
        let reserved = account(&old, AccountCode::Reserved);
        let of_book = Standing {
            account: &reserved,
            ..standing
        };
        assert_eq!(code(fits(of_book)), Err("year_end_reserved_for_book"));
        assert_eq!(
            code(fits(Standing {
                is_by_hand: true,
                ..of_book
            })),
            Ok(())
        );
        let mut greening = next.clone();
        greening.category = "greening".to_owned();
        let later = line(Some(&old), 2028);
        let other = line(None, 2027);
        for wrong in [&old, &greening, &later, &other] {
            let to = Some(wrong);
            assert_eq!(
                code(fits(Standing { to, ..standing })),
                Err("budget_lines_do_not_fit")
            );
        }

        let places = |kind, to_line_id, reason: &str| -> Vec<String> {
            let new = NewYearEnd {
                kind,
                to_line_id,
                reason: reason.to_owned(),
            };
            let refused = propose(YearEndId::mint(now()), &new, standing, doing()).err();
            let objections = refused.into_iter().flat_map(|refusal| refusal.objections);
            objections.map(|one| one.pointer).collect()
        };
        assert_eq!(
            places(YearEndKind::CarryOver, None, " "),
            ["/to_line_id", "/reason"]
        );
        assert_eq!(
            places(YearEndKind::Return, Some(next.id.clone()), "因"),
            ["/to_line_id"]
        );
        let new = NewYearEnd {
            kind: YearEndKind::CarryOver,
            to_line_id: Some(next.id.clone()),
            reason: "跨年合同".to_owned(),
        };
        let proposed = propose(YearEndId::mint(now()), &new, standing, doing()).unwrap();
        assert_eq!(proposed.amount.to_string(), "3.00");
        let less = hold(&committed, "2.99");
        let changed = proposed.clone().confirm(
            Standing {
                hold: &less,
                ..standing
            },
            doing(),
        );
        assert_eq!(changed.unwrap_err().reason.code, "year_end_hold_changed");
        let confirmed = proposed.clone().confirm(standing, doing()).unwrap();
        let refused = proposed
            .clone()
            .end(MovementState::Refused, "否", doing())
            .unwrap();
        assert!(proposed.end(MovementState::Withdrawn, " ", doing()).is_err());
        for decided in [confirmed, refused] {
            assert_eq!(
                decided
                    .clone()
                    .confirm(standing, doing())
                    .unwrap_err()
                    .reason
                    .code,
                "year_end_decided"
            );
            assert_eq!(
                decided
                    .end(MovementState::Withdrawn, "因", doing())
                    .unwrap_err()
                    .reason
                    .code,
                "year_end_decided"
            );
        }
        for kind in YearEndKind::ALL {
            assert_eq!(YearEndKind::named(kind.name()), Some(kind));
        }
        assert_eq!(
            [
                AccountCode::Reserved,
                AccountCode::Committed,
                AccountCode::Retained
            ]
            .map(super::code),
            [
                TransferCode::Reservation,
                TransferCode::Commitment,
                TransferCode::Retention
            ]
        );
    }
}
