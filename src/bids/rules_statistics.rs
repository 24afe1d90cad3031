//! What an opening comes to in figures, for everybody: how many bids there were and what they cost. Prices are those that were read out; which of the bids
//! a panel finds to be in order is not known then. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::bids::rules_opening::{OpenedBid, OpeningRecord, Outcome};
use crate::books::rules::LotId;
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;

/// The figures of an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpeningStatistics, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "outcome": "opened", "bids": 3, "opened": 3, "out": 0, "unopenable": 0, "still_sealed": 0,
    "ceiling": {"amount": "841800.00", "currency": "CNY"}, "lowest": {"amount": "790560.00", "currency": "CNY"},
    "highest": {"amount": "826600.00", "currency": "CNY"}, "mean": {"amount": "807453.33", "currency": "CNY"},
    "median": {"amount": "805200.00", "currency": "CNY"}, "lowest_percent_of_ceiling": "93.91", "highest_percent_of_ceiling": "98.19"
}))]
pub struct Statistics {
    /// The lot.
    pub lot_id: LotId,
    /// What came of it.
    pub outcome: Outcome,
    /// Bids that counted before the deadline.
    #[schema(minimum = 0)]
    pub bids: usize,
    /// Bids that were opened.
    #[schema(minimum = 0)]
    pub opened: usize,
    /// Those of them that something decisive was found against.
    #[schema(minimum = 0)]
    pub out: usize,
    /// Bids that could not be opened.
    #[schema(minimum = 0)]
    pub unopenable: usize,
    /// Bids that were withdrawn, or not confirmed after an addendum.
    #[schema(minimum = 0)]
    pub still_sealed: usize,
    /// The highest price that the book allows; `null` if it names none.
    pub ceiling: Option<Money>,
    /// The lowest price of those that are not out; `null` if there are none, as are all that follow.
    pub lowest: Option<Money>,
    /// The highest.
    pub highest: Option<Money>,
    /// Their mean, rounded half up to the fen.
    pub mean: Option<Money>,
    /// Their median: of an even number the mean of the two in the middle, rounded half up to the fen.
    pub median: Option<Money>,
    /// The lowest price in percent of the ceiling, rounded half up to two places.
    #[schema(pattern = "^[0-9]+\\.[0-9]{2}$")]
    pub lowest_percent_of_ceiling: Option<String>,
    /// The highest.
    #[schema(pattern = "^[0-9]+\\.[0-9]{2}$")]
    pub highest_percent_of_ceiling: Option<String>,
}

fn is_out(bid: &OpenedBid) -> bool {
    bid.findings.iter().any(|finding| finding.is_decisive)
}

/// A whole number of parts, rounded half up. Neither is below zero.
fn divided(amount: i128, parts: i128) -> Option<i128> {
    let doubled = amount.checked_mul(2)?.checked_add(parts)?;
    doubled.checked_div(parts.checked_mul(2)?)
}

fn money(fen: i128) -> Option<Money> {
    Money::from_fen(i64::try_from(fen).ok()?).ok()
}

fn percent_of(price: Money, ceiling: Money) -> Option<String> {
    let hundredths = divided(
        i128::from(price.fen()).checked_mul(10_000)?,
        i128::from(ceiling.fen()),
    )?;
    let (whole, part) = (hundredths.checked_div(100)?, hundredths.checked_rem(100)?);
    Some(format!("{whole}.{part:02}"))
}

fn middle(sorted: &[i128]) -> Option<Money> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        return money(upper);
    }
    let lower = *sorted.get(half.checked_sub(1)?)?;
    money(divided(lower.checked_add(upper)?, 2)?)
}

/// The figures of an opening, of a lot with this ceiling.
///
/// # Errors
/// A fault if the prices of the record add up to more than there is.
pub fn statistics(record: &OpeningRecord, ceiling: Option<Money>) -> Result<Statistics, Fault> {
    let out = record.opened.iter().filter(|bid| is_out(bid)).count();
    let in_order = record.opened.iter().filter(|bid| !is_out(bid));
    let mut prices: Vec<i128> = in_order.map(|bid| i128::from(bid.total.fen())).collect();
    prices.sort_unstable();
    let count = i128::try_from(prices.len()).map_err(|error| Fault::caused("count bids", error))?;
    let mean = divided(prices.iter().sum(), count).and_then(money);
    let (lowest, highest) = (
        prices.first().copied().and_then(money),
        prices.last().copied().and_then(money),
    );
    if mean.is_none() && count > 0 {
        return Err(Fault::broken(format!(
            "the prices of {} have no mean",
            record.lot_id
        )));
    }
    let ceiling = ceiling.filter(|ceiling| ceiling.fen() > 0);
    let of_ceiling = |price: Option<Money>| {
        price
            .zip(ceiling)
            .and_then(|(price, ceiling)| percent_of(price, ceiling))
    };
    Ok(Statistics {
        lot_id: record.lot_id.clone(),
        outcome: record.outcome,
        bids: record.bids,
        opened: record.opened.len(),
        out,
        unopenable: record.unopenable.len(),
        still_sealed: record.still_sealed.len(),
        ceiling,
        lowest,
        highest,
        mean,
        median: middle(&prices),
        lowest_percent_of_ceiling: of_ceiling(lowest),
        highest_percent_of_ceiling: of_ceiling(highest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(prices: &[(&str, bool)]) -> OpeningRecord {
        let opened: Vec<_> = prices
            .iter()
            .map(|(price, is_out)| {
                let findings = if *is_out {
                    json!([{"code": "debarred", "pointer": "", "is_decisive": true, "detail_zh": "", "detail_en": "", "rule": null, "citations": []}])
                } else {
                    json!([])
                };
                json!({
                    "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_zh": "甲", "supplier_en": "A",
                    "version": 1, "sha256": "00", "total": {"amount": price, "currency": "CNY"}, "file_key": "00", "is_public": true, "findings": findings
                })
            })
            .collect();
        serde_json::from_value(json!({
            "format": "wardbook/opening/v1", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_code": "1",
            "book_version": 1, "recipient": "age1", "key": {"kind": "custodial", "threshold": null, "shares": []}, "deadline": "2026-04-01T01:00:00.000000Z",
            "opened_at": "2026-04-01T01:00:03.000000Z", "bids_min": 3, "bids": opened.len(), "outcome": "opened", "opened": opened, "unopenable": [],
            "still_sealed": []
        }))
        .unwrap()
    }

    fn figures(prices: &[(&str, bool)], ceiling: &str) -> Vec<Option<String>> {
        let found = statistics(&record(prices), Some(ceiling.parse().unwrap())).unwrap();
        let said = |money: Option<Money>| money.map(|money| money.to_string());
        let Statistics {
            lowest,
            highest,
            mean,
            median,
            ..
        } = found.clone();
        let amounts = [lowest, highest, mean, median].map(said);
        amounts
            .into_iter()
            .chain([found.lowest_percent_of_ceiling, found.highest_percent_of_ceiling])
            .collect()
    }

    #[test]
    fn the_estate_of_the_demo_has_these_figures() {
        let bids = [("790560.00", false), ("805200.00", false), ("826600.00", false)];
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            "790560.00",
            "826600.00",
            "807453.33",
            "805200.00",
            "93.91",
            "98.19",
        ]
        .map(some);
        assert_eq!(figures(&bids, "841800.00"), expected);
    }

    #[test]
    fn bids_that_are_out_are_counted_and_their_prices_left_out() {
        let bids = [("1.00", true), ("10.00", false), ("10.01", false)];
        let found = statistics(&record(&bids), None).unwrap();
        assert_eq!((found.bids, found.opened, found.out), (3, 3, 1));
        assert_eq!(
            (
                found.lowest.unwrap().to_string(),
                found.median.unwrap().to_string()
            ),
            ("10.00".to_owned(), "10.01".to_owned())
        );
        assert_eq!((found.ceiling, found.lowest_percent_of_ceiling), (None, None));
    }

    #[test]
    fn nothing_in_order_has_no_prices() {
        assert_eq!(figures(&[("1.00", true)], "10.00"), vec![None; 6]);
        assert_eq!(figures(&[], "10.00"), vec![None; 6]);
    }
}
