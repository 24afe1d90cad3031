//! How books are shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::books::rules::{Book, BookId, LotId, State};
use crate::books::rules_differences::Difference;
use crate::books::rules_documents::BookDocument;
use crate::books::rules_readiness::Item;
use crate::books::store::{Head, Lot};
use crate::books::store_versions::Version;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;
use crate::statutes::profile::Citation;
use crate::statutes::rules::StatuteId;

/// A contract book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Book, example = json!({"id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "draft", "revision": 1, "created_at": "2026-03-02T00:00:00.000000Z", "updated_at": "2026-03-02T00:00:00.000000Z", "sent_back": null, "published_at": null, "statute_id": null, "recipient": null, "versions": null, "sha256": null, "lots": [], "opened_at": null, "cancelled_at": null, "cancellation_zh": null, "cancellation_en": null, "content": {"title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street", "category": "sanitation", "areas": [], "method": "comprehensive_scoring", "clauses": [], "timetable": {"enquiry_deadline": null, "answer_deadline": null, "bid_deadline": null, "opening": null, "service_from": null, "service_until": null}, "qualifications": [], "bid_security_percent": null, "performance_security_percent": "5", "tie_rule": null, "rounding": {"mode": "half_up", "places": 2, "stage": "factor"}, "custody": null, "budget_is_stable": false, "intention_id": null, "consultation_id": null, "documents": [], "lots": []}}))]
pub struct BookView {
    /// Its id.
    pub id: BookId,
    /// Who buys.
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When it was begun, UTC.
    pub created_at: String,
    /// When it was last changed, UTC.
    pub updated_at: String,
    /// Why it was sent back to its drafters last; `null` once it was submitted again.
    pub sent_back: Option<String>,
    /// When it was published, UTC.
    pub published_at: Option<String>,
    /// The version of the rules under which it was published, which goes on to hold for it.
    pub statute_id: Option<StatuteId>,
    /// To whom bids are sealed, an age recipient.
    pub recipient: Option<String>,
    /// How many versions were published.
    pub versions: Option<i64>,
    /// SHA-256 of the current version, as the log has it; `null` before publication.
    pub sha256: Option<String>,
    /// The lots by their ids; none before publication.
    pub lots: Vec<LotView>,
    /// When its bids were opened, UTC; what came of each lot is at `…/opening`.
    pub opened_at: Option<String>,
    /// When it was cancelled, UTC.
    pub cancelled_at: Option<String>,
    /// Why, in Chinese.
    pub cancellation_zh: Option<String>,
    /// Why, in English.
    pub cancellation_en: Option<String>,
    /// What it says.
    pub content: BookDocument,
}

/// The id of a lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublishedLot, example = json!({"id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "1"}))]
pub struct LotView {
    /// Its id, by which bids name it.
    pub id: LotId,
    /// Its code in the book.
    pub code: String,
}

impl BookView {
    /// A book with its lots.
    pub fn of(book: Book, lots: Vec<Lot>) -> Self {
        let publication = book.publication;
        let (cancelled_at, cancellation) = book.cancelled.unzip();
        Self {
            id: book.id,
            organisation_id: book.organisation_id,
            state: book.state,
            revision: book.revision,
            created_at: rfc3339(book.created_at),
            updated_at: rfc3339(book.updated_at),
            sent_back: book.sent_back,
            published_at: publication.as_ref().map(|one| rfc3339(one.at)),
            sha256: publication.as_ref().map(|_| hex::encode(book.sha256)),
            versions: publication.as_ref().map(|one| one.versions),
            recipient: publication.as_ref().map(|one| one.recipient.clone()),
            statute_id: publication.map(|one| one.statute_id),
            lots: lots
                .into_iter()
                .map(|lot| LotView {
                    id: lot.id,
                    code: lot.code,
                })
                .collect(),
            opened_at: book.opened_at.map(rfc3339),
            cancelled_at: cancelled_at.map(rfc3339),
            cancellation_zh: cancellation.as_ref().map(|reason| reason.zh.clone()),
            cancellation_en: cancellation.map(|reason| reason.en),
            content: book.content.document().clone(),
        }
    }
}

/// A book in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookHead, example = json!({"id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "published", "category": "sanitation", "title_zh": "道路保洁", "title_en": "Street sanitation", "bid_deadline": "2026-04-01T01:00:00.000000Z", "created_at": "2026-03-02T00:00:00.000000Z", "updated_at": "2026-03-02T00:00:00.000000Z", "published_at": "2026-03-02T00:00:00.000000Z", "versions": 1}))]
pub struct HeadView {
    /// Its id.
    pub id: BookId,
    /// Who buys.
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// The code of its category of services.
    pub category: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Until when bids are taken, UTC.
    pub bid_deadline: Option<String>,
    /// When it was begun, UTC.
    pub created_at: String,
    /// When it was changed last, UTC.
    pub updated_at: String,
    /// When it was published, UTC.
    pub published_at: Option<String>,
    /// How many versions were published.
    pub versions: Option<i64>,
}

impl TryFrom<Head> for HeadView {
    type Error = Fault;

    fn try_from(head: Head) -> Result<Self, Fault> {
        Ok(Self {
            state: head.standing()?,
            id: head.id,
            organisation_id: head.organisation_id,
            category: head.category,
            title_zh: head.title_zh,
            title_en: head.title_en,
            bid_deadline: head.bid_deadline.map(|at| rfc3339(at.and_utc())),
            created_at: rfc3339(head.created_at.and_utc()),
            updated_at: rfc3339(head.updated_at.and_utc()),
            published_at: head.published_at.map(|at| rfc3339(at.and_utc())),
            versions: head.versions,
        })
    }
}

/// What stands against the publication of a book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookReadiness, example = json!({"ready": false, "statute_id": "statute_01jd3n8f5teqkrzvq1c0m6h2ax", "unanswered_enquiries": 0, "answers_overdue": false, "items": [{"pointer": "/tie_rule", "code": "missing", "detail_zh": "未写明同分规则", "detail_en": "says no tie rule", "rule": null, "citations": []}]}))]
pub struct ReadinessView {
    /// True if nothing does.
    pub ready: bool,
    /// The version of the rules that was asked.
    pub statute_id: StatuteId,
    /// Enquiries about a published book that are not answered.
    pub unanswered_enquiries: i64,
    /// True if there are such and the deadline for answers has come.
    pub answers_overdue: bool,
    /// Everything that does, in the order of the book.
    pub items: Vec<ItemView>,
}

/// Something that is missing, or unlawful.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookReadinessItem, example = json!({"pointer": "/tie_rule", "code": "missing", "detail_zh": "未写明同分规则", "detail_en": "says no tie rule", "rule": null, "citations": []}))]
pub struct ItemView {
    /// Where in the book: a JSON pointer.
    pub pointer: String,
    /// `missing`, `unfit` for the rest of the ward, or `unlawful`.
    pub code: &'static str,
    /// In Chinese.
    pub detail_zh: String,
    /// In English.
    pub detail_en: String,
    /// The code of the rule, if it is one of the statutes.
    pub rule: Option<&'static str>,
    /// Where the rule stands.
    pub citations: Vec<Citation>,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            pointer: item.pointer,
            code: item.code,
            detail_zh: item.detail.zh().to_owned(),
            detail_en: item.detail.en().to_owned(),
            rule: item.rule,
            citations: item.citations,
        }
    }
}

/// A published version of a book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookVersion, example = json!({"book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "reason_zh": null, "reason_en": null, "affects_bids": false, "published_at": "2026-03-02T00:00:00.000000Z", "content": {"title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street", "category": "sanitation", "areas": [], "method": "comprehensive_scoring", "clauses": [], "timetable": {"enquiry_deadline": null, "answer_deadline": null, "bid_deadline": null, "opening": null, "service_from": null, "service_until": null}, "qualifications": [], "bid_security_percent": null, "performance_security_percent": "5", "tie_rule": null, "rounding": {"mode": "half_up", "places": 2, "stage": "factor"}, "custody": null, "budget_is_stable": false, "intention_id": null, "consultation_id": null, "documents": [], "lots": []}}))]
pub struct VersionView {
    /// Of which book.
    pub book_id: BookId,
    /// Counts the versions, from 1.
    pub number: i64,
    /// SHA-256 of the stored bytes, as the log has it.
    pub sha256: String,
    /// Why it took the place of the one before, in Chinese; `null` for the first.
    pub reason_zh: Option<String>,
    /// Why, in English.
    pub reason_en: Option<String>,
    /// Whether bids that were sealed before it have to be confirmed.
    pub affects_bids: bool,
    /// When it was published, UTC.
    pub published_at: String,
    /// What it says.
    pub content: BookDocument,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        let content = version.content.document().clone();
        Self {
            book_id: version.book_id,
            number: version.number,
            sha256: hex::encode(version.sha256),
            reason_zh: version.reason.as_ref().map(|reason| reason.zh.clone()),
            reason_en: version.reason.map(|reason| reason.en),
            affects_bids: version.affects_bids,
            published_at: rfc3339(version.published_at),
            content,
        }
    }
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookDifferences, example = json!({"from": 1, "to": 2, "items": [{"pointer": "/title_en", "before": "Sweeping", "after": "Street sanitation"}]}))]
pub struct DifferencesView {
    /// The version that is compared with.
    pub from: i64,
    /// The version that is compared.
    pub to: i64,
    /// Every field that differs.
    pub items: Vec<DifferenceView>,
}

/// A field that differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookDifference, example = json!({"pointer": "/title_en", "before": "Sweeping", "after": "Street sanitation"}))]
pub struct DifferenceView {
    /// Where: a JSON pointer in which members that have a code or a number are named by it.
    pub pointer: String,
    /// What was there; `null` if nothing was.
    pub before: Option<Value>,
    /// What is there; `null` if nothing is.
    pub after: Option<Value>,
}

impl From<Difference> for DifferenceView {
    fn from(one: Difference) -> Self {
        Self {
            pointer: one.pointer,
            before: one.before,
            after: one.after,
        }
    }
}
