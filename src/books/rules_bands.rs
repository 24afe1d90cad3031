//! What is paid for which score. A table's bands cover 0 to 100 with neither gap nor overlap, so that no score is without an answer
//! and none has two; 100 belongs to the top band. Pure.

use rust_decimal::Decimal;

use crate::books::rules_documents::BandDocument;
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// Finds every fault of a table's bands.
pub fn check(form: &mut Form, pointer: &str, bands: &[BandDocument]) {
    let mut reached = Score::ZERO;
    for (index, band) in bands.iter().enumerate() {
        let at = |field: &str| format!("{pointer}/{index}/{field}");
        let (from, until) = (band.from, reached);
        if from > until {
            form.object(
                &at("from"),
                text!(
                    "应从 {until} 开始：得分 {until}–{from} 没有对应的档次",
                    "must begin at {until}: there is a gap, scores of {until}–{from} are in no band"
                ),
            );
        } else if from < until {
            form.object(
                &at("from"),
                text!(
                    "应从 {until} 开始：得分 {from}–{until} 与前一档重叠",
                    "must begin at {until}: there is an overlap, scores of {from}–{until} are in two bands"
                ),
            );
        }
        if band.to <= band.from {
            form.object(
                &at("to"),
                Text::fixed("应大于起始分", "must lie above the beginning"),
            );
        }
        for (field, amount) in [
            ("amount_per_point", band.amount_per_point),
            ("flat_amount", band.flat_amount),
        ] {
            if amount.is_negative() {
                form.object(&at(field), Text::fixed("不得为负", "must not be negative"));
            }
        }
        if band.point_step.is_some_and(|step| step <= Score::ZERO) {
            form.object(&at("point_step"), Text::fixed("应大于 0", "must be more than 0"));
        }
        reached = band.to;
    }
    if reached != Score::HUNDRED {
        let last = bands.len().saturating_sub(1);
        form.object(
            &format!("{pointer}/{last}/to"),
            text!(
                "最高一档应到 100：得分 {reached}–100 没有对应的档次",
                "must end at 100, as the top band: scores of {reached}–100 are in no band"
            ),
        );
    }
}

/// The band that a score belongs to.
pub fn band_of(bands: &[BandDocument], score: Score) -> Option<&BandDocument> {
    let top = bands.last().filter(|band| score == band.to);
    top.or_else(|| bands.iter().find(|band| band.from <= score && score < band.to))
}

/// What is paid of a period's price for a score; never less than nothing. The deduction is rounded half up, once.
///
/// # Errors
/// A fault if no band has the score, or an amount is beyond all bounds.
pub fn paid(bands: &[BandDocument], fee: Money, score: Score) -> Result<Money, Fault> {
    let broken = |what: &str| Fault::broken(format!("what is paid for the score {score}: {what}"));
    let band = band_of(bands, score).ok_or_else(|| broken("no band has it"))?;
    let points = band.to.points().checked_sub(score.points());
    let points = points.ok_or_else(|| broken("its distance"))?;
    let steps = match band.point_step {
        Some(step) => points.checked_div(step.points()).map(|steps| steps.floor()),
        None => Some(points),
    };
    let steps = steps.ok_or_else(|| broken("its steps"))?;
    let rate = band.rate_per_point.percent().checked_mul(steps);
    let below_full = Decimal::ONE_HUNDRED.checked_sub(band.base_rate.percent());
    let rate = rate
        .zip(below_full)
        .and_then(|(rate, base)| rate.checked_add(base));
    let rate = rate.ok_or_else(|| broken("its rate"))?.min(Decimal::ONE_HUNDRED);
    let money = |error| Fault::caused("what is paid for a score", error);
    let deduction = [
        fee.percent_of(rate, Rounding::HalfUp).map_err(money)?,
        band.amount_per_point
            .times(steps, Rounding::HalfUp)
            .map_err(money)?,
        band.flat_amount,
    ];
    let left = fee
        .checked_sub(Money::sum(deduction).map_err(money)?)
        .map_err(money)?;
    Ok(left.max(Money::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn band(from: &str, to: &str, base: &str, rate: &str) -> BandDocument {
        let zero = json!({"amount": "0.00", "currency": "CNY"});
        serde_json::from_value(
            json!({"from": from, "to": to, "base_rate": base, "rate_per_point": rate,
            "amount_per_point": zero, "flat_amount": zero}),
        )
        .unwrap()
    }

    fn yuan(amount: &str) -> Money {
        amount.parse().unwrap()
    }

    fn for_score(bands: &[BandDocument], fee: &str, score: &str) -> String {
        assert_eq!(faults(bands), Vec::<String>::new());
        paid(bands, yuan(fee), score.parse().unwrap())
            .unwrap()
            .to_string()
    }

    fn faults(bands: &[BandDocument]) -> Vec<String> {
        let mut form = Form::new();
        check(&mut form, "", bands);
        match form.finish(()) {
            Ok(()) => Vec::new(),
            Err(refusal) => refusal.objections.into_iter().map(|one| one.pointer).collect(),
        }
    }

    fn amounts(band: BandDocument, per_point: &str, flat: &str, step: Option<&str>) -> BandDocument {
        BandDocument {
            amount_per_point: yuan(per_point),
            flat_amount: yuan(flat),
            point_step: step.map(|step| step.parse().unwrap()),
            ..band
        }
    }

    #[test]
    fn the_hospitals_table_takes_ten_thousand_for_each_point_and_its_survey_has_one_of_its_own() {
        let full = band("90", "100", "100", "0");
        let score = [
            amounts(band("0", "90", "100", "0"), "10000.00", "0.00", None),
            full.clone(),
        ];
        assert_eq!(for_score(&score, "1000000.00", "87.5"), "975000.00");
        assert_eq!(
            for_score(&score, "500000.00", "10"),
            "0.00",
            "never less than nothing"
        );
        let survey = [
            amounts(band("0", "80", "100", "0"), "0.00", "5000.00", None),
            amounts(band("80", "90", "100", "0"), "1000.00", "0.00", Some("5")),
            full,
        ];
        assert_eq!(for_score(&survey, "100000.00", "79.99"), "95000.00");
        assert_eq!(for_score(&survey, "100000.00", "85"), "99000.00");
        assert_eq!(
            for_score(&survey, "100000.00", "85.01"),
            "100000.00",
            "no full five points"
        );
        assert_eq!(for_score(&survey, "100000.00", "80"), "98000.00");
    }

    #[test]
    fn the_schools_tables_take_a_part_for_each_point_and_one_with_a_gap_is_refused() {
        let a = [band("0", "90", "100", "0.1"), band("90", "100", "100", "0")];
        assert_eq!(for_score(&a, "187366.67", "88"), "186991.94");
        assert_eq!(for_score(&a, "187366.67", "100"), "187366.67");
        let b = [band("0", "80", "100", "0.3"), band("90", "100", "100", "0")];
        assert_eq!(faults(&b), ["/1/from"], "80 to 90 is undefined");
        let overlapping = [band("0", "91", "100", "0.3"), band("90", "100", "100", "0")];
        assert_eq!(faults(&overlapping), ["/1/from"]);
        assert_eq!(faults(&[band("0", "99", "100", "0")]), ["/0/to"]);
        assert_eq!(faults(&[band("1", "100", "100", "0")]), ["/0/from"]);
        assert_eq!(
            faults(&[band("0", "0", "100", "0"), band("0", "100", "100", "0")]),
            ["/0/to"]
        );
        assert_eq!(
            faults(&[amounts(band("0", "100", "100", "0"), "-1.00", "-0.01", Some("0"))]),
            ["/0/amount_per_point", "/0/flat_amount", "/0/point_step"]
        );
    }

    #[test]
    fn the_agencys_table_counts_full_fives_and_the_streets_and_gardens_pay_by_the_score() {
        let agency = [
            amounts(band("0", "90", "100", "1"), "0.00", "0.00", Some("5")),
            band("90", "100", "100", "0"),
        ];
        assert_eq!(for_score(&agency, "64000.00", "86"), "64000.00");
        assert_eq!(for_score(&agency, "64000.00", "79.9"), "62720.00");
        let street = [band("0", "98", "100", "1"), band("98", "100", "100", "0")];
        assert_eq!(for_score(&street, "100000.00", "88"), "90000.00");
        assert_eq!(for_score(&street, "100000.00", "98"), "100000.00");
        let garden = [
            band("0", "75", "0", "0"),
            band("75", "90", "90", "1"),
            band("90", "100", "100", "0"),
        ];
        assert_eq!(for_score(&garden, "100000.00", "82.5"), "82500.00");
        assert_eq!(for_score(&garden, "100000.00", "74.9"), "0.00");
    }

    /// E3 of the worked examples.
    #[test]
    fn a_periods_pay_comes_out_to_the_fen() {
        let bands = [
            band("0", "70", "80", "0"),
            band("70", "80", "95", "1"),
            band("80", "90", "100", "0.5"),
            band("90", "100", "100", "0"),
        ];
        for (score, expected) in [
            ("92.32", "191550.00"),
            ("87.20", "188868.30"),
            ("80.00", "181972.50"),
            ("77.30", "176800.65"),
            ("69.99", "153240.00"),
        ] {
            assert_eq!(for_score(&bands, "191550.00", score), expected, "{score}");
        }
    }

    proptest! {
        /// Bands made of any cuts have exactly one answer for every score; and without one of them some score has none.
        #[test]
        fn every_score_has_exactly_one_band(cuts in proptest::collection::btree_set(1_u32..100, 0..12), score in 0_u32..=10_000, lost in any::<prop::sample::Index>()) {
            let mut edges = vec![0];
            edges.extend(cuts);
            edges.push(100);
            let bands: Vec<BandDocument> = edges.windows(2).map(|pair| band(&pair[0].to_string(), &pair[1].to_string(), "100", "0")).collect();
            prop_assert_eq!(faults(&bands), Vec::<String>::new());
            let score = Score::new(Decimal::new(i64::from(score), 2)).unwrap();
            let holding = bands.iter().filter(|band| band.from <= score && (score < band.to || (score == Score::HUNDRED && band.to == Score::HUNDRED))).count();
            prop_assert_eq!(holding, 1);
            prop_assert!(band_of(&bands, score).is_some());
            let mut gapped = bands.clone();
            gapped.remove(lost.index(bands.len()));
            if !gapped.is_empty() {
                prop_assert!(!faults(&gapped).is_empty());
            }
            let mut doubled = bands.clone();
            doubled.insert(lost.index(bands.len()), bands[lost.index(bands.len())].clone());
            prop_assert!(!faults(&doubled).is_empty());
        }

        /// Wherever one band begins too late or too early, that place is told, with the scores that are in no band or in two.
        #[test]
        fn a_gap_and_an_overlap_are_named(cuts in proptest::collection::btree_set(10_u32..90, 1..12), moved in any::<prop::sample::Index>(), by in 1_u32..10, is_gap in any::<bool>()) {
            let mut edges = vec![0];
            edges.extend(cuts);
            edges.push(100);
            let mut bands: Vec<BandDocument> = edges.windows(2).map(|pair| band(&pair[0].to_string(), &pair[1].to_string(), "100", "0")).collect();
            let at = 1 + moved.index(bands.len() - 1);
            let edge = edges[at];
            let begins = if is_gap { (edge + by).min(edges[at + 1] - 1) } else { edge - by };
            prop_assume!(begins != edge);
            bands[at].from = begins.to_string().parse().unwrap();
            let mut form = Form::new();
            check(&mut form, "", &bands);
            let objections = form.finish(()).unwrap_err().objections;
            prop_assert_eq!(objections.len(), 1);
            prop_assert_eq!(&objections[0].pointer, &format!("/{at}/from"));
            let (low, high) = (edge.min(begins), edge.max(begins));
            let (named, what) = (format!("{low}–{high}"), if is_gap { "gap" } else { "overlap" });
            prop_assert!(objections[0].detail.en().contains(&named) && objections[0].detail.en().contains(what) && objections[0].detail.zh().contains(&named));
        }
    }
}
