//! The rules of the ledger: double entry, as strict as a bank's. Money only ever moves by a transfer from one account to
//! another; a transfer is never changed; no account is overdrawn but the one that money comes from; and what is held for
//! something leaves its account only for that, or back to where it came from. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::rules::{BudgetLineId, FundId};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Fault, Kind, Reason, Refusal, Stop};
use crate::text;

crate::ids! {
    /// An account of the ledger.
    LedgerAccountId "ledgeraccount"
    /// A transfer between two accounts of the ledger. A hold has the id of the transfer that began it.
    TransferId "transfer"
}

/// Transfers that are made together at most: all of them or none.
pub const LINKED_MAX: usize = 100;

/// The account, the money, does not suffice.
pub static WOULD_OVERDRAW: Reason = Reason::new(
    Kind::Conflict,
    "ledger_would_overdraw",
    "账户余额不足",
    "The account has not enough money",
);
/// The account, or all that ever came in, would be more than an amount of money can be.
pub static WOULD_OVERFLOW: Reason = Reason::new(
    Kind::Conflict,
    "ledger_would_overflow",
    "账户余额或资金总额将超出上限",
    "The account, or all money together, would be more than can be kept books of",
);
/// Nothing, or less than nothing, was to be transferred.
pub static AMOUNT_NOT_POSITIVE: Reason = Reason::new(
    Kind::Invalid,
    "ledger_amount_not_positive",
    "金额必须大于零",
    "The amount must be more than zero",
);
/// From an account to itself.
pub static SAME_ACCOUNT: Reason = Reason::new(
    Kind::Conflict,
    "ledger_same_account",
    "转出与转入账户相同",
    "Both accounts are the same",
);
/// The accounts are of different funds.
pub static DIFFERENT_FUNDS: Reason = Reason::new(
    Kind::Conflict,
    "ledger_different_funds",
    "资金不得在不同专项之间划转",
    "Money does not move between funds",
);
/// There is a transfer of that id which says something else.
pub static TRANSFER_DIFFERS: Reason = Reason::new(
    Kind::Conflict,
    "ledger_transfer_differs",
    "该编号的划转已存在且内容不同",
    "There is another transfer of that id",
);
/// Less is left of the hold than is to be taken from it.
pub static HOLD_EXCEEDED: Reason = Reason::new(
    Kind::Conflict,
    "ledger_hold_exceeded",
    "超出该笔占用的余额",
    "Less than that is left of what is held",
);
/// Nothing is left of the hold.
pub static HOLD_ENDED: Reason = Reason::new(
    Kind::Conflict,
    "ledger_hold_ended",
    "该笔占用已用完或已释放",
    "What was held was used or went back already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 8] = [
    &WOULD_OVERDRAW,
    &WOULD_OVERFLOW,
    &AMOUNT_NOT_POSITIVE,
    &SAME_ACCOUNT,
    &DIFFERENT_FUNDS,
    &TRANSFER_DIFFERS,
    &HOLD_EXCEEDED,
    &HOLD_ENDED,
];

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerAccountCode)]
pub enum AccountCode {
    /// Where a fund's money of a year comes from: what was appropriated, as a debit. The only account below zero.
    Source,
    /// Appropriated, and not given to a line.
    Unallocated,
    /// A line's money that nothing is planned with.
    Available,
    /// Held for a book that was published, or another purpose, until there is a contract.
    Reserved,
    /// Held for a contract.
    Committed,
    /// Held back from payments until the work has proved good.
    Retained,
    /// Paid.
    Spent,
    /// Given back to the treasury.
    Returned,
}

impl AccountCode {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Source,
        Self::Unallocated,
        Self::Available,
        Self::Reserved,
        Self::Committed,
        Self::Retained,
        Self::Spent,
        Self::Returned,
    ];
    /// Those of a fund's year.
    pub const OF_YEAR: [Self; 2] = [Self::Source, Self::Unallocated];
    /// Those of a budget line.
    pub const OF_LINE: [Self; 6] = [
        Self::Available,
        Self::Reserved,
        Self::Committed,
        Self::Retained,
        Self::Spent,
        Self::Returned,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Unallocated => "unallocated",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Retained => "retained",
            Self::Spent => "spent",
            Self::Returned => "returned",
        }
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// What it is called in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Source => "资金来源",
            Self::Unallocated => "待分配",
            Self::Available => "可用",
            Self::Reserved => "已预留",
            Self::Committed => "已承诺",
            Self::Retained => "质保金",
            Self::Spent => "已支出",
            Self::Returned => "已上缴",
        }
    }

    /// True if every fen in the account is held for something, and leaves it only by naming that.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Reserved | Self::Committed | Self::Retained)
    }

    /// Whether an account of this code may have that balance.
    pub const fn may_stand_at(self, balance: Money) -> bool {
        match self {
            Self::Source => balance.fen() <= 0,
            _ => balance.fen() >= 0,
        }
    }
}

/// An account as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAccount {
    /// Its id.
    pub id: LedgerAccountId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Of which budget line; none for the accounts of a fund's year.
    pub line_id: Option<BudgetLineId>,
    /// What it is for.
    pub code: AccountCode,
    /// Credits less debits.
    pub balance: Money,
    /// How many entries there are in it.
    pub entries: i64,
    /// Since when there is this account, UTC.
    pub opened_at: Instant,
}

/// Why money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferCode {
    /// A fund gets money for a year.
    Appropriation,
    /// A fund gets more money for a year.
    SupplementaryAppropriation,
    /// A line gets money.
    Allocation,
    /// A line gives money back to the fund's year.
    Withdrawal,
    /// From one line to another.
    Transfer,
    /// From a line of a year that is over to one of the next.
    CarryOver,
    /// Back to the treasury.
    Return,
    /// With a duty that is handed on (费随事转).
    Delegation,
    /// Held for something that is to be bought.
    Reservation,
    /// Held for a contract.
    Commitment,
    /// What was held is free again.
    Release,
    /// Paid to whom it was held for.
    Payment,
    /// Held back from payments until the work has proved good.
    Retention,
    /// Paid, and come back from the bank.
    Refund,
    /// Deducted for good from what a period would have come to: back in the line.
    Deduction,
}

impl TransferCode {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Appropriation,
        Self::SupplementaryAppropriation,
        Self::Allocation,
        Self::Withdrawal,
        Self::Transfer,
        Self::CarryOver,
        Self::Return,
        Self::Delegation,
        Self::Reservation,
        Self::Commitment,
        Self::Release,
        Self::Payment,
        Self::Retention,
        Self::Refund,
        Self::Deduction,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appropriation => "appropriation",
            Self::SupplementaryAppropriation => "supplementary_appropriation",
            Self::Allocation => "allocation",
            Self::Withdrawal => "withdrawal",
            Self::Transfer => "transfer",
            Self::CarryOver => "carry_over",
            Self::Return => "return",
            Self::Delegation => "delegation",
            Self::Reservation => "reservation",
            Self::Commitment => "commitment",
            Self::Release => "release",
            Self::Payment => "payment",
            Self::Retention => "retention",
            Self::Refund => "refund",
            Self::Deduction => "deduction",
        }
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

/// Where a transfer stands in the life of money that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TransferPhase)]
pub enum Phase {
    /// Done at once.
    Direct,
    /// Begins a hold: the money waits.
    Pending,
    /// Takes money from a hold to where it was meant to go. It may begin another hold there.
    Posted,
    /// Takes money from a hold back to where it came from.
    Voided,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Pending, Self::Posted, Self::Voided];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Voided => "voided",
        }
    }

    /// The phase of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// Money that waits in an account for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The id of the transfer that began it.
    pub id: TransferId,
    /// Where it waits.
    pub account_id: LedgerAccountId,
    /// Where it goes back to.
    pub origin_account_id: LedgerAccountId,
    /// What it waits for.
    pub matter: String,
    /// How much it was.
    pub amount: Money,
    /// How much is left.
    pub remaining: Money,
    /// Since when, UTC.
    pub opened_at: Instant,
}

/// A transfer that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id, given by whoever orders it: the same order twice is one transfer.
    pub id: TransferId,
    /// From which account.
    pub from: LedgerAccountId,
    /// To which.
    pub to: LedgerAccountId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub code: TransferCode,
    /// From which hold, if the money is held.
    pub hold: Option<TransferId>,
    /// The id of what it is for.
    pub matter: String,
}

/// A transfer that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What was ordered.
    pub order: Order,
    /// Where it stands in the life of money that is held.
    pub phase: Phase,
    /// When, UTC.
    pub made_at: Instant,
}

/// What an order does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account that it is taken from, as it will stand.
    pub from: LedgerAccount,
    /// The account that it goes to, as it will stand.
    pub to: LedgerAccount,
    /// The hold that it is taken from, as it will stand.
    pub drawn: Option<Hold>,
    /// The hold that it begins.
    pub begun: Option<Hold>,
    /// The transfer.
    pub transfer: Transfer,
}

/// What an order does to two accounts, and to the hold that it names. It is refused for the first of these that applies: an
/// amount that is not positive, the same account twice, accounts of different funds, a hold that ended or has less, an account that
/// would be overdrawn, one that would overflow.
///
/// # Errors
/// [`AMOUNT_NOT_POSITIVE`], [`SAME_ACCOUNT`], [`DIFFERENT_FUNDS`], [`HOLD_ENDED`], [`HOLD_EXCEEDED`], [`WOULD_OVERDRAW`],
/// [`WOULD_OVERFLOW`]; a fault if held money is to be moved without its hold, or a hold is named for money that is not in it.
pub fn post(
    order: Order,
    from: LedgerAccount,
    to: LedgerAccount,
    hold: Option<Hold>,
    now: Instant,
) -> Result<Posting, Stop> {
    if order.amount.fen() <= 0 {
        return Err(AMOUNT_NOT_POSITIVE.refuse().at("/amount").into());
    }
    if from.id == to.id {
        return Err(SAME_ACCOUNT.refuse().into());
    }
    if from.fund_id != to.fund_id {
        return Err(DIFFERENT_FUNDS.refuse().into());
    }
    let drawn = draw(&order, &from, hold)?;
    let from = LedgerAccount {
        balance: debited(&from, order.amount)?,
        entries: next(&from)?,
        ..from
    };
    let to = LedgerAccount {
        balance: credited(&to, order.amount)?,
        entries: next(&to)?,
        ..to
    };
    let is_void = drawn.as_ref().is_some_and(|hold| hold.origin_account_id == to.id);
    let phase = match (&drawn, to.code.holds()) {
        (Some(_), _) if is_void => Phase::Voided,
        (Some(_), _) => Phase::Posted,
        (None, true) => Phase::Pending,
        (None, false) => Phase::Direct,
    };
    // Money that goes on to another hold goes back, one day, to where it came from in the first place.
    let origin_account_id = drawn
        .as_ref()
        .map_or(&from.id, |hold| &hold.origin_account_id)
        .clone();
    let begun = (to.code.holds() && !is_void).then(|| Hold {
        id: order.id.clone(),
        account_id: to.id.clone(),
        origin_account_id,
        matter: order.matter.clone(),
        amount: order.amount,
        remaining: order.amount,
        opened_at: now,
    });
    Ok(Posting {
        from,
        to,
        drawn,
        begun,
        transfer: Transfer {
            order,
            phase,
            made_at: now,
        },
    })
}

/// The hold that an order takes from, as it will stand.
fn draw(order: &Order, from: &LedgerAccount, hold: Option<Hold>) -> Result<Option<Hold>, Stop> {
    match (from.code.holds(), hold) {
        (false, None) => Ok(None),
        (true, Some(hold)) if hold.account_id == from.id => {
            if hold.remaining.is_zero() {
                return Err(HOLD_ENDED.refuse().into());
            }
            let remaining = hold
                .remaining
                .checked_sub(order.amount)
                .ok()
                .filter(|left| !left.is_negative());
            let remaining = remaining.ok_or_else(|| {
                let (left, asked) = (hold.remaining.grouped(), order.amount.grouped());
                HOLD_EXCEEDED
                    .because(text!(
                        "余 {left} 元，需 {asked} 元",
                        "{left} CNY is left, {asked} CNY is asked for"
                    ))
                    .at("/amount")
            })?;
            Ok(Some(Hold { remaining, ..hold }))
        }
        _ => Err(Fault::broken(format!("{} is not taken from a hold of {}", order.id, from.id)).into()),
    }
}

fn debited(account: &LedgerAccount, amount: Money) -> Result<Money, Stop> {
    let balance = account.balance.checked_sub(amount);
    if account.code == AccountCode::Source {
        return Ok(balance.map_err(|_| WOULD_OVERFLOW.refuse().at("/amount"))?);
    }
    let balance = balance.ok().filter(|balance| !balance.is_negative());
    Ok(balance.ok_or_else(|| {
        let (name_zh, name_en) = (account.code.zh(), account.code.name());
        let (there, asked) = (account.balance.grouped(), amount.grouped());
        WOULD_OVERDRAW
            .because(text!(
                "{name_zh}余额 {there} 元，需 {asked} 元",
                "{there} CNY is {name_en}, {asked} CNY is asked for"
            ))
            .at("/amount")
    })?)
}

fn credited(account: &LedgerAccount, amount: Money) -> Result<Money, Stop> {
    let balance = account
        .balance
        .checked_add(amount)
        .map_err(|_| WOULD_OVERFLOW.refuse().at("/amount"))?;
    if account.code.may_stand_at(balance) {
        Ok(balance)
    } else {
        // Only the source can meet this: more is to go back than ever came.
        Err(WOULD_OVERDRAW.refuse().at("/amount").into())
    }
}

/// Whether so much more may come in. All that ever came in, to all funds and in all years, is an amount of money: then so is every
/// sum of balances, of whichever accounts and at whichever instant, and totals can always be told.
///
/// # Errors
/// [`WOULD_OVERFLOW`].
pub fn may_come_in(come_in_fen: i64, amount: Money) -> Result<(), Refusal> {
    let all = come_in_fen.checked_add(amount.fen());
    match all.map(Money::from_fen) {
        Some(Ok(_)) => Ok(()),
        Some(Err(_)) | None => Err(WOULD_OVERFLOW.refuse().at("/amount")),
    }
}

fn next(account: &LedgerAccount) -> Result<i64, Fault> {
    let next = account.entries.checked_add(1);
    next.ok_or_else(|| Fault::broken("an account has too many entries"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::refusal::Refusal;

    fn at() -> Instant {
        "2026-03-02T00:00:00Z".parse().unwrap()
    }

    fn fen(fen: i64) -> Money {
        Money::from_fen(fen).unwrap()
    }

    fn account(code: AccountCode, balance: i64) -> LedgerAccount {
        let line = AccountCode::OF_LINE.contains(&code);
        LedgerAccount {
            id: LedgerAccountId::mint(at()),
            fund_id: "fund_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            fiscal_year: 2026,
            line_id: line.then(|| "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()),
            code,
            balance: fen(balance),
            entries: 1,
            opened_at: at(),
        }
    }

    fn order(from: &LedgerAccount, to: &LedgerAccount, amount: i64) -> Order {
        Order {
            id: TransferId::mint(at()),
            from: from.id.clone(),
            to: to.id.clone(),
            amount: fen(amount),
            code: TransferCode::Transfer,
            hold: None,
            matter: "x".to_owned(),
        }
    }

    fn posted(
        from: LedgerAccount,
        to: LedgerAccount,
        amount: i64,
        hold: Option<Hold>,
    ) -> Result<Posting, Stop> {
        let order = Order {
            hold: hold.as_ref().map(|hold| hold.id.clone()),
            ..order(&from, &to, amount)
        };
        post(order, from, to, hold, at())
    }

    fn refused(result: Result<Posting, Stop>) -> Refusal {
        match result {
            Err(Stop::Refused(refusal)) => *refusal,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_transfer_takes_as_much_as_it_gives() {
        let done = posted(
            account(AccountCode::Unallocated, 500),
            account(AccountCode::Available, 20),
            300,
            None,
        )
        .unwrap();
        assert_eq!((done.from.balance, done.to.balance), (fen(200), fen(320)));
        assert_eq!((done.from.entries, done.to.entries), (2, 2));
        assert_eq!(done.transfer.phase, Phase::Direct);
        assert!(done.begun.is_none() && done.drawn.is_none());
    }

    #[test]
    fn refusals_come_in_one_order() {
        use AccountCode::{Available, Returned, Source};
        let poor = account(Available, 10);
        let same = refused(posted(poor.clone(), poor.clone(), 0, None));
        assert_eq!(same.reason.code, "ledger_amount_not_positive");
        assert_eq!(
            refused(posted(poor.clone(), poor.clone(), -1, None)).reason.code,
            "ledger_amount_not_positive"
        );
        assert_eq!(
            refused(posted(poor.clone(), poor.clone(), 11, None)).reason.code,
            "ledger_same_account"
        );
        let other = LedgerAccount {
            fund_id: "fund_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap(),
            ..account(Returned, 0)
        };
        assert_eq!(
            refused(posted(poor.clone(), other, 11, None)).reason.code,
            "ledger_different_funds"
        );
        let short = refused(posted(poor.clone(), account(Returned, 0), 11, None));
        assert_eq!(short.reason.code, "ledger_would_overdraw");
        assert_eq!(short.objections[0].pointer, "/amount");
        assert!(
            short
                .detail
                .unwrap()
                .in_language(crate::kernel::text::Language::English)
                .contains("0.10 CNY is available")
        );
        let full = account(Available, crate::kernel::money::FEN_MAX);
        assert_eq!(
            refused(posted(poor.clone(), full, 10, None)).reason.code,
            "ledger_would_overflow"
        );
        // What a fund's money comes from is a debit; more than came cannot go back.
        let given = posted(
            account(Source, 0),
            account(AccountCode::Unallocated, 0),
            700,
            None,
        )
        .unwrap();
        assert_eq!(given.from.balance, fen(-700));
        let back = refused(posted(
            account(AccountCode::Unallocated, 900),
            account(Source, -700),
            701,
            None,
        ));
        assert_eq!(back.reason.code, "ledger_would_overdraw");
        let empty = account(Source, -crate::kernel::money::FEN_MAX);
        assert_eq!(
            refused(posted(empty, account(AccountCode::Unallocated, 0), 1, None))
                .reason
                .code,
            "ledger_would_overflow"
        );
    }

    #[test]
    fn held_money_is_taken_for_what_it_is_held_for_or_goes_back() {
        use AccountCode::{Available, Committed, Reserved, Spent};
        let available = account(Available, 1_000);
        let reserved = posted(available.clone(), account(Reserved, 0), 600, None).unwrap();
        assert_eq!(reserved.transfer.phase, Phase::Pending);
        let hold = reserved.begun.clone().unwrap();
        assert_eq!(
            (hold.amount, hold.remaining, &hold.origin_account_id),
            (fen(600), fen(600), &available.id)
        );

        // In part it becomes a commitment, which remembers where it came from; the rest goes back.
        let signed = posted(
            reserved.to.clone(),
            account(Committed, 0),
            550,
            Some(hold.clone()),
        )
        .unwrap();
        assert_eq!(signed.transfer.phase, Phase::Posted);
        let commitment = signed.begun.clone().unwrap();
        assert_eq!(
            (commitment.amount, &commitment.origin_account_id),
            (fen(550), &available.id)
        );
        let rest = signed.drawn.clone().unwrap();
        assert_eq!(rest.remaining, fen(50));
        let over = refused(posted(
            signed.from.clone(),
            account(Committed, 0),
            51,
            Some(rest.clone()),
        ));
        assert_eq!(over.reason.code, "ledger_hold_exceeded");
        let released = posted(signed.from.clone(), reserved.from.clone(), 50, Some(rest)).unwrap();
        assert_eq!(
            (
                released.transfer.phase,
                released.begun.is_none(),
                released.to.balance
            ),
            (Phase::Voided, true, fen(450))
        );
        let ended = released.drawn.unwrap();
        let again = refused(posted(
            released.from.clone(),
            account(Committed, 0),
            1,
            Some(ended),
        ));
        assert_eq!(again.reason.code, "ledger_hold_ended");
        let paid = posted(signed.to.clone(), account(Spent, 0), 550, Some(commitment)).unwrap();
        assert_eq!(
            (
                paid.transfer.phase,
                paid.begun.is_none(),
                paid.drawn.unwrap().remaining
            ),
            (Phase::Posted, true, Money::ZERO)
        );
    }

    #[test]
    fn held_money_never_moves_without_its_hold() {
        use AccountCode::{Available, Reserved, Spent};
        let held = account(Reserved, 100);
        assert!(matches!(
            posted(held.clone(), account(Spent, 0), 1, None),
            Err(Stop::Fault(_))
        ));
        let elsewhere = posted(account(Available, 100), account(Reserved, 0), 100, None)
            .unwrap()
            .begun;
        assert!(matches!(
            posted(held, account(Spent, 0), 1, elsewhere.clone()),
            Err(Stop::Fault(_))
        ));
        assert!(matches!(
            posted(account(Available, 5), account(Spent, 0), 1, elsewhere),
            Err(Stop::Fault(_))
        ));
    }

    #[test]
    fn a_million_postings_add_up_to_zero() {
        let mut accounts: Vec<LedgerAccount> = (0..50).map(|_| account(AccountCode::Available, 0)).collect();
        accounts.push(account(AccountCode::Source, 0));
        let id = TransferId::mint(at());
        // Of a linear congruence (Knuth's MMIX), so that a failure comes again.
        let mut chance = 20_260_302_u64;
        let (mut posted, mut refused) = (0_u32, 0_u32);
        while posted < 1_000_000 {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let from = usize::try_from((chance >> 33) % 51).unwrap();
            let to = usize::try_from((chance >> 45) % 51).unwrap();
            let amount = i64::try_from((chance >> 20) % 100_000).unwrap() + 1;
            let (from_account, to_account) = (accounts[from].clone(), accounts[to].clone());
            let order = Order {
                id: id.clone(),
                ..order(&from_account, &to_account, amount)
            };
            match post(order, from_account, to_account, None, at()) {
                Ok(done) => {
                    accounts[from] = done.from;
                    accounts[to] = done.to;
                    posted += 1;
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 1_000, "some would have overdrawn: {refused}");
        let total: i64 = accounts.iter().map(|account| account.balance.fen()).sum();
        let entries: i64 = accounts.iter().map(|account| account.entries - 1).sum();
        assert_eq!((total, entries), (0, 2_000_000));
        assert!(
            accounts
                .iter()
                .all(|account| account.code.may_stand_at(account.balance))
        );
    }

    #[test]
    fn codes_are_named_alike_in_the_api_and_in_the_database() {
        for code in AccountCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert_eq!(AccountCode::named(code.name()), Some(code));
        }
        for code in TransferCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert_eq!(TransferCode::named(code.name()), Some(code));
        }
        for phase in Phase::ALL {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
            assert_eq!(Phase::named(phase.name()), Some(phase));
        }
    }

    proptest! {
        #[test]
        fn no_order_makes_or_loses_money(from in 0_i64..2_000, to in 0_i64..2_000, amount in -10_i64..2_500, source: bool) {
            let (from, balance) = if source { (AccountCode::Source, -from) } else { (AccountCode::Available, from) };
            let (from, to) = (account(from, balance), account(AccountCode::Returned, to));
            let before = from.balance.checked_add(to.balance).unwrap();
            match posted(from.clone(), to, amount, None) {
                Ok(done) => {
                    prop_assert_eq!(done.from.balance.checked_add(done.to.balance).unwrap(), before);
                    prop_assert!(done.from.code.may_stand_at(done.from.balance) && done.to.code.may_stand_at(done.to.balance));
                }
                Err(Stop::Refused(_)) => prop_assert!(amount <= 0 || (!source && amount > from.balance.fen())),
                Err(Stop::Fault(fault)) => prop_assert!(false, "{fault}"),
            }
        }
    }
}
