//! The documents of a bid: sealed with it are their names and hashes; the files themselves are handed in once it was opened, and only those
//! that it names. Pure.

use crate::bids::rules_document::{BidDocument, DocumentReference};
use crate::kernel::refusal::{Kind, Reason, Refusal};

/// A bid does not name this file.
pub static NOT_NAMED: Reason = Reason::new(
    Kind::Conflict,
    "bid_document_not_named",
    "投标中没有列明该文件，或该文件已经提交",
    "The bid names no such file, or it was handed in already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&NOT_NAMED];

/// The document of a bid that a file is: the same hash and as many bytes, and not handed in yet. `handed_in` are the hashes of those that were.
///
/// # Errors
/// [`NOT_NAMED`] if it is none of them, or was handed in before.
pub fn named<'b>(
    bid: &'b BidDocument,
    (sha256, bytes): (&str, u64),
    handed_in: &[String],
) -> Result<&'b DocumentReference, Refusal> {
    let found = bid
        .documents
        .iter()
        .find(|one| one.sha256 == sha256 && u64::try_from(one.bytes) == Ok(bytes));
    match found {
        Some(one) if !handed_in.contains(&one.sha256) => Ok(one),
        _ => Err(NOT_NAMED.refuse()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_sealed_with_the_bid_is_taken_and_once() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let bid = json!({
            "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1, "price_lines": [],
            "total": {"amount": "1.00", "currency": "CNY"}, "criteria": [], "indicators": [], "key_staff": [], "subcontractors": [],
            "consortium": [], "ties": [], "interests": [], "documents": [{"name": "方案.pdf", "sha256": hash, "bytes": 10}], "confidential": []
        });
        let bid = BidDocument::read(bid.to_string().as_bytes()).unwrap();
        assert_eq!(named(&bid, (hash, 10), &[]).unwrap().name, "方案.pdf");
        for (wrong, bytes) in [(hash, 11), ("00", 10)] {
            assert_eq!(
                named(&bid, (wrong, bytes), &[]).unwrap_err().reason.code,
                "bid_document_not_named"
            );
        }
        assert!(named(&bid, (hash, 10), &[hash.to_owned()]).is_err());
    }
}
