//! How awards, and how far lots have come, are shown.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::award::desk::Known;
use crate::award::rules_awards::{Award, AwardId, End, State};
use crate::award::rules_deadlines::{Deadlines, Due};
use crate::award::rules_notice::Derived;
use crate::award::rules_results::{EvaluationId, Place};
use crate::award::rules_standing::LotStanding;
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;
use crate::web::format::csv_table;

/// A last day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AwardDue, example = json!({"on": "2026-04-09", "is_overdue": false}))]
pub struct DueView {
    /// The last day.
    #[schema(value_type = String)]
    pub on: NaiveDate,
    /// True if it was missed: nothing was done by then.
    pub is_overdue: bool,
}

fn due(due: Option<Due>) -> Option<DueView> {
    due.map(|Due { on, is_overdue }| DueView { on, is_overdue })
}

/// The deadlines of an award, as far as they are known yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AwardDeadlines)]
pub struct DeadlinesView {
    /// Until when the report goes to the buyer; of a lot's first award only.
    pub report: Option<DueView>,
    /// Until when the buyer decides.
    pub decision: Option<DueView>,
    /// Until when the notice is published.
    pub notice: Option<DueView>,
    /// The last day of the public notice.
    #[schema(value_type = Option<String>)]
    pub notice_until: Option<NaiveDate>,
    /// The last day for challenges.
    #[schema(value_type = Option<String>)]
    pub challenges_until: Option<NaiveDate>,
    /// Until when both parties sign.
    pub signing: Option<DueView>,
}

impl From<Deadlines> for DeadlinesView {
    fn from(known: Deadlines) -> Self {
        Self {
            report: due(known.report),
            decision: due(known.decision),
            notice: due(known.notice),
            notice_until: known.notice_until,
            challenges_until: known.challenges_until,
            signing: due(known.signing),
        }
    }
}

/// An award.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Award, example = json!({
    "id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax",
    "evaluation_id": "evaluation_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "place": 1, "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax",
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "price": {"amount": "2298600.00", "currency": "CNY"}, "state": "noticed", "revision": 3,
    "proposed_at": "2026-04-03T02:00:00.000000Z", "decided_at": "2026-04-07T02:00:00.000000Z", "noticed_at": "2026-04-08T02:00:00.000000Z",
    "notice_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "confirmed_at": null, "signed_at": null, "ended_at": null,
    "end_cause": null, "end_reason_zh": null, "end_reason_en": null, "report": null, "decision": null,
    "deadlines": {"report": null, "decision": null, "notice": null, "notice_until": "2026-04-09", "challenges_until": "2026-04-20", "signing": {"on": "2026-05-08", "is_overdue": false}}
}))]
pub struct AwardView {
    /// Its id.
    pub id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// The round of judging that it rests on.
    pub evaluation_id: EvaluationId,
    /// Counts the awards of the lot, from 1.
    pub number: i64,
    /// The winner's place in the ranking.
    pub place: i64,
    /// The winning bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The price of the contract.
    pub price: Money,
    /// How far it has come.
    pub state: State,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When it was proposed, UTC.
    pub proposed_at: String,
    /// When it was decided, UTC.
    pub decided_at: Option<String>,
    /// When its notice was published, UTC.
    pub noticed_at: Option<String>,
    /// SHA-256 of the notice, as the log has it.
    pub notice_sha256: Option<String>,
    /// When it was confirmed, UTC.
    pub confirmed_at: Option<String>,
    /// When the second party signed the contract, UTC.
    pub signed_at: Option<String>,
    /// When it came to nothing, UTC.
    pub ended_at: Option<String>,
    /// What by.
    pub end_cause: Option<End>,
    /// Why, in Chinese.
    pub end_reason_zh: Option<String>,
    /// Why, in English.
    pub end_reason_en: Option<String>,
    /// The report by which it was proposed; to the buyer and auditors only.
    pub report: Option<String>,
    /// In which words it was decided; to the buyer and auditors only.
    pub decision: Option<String>,
    /// Its deadlines.
    pub deadlines: DeadlinesView,
}

impl AwardView {
    /// An award, with what is the buyer's own if the reader may see that.
    pub fn of(award: Award, deadlines: Deadlines, is_open: bool) -> Self {
        let (decided_at, decision) = award.decided.unzip();
        let (end_cause, ended_at, reason) = match award.ended {
            Some(ended) => (Some(ended.cause), Some(ended.at), Some(ended.reason)),
            None => (None, None, None),
        };
        let (end_reason_zh, end_reason_en) = reason.map(|reason| (reason.zh, reason.en)).unzip();
        Self {
            id: award.id,
            lot_id: award.lot_id,
            book_id: award.book_id,
            evaluation_id: award.evaluation_id,
            number: award.number,
            place: award.place,
            bid_id: award.bid_id,
            supplier_id: award.supplier_id,
            price: award.price,
            state: award.state,
            revision: award.revision,
            proposed_at: rfc3339(award.proposed_at),
            decided_at: decided_at.map(rfc3339),
            noticed_at: award.notice.as_ref().map(|notice| rfc3339(notice.at)),
            notice_sha256: award.notice.map(|notice| hex::encode(notice.sha256)),
            confirmed_at: award.confirmed_at.map(rfc3339),
            signed_at: award.signed_at.map(rfc3339),
            ended_at: ended_at.map(rfc3339),
            end_cause,
            end_reason_zh,
            end_reason_en,
            report: Some(award.report).filter(|_| is_open),
            decision: decision.filter(|_| is_open),
            deadlines: deadlines.into(),
        }
    }
}

/// The awards of a lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotAwards, example = json!({"items": []}))]
pub struct AwardsView {
    /// The first one first.
    #[schema(max_items = 100)]
    pub items: Vec<AwardView>,
}

impl AwardsView {
    /// The same as CSV, without what anybody said.
    ///
    /// # Errors
    /// A fault if it cannot be written.
    pub fn table(&self) -> Result<Vec<u8>, Fault> {
        let columns = [
            "id",
            "lot_id",
            "book_id",
            "number",
            "place",
            "bid_id",
            "supplier_id",
            "price",
            "state",
            "proposed_at",
            "decided_at",
            "noticed_at",
            "confirmed_at",
            "signed_at",
            "ended_at",
            "end_cause",
        ];
        let said = |at: &Option<String>| at.clone().unwrap_or_default();
        let rows = self.items.iter().map(|item| {
            [
                item.id.to_string(),
                item.lot_id.to_string(),
                item.book_id.to_string(),
                item.number.to_string(),
                item.place.to_string(),
                item.bid_id.to_string(),
                item.supplier_id.to_string(),
                item.price.to_string(),
                item.state.name().to_owned(),
                item.proposed_at.clone(),
                said(&item.decided_at),
                said(&item.noticed_at),
                said(&item.confirmed_at),
                said(&item.signed_at),
                said(&item.ended_at),
                item.end_cause.map(End::name).unwrap_or_default().to_owned(),
            ]
        });
        csv_table(&columns, rows)
    }
}

/// What came of an award that ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedAward)]
pub struct FallenView {
    /// The award, ended.
    pub award: AwardView,
    /// The award of the next in rank, to whoever may see it before its notice; `null` if there is none.
    pub next: Option<AwardView>,
}

/// How far a lot has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotStatus, example = json!({
    "id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "1", "standing": "noticed",
    "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "suspended_until": null, "ended_reason_zh": null, "ended_reason_en": null
}))]
pub struct LotView {
    /// The lot.
    pub id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Its code in the book.
    pub code: String,
    /// How far it has come.
    pub standing: LotStanding,
    /// The award that stands, since its notice.
    pub award_id: Option<AwardId>,
    /// Until when the regulator has suspended the book, UTC, if that is so now.
    pub suspended_until: Option<String>,
    /// Why it came to nothing after its opening, in Chinese.
    pub ended_reason_zh: Option<String>,
    /// Why, in English.
    pub ended_reason_en: Option<String>,
}

/// How far each lot of a book has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookLots, example = json!({"items": []}))]
pub struct LotsView {
    /// The lots in their order.
    #[schema(max_items = 20)]
    pub items: Vec<LotView>,
}

/// How a bid of one's own did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnResult, example = json!({
    "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "place": 2, "price": {"amount": "2248000.00", "currency": "CNY"},
    "evaluated_price": "2248000.00", "price_score": "27.61", "scores": {"T1": "60.20"}, "total": "87.81", "flags": [], "out": null
}))]
pub struct OwnResultView {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// Its place; `null` if it was put out.
    pub place: Option<i64>,
    /// What the contract would cost.
    pub price: Money,
    /// Its price as it was judged, after deductions.
    #[schema(value_type = Option<Object>)]
    pub evaluated_price: Option<Value>,
    /// Points for the price.
    pub price_score: Option<String>,
    /// Points by criterion.
    #[schema(value_type = Object)]
    pub scores: BTreeMap<String, Value>,
    /// All points.
    pub total: Option<String>,
    /// What was noted about it.
    #[schema(value_type = Vec<Object>)]
    pub flags: Vec<Value>,
    /// Why it was put out.
    #[schema(value_type = Option<Object>)]
    pub out: Option<Value>,
}

impl From<(Place, Derived)> for OwnResultView {
    fn from((place, judged): (Place, Derived)) -> Self {
        Self {
            bid_id: place.bid_id,
            supplier_id: place.supplier_id,
            place: place.place,
            price: place.price,
            evaluated_price: judged.evaluated_price,
            price_score: judged.price_score,
            scores: judged.scores,
            total: judged.total,
            flags: judged.flags,
            out: judged.out,
        }
    }
}

/// How the bids of one's own suppliers did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnResults, example = json!({"items": []}))]
pub struct OwnResultsView {
    /// One for each supplier that one acts for and that has bid.
    #[schema(max_items = 500)]
    pub items: Vec<OwnResultView>,
}

/// Until when a book is suspended now.
pub(super) fn suspended_until(known: &Known, now: crate::kernel::clock::Instant) -> Option<String> {
    let running = known.suspensions.iter().filter(|one| one.runs_at(now));
    running.map(|one| one.until_at).max().map(rfc3339)
}
