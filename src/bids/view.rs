//! How bids are shown: to their bidder, and before the opening to nobody else.

use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::entry::EventId;
use crate::bids::rules::{BidId, Kind, Version};
use crate::bids::rules_document::BidDocument;
use crate::books::rules::{BookId, LotId};
use crate::books::rules_readiness::Item;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::statutes::profile::Citation;

/// A version of a bid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidVersion, example = json!({
    "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "number": 1, "kind": "sealed", "sealed_number": 1, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "bytes": 65768, "book_version": 1, "received_at": "2026-03-20T00:59:59.000000Z", "event_id": "event_01jd3n8f5teqkrzvq1c0m6h2ax",
    "receipt": "wardbook/bid-receipt/v1\nlot_01jd3n8f5teqkrzvq1c0m6h2ax\nbid_01jd3n8f5teqkrzvq1c0m6h2ax\n9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n65768\n2026-03-20T00:59:59.000000Z\n\n— ward.example/audit AAAA\n"
}))]
pub struct VersionView {
    /// Of which bid.
    pub bid_id: BidId,
    /// For which lot.
    pub lot_id: LotId,
    /// Whose bid.
    pub supplier_id: OrganisationId,
    /// Counts the versions, from 1; the last one's is also the `ETag`.
    pub number: i64,
    /// What it is.
    pub kind: Kind,
    /// The version whose sealed bytes it is about.
    pub sealed_number: i64,
    /// SHA-256 of those bytes.
    pub sha256: String,
    /// How many they are.
    pub bytes: i64,
    /// The version of the book that it was made for.
    pub book_version: i64,
    /// When it was received, UTC.
    pub received_at: String,
    /// The event that records it. It comes into the log when the lot is opened.
    pub event_id: EventId,
    /// The receipt: a note that is signed with the key of the log.
    pub receipt: String,
}

impl From<&Version> for VersionView {
    fn from(version: &Version) -> Self {
        Self {
            bid_id: version.bid_id.clone(),
            lot_id: version.lot_id.clone(),
            supplier_id: version.supplier_id.clone(),
            number: version.number,
            kind: version.kind,
            sealed_number: version.sealed_number,
            sha256: hex::encode(version.sha256),
            bytes: version.bytes,
            book_version: version.book_version,
            received_at: rfc3339(version.received_at),
            event_id: version.event_id.clone(),
            receipt: version.receipt.clone(),
        }
    }
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidTaken)]
pub struct TakenView {
    /// The version that it became.
    pub version: VersionView,
    /// What would stand against the bid if its lot were opened now; `null` where nobody but the bidder has read it, and in an answer
    /// that was given before.
    #[schema(required = true)]
    pub warnings: Option<Vec<WarningView>>,
}

/// Something that would stand against a bid at its opening.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidWarning, example = json!({"pointer": "/supplier_id", "code": "qualification_expired", "detail_zh": "“保安服务许可证”已过期", "detail_en": "Licence for guarding services: has expired", "rule": null, "citations": []}))]
pub struct WarningView {
    /// Where in the bid: a JSON pointer.
    pub pointer: String,
    /// `not_verified`, `debarred`, `qualification_missing`, `qualification_expired`, `qualification_unproven`, `size_differs`, `size_not_declared`, `not_small`,
    /// `same_control`, `recusal`.
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

impl From<Item> for WarningView {
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

/// A bid with all its versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bid)]
pub struct BidView {
    /// Its id.
    pub id: BidId,
    /// For which lot.
    pub lot_id: LotId,
    /// Whose bid.
    pub supplier_id: OrganisationId,
    /// Whether an addendum that affects bids came after it, so that it counts only if it is confirmed or replaced before the deadline.
    #[schema(example = false)]
    pub needs_confirmation: bool,
    /// Its versions, the first one first.
    pub versions: Vec<VersionView>,
}

/// What is needed to make a bid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidForm, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
    "recipient": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "bid_deadline": "2026-04-01T01:00:00.000000Z",
    "document": {
        "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
        "price_lines": [{"quantity": 1, "unit_price": "0", "amount": {"amount": "0.00", "currency": "CNY"}}],
        "total": {"amount": "0.00", "currency": "CNY"}, "criteria": [{"code": "T1", "text": "", "documents": []}],
        "indicators": [{"code": "cigarette_ends", "deviation": "none", "text": null}], "size": null, "key_staff": [],
        "subcontractors": [], "consortium": [], "ties": [], "interests": [], "documents": [], "confidential": []
    }
}))]
pub struct FormView {
    /// For which lot.
    pub lot_id: LotId,
    /// Of which book.
    pub book_id: BookId,
    /// The version of the book.
    pub book_version: i64,
    /// To whom a bid is sealed: an age recipient.
    pub recipient: String,
    /// Until when bids are taken, UTC; not then or later.
    pub bid_deadline: Option<String>,
    /// A bid with everything that the lot asks for, to be filled in.
    pub document: BidDocument,
}
