//! How acceptances are shown: to everybody what was handed over, signed and decided; to the parties and auditors also why the contractor objects, and the files;
//! to the buyer's people and auditors what is drafted, and who was invited.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::desk_acceptances::Seen;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::ServedPerson;
use crate::contracts::rules_acceptances::{AcceptanceId, Beginning, Conclusion, State};
use crate::contracts::store_acceptances as store;
use crate::db::conn::Conn;
use crate::files::rules::AttachmentId;
use crate::files::store::attached_to;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::web::actor::Actor;

/// An acceptance of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeriodAcceptance, example = json!({
    "id": "acceptance_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1, "round": 1, "state": "accepted",
    "beginning": "hand_over", "begun_at": "2026-06-01T02:00:00.000000Z", "first_day": "2026-05-01", "last_day": "2026-05-31", "hand_over": "按合同完成五月保洁",
    "handed_over_at": "2026-06-01T02:00:00.000000Z", "inspect_until": "2026-06-10", "silent_at": "2026-06-10T16:00:00.000000Z",
    "accepted_since": "2026-06-05T02:00:00.000000Z", "conclusion": "accepted", "undisputed_percent": "100", "score": "92.50", "grade": "excellent",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "signed_at": "2026-06-05T02:00:00.000000Z", "signed_by": null,
    "object_until": "2026-06-12", "objected_at": null, "objection": null, "is_upheld": null, "decision_zh": null, "decision_en": null, "decided_at": null,
    "drafts": null, "draft_sha256": null, "attachment_ids": [], "revision": 3
}))]
pub struct AcceptanceView {
    /// Its id.
    pub id: AcceptanceId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// Its number among the rounds of the period, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub round: i64,
    /// How far it has come.
    pub state: State,
    /// How it began.
    pub beginning: Beginning,
    /// When, UTC.
    pub begun_at: String,
    /// The first day that was served in the period.
    #[schema(value_type = String)]
    pub first_day: NaiveDate,
    /// The last day that was served in it.
    #[schema(value_type = String)]
    pub last_day: NaiveDate,
    /// What was done, as the contractor says.
    #[schema(required = true)]
    pub hand_over: Option<String>,
    /// When it handed the period over, UTC.
    #[schema(required = true)]
    pub handed_over_at: Option<String>,
    /// The last day of the time for inspection; `null` before anything was handed over.
    #[schema(value_type = Option<String>, required = true)]
    pub inspect_until: Option<NaiveDate>,
    /// When silence accepts the period if no certificate is signed before, UTC; `null` where it never does.
    #[schema(required = true)]
    pub silent_at: Option<String>,
    /// Since when the period is accepted by this round, wholly or in part, UTC.
    #[schema(required = true)]
    pub accepted_since: Option<String>,
    /// What the certificate concludes.
    #[schema(required = true)]
    pub conclusion: Option<Conclusion>,
    /// The part of the period that is undisputed, in percent; all of it where silence has accepted.
    #[schema(required = true)]
    pub undisputed_percent: Option<Weight>,
    /// What the period scored in all by the certificate; `null` where that was not settled.
    #[schema(required = true)]
    pub score: Option<Score>,
    /// The code of the grade of it.
    #[schema(required = true)]
    pub grade: Option<String>,
    /// SHA-256 of the certificate's bytes at `content`, as the log has it.
    #[schema(required = true)]
    pub sha256: Option<String>,
    /// When it was signed, UTC.
    #[schema(required = true)]
    pub signed_at: Option<String>,
    /// Who signed; for the parties and auditors.
    #[schema(required = true)]
    pub signed_by: Option<AccountId>,
    /// The last day on which the contractor may object.
    #[schema(value_type = Option<String>, required = true)]
    pub object_until: Option<NaiveDate>,
    /// When it objected, UTC.
    #[schema(required = true)]
    pub objected_at: Option<String>,
    /// Why; for the parties and auditors.
    #[schema(required = true)]
    pub objection: Option<String>,
    /// Whether the objection was upheld.
    #[schema(required = true)]
    pub is_upheld: Option<bool>,
    /// Why, in Chinese.
    #[schema(required = true)]
    pub decision_zh: Option<String>,
    /// In English.
    #[schema(required = true)]
    pub decision_en: Option<String>,
    /// When that was decided, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
    /// How many certificates were drafted; for the buyer's people and auditors.
    #[schema(required = true)]
    pub drafts: Option<i64>,
    /// SHA-256 of the last one, which is what is signed; for the same.
    #[schema(required = true)]
    pub draft_sha256: Option<String>,
    /// What was handed in; for the parties and auditors.
    #[schema(max_items = 40)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

/// An acceptance, as somebody may see it.
///
/// # Errors
/// A fault of the database.
pub fn shown(conn: &mut Conn, actor: &Actor, seen: &Seen, now: Instant) -> Answer<AcceptanceView> {
    let one = &seen.acceptance;
    let (is_insider, is_drafters) = (seen.signed.is_insider(actor), seen.is_drafters(actor));
    let files = if is_insider {
        attached_to(conn, one.id.as_str())?
    } else {
        Vec::new()
    };
    let draft = if is_drafters {
        store::draft(conn, &one.id, one.drafts)?
    } else {
        None
    };
    let state = one.state(now);
    let signature = one.signed.as_ref();
    let objection = one.objection.as_ref();
    let decided = objection.and_then(|objection| objection.decided.as_ref());
    let undisputed = match state {
        State::AcceptedBySilence => Some(Weight::HUNDRED),
        _ => signature.map(|signed| signed.undisputed),
    };
    Ok(AcceptanceView {
        id: one.id.clone(),
        contract_id: one.contract_id.clone(),
        period: one.period,
        round: one.round,
        state,
        beginning: one.beginning,
        begun_at: rfc3339(one.begun_at),
        first_day: one.served.first,
        last_day: one.served.last,
        hand_over: one.hand_over.as_ref().map(|done| done.words.clone()),
        handed_over_at: one.hand_over.as_ref().map(|done| rfc3339(done.at)),
        inspect_until: one.inspecting.map(|time| time.until),
        silent_at: one.silent_at().map(rfc3339),
        accepted_since: one.accepted_since(now).map(rfc3339),
        conclusion: signature.map(|signed| signed.conclusion),
        undisputed_percent: undisputed,
        score: signature.and_then(|signed| signed.score),
        grade: signature.and_then(|signed| signed.grade.clone()),
        sha256: signature.map(|signed| hex::encode(signed.sha256)),
        signed_at: signature.map(|signed| rfc3339(signed.at)),
        signed_by: signature.map(|signed| signed.by.clone()).filter(|_| is_insider),
        object_until: signature.map(|signed| signed.object_until),
        objected_at: objection.map(|made| rfc3339(made.at)),
        objection: objection.map(|made| made.words.clone()).filter(|_| is_insider),
        is_upheld: decided.map(|decided| decided.is_upheld),
        decision_zh: decided.map(|decided| decided.words.zh.clone()),
        decision_en: decided.map(|decided| decided.words.en.clone()),
        decided_at: decided.map(|decided| rfc3339(decided.at)),
        drafts: is_drafters.then_some(one.drafts),
        draft_sha256: draft.map(|draft| hex::encode(draft.sha256)),
        attachment_ids: files.into_iter().map(|file| file.id).collect(),
        revision: one.revision,
    })
}

/// Somebody whom the service is for, and who was invited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedPerson, example = json!({"name": "张三", "took_part": true, "words": "早上很干净"}))]
pub struct ServedPersonView {
    /// Who.
    pub name: String,
    /// Whether they took part.
    pub took_part: bool,
    /// What they said.
    #[schema(required = true)]
    pub words: Option<String>,
}

impl From<ServedPerson> for ServedPersonView {
    fn from(person: ServedPerson) -> Self {
        Self {
            name: person.name,
            took_part: person.took_part,
            words: person.words,
        }
    }
}

/// Who was invited to an acceptance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedPeople)]
pub struct ServedPeopleView {
    /// By the last draft, in its order.
    #[schema(max_items = 100)]
    pub items: Vec<ServedPersonView>,
}
