//! What a bid says, as it is written in JSON: filled in by bidders, sealed, and read again at the opening. The form is strict: a member
//! too many, or one given twice, and it is none. Whether it answers its lot is judged in `rules_responses.rs`. Data only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroize;

use crate::bids::rules::BID_BYTES_MAX;
use crate::books::rules::LotId;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::registry::rules_size::{Industry, SizeClass};
use crate::text;

/// Price lines of one bid at most: as many as a lot has quantities.
pub const LINES_MAX: usize = 50;
/// Criteria that one bid responds to at most.
pub const CRITERIA_MAX: usize = 30;
/// Indicators that one bid responds to at most: those of a standard, and those that a lot adds.
pub const INDICATORS_MAX: usize = 300;
/// Key staff of one bid at most.
pub const STAFF_MAX: usize = 50;
/// Subcontractors, or members of a consortium, at most.
pub const PARTNERS_MAX: usize = 20;
/// Ties and interests that one bid declares at most.
pub const TIES_MAX: usize = 50;
/// Documents of one bid at most.
pub const DOCUMENTS_MAX: usize = 50;
/// Parts that a bidder marks as confidential at most.
pub const CONFIDENTIAL_MAX: usize = 100;
/// Characters of a name.
pub const NAME_LENGTH_MAX: usize = 200;
/// Characters of a response to a criterion.
pub const RESPONSE_LENGTH_MAX: usize = 8_000;
/// Characters of a remark.
pub const REMARK_LENGTH_MAX: usize = 1_000;
/// Bytes of one document at most.
pub const DOCUMENT_BYTES_MAX: i64 = 1_073_741_824;

/// A bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidContent, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
    "price_lines": [{"quantity": 1, "unit_price": "13.6", "amount": {"amount": "788800.00", "currency": "CNY"}}],
    "total": {"amount": "788800.00", "currency": "CNY"}, "criteria": [{"code": "T1", "text": "…", "documents": []}],
    "indicators": [{"code": "cigarette_ends", "deviation": "none", "text": null}], "size": null, "key_staff": [], "subcontractors": [],
    "consortium": [], "ties": [], "interests": [], "documents": [], "confidential": []
}))]
pub struct BidDocument {
    /// For which lot.
    #[zeroize(skip)]
    pub lot_id: LotId,
    /// Whose bid; of a consortium, its leader.
    #[zeroize(skip)]
    pub supplier_id: OrganisationId,
    /// The version of the book that it was made for.
    #[schema(minimum = 1, maximum = 100)]
    pub book_version: i64,
    /// A line for each quantity of the lot.
    #[schema(max_items = 50)]
    pub price_lines: Vec<PriceLineDocument>,
    /// The price: exactly the sum of the lines.
    #[zeroize(skip)]
    pub total: Money,
    /// A response to each criterion but the price, which the lines respond to.
    #[schema(max_items = 30)]
    pub criteria: Vec<CriterionResponse>,
    /// A response to each indicator: the standard's, and those that the lot tightens or adds.
    #[schema(max_items = 300)]
    pub indicators: Vec<IndicatorResponse>,
    /// What the bidder declares of its size (中小企业声明函); `null` for nothing.
    #[serde(default)]
    #[schema(nullable = true)]
    pub size: Option<SizeDocument>,
    /// Who would do the work.
    #[schema(max_items = 50)]
    pub key_staff: Vec<StaffDocument>,
    /// To whom parts of the work would be given.
    #[schema(max_items = 20)]
    pub subcontractors: Vec<PartnerDocument>,
    /// The other members of a consortium; none if the bidder bids alone.
    #[schema(max_items = 20)]
    pub consortium: Vec<PartnerDocument>,
    /// Whom the bidder holds, who holds or manages it, and who has the same person in charge: they must not bid for the same lot.
    #[schema(max_items = 50)]
    pub ties: Vec<TieDocument>,
    /// Who of the buyer's people is or was with the bidder, or is kin, or has another interest.
    #[schema(max_items = 50)]
    pub interests: Vec<InterestDocument>,
    /// Documents, by their hashes. They are handed in at the opening.
    #[schema(max_items = 50)]
    pub documents: Vec<DocumentReference>,
    /// What of this the bidder wants to be kept from the public after the opening. Prices and names of bidders cannot be.
    #[schema(max_items = 100)]
    pub confidential: Vec<ConfidentialDocument>,
}

/// What one quantity costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidPriceLine)]
pub struct PriceLineDocument {
    /// Which quantity of the lot, counted from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub quantity: u32,
    /// For one unit of it and the whole term, in yuan: an exact decimal with up to eight places.
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,8})?$", example = "13.6")]
    pub unit_price: String,
    /// Unit price times quantity, rounded half up to the fen.
    #[zeroize(skip)]
    pub amount: Money,
}

/// The response to a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidCriterionResponse)]
pub struct CriterionResponse {
    /// The criterion's code.
    #[schema(pattern = "^[A-Za-z0-9-]{1,20}$", example = "T1")]
    pub code: String,
    /// What is offered, at least one character.
    #[schema(max_length = 8000, example = "两班作业，机械化清扫率 85 %")]
    pub text: String,
    /// The documents that show it, counted from 1.
    #[schema(max_items = 50)]
    pub documents: Vec<DocumentNumber>,
}

/// Which of a bid's documents, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(transparent)]
#[schema(as = BidDocumentNumber, minimum = 1, maximum = 50, example = 1)]
pub struct DocumentNumber(pub u32);

/// How an offer departs from what is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidDeviation)]
pub enum Deviation {
    /// 无偏离
    None,
    /// 正偏离: better.
    Positive,
    /// 负偏离: worse.
    Negative,
}

/// The response to an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidIndicatorResponse)]
pub struct IndicatorResponse {
    /// The indicator's code.
    #[schema(pattern = "^[a-z0-9_]{1,40}$", example = "cigarette_ends")]
    pub code: String,
    /// Whether what is offered departs from what is demanded.
    #[zeroize(skip)]
    pub deviation: Deviation,
    /// What is offered; needed where it departs.
    #[serde(default)]
    #[schema(nullable = true, min_length = 1, max_length = 1000)]
    pub text: Option<String>,
}

/// What somebody declares of their size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidSizeDeclaration)]
pub struct SizeDocument {
    /// Line of business.
    #[zeroize(skip)]
    pub industry: Industry,
    /// People employed.
    #[serde(default)]
    #[schema(nullable = true, minimum = 0, maximum = 10_000_000)]
    pub employees: Option<i64>,
    /// Revenue of a year.
    #[serde(default)]
    #[schema(nullable = true)]
    #[zeroize(skip)]
    pub revenue: Option<Money>,
    /// Total assets.
    #[serde(default)]
    #[schema(nullable = true)]
    #[zeroize(skip)]
    pub assets: Option<Money>,
    /// The class. It must follow from the figures where the standard for the industry says so.
    #[zeroize(skip)]
    pub class: SizeClass,
}

/// Somebody who would do the work. Personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidKeyStaff)]
pub struct StaffDocument {
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// As what.
    #[schema(min_length = 1, max_length = 200, example = "项目经理")]
    pub position: String,
    /// What qualifies them.
    #[serde(default)]
    #[schema(nullable = true, min_length = 1, max_length = 1000)]
    pub qualification: Option<String>,
}

/// A subcontractor, or a member of a consortium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidPartner)]
pub struct PartnerDocument {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Its unified social credit code.
    #[schema(pattern = "^[0-9A-Z]{18}$")]
    pub credit_code: String,
    /// What it would do.
    #[schema(min_length = 1, max_length = 1000)]
    pub work: String,
    /// For which part of the price, in percent.
    #[zeroize(skip)]
    pub percent: Weight,
    /// What it declares of its size; `null` for nothing.
    #[serde(default)]
    #[schema(nullable = true)]
    pub size: Option<SizeDocument>,
}

/// How two bidders would be of one hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidTieKind)]
pub enum TieKind {
    /// The same person is in charge.
    SamePersonInCharge,
    /// One holds or manages the other.
    Holding,
}

impl TieKind {
    /// The name in the API and in the statutes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SamePersonInCharge => "same_person_in_charge",
            Self::Holding => "holding",
        }
    }
}

/// Somebody of one hand with the bidder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidTie)]
pub struct TieDocument {
    /// How.
    #[zeroize(skip)]
    pub kind: TieKind,
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Its unified social credit code.
    #[schema(pattern = "^[0-9A-Z]{18}$")]
    pub credit_code: String,
}

/// What somebody of the buyer's has to do with the bidder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidInterestKind)]
pub enum InterestKind {
    /// Is or was employed there within the years that the law looks back.
    Employee,
    /// A director, within those years.
    Director,
    /// An owner, within those years.
    Owner,
    /// Kin of somebody in charge.
    Kin,
    /// Another interest.
    OtherInterest,
}

impl InterestKind {
    /// The name in the API and in the statutes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Director => "director",
            Self::Owner => "owner",
            Self::Kin => "kin",
            Self::OtherInterest => "other_interest",
        }
    }
}

/// Somebody of the buyer's who has to do with the bidder. Personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidInterest)]
pub struct InterestDocument {
    /// What they have.
    #[zeroize(skip)]
    pub kind: InterestKind,
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it is about.
    #[schema(min_length = 1, max_length = 1000)]
    pub text: String,
}

/// A document, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidDocumentReference)]
pub struct DocumentReference {
    /// What it is.
    #[schema(min_length = 1, max_length = 200, example = "作业方案.pdf")]
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
    /// How many they are.
    #[schema(minimum = 1, maximum = 1_073_741_824)]
    pub bytes: i64,
}

/// Why something is to be kept from the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidConfidentialKind)]
pub enum ConfidentialKind {
    /// It is about a person.
    Personal,
    /// It is a trade secret.
    TradeSecret,
}

/// Something that the bidder wants to be kept from the public after the opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize)]
#[serde(deny_unknown_fields)]
#[schema(as = BidConfidentialPart)]
pub struct ConfidentialDocument {
    /// What: a JSON pointer into the bid.
    #[schema(min_length = 2, max_length = 200, example = "/key_staff")]
    pub pointer: String,
    /// Of what kind.
    #[zeroize(skip)]
    pub kind: ConfidentialKind,
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

impl BidDocument {
    /// Reads a bid from what was sealed. What exactly is wrong is told by its place alone: what the bytes say is nobody's business
    /// before it is known that they are a bid.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(content: &[u8]) -> Result<Self, Text> {
        if content.len() > BID_BYTES_MAX {
            return Err(text!(
                "超过 {BID_BYTES_MAX} 字节",
                "it has more than {BID_BYTES_MAX} bytes"
            ));
        }
        serde_json::from_slice(content).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            text!(
                "第 {line} 行第 {column} 列不是投标的格式",
                "it is no bid at line {line}, column {column}"
            )
        })
    }

    /// The bytes to seal.
    ///
    /// # Errors
    /// A fault if it cannot be written as JSON.
    pub fn written(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|error| Fault::caused("write a bid", error))
    }
}
