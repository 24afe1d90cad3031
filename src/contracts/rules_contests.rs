//! The contractor contests an item of an inspection, once, within its time; somebody else of the buyer than the inspector decides, and what is upheld is
//! judged anew by the same indicator with the corrected value. What was recorded is never written over: the score that holds follows from the record
//! and the decided contests. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules_inspections::{InspectionId, Measurement, REASON_LENGTH_MAX, judged};
use crate::contracts::rules_inspections_document::{InspectionDocument, ItemDocument};
use crate::contracts::rules_points::{Tally, tally};
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Content;
use crate::text;
use crate::web::problem::INVALID;

crate::ids! {
    /// A contest of an item of an inspection.
    InspectionContestId "inspectioncontest"
}

/// Files of one contest at most.
pub const FILES_MAX: usize = 10;

/// The time for contesting is over.
pub static CONTEST_LATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_contest_late",
    "提出异议的期限已过",
    "The time for contesting is over",
);
/// An item is contested once.
pub static CONTESTED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_contested_already",
    "该考核项已提出过异议",
    "The item was contested already",
);
/// It was decided.
pub static CONTEST_DECIDED: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_contest_decided",
    "该异议已裁定",
    "The contest was decided already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&CONTEST_LATE, &CONTESTED_ALREADY, &CONTEST_DECIDED];

/// How far a contest has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InspectionContestState)]
pub enum State {
    /// It waits for a decision.
    Filed,
    /// The item was wrong, and is corrected.
    Upheld,
    /// The item stands.
    Rejected,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Filed, Self::Upheld, Self::Rejected];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Upheld => "upheld",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What became of a contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Why.
    pub decision: String,
    /// The item as it should have been, if it was upheld.
    pub corrected: Option<ItemDocument>,
    /// By whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// A contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// Its id.
    pub id: InspectionContestId,
    /// The inspection.
    pub inspection_id: InspectionId,
    /// The number of the item, from 1.
    pub item: i64,
    /// Why it is wrong.
    pub reason: String,
    /// By whom it was filed.
    pub filed_by: AccountId,
    /// When, UTC.
    pub filed_at: Instant,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// What became of it.
    pub decided: Option<Decided>,
}

impl Contest {
    /// How far it has come.
    pub fn state(&self) -> State {
        match &self.decided {
            None => State::Filed,
            Some(Decided {
                corrected: Some(_), ..
            }) => State::Upheld,
            Some(Decided { corrected: None, .. }) => State::Rejected,
        }
    }
}

/// Whether an item of an inspection can be contested today; the reason, trimmed.
///
/// # Errors
/// In this order: an item that there is not, or a reason that is none, both listed; [`CONTEST_LATE`]; [`CONTESTED_ALREADY`].
pub fn may_contest(
    inspection: &InspectionDocument,
    before: &[Contest],
    (item, reason): (i64, &str),
    today: NaiveDate,
) -> Result<String, Refusal> {
    let mut form = Form::new();
    if inspection.item(item).is_none() {
        form.object(
            "/item",
            Text::fixed("考核记录中没有这一项", "the inspection has no such item"),
        );
    }
    let reason = form.line("/reason", reason, REASON_LENGTH_MAX);
    let reason = form.finish(reason)?;
    let until = inspection.contest_until;
    if today > until {
        return Err(CONTEST_LATE.because(text!("截至 {until}", "its last day was {until}")));
    }
    if before.iter().any(|contest| contest.item == item) {
        return Err(CONTESTED_ALREADY.refuse().at("/item"));
    }
    Ok(reason)
}

/// What is decided.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The item was wrong: what it should have said.
    Upheld(Measurement),
    /// The item stands.
    Rejected,
}

/// The contest, decided. An upheld item is judged by the indicator that the contract fixed; its note and photos stay what they were.
///
/// # Errors
/// In this order: [`CONTEST_DECIDED`]; what is wrong with reason and corrected value, all of it listed. A fault if the inspection does not have the item, or
/// the contract not its indicator.
pub fn decided(
    contest: Contest,
    inspection: &InspectionDocument,
    content: &Content,
    (verdict, decision): (&Verdict, &str),
    (by, at): (AccountId, Instant),
) -> Result<Result<Contest, Refusal>, Fault> {
    if contest.decided.is_some() {
        return Ok(Err(CONTEST_DECIDED.refuse()));
    }
    let broken = || Fault::broken(format!("{} contests what there is not", contest.id));
    let recorded = inspection.item(contest.item).ok_or_else(broken)?;
    let indicator = content.indicator(&recorded.indicator).ok_or_else(broken)?;
    let mut form = Form::new();
    let decision = form.line("/decision", decision, REASON_LENGTH_MAX);
    let mut faults = match form.finish(()) {
        Ok(()) => Vec::new(),
        Err(refusal) => refusal.objections,
    };
    let mut corrected = None;
    if let Verdict::Upheld(measured) = verdict {
        match judged(content, indicator, inspection.grade.as_deref(), measured) {
            Ok(judged) => {
                corrected = Some(ItemDocument {
                    note: recorded.note.clone(),
                    photos: recorded.photos.clone(),
                    ..judged
                });
            }
            Err(objection) => faults.push(Objection {
                pointer: format!("/corrected{}", objection.pointer),
                ..objection
            }),
        }
    }
    if !faults.is_empty() {
        return Ok(Err(INVALID.refuse().listing(faults)));
    }
    Ok(Ok(Contest {
        revision: contest.revision.saturating_add(1),
        decided: Some(Decided {
            decision,
            corrected,
            by,
            at,
        }),
        ..contest
    }))
}

/// The items as they hold: those that were recorded, corrected where a contest was upheld.
pub fn as_they_hold<'i>(recorded: &'i InspectionDocument, contests: &'i [Contest]) -> Vec<&'i ItemDocument> {
    let corrected = |number: i64| {
        let mut decided = contests.iter().filter(|contest| contest.item == number);
        decided.find_map(|contest| contest.decided.as_ref()?.corrected.as_ref())
    };
    (1..)
        .zip(&recorded.items)
        .map(|(number, item)| corrected(number).unwrap_or(item))
        .collect()
}

/// The points as they hold.
///
/// # Errors
/// A fault of arithmetic.
pub fn tally_that_holds(recorded: &InspectionDocument, contests: &[Contest]) -> Result<Tally, Fault> {
    tally(as_they_hold(recorded, contests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::ContractId;
    use crate::contracts::rules_inspections::tests::{content, measured};
    use crate::contracts::rules_inspections_document::FORMAT;
    use chrono::{TimeZone, Utc};

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 8, 1, 0, 0).unwrap()
    }

    fn inspection() -> InspectionDocument {
        let content = content();
        let judged = |code: &str, value: &str, sample: Option<&str>| {
            judged(
                &content,
                content.indicator(code).unwrap(),
                Some("class_1"),
                &measured(value, sample),
            )
            .unwrap()
        };
        let items = vec![judged("ends", "9", Some("1000")), judged("bins", "90", None)];
        InspectionDocument {
            format: FORMAT.to_owned(),
            inspection_id: InspectionId::mint(now()),
            contract_id: ContractId::mint(now()),
            contract_sha256: "0".repeat(64),
            standard_version_id: None,
            period: 1,
            source: "daily".to_owned(),
            plan_id: None,
            stop: None,
            place: Some(1),
            location: None,
            grade: Some("class_1".to_owned()),
            inspected_on: "2026-05-08".parse().unwrap(),
            started_at: String::new(),
            recorded_at: String::new(),
            photos_are_public: false,
            score: tally(&items).unwrap().score,
            items,
            note: None,
            contest_until: "2026-05-15".parse().unwrap(),
        }
    }

    fn contest(item: i64) -> Contest {
        Contest {
            id: InspectionContestId::mint(now()),
            inspection_id: InspectionId::mint(now()),
            item,
            reason: "数错了".to_owned(),
            filed_by: AccountId::mint(now()),
            filed_at: now(),
            revision: 1,
            decided: None,
        }
    }

    fn decide(contest: Contest, verdict: &Verdict, decision: &str) -> Result<Contest, Refusal> {
        let by = (AccountId::mint(now()), now());
        super::decided(contest, &inspection(), &content(), (verdict, decision), by).unwrap()
    }

    #[test]
    fn an_item_is_contested_once_and_in_time() {
        let recorded = inspection();
        let code = |before: &[Contest], item: i64, reason: &str, on: &str| {
            let tried = may_contest(&recorded, before, (item, reason), on.parse().unwrap());
            tried.unwrap_or_else(|refusal| refusal.reason.code.to_owned())
        };
        assert_eq!(code(&[], 1, " 数错了 ", "2026-05-15"), "数错了");
        assert_eq!(code(&[], 1, "数错了", "2026-05-16"), "inspection_contest_late");
        assert_eq!(
            code(&[contest(1)], 1, "数错了", "2026-05-15"),
            "inspection_contested_already"
        );
        assert_eq!(code(&[contest(1)], 2, "数错了", "2026-05-15"), "数错了");
        for item in [0, 3, -1, i64::MIN] {
            let refusal = may_contest(&recorded, &[], (item, ""), "2026-05-08".parse().unwrap()).unwrap_err();
            let pointers: Vec<String> = refusal.objections.into_iter().map(|one| one.pointer).collect();
            assert_eq!(pointers, ["/item", "/reason"]);
        }
    }

    #[test]
    fn what_is_upheld_is_judged_anew_and_the_record_stays() {
        let recorded = inspection();
        // 9 ends where 4 are allowed cost 2.5 of 5, bins at 90 % cost all 3.
        assert_eq!(recorded.score.unwrap().to_string(), "31.25");
        let upheld = decide(
            contest(1),
            &Verdict::Upheld(measured("4", Some("1000"))),
            "照片显示为 4 个",
        )
        .unwrap();
        let rejected = decide(contest(2), &Verdict::Rejected, "记录属实").unwrap();
        assert_eq!(
            (upheld.state(), rejected.state(), contest(1).state()),
            (State::Upheld, State::Rejected, State::Filed)
        );
        let holds = |contests: &[Contest]| {
            tally_that_holds(&recorded, contests)
                .unwrap()
                .score
                .unwrap()
                .to_string()
        };
        assert_eq!(holds(std::slice::from_ref(&rejected)), "31.25");
        assert_eq!(
            holds(&[contest(1)]),
            "31.25",
            "what is not decided changes nothing"
        );
        assert_eq!(holds(&[rejected, upheld.clone()]), "62.50");
        assert_eq!(upheld.revision, 2);
        let again = decide(upheld, &Verdict::Rejected, "再议").unwrap_err();
        assert_eq!(again.reason.code, "inspection_contest_decided");
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }

    #[test]
    fn a_decision_says_why_and_what_is_right() {
        let wrong = decide(contest(2), &Verdict::Upheld(measured("101", Some("5"))), "").unwrap_err();
        let faults: Vec<String> = wrong.objections.into_iter().map(|one| one.pointer).collect();
        assert_eq!(faults, ["/decision", "/corrected/value"]);
        assert!(
            super::decided(
                contest(3),
                &inspection(),
                &content(),
                (&Verdict::Rejected, "x"),
                (AccountId::mint(now()), now())
            )
            .is_err()
        );
    }
}
