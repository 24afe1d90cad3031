//! The notice of an award: what everybody learns of it, written once and kept as its bytes; and what of the derivation of a ranking it and
//! the bidders are told (87号令 art 69). Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::award::rules_awards::{Award, AwardId};
use crate::award::rules_results::{Evaluation, EvaluationId};
use crate::bids::rules::BidId;
use crate::bids::rules_opening::OpeningRecord;
use crate::books::rules::{Book, BookId, LotId};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;

/// What a notice of this form begins with.
pub const FORMAT: &str = "wardbook/award-notice/v1";

/// What a derivation says of its result; the rest of it is for whoever recomputes it.
#[derive(Debug, Deserialize)]
struct Derivation {
    result: DerivedResult,
}

#[derive(Debug, Deserialize)]
struct DerivedResult {
    #[serde(default)]
    bids: Vec<Derived>,
}

/// What a derivation says of one bid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Derived {
    /// The bid.
    pub bidder: BidId,
    /// Its price as it was judged, after deductions.
    #[serde(default)]
    pub evaluated_price: Option<Value>,
    /// Points for the price.
    #[serde(default)]
    pub price_score: Option<String>,
    /// Points by criterion.
    #[serde(default)]
    pub scores: BTreeMap<String, Value>,
    /// All points.
    #[serde(default)]
    pub total: Option<String>,
    /// What was noted about it.
    #[serde(default)]
    pub flags: Vec<Value>,
    /// Why it was put out.
    #[serde(default)]
    pub out: Option<Value>,
}

/// What the derivation of a round says of each bid.
///
/// # Errors
/// A fault if it is none.
pub fn derived(evaluation: &Evaluation) -> Result<Vec<Derived>, Fault> {
    let read: Result<Derivation, _> = serde_json::from_str(&evaluation.content);
    let read = read.map_err(|error| Fault::caused(format!("the derivation of {}", evaluation.id), error))?;
    Ok(read.result.bids)
}

/// How one bid did, for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardNoticeResult)]
pub struct ResultDocument {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The bidder's Chinese name on the day of the opening.
    #[schema(max_length = 200)]
    pub supplier_zh: String,
    /// Its English name.
    #[schema(max_length = 200)]
    pub supplier_en: String,
    /// What the contract would cost.
    pub price: Money,
    /// All its points; `null` if it was put out, or points were not given.
    #[schema(max_length = 40, example = "90.10")]
    pub total: Option<String>,
    /// Its place, from 1 for the best; `null` if it was put out.
    #[schema(minimum = 1, maximum = 10000)]
    pub place: Option<i64>,
}

/// The notice of an award.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardNotice, example = json!({
    "format": "wardbook/award-notice/v1", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
    "title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_code": "1",
    "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "buyer_zh": "梧桐街道办事处", "buyer_en": "Wutong Street Office",
    "evaluation_id": "evaluation_01jd3n8f5teqkrzvq1c0m6h2ax", "round": 1, "evaluation_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "winner": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "price": {"amount": "2298600.00", "currency": "CNY"}, "results": [],
    "noticed_at": "2026-04-08T02:00:00.000000Z", "notice_until": "2026-04-09", "challenges_until": "2026-04-20"
}))]
pub struct NoticeDocument {
    /// `wardbook/award-notice/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The award.
    pub award_id: AwardId,
    /// Counts the awards of the lot, from 1.
    #[schema(minimum = 1, maximum = 100)]
    pub number: i64,
    /// The book.
    pub book_id: BookId,
    /// Its version.
    #[schema(minimum = 1, maximum = 100)]
    pub book_version: i64,
    /// Its Chinese title.
    #[schema(max_length = 200)]
    pub title_zh: String,
    /// Its English title.
    #[schema(max_length = 200)]
    pub title_en: String,
    /// The lot.
    pub lot_id: LotId,
    /// Its code in the book.
    #[schema(max_length = 20)]
    pub lot_code: String,
    /// Who buys.
    pub buyer_id: OrganisationId,
    /// The buyer's Chinese name.
    #[schema(max_length = 200)]
    pub buyer_zh: String,
    /// Its English name.
    #[schema(max_length = 200)]
    pub buyer_en: String,
    /// The round of judging that it rests on.
    pub evaluation_id: EvaluationId,
    /// Its number.
    #[schema(minimum = 1, maximum = 20)]
    pub round: i64,
    /// SHA-256 of its derivation, as the log has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub evaluation_sha256: String,
    /// The winning bid.
    pub winner: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The price of the contract.
    pub price: Money,
    /// Everybody's result: the best first, and those that were put out last.
    #[schema(max_items = 500)]
    pub results: Vec<ResultDocument>,
    /// When it was published, UTC.
    #[schema(max_length = 40)]
    pub noticed_at: String,
    /// The last day of the public notice.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub notice_until: NaiveDate,
    /// The last day for challenges.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub challenges_until: NaiveDate,
}

/// What a notice is put together from.
pub struct Sources<'s> {
    /// The book.
    pub book: &'s Book,
    /// The lot's code.
    pub lot_code: &'s str,
    /// The buyer's names.
    pub buyer: (String, String),
    /// The record of the lot's opening, which has the bidders' names on the day.
    pub opening: &'s OpeningRecord,
    /// The round of judging.
    pub evaluation: &'s Evaluation,
}

/// The notice of an award that is published now, and stands until the first of these days while challenges are taken until the second.
///
/// # Errors
/// A fault if the round and the opening do not fit each other.
pub fn written(
    award: &Award,
    sources: &Sources<'_>,
    (notice_until, challenges_until): (NaiveDate, NaiveDate),
    now: Instant,
) -> Result<NoticeDocument, Fault> {
    let Sources {
        book,
        opening,
        evaluation,
        ..
    } = sources;
    let derived = derived(evaluation)?;
    let mut results = Vec::with_capacity(evaluation.places.len());
    for place in &evaluation.places {
        let opened = opening.opened.iter().find(|bid| bid.bid_id == place.bid_id);
        let opened = opened.ok_or_else(|| Fault::broken(format!("{} was never opened", place.bid_id)))?;
        let judged = derived.iter().find(|bid| bid.bidder == place.bid_id);
        results.push(ResultDocument {
            bid_id: place.bid_id.clone(),
            supplier_id: place.supplier_id.clone(),
            supplier_zh: opened.supplier_zh.clone(),
            supplier_en: opened.supplier_en.clone(),
            price: place.price,
            total: judged.and_then(|bid| bid.total.clone()),
            place: place.place,
        });
    }
    let said = book.content.document();
    let (buyer_zh, buyer_en) = sources.buyer.clone();
    Ok(NoticeDocument {
        format: FORMAT.to_owned(),
        award_id: award.id.clone(),
        number: award.number,
        book_id: book.id.clone(),
        book_version: book.publication.as_ref().map_or(1, |one| one.versions),
        title_zh: said.title_zh.trim().to_owned(),
        title_en: said.title_en.trim().to_owned(),
        lot_id: award.lot_id.clone(),
        lot_code: sources.lot_code.to_owned(),
        buyer_id: book.organisation_id.clone(),
        buyer_zh,
        buyer_en,
        evaluation_id: evaluation.id.clone(),
        round: evaluation.round,
        evaluation_sha256: hex::encode(evaluation.sha256),
        winner: award.bid_id.clone(),
        supplier_id: award.supplier_id.clone(),
        price: award.price,
        results,
        noticed_at: rfc3339(now),
        notice_until,
        challenges_until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::award::rules_results::Outcome;
    use chrono::{TimeZone, Utc};

    fn round(content: &str) -> Evaluation {
        let now = Utc.with_ymd_and_hms(2026, 4, 2, 0, 0, 0).unwrap();
        Evaluation {
            id: EvaluationId::mint(now),
            lot_id: LotId::mint(now),
            book_id: BookId::mint(now),
            round: 1,
            outcome: Outcome::Ranked,
            concluded_at: now,
            content: content.to_owned(),
            sha256: [0; 32],
            places: Vec::new(),
        }
    }

    #[test]
    fn a_derivation_is_read_for_what_it_says_of_bids_and_may_say_more() {
        let content = r#"{"format":"wardbook/evaluation/v1","steps":[1],"result":{"outcome":"ranked","bids":[
            {"bidder":"bid_01jd3n8f5teqkrzvq1c0m6h2ax","evaluated_price":"2068740.00","price_score":"30.00","scores":{"T1":"60.10"},"total":"90.10","rank":1,"flags":[],"out":null},
            {"bidder":"bid_01jd3n8f5teqkrzvq1c0m6h2ay","out":{"code":"late"}}]}}"#;
        let read = derived(&round(content)).unwrap();
        assert_eq!(read[0].total.as_deref(), Some("90.10"));
        assert_eq!(read[0].scores["T1"], "60.10");
        assert!(read[0].out.is_none() && read[1].out.is_some() && read[1].total.is_none());
        assert!(derived(&round("{}")).is_err());
    }
}
