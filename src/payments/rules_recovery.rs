//! How an advance comes back (预付款扣回), where the book says that the periods take it back: an even share with each, the last one the rest, and never more than was paid
//! of it and is left. Pure.

use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::Fault;
use crate::payments::rules_claims::{Claim, Kind};
use crate::payments::rules_closings::Closing;

fn beyond(error: MoneyError) -> Fault {
    Fault::caused("what comes back of an advance", error)
}

/// What of an advance has left the contract's money.
///
/// # Errors
/// A fault of arithmetic.
pub fn advanced(claims: &[Claim]) -> Result<Money, Fault> {
    let own = claims.iter().filter(|one| one.is_of(Kind::Advance, None));
    Money::sum(own.filter(|one| one.state.is_paid()).map(Claim::counted)).map_err(beyond)
}

/// What each period has taken back: with its certificate that counts and was made last, or when it was closed without one.
pub fn taken(claims: &[Claim], closings: &[Closing]) -> Vec<(i64, Money)> {
    let mut all: Vec<(i64, Money)> = Vec::new();
    let counting = claims.iter().filter(|one| one.state.counts());
    let mut certified: Vec<_> = counting
        .filter_map(|one| one.certified.as_ref().zip(one.entered.period))
        .collect();
    certified.sort_by_key(|(certified, _)| certified.done.at);
    let certified = certified
        .into_iter()
        .map(|(certified, period)| (period, certified.recovered));
    let closed = closings.iter().filter(|one| !one.recovered.is_zero());
    let closed = closed.map(|one| (one.period, one.recovered));
    for (period, amount) in certified.chain(closed) {
        all.retain(|(known, _)| *known != period);
        all.push((period, amount));
    }
    all
}

/// What a period takes back of an advance of which so much was paid, with what the other periods have taken. The last of `periods` takes what neither they have taken nor
/// those will that have taken nothing yet; one that a variation has added, what the last has left.
///
/// What a period is paid is the bound as well, and asked for where that is reckoned: what one cannot give is left to the last.
///
/// # Errors
/// A fault of arithmetic.
pub fn recovery(
    paid: Money,
    (number, periods): (i64, usize),
    others: &[(i64, Money)],
) -> Result<Money, Fault> {
    let taken = Money::sum(others.iter().map(|(_, amount)| *amount)).map_err(beyond)?;
    let left = paid.checked_sub(taken).map_err(beyond)?.max(Money::ZERO);
    if periods == 0 || left.is_zero() {
        return Ok(Money::ZERO);
    }
    let shares = paid.split_evenly(periods).map_err(beyond)?;
    let shares: Vec<(i64, Money)> = (1..).zip(shares).collect();
    let last = i64::try_from(periods).unwrap_or(i64::MAX);
    if number < last {
        let own = shares.iter().find(|(known, _)| *known == number);
        return Ok(own.map_or(Money::ZERO, |(_, share)| left.min(*share)));
    }
    let to_come = shares
        .iter()
        .filter(|(known, _)| *known != number && others.iter().all(|(other, _)| other != known));
    let to_come = Money::sum(to_come.map(|(_, share)| *share)).map_err(beyond)?;
    Ok(left.checked_sub(to_come).map_err(beyond)?.max(Money::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payments::rules_claims::tests::{certified, claim, yuan};

    fn taken_back(paid: &str, of: (i64, usize), others: &[(i64, &str)]) -> String {
        let others: Vec<_> = others
            .iter()
            .map(|(period, amount)| (*period, yuan(amount)))
            .collect();
        recovery(yuan(paid), of, &others).unwrap().to_string()
    }

    #[test]
    fn each_period_takes_its_share_and_the_last_the_rest() {
        assert_eq!(taken_back("100.00", (1, 3), &[]), "33.33");
        assert_eq!(taken_back("100.00", (2, 3), &[(1, "33.33")]), "33.33");
        assert_eq!(
            taken_back("100.00", (3, 3), &[(1, "33.33"), (2, "33.33")]),
            "33.34"
        );
        // What the second could not give is left to the last, and to one that was added.
        assert_eq!(
            taken_back("100.00", (3, 3), &[(1, "33.33"), (2, "10.00")]),
            "56.67"
        );
        assert_eq!(
            taken_back("100.00", (4, 3), &[(1, "33.33"), (2, "10.00"), (3, "50.00")]),
            "6.67"
        );
        // Those that have taken nothing yet will, whatever comes first.
        assert_eq!(taken_back("100.00", (3, 3), &[]), "33.34");
        assert_eq!(taken_back("100.00", (3, 3), &[(1, "33.33")]), "33.34");
        // Nothing that was not paid, and nothing twice.
        assert_eq!(taken_back("0.00", (1, 3), &[]), "0.00");
        assert_eq!(taken_back("100.00", (2, 3), &[(3, "90.00")]), "10.00");
        assert_eq!(taken_back("30.00", (2, 3), &[(1, "33.33")]), "0.00");
        assert_eq!(taken_back("100.00", (1, 0), &[]), "0.00");
    }

    #[test]
    fn a_certificate_takes_back_while_it_counts() {
        let mut one = claim(Kind::Period, Some(1), "10.00")
            .certify(certified("8.00"))
            .unwrap();
        if let Some(certified) = &mut one.certified {
            certified.recovered = yuan("2.00");
        }
        assert_eq!(taken(std::slice::from_ref(&one), &[]), [(1, yuan("2.00"))]);
        assert_eq!(advanced(std::slice::from_ref(&one)).unwrap(), Money::ZERO);
        let done = one.claimed.clone();
        let returned = one.send_back(("因", "Because"), done).unwrap();
        assert_eq!(taken(&[returned], &[]), []);
    }

    proptest! {
        /// Whatever periods can give, and in whichever order they come, no more comes back than was paid; all of it, if the last comes last and can give what is left.
        #[test]
        fn no_more_comes_back_than_was_paid(
            paid in 0_i64..100_000_000,
            gives in prop::collection::vec(0_i64..50_000_000, 1..24),
            swaps in prop::collection::vec((0_usize..24, 0_usize..24), 0..24),
        ) {
            let fen = |fen: i64| Money::from_fen(fen).unwrap();
            let periods = gives.len();
            let mut order: Vec<usize> = (0..periods).collect();
            for (one, other) in &swaps {
                order.swap(one % periods, other % periods);
            }
            let mut done: Vec<(i64, Money)> = Vec::new();
            for index in &order {
                let number = i64::try_from(index + 1).unwrap();
                let asked = recovery(fen(paid), (number, periods), &done).unwrap();
                prop_assert!(!asked.is_negative());
                let is_last = done.len() + 1 == periods && number == i64::try_from(periods).unwrap();
                let had = Money::sum(done.iter().map(|(_, amount)| *amount)).unwrap();
                if is_last {
                    prop_assert_eq!(had.checked_add(asked).unwrap(), fen(paid));
                }
                done.push((number, asked.min(fen(gives[*index]))));
            }
            prop_assert!(Money::sum(done.iter().map(|(_, amount)| *amount)).unwrap() <= fen(paid));
        }
    }
}
