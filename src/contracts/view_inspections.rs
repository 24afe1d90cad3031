//! How inspections and contests are shown: to everybody what was found and what holds, to the parties and auditors also who inspected and why the
//! contractor contests.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::acts_contests::Contested;
use crate::contracts::acts_inspections::Seen;
use crate::contracts::desk::Signed;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_contests::{Contest, InspectionContestId, State, tally_that_holds};
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_inspections_document::ItemDocument;
use crate::contracts::rules_plans::InspectionPlanId;
use crate::contracts::store_contests;
use crate::contracts::store_inspections::Inspection;
use crate::db::conn::Conn;
use crate::files;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::web::actor::Actor;

/// A contest of an item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InspectionContest, example = json!({
    "id": "inspectioncontest_01jd3n8f5teqkrzvq1c0m6h2ax", "inspection_id": "inspection_01jd3n8f5teqkrzvq1c0m6h2ax",
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "item": 1, "state": "filed", "reason": "样地面积记错", "attachment_ids": [],
    "filed_at": "2026-05-09T02:00:00.000000Z", "decision": null, "corrected": null, "decided_at": null, "revision": 1
}))]
pub struct ContestView {
    /// Its id.
    pub id: InspectionContestId,
    /// The inspection.
    pub inspection_id: InspectionId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the item, from 1.
    #[schema(minimum = 1, maximum = 100)]
    pub item: i64,
    /// How far it has come.
    pub state: State,
    /// Why the contractor contests it; `null` for everybody but the parties and auditors.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// What it rests on, likewise.
    #[schema(max_items = 10)]
    pub attachment_ids: Vec<AttachmentId>,
    /// When it was filed, UTC.
    pub filed_at: String,
    /// What the buyer decided.
    #[schema(required = true)]
    pub decision: Option<String>,
    /// The item as it should have been, if it was upheld.
    #[schema(required = true)]
    pub corrected: Option<ItemDocument>,
    /// When it was decided, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(minimum = 1, maximum = 2)]
    pub revision: i64,
}

impl ContestView {
    fn of(conn: &mut Conn, contest: Contest, contract: &ContractId, is_insider: bool) -> Answer<Self> {
        let files = if is_insider {
            files::store::attached_to(conn, contest.id.as_str())?
        } else {
            Vec::new()
        };
        let state = contest.state();
        let (decision, corrected, decided_at) = match contest.decided {
            None => (None, None, None),
            Some(decided) => (
                Some(decided.decision),
                decided.corrected,
                Some(rfc3339(decided.at)),
            ),
        };
        Ok(Self {
            id: contest.id,
            inspection_id: contest.inspection_id,
            contract_id: contract.clone(),
            item: contest.item,
            state,
            reason: Some(contest.reason).filter(|_| is_insider),
            attachment_ids: files.into_iter().map(|file| file.id).collect(),
            filed_at: rfc3339(contest.filed_at),
            decision,
            corrected,
            decided_at,
            revision: contest.revision,
        })
    }
}

/// A contest, as somebody may see it.
///
/// # Errors
/// A fault of the database.
pub fn contest(conn: &mut Conn, actor: &Actor, contested: Contested) -> Answer<ContestView> {
    let Contested { contest, of } = contested;
    let is_insider = of.signed.is_insider(actor);
    ContestView::of(conn, contest, &of.signed.contract.id, is_insider)
}

/// Contests of a contract, as somebody may see them.
///
/// # Errors
/// A fault of the database.
pub fn contests(
    conn: &mut Conn,
    actor: &Actor,
    signed: &Signed,
    found: Vec<Contest>,
) -> Answer<Vec<ContestView>> {
    let is_insider = signed.is_insider(actor);
    let mut views = Vec::with_capacity(found.len());
    for contest in found {
        views.push(ContestView::of(conn, contest, &signed.contract.id, is_insider)?);
    }
    Ok(views)
}

/// An inspection, in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InspectionSummary, example = json!({
    "id": "inspection_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1, "source": "daily_inspection",
    "plan_id": null, "stop": null, "place": 1, "location": null, "grade": "class_1", "inspected_on": "2026-05-08",
    "recorded_at": "2026-05-08T01:30:00.000000Z", "items": 5, "score_recorded": "70.00", "score": "90.00", "contests": 1, "contests_open": 0, "is_annulled": false
}))]
pub struct SummaryView {
    /// Its id.
    pub id: InspectionId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// The code of the source of the period's score to which it counts.
    pub source: String,
    /// The plan by which it was made; `null` if it was unannounced.
    #[schema(required = true)]
    pub plan_id: Option<InspectionPlanId>,
    /// The stop of that plan.
    #[schema(required = true)]
    pub stop: Option<i64>,
    /// The number of the lot's place, from 1.
    #[schema(required = true)]
    pub place: Option<i64>,
    /// Where exactly.
    #[schema(required = true)]
    pub location: Option<String>,
    /// The grade of the place.
    #[schema(required = true)]
    pub grade: Option<String>,
    /// The day, by the ward's zone.
    #[schema(value_type = String)]
    pub inspected_on: NaiveDate,
    /// When it was recorded, UTC.
    pub recorded_at: String,
    /// How many items it has.
    pub items: usize,
    /// What it scored when it was recorded.
    #[schema(required = true)]
    pub score_recorded: Option<Score>,
    /// What it scores with the contests that were decided; `null` if nothing of it counts.
    #[schema(required = true)]
    pub score: Option<Score>,
    /// How many items are contested, or were.
    pub contests: usize,
    /// How many contests wait for a decision.
    pub contests_open: usize,
    /// Whether it was annulled, and does not count.
    pub is_annulled: bool,
}

/// An inspection, in a list.
///
/// # Errors
/// A fault of the database.
pub fn summary(conn: &mut Conn, inspection: Inspection) -> Answer<SummaryView> {
    let document = inspection.document;
    let contests = store_contests::of_inspection(conn, &document.inspection_id)?;
    let score = tally_that_holds(&document, &contests)?.score;
    Ok(SummaryView {
        id: document.inspection_id,
        contract_id: document.contract_id,
        period: document.period,
        source: document.source,
        plan_id: document.plan_id,
        stop: document.stop,
        place: document.place,
        location: document.location,
        grade: document.grade,
        inspected_on: document.inspected_on,
        recorded_at: document.recorded_at,
        items: document.items.len(),
        score_recorded: document.score,
        score,
        contests: contests.len(),
        contests_open: contests.iter().filter(|one| one.decided.is_none()).count(),
        is_annulled: inspection.annulled.is_some(),
    })
}

/// An inspection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Inspection, example = json!({
    "id": "inspection_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1, "source": "daily_inspection",
    "plan_id": null, "stop": null, "place": 1, "location": null, "grade": "class_1", "inspected_on": "2026-05-08",
    "started_at": "2026-05-08T01:00:00.000000Z", "recorded_at": "2026-05-08T01:30:00.000000Z", "inspector_id": null, "photos_are_public": false,
    "items": [], "note": null, "score_recorded": "70.00", "possible": "5", "obtained": "3.5", "deducted": "0", "score": "70.00",
    "contest_until": "2026-05-15", "contests": [], "annulled_at": null, "annulment": null,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
}))]
pub struct InspectionView {
    /// Its id.
    pub id: InspectionId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// The code of the source of the period's score to which it counts.
    pub source: String,
    /// The plan by which it was made; `null` if it was unannounced.
    #[schema(required = true)]
    pub plan_id: Option<InspectionPlanId>,
    /// The stop of that plan.
    #[schema(required = true)]
    pub stop: Option<i64>,
    /// The number of the lot's place, from 1.
    #[schema(required = true)]
    pub place: Option<i64>,
    /// Where exactly.
    #[schema(required = true)]
    pub location: Option<String>,
    /// The grade of the place.
    #[schema(required = true)]
    pub grade: Option<String>,
    /// The day, by the ward's zone.
    #[schema(value_type = String)]
    pub inspected_on: NaiveDate,
    /// When it began, UTC.
    pub started_at: String,
    /// When it was recorded, UTC.
    pub recorded_at: String,
    /// Who inspected; `null` for everybody but the parties and auditors.
    #[schema(required = true)]
    pub inspector_id: Option<AccountId>,
    /// Whether everybody may see the photos, or the parties and auditors alone.
    pub photos_are_public: bool,
    /// What was found, as it was recorded; what was upheld stands with its contest.
    #[schema(max_items = 100)]
    pub items: Vec<ItemDocument>,
    /// What the inspector says of it.
    #[schema(required = true)]
    pub note: Option<String>,
    /// What it scored when it was recorded.
    #[schema(required = true)]
    pub score_recorded: Option<Score>,
    /// What everything weighted is worth, in points, with the contests that were decided.
    pub possible: String,
    /// What of it was obtained.
    pub obtained: String,
    /// What is taken off the score.
    pub deducted: String,
    /// 100 × obtained ÷ possible − deducted, never below 0, half up to two places; `null` if nothing of it counts.
    #[schema(required = true)]
    pub score: Option<Score>,
    /// The last day on which the contractor may contest an item.
    #[schema(value_type = String)]
    pub contest_until: NaiveDate,
    /// What is contested, by item.
    #[schema(max_items = 100)]
    pub contests: Vec<ContestView>,
    /// When it was annulled, UTC.
    #[schema(required = true)]
    pub annulled_at: Option<String>,
    /// Why.
    #[schema(required = true)]
    pub annulment: Option<String>,
    /// SHA-256 of the record's bytes at `content`, as the log has it.
    pub sha256: String,
}

/// An inspection, as somebody may see it.
///
/// # Errors
/// A fault of the database.
pub fn inspection(conn: &mut Conn, actor: &Actor, seen: Seen) -> Answer<InspectionView> {
    let Seen { signed, inspection } = seen;
    let document = inspection.document;
    let contests = store_contests::of_inspection(conn, &document.inspection_id)?;
    let tally = tally_that_holds(&document, &contests)?;
    let is_insider = signed.is_insider(actor);
    let (annulled_at, annulment) = inspection
        .annulled
        .map(|annulled| (rfc3339(annulled.at), annulled.reason))
        .unzip();
    Ok(InspectionView {
        id: document.inspection_id,
        contract_id: document.contract_id,
        period: document.period,
        source: document.source,
        plan_id: document.plan_id,
        stop: document.stop,
        place: document.place,
        location: document.location,
        grade: document.grade,
        inspected_on: document.inspected_on,
        started_at: document.started_at,
        recorded_at: document.recorded_at,
        inspector_id: Some(inspection.inspector_id).filter(|_| is_insider),
        photos_are_public: document.photos_are_public,
        items: document.items,
        note: document.note,
        score_recorded: document.score,
        possible: tally.possible.to_string(),
        obtained: tally.obtained.to_string(),
        deducted: tally.deducted.to_string(),
        score: tally.score,
        contest_until: document.contest_until,
        contests: self::contests(conn, actor, &signed, contests)?,
        annulled_at,
        annulment,
        sha256: hex::encode(inspection.sha256),
    })
}
