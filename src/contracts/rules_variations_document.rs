//! The document of a variation: everything that both parties change by it, with what it does to each period, so that what is signed says all that
//! follows. The same facts give the same bytes. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::{CONTENT_BYTES_MAX, Contract, ContractId};
use crate::contracts::rules_periods::Span;
use crate::contracts::rules_variations::{Cause, Entered, Kind, Part, VariationId};
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;

/// What a variation of this form begins with.
pub const FORMAT: &str = "wardbook/contract-variation/v1";

/// What a variation does to one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariationPart, example = json!({"period": 4, "first_day": "2026-08-01", "last_day": "2026-08-31", "amount": {"amount": "9184.44", "currency": "CNY"}, "is_added": false}))]
pub struct PartDocument {
    /// The period's number.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// Its first day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub first_day: NaiveDate,
    /// Its last day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub last_day: NaiveDate,
    /// What it adds to the period's price; below zero for what it takes from it.
    pub amount: Money,
    /// Whether it adds the period itself.
    pub is_added: bool,
}

impl From<&Part> for PartDocument {
    fn from(part: &Part) -> Self {
        Self {
            period: part.period,
            first_day: part.span.first,
            last_day: part.span.last,
            amount: part.amount,
            is_added: part.is_added,
        }
    }
}

impl PartDocument {
    /// The part that it is.
    pub const fn part(&self) -> Part {
        Part {
            period: self.period,
            span: Span {
                first: self.first_day,
                last: self.last_day,
            },
            amount: self.amount,
            is_added: self.is_added,
        }
    }
}

/// A variation as both parties sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariationDocument, example = json!({
    "format": "wardbook/contract-variation/v1", "variation_id": "variation_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax",
    "contract_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "number": 1, "kind": "supplement", "cause": "area",
    "words_zh": "新增两条背街小巷", "words_en": "Two more back lanes", "amount": {"amount": "10000.00", "currency": "CNY"},
    "service_until_before": "2027-04-30", "service_until": "2027-04-30", "price_before": {"amount": "826600.00", "currency": "CNY"},
    "price_after": {"amount": "836600.00", "currency": "CNY"},
    "parts": [{"period": 12, "first_day": "2027-04-01", "last_day": "2027-04-30", "amount": {"amount": "10000.00", "currency": "CNY"}, "is_added": false}]
}))]
pub struct VariationDocument {
    /// `wardbook/contract-variation/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The variation.
    pub variation_id: VariationId,
    /// The contract.
    pub contract_id: ContractId,
    /// SHA-256 of the contract's bytes, as both have signed them.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub contract_sha256: String,
    /// Its number among the contract's variations.
    #[schema(minimum = 1, maximum = 100)]
    pub number: i64,
    /// What it does.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// What exactly, and why, in Chinese.
    #[schema(max_length = 2000)]
    pub words_zh: String,
    /// In English.
    #[schema(max_length = 2000)]
    pub words_en: String,
    /// How much more; below zero for less.
    pub amount: Money,
    /// The contract's last day without it.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_until_before: NaiveDate,
    /// The contract's last day with it.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_until: NaiveDate,
    /// The price without it.
    pub price_before: Money,
    /// The price with it.
    pub price_after: Money,
    /// What it does to each period; the amounts add up to `amount`.
    #[schema(max_items = 120)]
    pub parts: Vec<PartDocument>,
}

/// The document of a variation of a contract.
///
/// # Errors
/// A fault of arithmetic.
pub fn written(
    (id, number): (VariationId, i64),
    contract: &Contract,
    (entered, parts): (&Entered, &[Part]),
    until_before: NaiveDate,
) -> Result<VariationDocument, Fault> {
    let reckoning = |error| Fault::caused("the price with a variation", error);
    let price_before = contract
        .price
        .checked_add(contract.since.varied)
        .map_err(reckoning)?;
    Ok(VariationDocument {
        format: FORMAT.to_owned(),
        variation_id: id,
        contract_id: contract.id.clone(),
        contract_sha256: hex::encode(contract.sha256),
        number,
        kind: entered.kind,
        cause: entered.cause,
        words_zh: entered.words.zh.clone(),
        words_en: entered.words.en.clone(),
        amount: entered.amount,
        service_until_before: until_before,
        service_until: entered.until.unwrap_or(until_before),
        price_before,
        price_after: price_before.checked_add(entered.amount).map_err(reckoning)?,
        parts: parts.iter().map(PartDocument::from).collect(),
    })
}

impl VariationDocument {
    /// Its bytes.
    ///
    /// # Errors
    /// A fault if they are more than [`CONTENT_BYTES_MAX`].
    pub fn bytes(&self) -> Result<String, Fault> {
        let written =
            serde_json::to_string(self).map_err(|error| Fault::caused("write a variation", error))?;
        if written.len() > CONTENT_BYTES_MAX {
            return Err(Fault::broken(format!("{} is too long", self.variation_id)));
        }
        Ok(written)
    }

    /// The bytes that were signed, read.
    ///
    /// # Errors
    /// A fault if they are no variation.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a variation", error))
    }
}
