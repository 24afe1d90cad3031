//! What a transfer adds to what is measured of spending, and under what it is counted: one function from a posting to measures, which the acts use when the money
//! moves and the verifier uses when it looks again. Pure.

use chrono::{Datelike, NaiveDate};
use sha2::{Digest, Sha256};

use crate::budget::rules::{BudgetLine, BudgetLineId, FundId};
use crate::budget::rules_ledger::{AccountCode, TransferCode};
use crate::kernel::fixed::{Shape, read};
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId, OrganisationKind};
use crate::kernel::refusal::Fault;

/// In how many rows what many add to at once is kept apart. What is added for one budget line always goes to the same: its accounts are waited for anyway.
const SHARDS: u64 = 16;

/// The id of a subject.
pub type SubjectId = i64;

/// How much a contract buys, where all of it is in one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The unit in Chinese.
    pub unit_zh: String,
    /// The unit in English.
    pub unit_en: String,
    /// How much, in millionths of the unit; more than nothing.
    pub millionths: i64,
}

/// Whom a contract is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contracted {
    /// The contract.
    pub contract_id: String,
    /// Its supplier.
    pub supplier_id: OrganisationId,
    /// What sort of organisation that is.
    pub supplier_kind: OrganisationKind,
    /// How much it buys, where that can be said.
    pub quantity: Option<Quantity>,
}

/// What a matter of the ledger is: a lot, a contract, or a variation of one. The ledger knows of it no more than its id; who brings it about says the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The budget line that pays.
    pub line_id: BudgetLineId,
    /// The lot.
    pub lot_id: String,
    /// The smallest area that has all places that are served in it; `None` if there is none.
    pub area_id: Option<AreaId>,
    /// How its bids are judged.
    pub method: Option<String>,
    /// The contract, if it is one.
    pub contracted: Option<Contracted>,
}

/// Everything that a movement of money is grouped by, but its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The fund.
    pub fund_id: FundId,
    /// The fiscal year.
    pub fiscal_year: i64,
    /// The budget line with its buyer and category; `None` for the accounts of a fund's year.
    pub line: Option<BudgetLine>,
    /// The lot or contract; `None` for money that nothing is bought with yet.
    pub described: Option<Described>,
}

/// What a subject's id is made of.
#[derive(Clone, Copy, Debug)]
pub struct SubjectKey<'k> {
    /// The fund.
    pub fund: &'k str,
    /// The fiscal year.
    pub fiscal_year: i64,
    /// The budget line.
    pub line: Option<&'k str>,
    /// The lot.
    pub lot: Option<&'k str>,
    /// The contract.
    pub contract: Option<&'k str>,
}

impl SubjectKey<'_> {
    fn hashed(parts: &[&str]) -> u64 {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let bytes = hash.finalize();
        bytes
            .iter()
            .take(8)
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// The subject's id: the first 63 bits of a hash. A counter was rejected: two at once would ask for the same number. The verifier compares what stands under an id with
    /// what it was made of.
    pub fn id(&self) -> SubjectId {
        let year = self.fiscal_year.to_string();
        let [line, lot, contract] = [self.line, self.lot, self.contract].map(Option::unwrap_or_default);
        let hash = Self::hashed(&[self.fund, &year, line, lot, contract]);
        i64::try_from(hash >> 1).unwrap_or(i64::MAX)
    }

    /// Which of the rows of a total it is added to.
    pub fn shard(&self) -> i64 {
        let hash = Self::hashed(&[self.fund, self.line.unwrap_or_default()]);
        i64::try_from(hash % SHARDS).unwrap_or_default()
    }
}

impl Subject {
    /// What its id is made of.
    pub fn key(&self) -> SubjectKey<'_> {
        let described = self.described.as_ref();
        SubjectKey {
            fund: self.fund_id.as_str(),
            fiscal_year: self.fiscal_year,
            line: self.line.as_ref().map(|line| line.id.as_str()),
            lot: described.map(|described| described.lot_id.as_str()),
            contract: described
                .and_then(|described| Some(described.contracted.as_ref()?.contract_id.as_str())),
        }
    }
}

/// What is measured, in fen where it is money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Appropriated to funds.
    pub appropriated: i64,
    /// Given to budget lines and not taken from them again.
    pub budgeted: i64,
    /// Held for what is to be bought.
    pub reserved: i64,
    /// Held for contracts.
    pub committed: i64,
    /// Held back from payments.
    pub retained: i64,
    /// Paid, without what came back.
    pub paid: i64,
    /// Deducted for good, and back in the line.
    pub deducted: i64,
    /// Paid, and come back from the bank.
    pub refunded: i64,
    /// How many payments there are, without those that came back.
    pub payments: i64,
    /// How many have rated.
    pub ballots: i64,
    /// The mean of their ratings in hundredths, times how many they are.
    pub satisfaction: i64,
}

impl Measures {
    fn all(&self) -> [i64; 11] {
        [
            self.appropriated,
            self.budgeted,
            self.reserved,
            self.committed,
            self.retained,
            self.paid,
            self.deducted,
            self.refunded,
            self.payments,
            self.ballots,
            self.satisfaction,
        ]
    }

    /// Whether there is nothing in it.
    pub fn is_nothing(&self) -> bool {
        self.all() == [0; 11]
    }

    /// Both together.
    ///
    /// # Errors
    /// A fault if that is more than can be told.
    pub fn with(&self, other: &Self) -> Result<Self, Fault> {
        let add = |a: i64, b: i64| {
            a.checked_add(b)
                .ok_or_else(|| Fault::broken("what is measured of spending is beyond all bounds"))
        };
        Ok(Self {
            appropriated: add(self.appropriated, other.appropriated)?,
            budgeted: add(self.budgeted, other.budgeted)?,
            reserved: add(self.reserved, other.reserved)?,
            committed: add(self.committed, other.committed)?,
            retained: add(self.retained, other.retained)?,
            paid: add(self.paid, other.paid)?,
            deducted: add(self.deducted, other.deducted)?,
            refunded: add(self.refunded, other.refunded)?,
            payments: add(self.payments, other.payments)?,
            ballots: add(self.ballots, other.ballots)?,
            satisfaction: add(self.satisfaction, other.satisfaction)?,
        })
    }

    /// What so much more in an account of that code, or less, is of what is measured.
    fn of_account(code: AccountCode, amount: i64) -> Self {
        let none = Self::default();
        match code {
            // Where money comes from stands below zero.
            AccountCode::Source => Self {
                appropriated: amount.saturating_neg(),
                ..none
            },
            AccountCode::Reserved => Self {
                reserved: amount,
                ..none
            },
            AccountCode::Committed => Self {
                committed: amount,
                ..none
            },
            AccountCode::Retained => Self {
                retained: amount,
                ..none
            },
            AccountCode::Spent => Self { paid: amount, ..none },
            AccountCode::Unallocated | AccountCode::Available | AccountCode::Returned => none,
        }
    }
}

/// One side of a transfer.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    /// What the account is for.
    pub code: AccountCode,
    /// The budget line that it is of.
    pub line: Option<&'s BudgetLineId>,
}

impl Side<'_> {
    /// Whether what is in it is what a line has: given back to the treasury it is not.
    fn is_of_line(&self) -> bool {
        self.line.is_some() && self.code != AccountCode::Returned
    }
}

/// A transfer, as far as it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'m> {
    /// Where it is taken from.
    pub from: Side<'m>,
    /// Where it goes.
    pub to: Side<'m>,
    /// How much.
    pub amount: Money,
    /// Why.
    pub code: TransferCode,
    /// Whether it is the first transfer of a payment: one payment may be taken from several holds.
    pub is_first: bool,
}

/// What a transfer adds to what is measured, each under what it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Under the line that it is taken from, whatever for: what the line has less.
    pub from_line: Measures,
    /// Under what it was held for, where it is taken from.
    pub from: Measures,
    /// Under the line that it goes to: what the line has more.
    pub to_line: Measures,
    /// Under what it is held for, or was paid for, where it goes.
    pub to: Measures,
}

impl Added {
    /// All of it.
    ///
    /// # Errors
    /// A fault of arithmetic.
    pub fn sum(&self) -> Result<Measures, Fault> {
        self.from_line
            .with(&self.from)?
            .with(&self.to_line)?
            .with(&self.to)
    }
}

/// What a transfer adds to what is measured. Of every account that is measured it is what the transfer does to its balance, so that all of them together are the
/// balances of the ledger.
pub fn added(moved: &Moved<'_>) -> Added {
    let amount = moved.amount.fen();
    let less = amount.saturating_neg();
    let mut added = Added {
        from: Measures::of_account(moved.from.code, less),
        to: Measures::of_account(moved.to.code, amount),
        ..Added::default()
    };
    let within = moved.from.line.is_some()
        && moved.from.line == moved.to.line
        && moved.from.is_of_line()
        && moved.to.is_of_line();
    if !within {
        if moved.from.is_of_line() {
            added.from_line.budgeted = less;
        }
        if moved.to.is_of_line() {
            added.to_line.budgeted = amount;
        }
    }
    match moved.code {
        TransferCode::Deduction => added.from.deducted = amount,
        TransferCode::Payment => added.to.payments = i64::from(moved.is_first),
        TransferCode::Refund => {
            added.from.refunded = amount;
            added.from.payments = i64::from(moved.is_first).saturating_neg();
        }
        _ => {}
    }
    added
}

/// The smallest area that has all of these in it, by their paths: the ids from the root down to each, each followed by a slash.
pub fn common_area<'p>(paths: &[&'p str]) -> Option<&'p str> {
    let (first, others) = paths.split_first()?;
    let mut common = None;
    let mut end = 0_usize;
    for part in first.split_inclusive('/') {
        end = end.saturating_add(part.len());
        let above = first.get(..end)?;
        if !others.iter().all(|other| other.starts_with(above)) {
            break;
        }
        common = part.strip_suffix('/');
    }
    common
}

/// How much all of that is together, each as an exact decimal with its unit in Chinese and English; `None` where not all of it is in one unit.
pub fn quantity<'q>(parts: impl IntoIterator<Item = (&'q str, &'q str, &'q str)>) -> Option<Quantity> {
    let mut all: Option<Quantity> = None;
    for (amount, unit_zh, unit_en) in parts {
        let shape = Shape {
            places_max: 6,
            signed: false,
        };
        let millionths = read(amount, shape).ok()?.units_at(6)?;
        all = Some(match all {
            None => Quantity {
                unit_zh: unit_zh.to_owned(),
                unit_en: unit_en.to_owned(),
                millionths,
            },
            Some(known) if known.unit_zh == unit_zh && known.unit_en == unit_en => Quantity {
                millionths: known.millionths.checked_add(millionths)?,
                ..known
            },
            Some(_) => return None,
        });
    }
    all.filter(|all| all.millionths > 0)
}

/// The month of a day, as a number: 202603.
pub fn month(day: NaiveDate) -> i64 {
    i64::from(day.year())
        .saturating_mul(100)
        .saturating_add(i64::from(day.month()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountCode::{Available, Committed, Reserved, Retained, Returned, Source, Spent, Unallocated};

    fn line() -> BudgetLineId {
        "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()
    }

    fn moves(from: AccountCode, to: AccountCode, code: TransferCode) -> Added {
        let line = line();
        let side = |code: AccountCode| Side {
            code,
            line: AccountCode::OF_LINE.contains(&code).then_some(&line),
        };
        added(&Moved {
            from: side(from),
            to: side(to),
            amount: Money::from_fen(100).unwrap(),
            code,
            is_first: true,
        })
    }

    #[test]
    fn every_account_that_is_measured_is_measured_as_its_balance() {
        use TransferCode::{
            Allocation, Appropriation, Commitment, Deduction, Payment, Refund, Release, Retention, Return,
        };
        let whole = [
            moves(Source, Unallocated, Appropriation),
            moves(Unallocated, Available, Allocation),
            moves(Available, Reserved, TransferCode::Reservation),
            moves(Reserved, Committed, Commitment),
            moves(Committed, Spent, Payment),
        ];
        let sum = whole
            .iter()
            .try_fold(Measures::default(), |sum, one| sum.with(&one.sum()?));
        let expected = Measures {
            appropriated: 100,
            budgeted: 100,
            paid: 100,
            payments: 1,
            ..Measures::default()
        };
        assert_eq!(sum.unwrap(), expected);
        let back = moves(Spent, Available, Refund).sum().unwrap();
        assert_eq!(
            back,
            Measures {
                paid: -100,
                refunded: 100,
                payments: -1,
                ..Measures::default()
            }
        );
        let deducted = moves(Committed, Available, Deduction).sum().unwrap();
        assert_eq!(
            deducted,
            Measures {
                committed: -100,
                deducted: 100,
                ..Measures::default()
            }
        );
        assert_eq!(
            moves(Committed, Available, Release).sum().unwrap(),
            Measures {
                committed: -100,
                ..Measures::default()
            }
        );
        let kept = moves(Committed, Retained, Retention);
        assert_eq!((kept.from.committed, kept.to.retained), (-100, 100));
        let returned = moves(Available, Returned, Return);
        assert_eq!(
            (returned.from_line.budgeted, returned.to_line.budgeted),
            (-100, 0)
        );
    }

    #[test]
    fn what_goes_from_line_to_line_is_less_of_the_one_and_more_of_the_other() {
        let (one, other) = (line(), "budgetline_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap());
        let both = added(&Moved {
            from: Side {
                code: Available,
                line: Some(&one),
            },
            to: Side {
                code: Available,
                line: Some(&other),
            },
            amount: Money::from_fen(7).unwrap(),
            code: TransferCode::Transfer,
            is_first: false,
        });
        assert_eq!((both.from_line.budgeted, both.to_line.budgeted), (-7, 7));
        assert!(both.sum().unwrap().is_nothing());
    }

    #[test]
    fn ids_differ_by_every_part_and_the_shard_by_the_line_alone() {
        let key = |lot, contract| SubjectKey {
            fund: "fund_1",
            fiscal_year: 2026,
            line: Some("l"),
            lot,
            contract,
        };
        let ids = [
            key(None, None),
            key(Some("a"), None),
            key(Some("a"), Some("b")),
            key(Some("ab"), Some("")),
        ];
        let mut distinct: Vec<i64> = ids.iter().map(SubjectKey::id).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
        assert!(
            ids.iter()
                .all(|one| one.shard() == ids[0].shard() && one.id() >= 0)
        );
    }

    #[test]
    fn what_serves_two_communities_of_a_street_is_counted_in_the_street() {
        assert_eq!(common_area(&["c/d/s/a/", "c/d/s/b/"]), Some("s"));
        assert_eq!(common_area(&["c/d/s/a/"]), Some("a"));
        assert_eq!(common_area(&["c/d/s/", "c/d/s/b/"]), Some("s"));
        assert_eq!(common_area(&["c/d/", "x/d/"]), None);
        assert_eq!(common_area(&["c/d1/", "c/d/"]), Some("c"));
        assert_eq!(common_area(&[]), None);
    }

    #[test]
    fn quantities_are_added_up_in_one_unit_only() {
        let of = |parts: &[(&str, &str, &str)]| quantity(parts.iter().copied()).map(|all| all.millionths);
        let squares = [("58000", "平方米", "m²"), ("96000.5", "平方米", "m²")];
        assert_eq!(of(&squares), Some(154_000_500_000));
        assert_eq!(of(&[squares[0], ("6", "座", "toilets")]), None);
        assert_eq!(of(&[("0", "座", "toilets")]), None);
        assert_eq!(of(&[("viele", "座", "toilets")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_month_is_a_number_that_sorts_as_time_does() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
        assert_eq!(month(day), 202_603);
    }
}
