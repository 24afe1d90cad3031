//! The document of a contract: everything that both parties bind themselves to, put together from what is fixed already, the book's version, the
//! lot, the winning bid and the award, so that nothing can be slipped in between (政府采购法 art 46). The same facts give the same bytes. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_awards::{Award, AwardId};
use crate::bids::rules::BidId;
use crate::bids::rules_document::{BidDocument, PriceLineDocument};
use crate::bids::rules_opening::OpenedBid;
use crate::books::rules::{Book, BookId, LotId};
use crate::books::rules_documents::{BookDocument, ClauseDocument, LotDocument};
use crate::contracts::rules::{CONTENT_BYTES_MAX, ContractId};
use crate::files::rules::AttachmentId;
use crate::kernel::money::{Money, Rounding};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::codes::CONTRACT_PERFORMANCE_SECURITY_PERCENT_MAX;
use crate::statutes::profile::Profile;

/// What a contract of this form begins with.
pub const FORMAT: &str = "wardbook/contract/v1";

/// A party, as it is registered when the contract is prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContractPartyDocument)]
pub struct PartyDocument {
    /// Its id.
    pub id: OrganisationId,
    /// Chinese name.
    #[schema(max_length = 200)]
    pub name_zh: String,
    /// English name.
    #[schema(max_length = 200)]
    pub name_en: String,
    /// Unified social credit code.
    #[schema(max_length = 40)]
    pub credit_code: Option<String>,
}

/// The winning bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContractBidDocument)]
pub struct WinningBid {
    /// Its id.
    pub id: BidId,
    /// The number of the version that was opened.
    #[schema(minimum = 1, maximum = 50)]
    pub version: i64,
    /// SHA-256 of its sealed bytes, as the record of the opening has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Its price lines.
    #[schema(max_items = 50)]
    pub price_lines: Vec<PriceLineDocument>,
    /// Its total as it was opened; the contract's price differs where arithmetic was corrected.
    pub total: Money,
}

/// A contract as both parties sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContractDocument, example = json!({
    "format": "wardbook/contract/v1", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax",
    "notice_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
    "book_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street",
    "category": "sanitation",
    "buyer": {"id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "name_zh": "梧桐街道办事处", "name_en": "Wutong Street Office", "credit_code": null},
    "supplier": {"id": "org_01jd3n8f5teqkrzvq1c0m6h2ay", "name_zh": "梧桐洁城环卫有限公司", "name_en": "Wutong Jiecheng Sanitation", "credit_code": "91330100799655058B"},
    "service_from": "2026-05-01", "service_until": "2027-04-30", "clauses": [], "documents": [], "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax",
    "lot": {"code": "1", "title_zh": "道路保洁", "title_en": "Street sanitation", "quantities": [], "places": [], "standard_version_id": null, "indicators": [],
        "budget_line_id": null, "ceiling": {"amount": "2350200.00", "currency": "CNY"}, "criteria": [], "sme": null, "payment": null, "score_sources": [],
        "pay_tables": [], "triggers": [], "penalties": [], "technical_threshold": null, "bidders_min": null},
    "bid": {"id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "version": 1, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "price_lines": [{"quantity": 1, "unit_price": "13.2", "amount": {"amount": "2298600.00", "currency": "CNY"}}], "total": {"amount": "2298600.00", "currency": "CNY"}},
    "price": {"amount": "2298600.00", "currency": "CNY"}, "performance_security": {"amount": "114930.00", "currency": "CNY"}
}))]
pub struct ContractDocument {
    /// `wardbook/contract/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The contract.
    pub contract_id: ContractId,
    /// The award.
    pub award_id: AwardId,
    /// SHA-256 of the award's notice, as the log has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub notice_sha256: String,
    /// The book.
    pub book_id: BookId,
    /// The version that holds.
    #[schema(minimum = 1, maximum = 100)]
    pub book_version: i64,
    /// SHA-256 of it, as the log has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub book_sha256: String,
    /// Its Chinese title.
    #[schema(max_length = 200)]
    pub title_zh: String,
    /// Its English title.
    #[schema(max_length = 200)]
    pub title_en: String,
    /// The code of the category of services.
    #[schema(max_length = 40)]
    pub category: String,
    /// Who buys.
    pub buyer: PartyDocument,
    /// Who supplies.
    pub supplier: PartyDocument,
    /// The first day of the service.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_from: Option<NaiveDate>,
    /// Its last day.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_until: Option<NaiveDate>,
    /// What both parties have to do, clause by clause.
    #[schema(max_items = 100)]
    pub clauses: Vec<ClauseDocument>,
    /// The book's attachments.
    #[schema(max_items = 20)]
    pub documents: Vec<AttachmentId>,
    /// The lot.
    pub lot_id: LotId,
    /// What the book says of it: quantities, places, standard, pay.
    pub lot: LotDocument,
    /// The bid that won.
    pub bid: WinningBid,
    /// The price: the bid's, whatever was deducted when it was judged.
    pub price: Money,
    /// What the supplier lodges before the buyer signs; `null` for nothing.
    pub performance_security: Option<Money>,
}

/// What a contract is put together from.
pub struct Sources<'s> {
    /// The award, which was noticed.
    pub award: &'s Award,
    /// The book as it is now.
    pub book: &'s Book,
    /// The lot's code there.
    pub lot_code: &'s str,
    /// Who buys.
    pub buyer: PartyDocument,
    /// Who supplies.
    pub supplier: PartyDocument,
    /// What the record of the opening says of the bid.
    pub opened: &'s OpenedBid,
    /// What the bid says.
    pub bid: &'s BidDocument,
    /// The rules of the book.
    pub profile: &'s Profile,
}

/// How much the supplier lodges for a contract of this price: the book's percent, rounded half up to the fen, and never above what the law allows.
/// `None` if the book asks for nothing.
///
/// # Errors
/// A rule that is not set; a fault of arithmetic.
pub fn security(price: Money, book: &BookDocument, profile: &Profile) -> Answer<Option<Money>> {
    let Some(percent) = book.performance_security_percent else {
        return Ok(None);
    };
    let beyond = |error| Fault::caused("a performance security", error);
    let asked = price
        .percent_of(percent.percent(), Rounding::HalfUp)
        .map_err(beyond)?;
    let asked = asked.min(security_max(price, profile)?);
    Ok(Some(asked).filter(|amount| !amount.is_zero()))
}

/// How much may be lodged for a contract of this price at most (政府采购法实施条例 art 48).
///
/// # Errors
/// A rule that is not set; a fault of arithmetic.
pub fn security_max(price: Money, profile: &Profile) -> Answer<Money> {
    let cap = profile.rule(CONTRACT_PERFORMANCE_SECURITY_PERCENT_MAX)?.decimal();
    let amount = price.percent_of(cap, Rounding::Down);
    Ok(amount.map_err(|error| Fault::caused("a performance security", error))?)
}

/// The document of a contract.
///
/// # Errors
/// A rule that is not set; a fault if the sources do not fit each other.
pub fn written(id: ContractId, sources: &Sources<'_>) -> Answer<ContractDocument> {
    let Sources {
        award,
        book,
        opened,
        bid,
        ..
    } = sources;
    let broken = |what: &str| Fault::broken(format!("the contract of {}: {what}", award.id));
    let said = book.content.document();
    let mut lots = said.lots.iter();
    let lot = lots.find(|lot| lot.code == sources.lot_code);
    let lot = lot.ok_or_else(|| broken("its lot is not in its book"))?;
    let notice = award.notice.as_ref();
    let notice = notice.ok_or_else(|| broken("there was no notice"))?;
    let publication = book.publication.as_ref();
    let publication = publication.ok_or_else(|| broken("its book was not published"))?;
    let winning = WinningBid {
        id: award.bid_id.clone(),
        version: opened.version,
        sha256: opened.sha256.clone(),
        price_lines: bid.price_lines.clone(),
        total: opened.total,
    };
    Ok(ContractDocument {
        format: FORMAT.to_owned(),
        contract_id: id,
        award_id: award.id.clone(),
        notice_sha256: hex::encode(notice.sha256),
        book_id: book.id.clone(),
        book_version: publication.versions,
        book_sha256: hex::encode(book.sha256),
        title_zh: said.title_zh.trim().to_owned(),
        title_en: said.title_en.trim().to_owned(),
        category: said.category.clone(),
        buyer: sources.buyer.clone(),
        supplier: sources.supplier.clone(),
        service_from: said.timetable.service_from,
        service_until: said.timetable.service_until,
        clauses: said.clauses.clone(),
        documents: said.documents.clone(),
        lot_id: award.lot_id.clone(),
        lot: lot.clone(),
        bid: winning,
        price: award.price,
        performance_security: security(award.price, said, sources.profile)?,
    })
}

impl ContractDocument {
    /// Its bytes.
    ///
    /// # Errors
    /// A fault if they are more than [`CONTENT_BYTES_MAX`].
    pub fn bytes(&self) -> Result<String, Fault> {
        let written =
            serde_json::to_string(self).map_err(|error| Fault::caused("write a contract", error))?;
        if written.len() > CONTENT_BYTES_MAX {
            return Err(Fault::broken(format!("{} is too long", self.contract_id)));
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::templates;
    use crate::statutes::built_in::profiles_for;

    fn cn() -> Profile {
        profiles_for("cn").unwrap().pop().unwrap()
    }

    #[test]
    fn the_security_is_the_books_percent_of_the_price_and_never_above_the_cap() {
        let price: Money = "2298600.00".parse().unwrap();
        let mut book = templates::template("sanitation").unwrap().unwrap();
        book.performance_security_percent = Some("5".parse().unwrap());
        let asked = |book: &BookDocument| {
            security(price, book, &cn())
                .unwrap()
                .map(|money| money.to_string())
        };
        assert_eq!(asked(&book).as_deref(), Some("114930.00"));
        assert_eq!(security_max(price, &cn()).unwrap().to_string(), "229860.00");
        book.performance_security_percent = Some("12.5".parse().unwrap());
        assert_eq!(asked(&book).as_deref(), Some("229860.00"));
        book.performance_security_percent = None;
        assert_eq!(asked(&book), None);
    }
}
