//! Score sheets: what a member of the panel may give a bid, when a sheet is whole, on which grounds bids are scored again, and what an
//! evaluation goes in with once all of that is there (87号令 arts 55, 61, 64). Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::award::rules_admission::{Admitted, Verdict};
use crate::award::rules_appraisals::Appraised;
use crate::award::rules_evaluation::{AbnormallyLow, Bid, Criterion, Input, Out, Yuan};
use crate::award::rules_results::ROUNDS_MAX;
use crate::bids::rules::BidId;
use crate::books::rules::LotId;
use crate::books::rules_documents::{
    BookDocument, CriterionDocument, CriterionKind, LotDocument, Method, SmeDocument, TieRule,
};
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Fault, Kind, Reason, Refusal};
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::statutes::codes::{self, Key};
use crate::statutes::profile::Profile;
use crate::statutes::value::Percent;
use crate::text;

/// Decimals of a score that somebody gives.
const PLACES_MAX: u32 = 2;
/// Bids on one sheet at most.
pub const BIDS_MAX: usize = 1_000;
/// Characters of a reason.
pub const REASON_LENGTH_MAX: usize = 2_000;

/// The examination of the bids is not settled.
pub static SCORING_NOT_YET: Reason = Reason::new(
    Kind::Conflict,
    "scoring_not_yet",
    "资格性、符合性审查尚未全部完成，不得评分",
    "Bids are scored when their examination is settled, and it is not",
);
/// There is nothing to score.
pub static SCORING_NOTHING: Reason = Reason::new(
    Kind::Conflict,
    "scoring_nothing",
    "有效投标不足或评审方法无需评分",
    "Too few bids are left to be scored, or the method has no scores",
);
/// The round was concluded.
pub static SCORING_CONCLUDED: Reason = Reason::new(
    Kind::Conflict,
    "scoring_concluded",
    "本轮评审已经汇总，不得修改",
    "This round was concluded and does not change any more",
);
/// The sheet was handed in.
pub static SHEET_HANDED_IN: Reason = Reason::new(
    Kind::Conflict,
    "sheet_handed_in",
    "评分表已经提交，不得修改",
    "The sheet was handed in and does not change any more",
);
/// Somebody has not handed in a sheet.
pub static SHEETS_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "sheets_missing",
    "尚有评委未提交评分表",
    "Somebody of the panel has not handed in a sheet",
);
/// Bids are scored again after a round only.
pub static RESCORING_NOT_CONCLUDED: Reason = Reason::new(
    Kind::Conflict,
    "rescoring_not_concluded",
    "没有已汇总的评审结果可供重新评审",
    "There is no concluded round to score again",
);
/// The result is public, or the lot has ended.
pub static RESCORING_TOO_LATE: Reason = Reason::new(
    Kind::Conflict,
    "rescoring_too_late",
    "评审结果已公告或标段已终结，不得重新评审",
    "The result was published or the lot has ended; bids are not scored again",
);
/// That ground does not apply.
pub static RESCORING_GROUND: Reason = Reason::new(
    Kind::Conflict,
    "rescoring_ground",
    "监管部门责令重新评审的，且仅在此情形下，方可以此为由",
    "Bids are scored again by order exactly when the regulator has ordered it",
);
/// Bids were scored as often as they may be.
pub static RESCORING_TOO_OFTEN: Reason = Reason::new(
    Kind::Conflict,
    "rescoring_too_often",
    "重新评审次数已达上限",
    "The bids were scored as often as they may be",
);
/// The member has said so already.
pub static EVALUATION_DISSENTED: Reason = Reason::new(
    Kind::Conflict,
    "evaluation_dissented",
    "您已记录不同意见",
    "You have noted your dissent already",
);

/// Whether another round may be opened where the panel scores something, or where the regulator has ordered it. What is ordered is done where the panel
/// scores nothing too: the bids are ranked again, by price or by what the residents have said.
///
/// # Errors
/// [`SCORING_NOTHING`].
pub fn may_begin_anew(is_scored: bool, is_ordered: bool) -> Result<(), Refusal> {
    if is_scored || is_ordered {
        Ok(())
    } else {
        Err(SCORING_NOTHING.refuse())
    }
}

/// The reasons of this file.
pub static REASONS: [&Reason; 10] = [
    &SCORING_NOT_YET,
    &SCORING_NOTHING,
    &SCORING_CONCLUDED,
    &SHEET_HANDED_IN,
    &SHEETS_MISSING,
    &RESCORING_NOT_CONCLUDED,
    &RESCORING_TOO_LATE,
    &RESCORING_GROUND,
    &RESCORING_TOO_OFTEN,
    &EVALUATION_DISSENTED,
];

/// On what ground bids are scored again: those of 87号令 art 64, or an order of the regulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RescoringGround)]
pub enum Ground {
    /// 分值汇总计算错误
    Miscalculated,
    /// 分项评分超出评分标准范围
    OutOfRange,
    /// 对客观评审因素评分不一致
    ObjectiveScoresDiffer,
    /// 评分畸高、畸低
    AbnormalScores,
    /// The regulator has ordered it about a complaint.
    OrderedAnew,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Miscalculated,
        Self::OutOfRange,
        Self::ObjectiveScoresDiffer,
        Self::AbnormalScores,
        Self::OrderedAnew,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Miscalculated => "miscalculated",
            Self::OutOfRange => "out_of_range",
            Self::ObjectiveScoresDiffer => "objective_scores_differ",
            Self::AbnormalScores => "abnormal_scores",
            Self::OrderedAnew => "ordered_anew",
        }
    }

    /// What it says, as members of the panel are told.
    pub const fn said(self) -> Text {
        match self {
            Self::Miscalculated => Text::fixed("分值汇总计算错误", "the points were added up wrongly"),
            Self::OutOfRange => Text::fixed("分项评分超出评分标准范围", "a score lies outside its range"),
            Self::ObjectiveScoresDiffer => Text::fixed(
                "对客观评审因素评分不一致",
                "what is objective was not scored alike by everybody",
            ),
            Self::AbnormalScores => {
                Text::fixed("评分畸高、畸低", "scores are abnormally high or abnormally low")
            }
            Self::OrderedAnew => Text::fixed("监管部门责令重新评审", "the regulator has ordered it"),
        }
    }
}

/// What somebody gives a bid for a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CriterionScore)]
pub struct CriterionScore {
    /// The criterion.
    #[schema(min_length = 1, max_length = 20, example = "T1")]
    pub code: String,
    /// From 0 to the points that the criterion gives at most, with at most two decimals.
    pub score: Score,
}

/// What somebody gives a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidScores)]
pub struct BidScores {
    /// The bid.
    pub bid_id: BidId,
    /// For each criterion that is scored.
    #[schema(max_items = 30)]
    pub criteria: Vec<CriterionScore>,
}

/// Scores by bid and criterion.
pub type Scores = BTreeMap<BidId, BTreeMap<String, Score>>;

/// The sheet of a member of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The lot.
    pub lot_id: LotId,
    /// In which round, from 1.
    pub round: i64,
    /// Whose.
    pub account_id: AccountId,
    /// Counts the changes, from 1.
    pub version: i64,
    /// What it gives.
    pub scores: Scores,
    /// When it was changed, UTC.
    pub saved_at: Instant,
    /// When it was handed in, UTC.
    pub handed_in_at: Option<Instant>,
}

impl Sheet {
    /// What it gives, as it is stored: bids and criteria in the order of their names, so that the same scores are the same bytes.
    ///
    /// # Errors
    /// A fault if it cannot be written as JSON.
    pub fn written(scores: &Scores) -> Result<String, Fault> {
        serde_json::to_string(scores).map_err(|error| Fault::caused("write a score sheet", error))
    }

    /// A place among the sheets of its round that says nothing of whose it is.
    ///
    /// # Errors
    /// As [`Self::written`].
    pub fn place(&self) -> Result<[u8; 32], Fault> {
        Ok(Sha256::digest(Self::written(&self.scores)?.as_bytes()).into())
    }
}

/// The sheets in an order in which nobody is known again.
///
/// # Errors
/// As [`Sheet::written`].
pub fn anonymous(mut sheets: Vec<Sheet>) -> Result<Vec<Sheet>, Fault> {
    let mut placed = Vec::with_capacity(sheets.len());
    for sheet in sheets.drain(..) {
        placed.push((sheet.place()?, sheet));
    }
    placed.sort_by_key(|one| one.0);
    Ok(placed.into_iter().map(|(_, sheet)| sheet).collect())
}

/// What the members of the panel score: neither the price nor what the residents appraise.
pub fn by_panel(method: Option<Method>, lot: &LotDocument) -> Vec<&CriterionDocument> {
    let is_scored = matches!(
        method,
        Some(Method::ComprehensiveScoring | Method::QualityAndCostBased)
    );
    let of_panel = |one: &&CriterionDocument| {
        is_scored && matches!(one.kind, CriterionKind::Technical | CriterionKind::Business)
    };
    lot.criteria.iter().filter(of_panel).collect()
}

/// What the residents appraise.
pub fn by_residents(method: Option<Method>, lot: &LotDocument) -> Vec<&CriterionDocument> {
    let is_scored = method != Some(Method::LowestEvaluatedPrice);
    let appraised = |one: &&CriterionDocument| is_scored && one.kind == CriterionKind::Appraisal;
    lot.criteria.iter().filter(appraised).collect()
}

/// What is entered, held against what may be scored: every fault with its place.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn entered(
    pointer: &str,
    given: &[BidScores],
    criteria: &[&CriterionDocument],
    bids: &[&BidId],
) -> Result<Scores, Refusal> {
    let mut form = Form::new();
    let mut scores = Scores::new();
    for (index, of_bid) in given.iter().enumerate() {
        let place = format!("{pointer}/{index}");
        if !bids.contains(&&of_bid.bid_id) {
            form.object(
                &format!("{place}/bid_id"),
                Text::fixed("不是本标段待评的投标", "is no bid that is scored here"),
            );
        }
        let mut points = BTreeMap::new();
        for (number, one) in of_bid.criteria.iter().enumerate() {
            let place = format!("{place}/criteria/{number}");
            in_range(&mut form, &place, one, criteria);
            if points.insert(one.code.clone(), one.score).is_some() {
                form.object(
                    &format!("{place}/code"),
                    Text::fixed("不得重复", "is there already"),
                );
            }
        }
        if scores.insert(of_bid.bid_id.clone(), points).is_some() {
            form.object(
                &format!("{place}/bid_id"),
                Text::fixed("不得重复", "is there already"),
            );
        }
    }
    form.finish(scores)
}

fn in_range(form: &mut Form, place: &str, one: &CriterionScore, criteria: &[&CriterionDocument]) {
    let Some(criterion) = criteria.iter().find(|known| known.code == one.code) else {
        form.object(
            &format!("{place}/code"),
            Text::fixed("没有该评审项", "is no criterion that is scored here"),
        );
        return;
    };
    let max = criterion.weight.percent();
    let points = one.score.points();
    if one.score < Score::ZERO || points > max {
        form.object(
            &format!("{place}/score"),
            text!("应在 0 至 {max} 之间", "must lie between 0 and {max}"),
        );
    }
    if points.normalize().scale() > PLACES_MAX {
        form.object(
            &format!("{place}/score"),
            text!(
                "最多 {PLACES_MAX} 位小数",
                "must have at most {PLACES_MAX} decimals"
            ),
        );
    }
}

/// Whether every bid has a score for every criterion.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with everything that is missing.
pub fn whole(scores: &Scores, criteria: &[&CriterionDocument], bids: &[&BidId]) -> Result<(), Refusal> {
    let mut form = Form::new();
    for bid in bids {
        let given: BTreeSet<&str> = scores
            .get(*bid)
            .into_iter()
            .flatten()
            .map(|(code, _)| code.as_str())
            .collect();
        for criterion in criteria.iter().filter(|one| !given.contains(one.code.as_str())) {
            let code = &criterion.code;
            form.object(
                "/scores",
                text!("{bid} 的 {code} 未评分", "{bid} has no score for {code}"),
            );
        }
    }
    form.finish(())
}

/// The number of the next round.
///
/// # Errors
/// [`RESCORING_TOO_OFTEN`].
pub fn next_round(round: i64) -> Result<i64, Refusal> {
    let next = round.saturating_add(1);
    if next > ROUNDS_MAX {
        return Err(RESCORING_TOO_OFTEN.refuse());
    }
    Ok(next)
}

/// What the draw of a lot's round is made from: nobody chooses it, and the opening's record was public before anybody scored.
pub fn draw_seed(opening_sha256: &[u8; 32], lot: &LotId, round: i64) -> String {
    let opening = hex::encode(opening_sha256);
    hex::encode(Sha256::digest(format!("{opening}\n{lot}\n{round}\n")))
}

/// Everything that an evaluation is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The book.
    pub book: &'f BookDocument,
    /// The lot.
    pub lot: &'f LotDocument,
    /// The rules in force for the book.
    pub profile: &'f Profile,
    /// Which bids are in.
    pub verdict: &'f Verdict,
    /// The sheets that were handed in, in the order of [`anonymous`].
    pub sheets: &'f [Sheet],
    /// What the residents gave, if it counts.
    pub appraisal: Option<&'f Appraised>,
    /// What a draw is made from.
    pub draw_seed: &'f str,
}

/// What the evaluation goes in with.
///
/// # Errors
/// A fault if the book has no method, or a number that cannot be.
pub fn input(facts: Facts<'_>) -> Result<Input, Fault> {
    let method = facts
        .book
        .method
        .ok_or_else(|| Fault::broken("a published book without a method"))?;
    let panel = by_panel(Some(method), facts.lot);
    let residents = by_residents(Some(method), facts.lot);
    let mut criteria = Vec::new();
    for one in &facts.lot.criteria {
        if panel.iter().chain(&residents).any(|known| known.code == one.code) {
            criteria.push(Criterion {
                code: one.code.clone(),
                kind: one.kind,
                max_points: points_of(one)?,
            });
        }
    }
    let (sme, consortium) = match facts.lot.sme {
        Some(SmeDocument::Deduction {
            percent,
            consortium_percent,
        }) => (Some(percent), consortium_percent),
        _ => (None, None),
    };
    let scores_price = matches!(method, Method::ComprehensiveScoring | Method::QualityAndCostBased);
    let price = facts
        .lot
        .criteria
        .iter()
        .find(|one| one.kind == CriterionKind::Price);
    let evaluators = u32::try_from(facts.sheets.len()).ok().filter(|count| *count > 0);
    Ok(Input {
        method,
        rounding: facts.book.rounding,
        ceiling: facts.lot.ceiling.map(Yuan),
        budget: None,
        price_points: price.filter(|_| scores_price).map(points_of).transpose()?,
        points_total: None,
        min_bidders: Some(facts.verdict.responsive_min.max(1)),
        sme_deduction_percent: sme,
        consortium_deduction_percent: consortium,
        evaluators: evaluators.filter(|_| !panel.is_empty()),
        technical_threshold: facts
            .lot
            .technical_threshold
            .filter(|_| method == Method::QualityAndCostBased),
        // The points of the criteria are their weights: nothing is weighed twice.
        technical_weight_percent: None,
        financial_weight_percent: None,
        abnormally_low: Some(percentages(facts.profile)?),
        meeting: facts
            .appraisal
            .filter(|_| !residents.is_empty())
            .map(|appraisal| appraisal.meeting),
        tie_rule: facts.book.tie_rule.unwrap_or(TieRule::PriceThenDraw),
        draw_seed: Some(facts.draw_seed.to_owned()),
        criteria,
        bids: bids(facts, &panel, &residents),
    })
}

fn points_of(one: &CriterionDocument) -> Result<Score, Fault> {
    Score::new(one.weight.percent()).map_err(|error| Fault::caused("a criterion's points", error))
}

fn percentages(profile: &Profile) -> Result<AbnormallyLow, Fault> {
    let percent = |key: Key<Percent>| profile.rule_if_set(key).map(|set| set.map(|percent| percent.0));
    Ok(AbnormallyLow {
        average_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT)?,
        second_lowest_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_SECOND_LOWEST_PERCENT)?,
        ceiling_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_CEILING_PERCENT)?,
    })
}

/// The bids in the order of their ids.
fn bids(facts: Facts<'_>, panel: &[&CriterionDocument], residents: &[&CriterionDocument]) -> Vec<Bid> {
    let mut admitted: Vec<&Admitted> = facts.verdict.bids.iter().collect();
    admitted.sort_by(|one, other| one.bid_id.cmp(&other.bid_id));
    admitted
        .into_iter()
        .map(|one| {
            let mut scores = BTreeMap::new();
            if one.out.is_none() {
                for criterion in panel {
                    let given = facts
                        .sheets
                        .iter()
                        .filter_map(|sheet| sheet.scores.get(&one.bid_id));
                    let given = given.filter_map(|points| points.get(&criterion.code).copied());
                    scores.insert(criterion.code.clone(), given.collect());
                }
                for criterion in residents {
                    let given = facts
                        .appraisal
                        .and_then(|appraisal| appraisal.points.get(&one.bid_id));
                    let given = given.and_then(|points| points.get(&criterion.code).copied());
                    scores.insert(criterion.code.clone(), given.into_iter().collect());
                }
            }
            Bid {
                bidder: one.bid_id.to_string(),
                price: Yuan(one.price),
                original_price: (one.original_price != one.price).then_some(Yuan(one.original_price)),
                sme: one.is_sme,
                sme_consortium: one.is_sme_consortium && !one.is_sme,
                scores,
                out: one.out.as_ref().map(|out| Out {
                    code: out.code.clone(),
                    reason_zh: Some(out.reason.zh.clone()),
                    reason_en: Some(out.reason.en.clone()),
                }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;
    use crate::award::rules_evaluation_deriving::{BELOW_THRESHOLD, Subject, derive};
    use crate::books::templates;
    use crate::kernel::money::Money;
    use crate::kernel::party::OrganisationId;
    use crate::statutes::built_in;

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 1, 1, 0, 0).unwrap()
    }

    fn admitted(price: &str) -> Admitted {
        let price: Money = price.parse().unwrap();
        Admitted {
            bid_id: BidId::mint(now()),
            supplier_id: OrganisationId::mint(now()),
            price,
            original_price: price,
            is_sme: false,
            is_sme_consortium: false,
            tests: Vec::new(),
            out: None,
        }
    }

    /// A sheet that gives each bid its part of every criterion that the panel scores.
    fn sheet(lot: &LotDocument, bids: &[Admitted], parts: &[i64]) -> Sheet {
        let criteria = by_panel(Some(Method::QualityAndCostBased), lot);
        let of_bid = |percent: i64| {
            let points = |one: &CriterionDocument| {
                let part = one.weight.percent() * rust_decimal::Decimal::new(percent, 2);
                Score::new(part.normalize()).unwrap()
            };
            criteria
                .iter()
                .map(|one| (one.code.clone(), points(one)))
                .collect()
        };
        Sheet {
            lot_id: LotId::mint(now()),
            round: 1,
            account_id: AccountId::mint(now()),
            version: 1,
            scores: bids
                .iter()
                .zip(parts)
                .map(|(bid, part)| (bid.bid_id.clone(), of_bid(*part)))
                .collect(),
            saved_at: now(),
            handed_in_at: Some(now()),
        }
    }

    #[test]
    fn what_is_ordered_is_begun_anew_even_where_nothing_is_scored() {
        assert!(may_begin_anew(true, false).is_ok() && may_begin_anew(true, true).is_ok());
        assert!(may_begin_anew(false, true).is_ok());
        assert_eq!(may_begin_anew(false, false), Err(SCORING_NOTHING.refuse()));
    }

    #[test]
    fn the_threshold_for_quality_is_the_lots_and_of_its_method_alone() {
        let mut book = templates::template("sanitation").unwrap().unwrap();
        book.method = Some(Method::QualityAndCostBased);
        let lot = &mut book.lots[0];
        lot.criteria.retain(|one| one.kind != CriterionKind::Appraisal);
        let of_panel = lot.criteria.iter().filter(|one| one.kind != CriterionKind::Price);
        let most: rust_decimal::Decimal = of_panel.map(|one| one.weight.percent()).sum();
        lot.technical_threshold =
            Some(Score::new((most * rust_decimal::Decimal::new(60, 2)).normalize()).unwrap());
        let lot = lot.clone();
        // The cheapest does not come to the threshold, and the price of the others is held against the next.
        let bids = vec![admitted("100.00"), admitted("200.00"), admitted("300.00")];
        let sheets = [sheet(&lot, &bids, &[59, 60, 90])];
        let verdict = Verdict {
            responsive: bids.len(),
            bids,
            missing: Vec::new(),
            responsive_min: 3,
        };
        let profiles = built_in::profiles_for("cn").unwrap();
        let facts = |book| Facts {
            book,
            lot: &lot,
            profile: profiles.last().unwrap(),
            verdict: &verdict,
            sheets: &sheets,
            appraisal: None,
            draw_seed: "a seed",
        };
        let judged = derive(Subject::default(), input(facts(&book)).unwrap()).unwrap();
        assert_eq!(judged.result.benchmark_price.as_deref(), Some("200.00"));
        let out = |judged: &crate::award::rules_evaluation_derivation::Derivation| {
            let out = judged.result.bids.iter().filter_map(|bid| bid.out.as_ref());
            out.map(|out| out.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (out(&judged), judged.result.ranking.len()),
            (vec![BELOW_THRESHOLD.to_owned()], 2)
        );
        let full = lot
            .criteria
            .iter()
            .find(|one| one.kind == CriterionKind::Price)
            .unwrap()
            .weight;
        let first = judged
            .result
            .bids
            .iter()
            .find(|bid| bid.evaluated_price.as_deref() == Some("200.00"))
            .unwrap();
        let score: rust_decimal::Decimal = first.price_score.as_ref().unwrap().parse().unwrap();
        assert_eq!(score, full.percent(), "the price weighs what its criterion does");
        let book = BookDocument {
            method: Some(Method::ComprehensiveScoring),
            ..book.clone()
        };
        let judged = derive(Subject::default(), input(facts(&book)).unwrap()).unwrap();
        assert_eq!((out(&judged), judged.result.ranking.len()), (Vec::new(), 3));
    }
}
