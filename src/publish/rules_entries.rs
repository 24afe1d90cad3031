//! Which processes an entry of the log is about: the ids that its public part names. An entry that names none is about none. Pure.

use std::collections::BTreeSet;

use crate::award::rules_awards::AwardId;
use crate::books::rules::{BookId, LotId};
use crate::books::rules_enquiries::EnquiryId;
use crate::books::rules_intentions::IntentionId;
use crate::budget::rules_year_ends::YearEndId;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::contracts::rules_terminations::TerminationId;
use crate::contracts::rules_variations::VariationId;
use crate::kernel::id::SUFFIX_LENGTH;
use crate::payments::rules_claims::ClaimId;

/// Something by which a process is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A notice of what is planned.
    Intention(IntentionId),
    /// A book.
    Book(BookId),
    /// A lot.
    Lot(LotId),
    /// An enquiry about a book.
    Enquiry(EnquiryId),
    /// An award.
    Award(AwardId),
    /// A contract.
    Contract(ContractId),
    /// An acceptance of a period.
    Acceptance(AcceptanceId),
    /// A variation of a contract.
    Variation(VariationId),
    /// The end of a contract.
    Termination(TerminationId),
    /// A claim.
    Claim(ClaimId),
    /// What becomes of money that is still held at a year's end, for a contract for instance.
    YearEnd(YearEndId),
}

/// What an id names, if it is of a kind by which a process is found.
pub fn named(id: &str) -> Option<Named> {
    let (prefix, _) = id.split_once('_')?;
    match prefix {
        IntentionId::PREFIX => id.parse().ok().map(Named::Intention),
        BookId::PREFIX => id.parse().ok().map(Named::Book),
        LotId::PREFIX => id.parse().ok().map(Named::Lot),
        EnquiryId::PREFIX => id.parse().ok().map(Named::Enquiry),
        AwardId::PREFIX => id.parse().ok().map(Named::Award),
        ContractId::PREFIX => id.parse().ok().map(Named::Contract),
        AcceptanceId::PREFIX => id.parse().ok().map(Named::Acceptance),
        VariationId::PREFIX => id.parse().ok().map(Named::Variation),
        TerminationId::PREFIX => id.parse().ok().map(Named::Termination),
        ClaimId::PREFIX => id.parse().ok().map(Named::Claim),
        YearEndId::PREFIX => id.parse().ok().map(Named::YearEnd),
        _ => None,
    }
}

/// What the entry names. Bytes that are no text name nothing.
pub fn names(entry: &[u8]) -> BTreeSet<Named> {
    let text = std::str::from_utf8(entry).unwrap_or_default();
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    words
        .filter(|word| word.len() > SUFFIX_LENGTH)
        .filter_map(named)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_wherever_they_stand() {
        let entry = br#"{"v":1,"id":"event_01jd3n8f5teqkrzvq1c0m6h2ax","subject":"claim_01jd3n8f5teqkrzvq1c0m6h2ay","data":{"contract_id":"contract_01jd3n8f5teqkrzvq1c0m6h2az","of":["lot_01jd3n8f5teqkrzvq1c0m6h2b0"],"words":"book_x","year_end":"yearend_01jd3n8f5teqkrzvq1c0m6h2b1"}}"#;
        let found: Vec<Named> = names(entry).into_iter().collect();
        assert_eq!(
            found,
            [
                Named::Lot("lot_01jd3n8f5teqkrzvq1c0m6h2b0".parse().unwrap()),
                Named::Contract("contract_01jd3n8f5teqkrzvq1c0m6h2az".parse().unwrap()),
                Named::Claim("claim_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap()),
                Named::YearEnd("yearend_01jd3n8f5teqkrzvq1c0m6h2b1".parse().unwrap()),
            ]
        );
        assert!(names(&[0xff, 0xfe]).is_empty());
    }
}
