//! Worked examples of the domain, reproduced to the fen and to the hundredth of a point.
//!
//! They must never be adjusted to the code: E1 is a published result, the others were computed by
//! hand.

use rust_decimal::Decimal;

use super::money::{Money, Rounding};
use super::score::{Proportion, Score, Weight};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn score(text: &str) -> Score {
    text.parse().unwrap()
}

fn weight(text: &str) -> Weight {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// Price scores by the benchmark rule, half-up to two decimals; the lowest price is the benchmark.
fn price_scores(prices: &[Money], full_marks: Score) -> Vec<Score> {
    let benchmark = *prices.iter().min().unwrap();
    let price_score = |whole| {
        let of = Proportion {
            part: benchmark,
            whole,
            full_marks,
        };
        Score::proportion(of, 2, Rounding::HalfUp).unwrap()
    };
    prices.iter().copied().map(price_score).collect()
}

fn texts(scores: &[Score]) -> Vec<String> {
    scores.iter().map(Score::to_string).collect()
}

fn totals(price_scores: &[Score], others: &[&str]) -> Vec<String> {
    let total =
        |(price_score, other): (&Score, &&str)| price_score.checked_add(score(other)).unwrap().to_string();
    price_scores.iter().zip(others).map(total).collect()
}

#[test]
fn e1_price_scores_of_a_published_result() {
    let prices = ["2311110.40", "2296472.00", "2299360.00", "2288231.72"].map(money);
    let scores = price_scores(&prices, score("20"));
    assert_eq!(texts(&scores), ["19.80", "19.93", "19.90", "20.00"]);

    let totals = totals(&scores, &["49.50", "56.00", "49.00", "75.00"]);
    assert_eq!(totals, ["69.30", "75.93", "68.90", "95.00"]);
    let ranks = totals
        .iter()
        .map(|own| 1 + totals.iter().filter(|other| score(other) > score(own)).count());
    assert_eq!(ranks.collect::<Vec<_>>(), [3, 2, 4, 1]);
}

#[test]
fn e2_a_deduction_for_small_enterprises_flips_the_award() {
    let prices = ["2248000", "2298600", "2156000", "2331000"].map(money);
    let others = ["60.20", "60.10", "58.40", "55.70"];
    let full_marks = score("30");

    let scores = price_scores(&prices, full_marks);
    assert_eq!(texts(&scores), ["28.77", "28.14", "30.00", "27.75"]);
    assert_eq!(totals(&scores, &others), ["88.97", "88.24", "88.40", "83.45"]);

    let small = [false, true, false, true];
    let evaluated: Vec<Money> = prices
        .iter()
        .zip(small)
        .map(|(price, small)| evaluated_price(*price, small))
        .collect();
    let scores = price_scores(&evaluated, full_marks);
    assert_eq!(texts(&scores), ["27.61", "30.00", "28.79", "29.58"]);
    assert_eq!(totals(&scores, &others), ["87.81", "90.10", "87.19", "85.28"]);
}

fn evaluated_price(price: Money, small: bool) -> Money {
    let percent = if small { decimal("10") } else { Decimal::ZERO };
    price
        .checked_sub(price.percent_of(percent, Rounding::HalfUp).unwrap())
        .unwrap()
}

#[test]
fn e3_pay_of_four_periods() {
    let fee = money("2298600").split_evenly(12).unwrap().pop().unwrap();
    assert_eq!(fee, money("191550.00"));
    for (inspection, satisfaction, expected, deduction, pay) in [
        ("93.4", "88.0", "92.32", "0.00", "191550.00"),
        ("88.5", "82.0", "87.20", "2681.70", "188868.30"),
        ("80.5", "78.0", "80.00", "9577.50", "181972.50"),
        ("78.0", "74.5", "77.30", "14749.35", "176800.65"),
    ] {
        let parts = [
            (score(inspection), weight("80")),
            (score(satisfaction), weight("20")),
        ];
        let period = Score::weighted_sum(&parts, 2, Rounding::HalfUp).unwrap();
        assert_eq!(period.to_string(), expected);

        let deducted = fee
            .percent_of(deducted_percent(period), Rounding::HalfUp)
            .unwrap();
        assert_eq!(deducted.to_string(), deduction);
        assert_eq!(fee.checked_sub(deducted).unwrap().to_string(), pay);
    }
}

/// The bands of the example: full pay from 90; 0.5 % a point below 90; 5 % and 1 % a point below
/// 80; 20 % below 70.
fn deducted_percent(period: Score) -> Decimal {
    let below = |threshold| score(threshold).checked_sub(period).unwrap().points();
    if period >= score("90") {
        Decimal::ZERO
    } else if period >= score("80") {
        decimal("0.5") * below("90")
    } else if period >= score("70") {
        decimal("5") + below("80")
    } else {
        decimal("20")
    }
}

#[test]
fn e4_survey_late_interest_and_payments() {
    let ballots = [("100", 120), ("80", 50), ("60", 20), ("40", 8), ("0", 2)]
        .map(|(points, count)| (score(points), count));
    assert_eq!(
        Score::mean(&ballots, 1, Rounding::HalfUp).unwrap().to_string(),
        "87.6"
    );
    let shares = [("100", "60"), ("80", "25"), ("60", "10"), ("40", "4"), ("0", "1")];
    let weighted = shares.map(|(points, percent)| (score(points), weight(percent)));
    assert_eq!(
        Score::weighted_sum(&weighted, 1, Rounding::HalfUp).unwrap(),
        score("87.6")
    );

    let ten_days = decimal("0.05") * Decimal::from(10);
    let interest = money("191550").percent_of(ten_days, Rounding::HalfUp).unwrap();
    assert_eq!(interest, money("957.75"));

    let payments = money("826600").split_evenly(12).unwrap();
    assert_eq!(
        payments
            .iter()
            .filter(|payment| **payment == money("68883.33"))
            .count(),
        11
    );
    assert_eq!(payments.last().copied(), Some(money("68883.37")));
}
