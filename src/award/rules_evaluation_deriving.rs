//! From the input of an evaluation to its result, step by step: 87号令 arts 54–57. Whoever has the input gets the same steps and the same
//! result, to the byte, on any machine. Pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::award::rules_evaluation::{Bid, Criterion, Input, Out, Yuan};
use crate::award::rules_evaluation_derivation::{
    Derivation, FORMAT, Flag, JudgedBid, Judgement, Step, StepKind,
};
use crate::award::rules_evaluation_exact::Exact;
use crate::award::rules_evaluation_lowness::limits;
use crate::award::rules_evaluation_ranking::{Contender, rank};
use crate::award::rules_results::Outcome;
use crate::books::rules_documents::{CriterionKind, Method, RoundingStage};
use crate::kernel::refusal::Objection;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;

/// The code of a bid that costs more than the ceiling.
pub const ABOVE_CEILING: &str = "above_ceiling";
/// The code of a bid whose quality is not enough.
pub const BELOW_THRESHOLD: &str = "below_threshold";

/// What a derivation is of, if it is one of a ward's lots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The lot.
    pub lot_id: Option<String>,
    /// Its book.
    pub book_id: Option<String>,
    /// The round.
    pub round: Option<u32>,
}

/// Evaluates the bids.
///
/// # Errors
/// That a draw decides and there is nothing to draw from.
pub fn derive(subject: Subject, input: Input) -> Result<Derivation, Vec<Objection>> {
    let mut course = Course::begun(&input);
    let is_enough = course.responsive();
    let mut ranking = Vec::new();
    if is_enough {
        course.low_prices();
        course.evaluated_prices();
        course.criteria();
        course.threshold();
        course.price_scores();
        course.totals();
        ranking = course.ranked()?;
    }
    let outcome = if ranking.is_empty() {
        Outcome::Unsuccessful
    } else {
        Outcome::Ranked
    };
    let result = Judgement {
        outcome: outcome.name().to_owned(),
        benchmark_price: course.benchmark.as_ref().map(|price| price.text(2)),
        bids: course.standing.iter().map(|one| one.judged(&input)).collect(),
        ranking,
    };
    let steps = std::mem::take(&mut course.steps);
    Ok(Derivation {
        format: FORMAT.to_owned(),
        lot_id: subject.lot_id,
        book_id: subject.book_id,
        round: subject.round,
        steps,
        result,
        input,
    })
}

/// How a bid stands so far.
struct Standing<'i> {
    bid: &'i Bid,
    out: Option<Out>,
    flags: Vec<Flag>,
    evaluated_price: Option<Exact>,
    scores: BTreeMap<&'i str, Exact>,
    technical: Exact,
    quality: Exact,
    price_score: Option<Exact>,
    total: Option<Exact>,
    rank: Option<u32>,
}

impl<'i> Standing<'i> {
    const fn is_in(&self) -> bool {
        self.out.is_none()
    }

    fn judged(&self, input: &Input) -> JudgedBid {
        let places = input.rounding.places;
        let shown = |one: &Exact| one.rounded(places, input.rounding.mode).text(places);
        JudgedBid {
            bidder: self.bid.bidder.clone(),
            evaluated_price: self.evaluated_price.as_ref().map(|price| price.text(2)),
            price_score: self.price_score.as_ref().map(shown),
            scores: self
                .scores
                .iter()
                .map(|(code, score)| ((*code).to_owned(), shown(score)))
                .collect(),
            total: self.total.as_ref().map(shown),
            rank: self.rank,
            flags: self.flags.clone(),
            out: self.out.clone(),
        }
    }
}

/// An evaluation on its way.
struct Course<'i> {
    input: &'i Input,
    standing: Vec<Standing<'i>>,
    benchmark: Option<Exact>,
    steps: Vec<Step>,
}

impl<'i> Course<'i> {
    fn begun(input: &'i Input) -> Self {
        let standing = input.bids.iter().map(|bid| Standing {
            bid,
            out: bid.out.clone(),
            flags: Vec::new(),
            evaluated_price: None,
            scores: BTreeMap::new(),
            technical: Exact::zero(),
            quality: Exact::zero(),
            price_score: None,
            total: None,
            rank: None,
        });
        let mut course = Self {
            input,
            standing: standing.collect(),
            benchmark: None,
            steps: Vec::new(),
        };
        course.quorum();
        course.put_out();
        course
    }

    fn quorum(&mut self) {
        let Some(meeting) = self.input.meeting else { return };
        let quorum = meeting.quorum;
        let sign = if quorum.exceeded { ">" } else { "≥" };
        self.steps.push(Step {
            step: StepKind::Quorum,
            bidder: None,
            of: None,
            formula: format!("present ÷ eligible {sign} numerator ÷ denominator"),
            numbers: format!(
                "{} ÷ {} {sign} {} ÷ {}",
                meeting.present, meeting.eligible, quorum.numerator, quorum.denominator
            ),
            result: verdict(meeting.is_quorate()),
        });
    }

    fn put_out(&mut self) {
        for one in &mut self.standing {
            let above = self.input.ceiling.filter(|ceiling| one.bid.price > *ceiling);
            let (formula, numbers) = match (&one.out, above) {
                (Some(_), _) => ("out, as the input has it", String::new()),
                (None, Some(ceiling)) => ("price > ceiling", format!("{} > {ceiling}", one.bid.price)),
                (None, None) => continue,
            };
            let out = one.out.get_or_insert_with(|| plain_out(ABOVE_CEILING));
            self.steps.push(Step {
                step: StepKind::Out,
                bidder: Some(one.bid.bidder.clone()),
                of: None,
                formula: formula.to_owned(),
                numbers,
                result: out.code.clone(),
            });
        }
    }

    /// Whether enough bids are left; with none left there is nothing to evaluate, whatever the input asks for.
    fn responsive(&mut self) -> bool {
        let left = self.standing.iter().filter(|one| one.is_in()).count();
        let needed = self.input.min_bidders.unwrap_or(1);
        let is_enough = u32::try_from(left).is_ok_and(|left| left >= needed);
        self.steps.push(Step {
            step: StepKind::ResponsiveBids,
            bidder: None,
            of: None,
            formula: "bids that are not out ≥ min_bidders".to_owned(),
            numbers: format!("{left} ≥ {needed}"),
            result: verdict(is_enough),
        });
        is_enough
    }

    fn low_prices(&mut self) {
        let Some(percents) = self.input.abnormally_low else {
            return;
        };
        let left = self.standing.iter().filter(|one| one.is_in());
        let prices: Vec<Yuan> = left.map(|one| one.bid.original()).collect();
        let cap = self.input.ceiling.or(self.input.budget);
        for limit in limits(percents, &prices, cap) {
            let text = limit.yuan.text(2);
            self.steps.push(Step {
                step: StepKind::AbnormallyLowLimit,
                bidder: None,
                of: Some(limit.test.name().to_owned()),
                formula: limit.test.formula().to_owned(),
                numbers: limit.numbers.clone(),
                result: text.clone(),
            });
            for one in self.standing.iter_mut().filter(|one| one.is_in()) {
                let price = one.bid.original();
                if !limit.is_above(price) {
                    continue;
                }
                self.steps.push(Step {
                    step: StepKind::AbnormallyLow,
                    bidder: Some(one.bid.bidder.clone()),
                    of: Some(limit.test.name().to_owned()),
                    formula: "original_price < limit".to_owned(),
                    numbers: format!("{price} < {text}"),
                    result: verdict(true),
                });
                one.flags.push(Flag {
                    flag: StepKind::ABNORMALLY_LOW.to_owned(),
                    test: limit.test.name().to_owned(),
                    limit: text.clone(),
                });
            }
        }
    }

    fn evaluated_prices(&mut self) {
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            let price = Exact::yuan(one.bid.price.0);
            let percent = match (one.bid.sme, one.bid.sme_consortium) {
                (true, _) => self.input.sme_deduction_percent,
                (false, true) => self.input.consortium_deduction_percent,
                (false, false) => None,
            };
            let (formula, numbers, evaluated) = match percent {
                Some(percent) => {
                    let name = if one.bid.sme {
                        "sme_deduction_percent"
                    } else {
                        "consortium_deduction_percent"
                    };
                    let left = Exact::part(Weight::HUNDRED).minus(&Exact::part(percent));
                    (
                        format!("price × (100 − {name}) ÷ 100"),
                        format!("{} × (100 − {percent}) ÷ 100", one.bid.price),
                        price.times(&left),
                    )
                }
                None => ("price".to_owned(), one.bid.price.to_string(), price),
            };
            self.steps.push(Step {
                step: StepKind::EvaluatedPrice,
                bidder: Some(one.bid.bidder.clone()),
                of: None,
                formula,
                numbers,
                result: evaluated.text(2),
            });
            one.evaluated_price = Some(evaluated);
        }
    }

    fn criteria(&mut self) {
        if !self.input.scores_criteria() {
            return;
        }
        let rounding = Rounded::of(self.input);
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            for criterion in &self.input.criteria {
                let (step, score) = rounding.criterion(one.bid, criterion);
                self.steps.push(step);
                if criterion.kind == CriterionKind::Technical {
                    one.technical = one.technical.plus(&score);
                }
                one.quality = one.quality.plus(&score);
                one.scores.insert(&criterion.code, score);
            }
        }
    }

    fn threshold(&mut self) {
        let Some(threshold) = self.input.technical_threshold else {
            return;
        };
        let limit = Exact::decimal(threshold.points());
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            let is_enough = one.quality >= limit;
            let scores: Vec<String> = one.scores.values().map(|score| score.text(0)).collect();
            self.steps.push(Step {
                step: StepKind::TechnicalScore,
                bidder: Some(one.bid.bidder.clone()),
                of: None,
                formula: "sum of criterion scores ≥ technical_threshold".to_owned(),
                numbers: format!("{} = {} ≥ {threshold}", scores.join(" + "), one.quality.text(0)),
                result: verdict(is_enough),
            });
            if !is_enough {
                one.out = Some(plain_out(BELOW_THRESHOLD));
            }
        }
    }

    fn price_scores(&mut self) {
        let Some(points) = self.input.price_points.filter(|_| self.input.scores_price()) else {
            return;
        };
        let left = self.standing.iter().filter(|one| one.is_in());
        let Some(benchmark) = left.filter_map(|one| one.evaluated_price.clone()).min() else {
            return;
        };
        self.steps.push(Step {
            step: StepKind::BenchmarkPrice,
            bidder: None,
            of: None,
            formula: "lowest evaluated_price of the bids that are not out".to_owned(),
            numbers: String::new(),
            result: benchmark.text(2),
        });
        let rounding = Rounded::of(self.input);
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            let Some(evaluated) = &one.evaluated_price else {
                continue;
            };
            let exact = benchmark.times(&Exact::decimal(points.points())).over(evaluated);
            let score = rounding.factor(exact.unwrap_or_else(Exact::zero));
            self.steps.push(Step {
                step: StepKind::PriceScore,
                bidder: Some(one.bid.bidder.clone()),
                of: None,
                formula: format!(
                    "benchmark_price ÷ evaluated_price × price_points{}",
                    rounding.of_factor
                ),
                numbers: format!("{} ÷ {} × {points}", benchmark.text(2), evaluated.text(2)),
                result: rounding.text(&score),
            });
            one.price_score = Some(score);
        }
        self.benchmark = Some(benchmark);
    }

    fn totals(&mut self) {
        if !self.input.scores_criteria() {
            return;
        }
        let rounding = Rounded::of(self.input);
        let weights = self
            .input
            .technical_weight_percent
            .zip(self.input.financial_weight_percent);
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            let (formula, numbers, exact) = total(one, weights);
            let total = exact.rounded(rounding.places, self.input.rounding.mode);
            self.steps.push(Step {
                step: StepKind::Total,
                bidder: Some(one.bid.bidder.clone()),
                of: None,
                formula: format!("{formula}{}", rounding.of_total),
                numbers,
                result: total.text(rounding.places),
            });
            one.total = Some(total);
        }
    }

    fn ranked(&mut self) -> Result<Vec<String>, Vec<Objection>> {
        let is_by_price = self.input.method == Method::LowestEvaluatedPrice;
        let left = self.standing.iter().filter(|one| one.is_in());
        let contenders = left.map(|one| Contender {
            bidder: &one.bid.bidder,
            total: one.total.clone().filter(|_| !is_by_price),
            evaluated_price: one.evaluated_price.clone().filter(|_| is_by_price),
            price: one.bid.price,
            technical: one.technical.clone(),
        });
        let seed = self.input.draw_seed.as_deref();
        let ranked = rank(
            contenders.collect(),
            self.input.tie_rule,
            seed,
            self.input.rounding.places,
        )?;
        self.steps.extend(ranked.steps);
        let places: HashMap<&str, u32> = ranked.order.iter().map(String::as_str).zip(1_u32..).collect();
        for one in self.standing.iter_mut().filter(|one| one.is_in()) {
            one.rank = places.get(one.bid.bidder.as_str()).copied();
        }
        Ok(ranked.order)
    }
}

impl StepKind {
    /// The name of the flag of a price that is too low.
    pub const ABNORMALLY_LOW: &'static str = "abnormally_low";
}

fn verdict(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn plain_out(code: &str) -> Out {
    Out {
        code: code.to_owned(),
        reason_zh: None,
        reason_en: None,
    }
}

fn total(one: &Standing<'_>, weights: Option<(Weight, Weight)>) -> (&'static str, String, Exact) {
    let price = one.price_score.clone().unwrap_or_else(Exact::zero);
    if let Some((technical, financial)) = weights {
        let quality = one.quality.times(&Exact::part(technical));
        let numbers = format!(
            "{} × {technical} ÷ 100 + {} × {financial} ÷ 100",
            one.quality.text(0),
            price.text(0)
        );
        return (
            "sum of criterion scores × technical_weight_percent ÷ 100 + price_score × financial_weight_percent ÷ 100",
            numbers,
            quality.plus(&price.times(&Exact::part(financial))),
        );
    }
    let scores = one.scores.values().chain(&one.price_score);
    let texts: Vec<String> = scores.map(|score| score.text(0)).collect();
    let formula = if one.price_score.is_some() {
        "sum of criterion scores + price_score"
    } else {
        "sum of criterion scores"
    };
    (formula, texts.join(" + "), one.quality.plus(&price))
}

/// The scores as a sum, as they were given: `4.50 + 3 + 4.25`.
fn sum_of(given: &[Score]) -> String {
    let mut text = String::with_capacity(given.len().saturating_mul(8));
    for score in given {
        if !text.is_empty() {
            text.push_str(" + ");
        }
        // Writing to a text does not fail.
        let _ = write!(text, "{score}");
    }
    text
}

/// Where the book rounds, and how that is said.
struct Rounded<'i> {
    input: &'i Input,
    places: u32,
    of_criterion: String,
    of_factor: String,
    of_total: String,
}

impl<'i> Rounded<'i> {
    fn of(input: &'i Input) -> Self {
        let rounding = input.rounding;
        let mode = match rounding.mode {
            crate::kernel::fixed::Rounding::HalfUp => "half_up",
            crate::kernel::fixed::Rounding::HalfEven => "half_even",
            crate::kernel::fixed::Rounding::Down => "down",
        };
        let said = format!(", rounded {mode} to {} places", rounding.places);
        let is_by_factor = rounding.stage == RoundingStage::Factor;
        let of_factor = if is_by_factor { said.clone() } else { String::new() };
        // Weights give a sum of rounded factors more places again.
        let is_total_rounded = !is_by_factor || input.technical_weight_percent.is_some();
        Self {
            input,
            places: rounding.places,
            of_criterion: format!("sum of scores ÷ number of scores{of_factor}"),
            of_factor,
            of_total: if is_total_rounded { said } else { String::new() },
        }
    }

    /// A factor as it goes into the total.
    fn factor(&self, exact: Exact) -> Exact {
        if self.of_factor.is_empty() {
            exact
        } else {
            exact.rounded(self.places, self.input.rounding.mode)
        }
    }

    fn text(&self, factor: &Exact) -> String {
        if self.of_factor.is_empty() {
            factor.text(0)
        } else {
            factor.text(self.places)
        }
    }

    fn criterion(&self, bid: &Bid, criterion: &Criterion) -> (Step, Exact) {
        let given = bid.scores.get(&criterion.code).map_or(&[][..], Vec::as_slice);
        // At most fifty scores of at most six decimals: no digit of their sum is lost in a Decimal.
        let sum = given.iter().fold(Decimal::ZERO, |sum, one| sum + one.points());
        let mean = Exact::decimal(sum).over(&Exact::count(given.len()));
        let score = self.factor(mean.unwrap_or_else(Exact::zero));
        let step = Step {
            step: StepKind::CriterionScore,
            bidder: Some(bid.bidder.clone()),
            of: Some(criterion.code.clone()),
            formula: self.of_criterion.clone(),
            numbers: format!("({}) ÷ {}", sum_of(given), given.len()),
            result: self.text(&score),
        };
        (step, score)
    }
}
