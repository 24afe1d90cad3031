//! Where is inspected in a period, by lot: the places of the lot, each with every grade that the lot's quantities have, are put in order by a secret
//! seed, and the first of them are the stops of the plan. The log has the hashes of seed and candidates from the draw on; both are public when every stop
//! was seen to or the period is over, and anybody can draw again then. Nobody draws until they like what comes out: another plan for the same
//! period and source is made only when every stop of the one before was seen to. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::LotDocument;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_periods::{Period, State as PeriodState};
use crate::kernel::clock::Instant;
use crate::kernel::draw;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::text;

crate::ids! {
    /// Where is inspected, by lot.
    InspectionPlanId "inspectionplan"
}

/// Stops of one plan at most.
pub const STOPS_MAX: i64 = 50;
/// Plans of one period and source at most.
pub const PLANS_MAX: i64 = 100;

/// The period is over.
pub static PERIOD_OVER: Reason = Reason::new(
    ReasonKind::Conflict,
    "period_over",
    "本期已结束",
    "The period is over",
);
/// The plan before is not through.
pub static PLAN_OPEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_plan_open",
    "上一份抽查计划尚未完成",
    "A stop of the plan before was not seen to yet",
);
/// There are as many as there may be.
pub static TOO_MANY_PLANS: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_plans_too_many",
    "本期抽查计划过多",
    "The period has as many plans of inspections as there may be",
);
/// There are fewer candidates than stops.
pub static TOO_FEW_PLACES: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_places_too_few",
    "可抽取的检查点不足",
    "There are fewer places to draw from than stops",
);
/// The stop was inspected, or left out with a reason.
pub static STOP_DONE: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_stop_done",
    "该检查点已处理",
    "The stop was seen to already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &PERIOD_OVER,
    &PLAN_OPEN,
    &TOO_MANY_PLANS,
    &TOO_FEW_PLACES,
    &STOP_DONE,
];

/// Somewhere that could be drawn: a place of the lot, by its number from 1, as a place of a grade. Written `3/class_1`, or `3/-` without a grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = InspectionCandidate, max_length = 60, example = "3/class_1")]
pub struct Candidate(String);

impl Candidate {
    fn of(place: usize, grade: Option<&str>) -> Self {
        Self(format!("{place}/{}", grade.unwrap_or("-")))
    }

    /// As it is frozen and hashed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn stop(&self, number: i64) -> Option<Stop> {
        let (place, grade) = self.0.split_once('/')?;
        Some(Stop {
            number,
            place: place.parse().ok()?,
            grade: Some(grade).filter(|grade| *grade != "-").map(str::to_owned),
        })
    }
}

/// Somewhere that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its number in the plan, from 1.
    pub number: i64,
    /// The number of the lot's place, from 1.
    pub place: i64,
    /// The grade as which it is inspected.
    pub grade: Option<String>,
}

/// Everything that can be drawn of a lot.
pub fn candidates(lot: &LotDocument) -> Vec<Candidate> {
    let mut grades: Vec<Option<&str>> = Vec::new();
    for quantity in &lot.quantities {
        let grade = quantity.grade.as_deref();
        if !grades.contains(&grade) {
            grades.push(grade);
        }
    }
    if grades.iter().any(Option::is_some) || grades.is_empty() {
        grades.retain(Option::is_some);
    }
    if grades.is_empty() {
        grades.push(None);
    }
    (1..=lot.places.len())
        .flat_map(|place| grades.iter().map(move |grade| Candidate::of(place, *grade)))
        .collect()
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: InspectionPlanId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    pub period: i64,
    /// The code of the source to which its inspections count.
    pub source: String,
    /// Its number among the plans of that period and source, from 1.
    pub number: i64,
    /// How many stops it has.
    pub stops: i64,
    /// The seed.
    pub seed: [u8; draw::SEED_BYTES],
    /// Everything that could have been drawn.
    pub candidates: Vec<Candidate>,
    /// By whom it was drawn.
    pub drawn_by: AccountId,
    /// When, UTC.
    pub drawn_at: Instant,
}

impl Plan {
    /// Its stops in their order.
    pub fn drawn(&self) -> Vec<Stop> {
        let ordered = draw::order(&self.seed, &self.candidates, Candidate::as_str);
        (1..=self.stops)
            .zip(ordered)
            .filter_map(|(number, candidate)| candidate.stop(number))
            .collect()
    }

    /// The hash of the seed.
    pub fn seed_sha256(&self) -> [u8; 32] {
        draw::commitment(&self.seed)
    }

    /// The hash of the candidates.
    pub fn candidates_sha256(&self) -> [u8; 32] {
        draw::candidates_sha256(self.candidates.iter().map(Candidate::as_str))
    }
}

/// What has become of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InspectionStopState)]
pub enum StopState {
    /// It was not inspected yet.
    Open,
    /// It was inspected.
    Inspected,
    /// It cannot be inspected, for a reason that was written down.
    Omitted,
}

/// What happened at the stops of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The numbers of the stops with an inspection that holds.
    pub inspected: Vec<i64>,
    /// Those of which an inspection was annulled, whatever became of them since.
    pub annulled: Vec<i64>,
    /// Those that were left out.
    pub omitted: Vec<i64>,
}

impl Progress {
    /// What has become of a stop. One whose inspection was annulled is open again.
    pub fn state(&self, stop: i64) -> StopState {
        if self.inspected.contains(&stop) {
            StopState::Inspected
        } else if self.omitted.contains(&stop) {
            StopState::Omitted
        } else {
            StopState::Open
        }
    }

    /// Whether nothing is left to be done.
    pub fn is_through(&self, plan: &Plan) -> bool {
        (1..=plan.stops).all(|stop| self.state(stop) != StopState::Open)
    }

    /// Whether everybody may see the draw: every stop was seen to, or the period is over. What is disclosed stays so, even if an inspection is
    /// annulled afterwards.
    pub fn is_disclosed(&self, plan: &Plan, period: &Period, today: NaiveDate) -> bool {
        let was_seen_to = |stop: i64| self.state(stop) != StopState::Open || self.annulled.contains(&stop);
        period.state(today) == PeriodState::Over || (1..=plan.stops).all(was_seen_to)
    }
}

/// Whether a plan of so many stops may be drawn now, after `before`, the plans of the same period and source.
///
/// # Errors
/// In this order: [`PERIOD_OVER`], [`PLAN_OPEN`], [`TOO_MANY_PLANS`], [`TOO_FEW_PLACES`].
pub fn may_draw(
    (period, today): (&Period, NaiveDate),
    before: &[(Plan, Progress)],
    (stops, candidates): (i64, &[Candidate]),
) -> Result<(), Refusal> {
    if period.state(today) == PeriodState::Over {
        return Err(PERIOD_OVER.refuse());
    }
    if before.iter().any(|(plan, progress)| !progress.is_through(plan)) {
        return Err(PLAN_OPEN.refuse());
    }
    if i64::try_from(before.len()).unwrap_or(i64::MAX) >= PLANS_MAX {
        return Err(TOO_MANY_PLANS.refuse());
    }
    let there = candidates.len();
    if usize::try_from(stops).unwrap_or(usize::MAX) > there {
        return Err(TOO_FEW_PLACES
            .because(text!("可抽取 {there} 处", "there are {there}"))
            .at("/stops"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::templates;
    use crate::contracts::rules_periods::Span;
    use crate::kernel::money::Money;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;
    use serde_json::json;

    fn lot(places: usize, grades: &[Option<&str>]) -> LotDocument {
        let mut book = templates::template("sanitation").unwrap().unwrap();
        let mut lot = book.lots.remove(0);
        let place = json!({"name_zh": "路", "name_en": "Road"});
        lot.places = (0..places)
            .map(|_| serde_json::from_value(place.clone()).unwrap())
            .collect();
        let quantity = lot.quantities[0].clone();
        lot.quantities = grades
            .iter()
            .map(|grade| crate::books::rules_documents::QuantityDocument {
                grade: grade.map(str::to_owned),
                ..quantity.clone()
            })
            .collect();
        lot
    }

    fn plan(seed: [u8; 32], stops: i64, candidates: Vec<Candidate>) -> Plan {
        let now = Utc.with_ymd_and_hms(2026, 5, 1, 0, 0, 0).unwrap();
        Plan {
            id: InspectionPlanId::mint(now),
            contract_id: ContractId::mint(now),
            period: 1,
            source: "daily".to_owned(),
            number: 1,
            stops,
            seed,
            candidates,
            drawn_by: AccountId::mint(now),
            drawn_at: now,
        }
    }

    fn period() -> Period {
        Period {
            number: 1,
            span: Span {
                first: "2026-05-01".parse().unwrap(),
                last: "2026-05-31".parse().unwrap(),
            },
            amount: Money::ZERO,
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_place_is_there_with_every_grade_once() {
        let shown = |lot: &LotDocument| {
            candidates(lot)
                .iter()
                .map(|one| one.0.clone())
                .collect::<Vec<_>>()
        };
        let graded = lot(2, &[Some("class_1"), Some("class_2"), Some("class_1")]);
        assert_eq!(
            shown(&graded),
            ["1/class_1", "1/class_2", "2/class_1", "2/class_2"]
        );
        assert_eq!(shown(&lot(2, &[None])), ["1/-", "2/-"]);
        assert_eq!(shown(&lot(1, &[])), ["1/-"]);
        assert_eq!(shown(&lot(0, &[None])), [""; 0]);
        assert_eq!(
            Candidate::of(3, Some("a/b")).stop(1).unwrap().grade.as_deref(),
            Some("a/b")
        );
    }

    #[test]
    fn the_same_seed_draws_the_same_stops() {
        let drawn = plan([0; 32], 3, candidates(&lot(4, &[None]))).drawn();
        let places: Vec<i64> = drawn.iter().map(|stop| stop.place).collect();
        // SHA-256 of 32 zero bytes and `1/-` … `4/-`, by hand.
        let mut by_hand: Vec<(Vec<u8>, i64)> = (1..=4_i64)
            .map(|place| {
                use sha2::{Digest, Sha256};
                let bytes = [vec![0; 32], format!("{place}/-").into_bytes()].concat();
                (Sha256::digest(bytes).to_vec(), place)
            })
            .collect();
        by_hand.sort();
        assert_eq!(
            places,
            by_hand
                .iter()
                .take(3)
                .map(|(_, place)| *place)
                .collect::<Vec<_>>()
        );
        assert_eq!(
            drawn.iter().map(|stop| stop.number).collect::<Vec<_>>(),
            [1, 2, 3]
        );
    }

    #[test]
    fn a_plan_is_shown_when_it_is_through_or_its_period_is_over_and_stays_shown() {
        let plan = plan([7; 32], 2, candidates(&lot(3, &[None])));
        let mut progress = Progress {
            inspected: vec![1],
            ..Progress::default()
        };
        let shown = |progress: &Progress, on: &str| progress.is_disclosed(&plan, &period(), day(on));
        assert!(
            !shown(&progress, "2026-05-31") && shown(&progress, "2026-06-01") && !progress.is_through(&plan)
        );
        progress.omitted.push(2);
        assert!(shown(&progress, "2026-05-02") && progress.is_through(&plan));
        // Annulled: the stop is open again, and what everybody knows stays known.
        let annulled = Progress {
            inspected: Vec::new(),
            annulled: vec![1],
            omitted: vec![2],
        };
        assert!(shown(&annulled, "2026-05-02") && !annulled.is_through(&plan));
        assert_eq!(annulled.state(1), StopState::Open);
    }

    #[test]
    fn nobody_draws_until_they_like_what_comes_out() {
        let places = candidates(&lot(3, &[None]));
        let before = |inspected: Vec<i64>| {
            let progress = Progress {
                inspected,
                ..Progress::default()
            };
            vec![(plan([7; 32], 1, places.clone()), progress)]
        };
        let code = |on: &str, before: &[(Plan, Progress)], stops: i64| {
            may_draw((&period(), day(on)), before, (stops, &places))
                .map_or_else(|refusal| refusal.reason.code, |()| "ok")
        };
        assert_eq!(code("2026-04-01", &[], 3), "ok");
        assert_eq!(code("2026-05-02", &[], 4), "inspection_places_too_few");
        assert_eq!(code("2026-05-02", &before(vec![]), 4), "inspection_plan_open");
        assert_eq!(code("2026-06-01", &before(vec![]), 4), "period_over");
        assert_eq!(code("2026-05-02", &before(vec![1]), 1), "ok");
        let many: Vec<(Plan, Progress)> = (0..PLANS_MAX).flat_map(|_| before(vec![1])).collect();
        assert_eq!(code("2026-05-02", &many, 4), "inspection_plans_too_many");
    }

    proptest! {
        #[test]
        fn stops_are_candidates_each_once(seed: [u8; 32], places in 1_usize..60, stops in 1_i64..=50) {
            let all = candidates(&lot(places, &[Some("a"), Some("b")]));
            let stops = stops.min(i64::try_from(all.len()).unwrap());
            let plan = plan(seed, stops, all);
            let drawn = plan.drawn();
            prop_assert_eq!(i64::try_from(drawn.len()).unwrap(), stops);
            for (index, stop) in drawn.iter().enumerate() {
                let name = Candidate::of(usize::try_from(stop.place).unwrap(), stop.grade.as_deref());
                prop_assert!(plan.candidates.contains(&name));
                prop_assert!(!drawn[..index].iter().any(|other| (other.place, &other.grade) == (stop.place, &stop.grade)));
            }
        }
    }
}
