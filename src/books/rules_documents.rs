//! What a contract book says, as it is written in JSON: sent by officers, stored, shown, and brought along as templates. Whether it
//! holds together is judged in `rules_content.rs`, whether it may be published in `rules_readiness.rs`. Data only.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_ballots::BallotDocument;
use crate::books::rules_consultations::ConsultationId;
use crate::books::rules_intentions::IntentionId;
use crate::budget::rules::BudgetLineId;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::standards::rules::StandardVersionId;
use crate::standards::rules_documents::IndicatorDocument;

/// Characters of a title or a name.
pub const TITLE_LENGTH_MAX: usize = 200;
/// Characters of a clause, or of a description.
pub const TEXT_LENGTH_MAX: usize = 2_000;
/// Characters of a code or of a clause's number.
pub const CODE_LENGTH_MAX: usize = 20;
/// Characters of a unit.
pub const UNIT_LENGTH_MAX: usize = 40;
/// Areas that one book serves at most.
pub const AREAS_MAX: usize = 50;
/// Clauses of one book at most.
pub const CLAUSES_MAX: usize = 100;
/// Qualifications that one book requires at most.
pub const QUALIFICATIONS_MAX: usize = 20;
/// Documents of one book at most.
pub const DOCUMENTS_MAX: usize = 20;
/// Lots of one book at most.
pub const LOTS_MAX: usize = 20;
/// Quantities of one lot at most.
pub const QUANTITIES_MAX: usize = 50;
/// Places of one lot at most.
pub const PLACES_MAX: usize = 100;
/// Indicators that one lot tightens or adds at most.
pub const INDICATORS_MAX: usize = 100;
/// Criteria of one lot at most.
pub const CRITERIA_MAX: usize = 30;
/// Sources of a lot's score at most.
pub const SOURCES_MAX: usize = 10;
/// Pay tables of one lot at most.
pub const TABLES_MAX: usize = 5;
/// Bands of one pay table at most.
pub const BANDS_MAX: usize = 20;
/// Triggers of one lot at most.
pub const TRIGGERS_MAX: usize = 20;
/// Penalties of one lot at most.
pub const PENALTIES_MAX: usize = 20;
/// Witnesses of one opening at most.
pub const WITNESSES_MAX: usize = 9;
/// Periods of one lot at most.
pub const PERIODS_MAX: u32 = 120;
/// Days within which something is paid, at most; the rules of a place say less.
pub const PAYMENT_DAYS_MAX: u32 = 365;
/// Periods that a trigger counts at most.
pub const TIMES_MAX: u32 = 36;

/// What a contract book says. A draft may leave out what is not settled yet; what it says has to hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookContent, example = json!({
    "title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street", "category": "sanitation", "areas": [],
    "method": null, "clauses": [], "timetable": {}, "qualifications": [], "documents": [], "lots": []
}))]
pub struct BookDocument {
    /// Chinese title. Texts are without invisible characters, and do not begin with `=`, `+`, `-` or `@`.
    #[schema(min_length = 1, max_length = 200, example = "梧桐街道道路保洁")]
    pub title_zh: String,
    /// English title.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "Street sanitation of Wutong Street"
    )]
    pub title_en: String,
    /// The code of the category of services.
    #[schema(pattern = "^[a-z0-9_]{2,40}$", example = "sanitation")]
    pub category: String,
    /// The areas that are served.
    #[schema(max_items = 50)]
    pub areas: Vec<AreaId>,
    /// How the bids are judged.
    #[serde(default)]
    pub method: Option<Method>,
    /// What both parties have to do, clause by clause.
    #[schema(max_items = 100)]
    pub clauses: Vec<ClauseDocument>,
    /// When what happens.
    pub timetable: TimetableDocument,
    /// Which qualifications a bidder needs.
    #[schema(max_items = 20)]
    pub qualifications: Vec<RequirementDocument>,
    /// What a bidder lodges with the bid for each lot, in percent of its ceiling; `null` for nothing.
    #[serde(default)]
    pub bid_security_percent: Option<Weight>,
    /// What the winner lodges, in percent of the contract's price; `null` for nothing.
    #[serde(default)]
    pub performance_security_percent: Option<Weight>,
    /// Who wins when totals are equal.
    #[serde(default)]
    pub tie_rule: Option<TieRule>,
    /// How scores are rounded; half up to two places after each factor if it is left out.
    #[serde(default)]
    pub rounding: RoundingDocument,
    /// Who keeps the key that opens the bids.
    #[serde(default)]
    pub custody: Option<CustodyDocument>,
    /// True if the budget is stable enough for a longer term.
    #[serde(default)]
    pub budget_is_stable: bool,
    /// The intention notice that went before.
    #[serde(default)]
    pub intention_id: Option<IntentionId>,
    /// The record of the consultation on the need.
    #[serde(default)]
    pub consultation_id: Option<ConsultationId>,
    /// Attachments that belong to the book. They become public with it.
    #[schema(max_items = 20)]
    pub documents: Vec<AttachmentId>,
    /// The lots, in their order.
    #[schema(max_items = 20)]
    pub lots: Vec<LotDocument>,
}

/// How bids are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationMethod)]
pub enum Method {
    /// 综合评分法
    ComprehensiveScoring,
    /// 最低评标价法
    LowestEvaluatedPrice,
    /// Quality up to a threshold, then quality and cost weighed.
    QualityAndCostBased,
    /// The residents' ballot decides.
    Appraisal,
}

impl Method {
    /// The name in the API and in the statutes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ComprehensiveScoring => "comprehensive_scoring",
            Self::LowestEvaluatedPrice => "lowest_evaluated_price",
            Self::QualityAndCostBased => "quality_and_cost_based",
            Self::Appraisal => "appraisal",
        }
    }
}

/// Whose duty a clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookParty)]
pub enum Party {
    /// 采购人
    Buyer,
    /// 承接主体
    Supplier,
}

/// A clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookClause)]
pub struct ClauseDocument {
    /// Its number, which is unique within the book.
    #[schema(pattern = "^[0-9]{1,3}(\\.[0-9]{1,3}){0,3}$", example = "2.1")]
    pub number: String,
    /// Whose duty it is.
    pub party: Party,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 2000, example = "每日 7:30 前完成第一次普扫。")]
    pub text_zh: String,
    /// In English.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "The first sweep is finished by 7:30 every day."
    )]
    pub text_en: String,
}

/// When what happens. Instants are whole minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookTimetable)]
pub struct TimetableDocument {
    /// Until when suppliers may ask.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub enquiry_deadline: Option<Instant>,
    /// Until when everything asked is answered.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub answer_deadline: Option<Instant>,
    /// Until when bids are taken.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub bid_deadline: Option<Instant>,
    /// When they are opened.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub opening: Option<Instant>,
    /// The first day of the service.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_from: Option<NaiveDate>,
    /// Its last day.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub service_until: Option<NaiveDate>,
}

/// A qualification that a bidder needs. What says how large a bidder is cannot be required: there is no field for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookRequirement)]
pub struct RequirementDocument {
    /// The kind of qualification by which the register of suppliers is asked, by its code (`GET /api/v1/qualification-kinds`, or another); `null`
    /// where the Chinese name is that of a known kind, or where it is nothing that the register keeps.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_]{2,40}$", example = "security_service")]
    pub kind: Option<String>,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 200, example = "保安服务许可证")]
    pub name_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 200, example = "Licence for guarding services")]
    pub name_en: String,
}

/// Who wins when totals are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookTieRule)]
pub enum TieRule {
    /// The lower price, then a draw that can be reproduced.
    PriceThenDraw,
    /// The lower price, then more technical points, then a draw.
    PriceThenTechnicalThenDraw,
    /// More technical points, then the lower price, then a draw.
    TechnicalThenPriceThenDraw,
}

/// How scores are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookRounding)]
pub struct RoundingDocument {
    /// In which direction.
    pub mode: Rounding,
    /// To how many places.
    #[schema(minimum = 0, maximum = 6)]
    pub places: u32,
    /// When.
    pub stage: RoundingStage,
}

impl Default for RoundingDocument {
    fn default() -> Self {
        Self {
            mode: Rounding::HalfUp,
            places: 2,
            stage: RoundingStage::Factor,
        }
    }
}

/// When scores are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookRoundingStage)]
pub enum RoundingStage {
    /// After each factor.
    Factor,
    /// Once, the total.
    Total,
}

/// Who keeps the key that opens the bids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = BookCustody)]
pub enum CustodyDocument {
    /// The service, encrypted under a key outside the database. Its operator could open early.
    Custodial {},
    /// So many of these witnesses together. The service forgets the key when it has split it.
    Shared {
        /// How many it takes.
        #[schema(minimum = 2, maximum = 9)]
        threshold: u32,
        /// Who they are: accounts with the role `opening_witness`.
        #[schema(min_items = 2, max_items = 9)]
        witnesses: Vec<AccountId>,
    },
}

/// A lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookLot)]
pub struct LotDocument {
    /// Its code, unique within the book.
    #[schema(pattern = "^[A-Za-z0-9-]{1,20}$", example = "1")]
    pub code: String,
    /// Chinese title.
    #[schema(min_length = 1, max_length = 200, example = "道路保洁")]
    pub title_zh: String,
    /// English title.
    #[schema(min_length = 1, max_length = 200, example = "Street sanitation")]
    pub title_en: String,
    /// How much of what.
    #[schema(max_items = 50)]
    pub quantities: Vec<QuantityDocument>,
    /// Where.
    #[schema(max_items = 100)]
    pub places: Vec<PlaceDocument>,
    /// The version of a standard that is kept.
    #[serde(default)]
    pub standard_version_id: Option<StandardVersionId>,
    /// Indicators that take the place of the standard's of the same code and are stricter, or are added to them.
    #[schema(max_items = 100)]
    pub indicators: Vec<IndicatorDocument>,
    /// The budget line that pays.
    #[serde(default)]
    pub budget_line_id: Option<BudgetLineId>,
    /// The highest price.
    #[serde(default)]
    pub ceiling: Option<Money>,
    /// What is judged. The weights add up to exactly 100.
    #[schema(max_items = 30)]
    pub criteria: Vec<CriterionDocument>,
    /// The points, of all criteria but the price, below which a bid is out: where quality and cost are weighed, and nowhere else.
    #[serde(default)]
    pub technical_threshold: Option<Score>,
    /// What is done for small and medium enterprises.
    #[serde(default)]
    pub sme: Option<SmeDocument>,
    /// When what part of the price is paid.
    #[serde(default)]
    pub payment: Option<PaymentDocument>,
    /// What a period's score is made of. The weights add up to exactly 100.
    #[schema(max_items = 10)]
    pub score_sources: Vec<SourceDocument>,
    /// What is paid for which score.
    #[schema(max_items = 5)]
    pub pay_tables: Vec<PayTableDocument>,
    /// What follows when scores stay low, or high.
    #[schema(max_items = 20)]
    pub triggers: Vec<TriggerDocument>,
    /// What single failures cost, apart from scores.
    #[schema(max_items = 20)]
    pub penalties: Vec<PenaltyDocument>,
    /// With fewer bidders the lot is unsuccessful.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub bidders_min: Option<u32>,
}

/// How much of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookQuantity)]
pub struct QuantityDocument {
    /// Of what, in Chinese.
    #[schema(min_length = 1, max_length = 200, example = "一级道路")]
    pub name_zh: String,
    /// Of what, in English.
    #[schema(min_length = 1, max_length = 200, example = "Class 1 roads")]
    pub name_en: String,
    /// How much, an exact decimal.
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$", example = "58000")]
    pub amount: String,
    /// In which unit, in Chinese.
    #[schema(min_length = 1, max_length = 40, example = "平方米")]
    pub unit_zh: String,
    /// In which unit, in English.
    #[schema(min_length = 1, max_length = 40, example = "m²")]
    pub unit_en: String,
    /// The grade of the standard that holds here; `null` where it has none.
    #[serde(default)]
    #[schema(max_length = 40, example = "class_1")]
    pub grade: Option<String>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookPlace)]
pub struct PlaceDocument {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 200, example = "梧桐大道（桂园路至槐荫路）")]
    pub name_zh: String,
    /// In English.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "Wutong Avenue from Guiyuan Road to Huaiyin Road"
    )]
    pub name_en: String,
}

/// What a criterion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookCriterionKind)]
pub enum CriterionKind {
    /// 价格
    Price,
    /// 技术
    Technical,
    /// 商务
    Business,
    /// 群众评议
    Appraisal,
}

/// A criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookCriterion)]
pub struct CriterionDocument {
    /// Its code, unique within the lot.
    #[schema(pattern = "^[A-Za-z0-9-]{1,20}$", example = "T1")]
    pub code: String,
    /// What it is about.
    pub kind: CriterionKind,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 200, example = "作业方案")]
    pub name_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 200, example = "Plan of work")]
    pub name_en: String,
    /// Its weight, which is also the most points it gives.
    pub weight: Weight,
    /// How points are given, in Chinese.
    #[schema(min_length = 1, max_length = 2000, example = "优 20 分，良 14 分，一般 8 分")]
    pub scale_zh: String,
    /// How points are given, in English.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "Good 20 points, fair 14, poor 8"
    )]
    pub scale_en: String,
    /// What residents are asked, where they appraise the bids; nothing where it is said when they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ballot: Option<BallotDocument>,
}

/// What is done for small and medium enterprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = BookSmePolicy)]
pub enum SmeDocument {
    /// The lot is theirs alone.
    Reserved {},
    /// Their prices are judged as if they were lower.
    Deduction {
        /// By so much, in percent.
        percent: Weight,
        /// And for a consortium with one of them, in percent; `null` for nothing.
        consortium_percent: Option<Weight>,
    },
}

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookPeriod)]
pub enum PeriodKind {
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// As the shares say.
    Custom,
}

/// How an advance comes back to the buyer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookAdvanceRecovery)]
pub enum AdvanceRecovery {
    /// Not at all: it is a part of the price beside those of the periods, and advance, periods and retention add up to 100.
    #[default]
    PartOfPrice,
    /// An even share of it is taken off what each period is paid, and the last one takes the rest: periods and retention alone add up to 100.
    Spread,
}

/// What the weight of a source counts for that has no score, or none that binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayWithoutScore)]
pub enum WithoutScore {
    /// The other sources share it, each as it weighs.
    #[default]
    Redistributed,
    /// It counts as 100: what nobody has measured was done.
    FullMarks,
}

/// When what part of the price is paid. Advance, periods and retention add up to exactly 100; without the advance, where that is recovered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookPayment)]
pub struct PaymentDocument {
    /// Before the work begins, in percent.
    pub advance_percent: Weight,
    /// For the periods together, in percent.
    pub periods_percent: Weight,
    /// Kept back until the end, in percent.
    pub retention_percent: Weight,
    /// How long a period is.
    pub period: PeriodKind,
    /// How many there are.
    #[schema(minimum = 1, maximum = 120)]
    pub periods: u32,
    /// The share of each period in percent of the price, for `custom` alone; they add up to `periods_percent`.
    #[schema(max_items = 120)]
    pub shares: Vec<Weight>,
    /// How the advance comes back.
    #[serde(default)]
    pub advance_recovery: AdvanceRecovery,
    /// What the weight of a source counts for that has no score, or none that binds.
    #[serde(default)]
    pub without_score: WithoutScore,
    /// Within how many days after the acceptance it is paid, if that was agreed; `null` for as many as the rules say where nothing was agreed.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub payment_days: Option<u32>,
}

/// Something that a period's score is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookScoreSource)]
pub struct SourceDocument {
    /// Its code, unique within the lot.
    #[schema(pattern = "^[a-z0-9_]{1,20}$", example = "daily_inspection")]
    pub code: String,
    /// What it is.
    pub kind: SourceKind,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 200, example = "日常考核")]
    pub name_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 200, example = "Daily inspections")]
    pub name_en: String,
    /// Its weight.
    pub weight: Weight,
    /// What residents are asked, where they rate the work; nothing where it is said when they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ballot: Option<BallotDocument>,
}

/// Where a part of a score comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookScoreSourceKind)]
pub enum SourceKind {
    /// Inspections of a kind.
    Inspection,
    /// The residents' rating.
    Rating,
    /// How soon defects are seen to.
    Response,
}

/// What is paid for which score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookPayTable)]
pub struct PayTableDocument {
    /// The source that it looks at; `null` for the whole score.
    #[serde(default)]
    #[schema(max_length = 20, example = "rating")]
    pub source: Option<String>,
    /// The bands, from the lowest up. They cover 0 to 100 with neither gap nor overlap.
    #[schema(min_items = 1, max_items = 20)]
    pub bands: Vec<BandDocument>,
}

/// What is paid for scores from `from` up to, but without, `to`; 100 belongs to the top band.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookBand, example = json!({
    "from": "80", "to": "90", "base_rate": "100", "rate_per_point": "0.5", "amount_per_point": {"amount": "0.00", "currency": "CNY"},
    "flat_amount": {"amount": "0.00", "currency": "CNY"}, "point_step": null
}))]
pub struct BandDocument {
    /// Where it begins.
    pub from: Score,
    /// Where it ends.
    pub to: Score,
    /// What of the period's price is paid at its upper end, in percent.
    pub base_rate: Weight,
    /// How much less for each point below the upper end, in percent of the period's price.
    pub rate_per_point: Weight,
    /// How much less for each point below the upper end.
    pub amount_per_point: Money,
    /// How much less in any case.
    pub flat_amount: Money,
    /// Only so many points at once count, each time as one of the steps above: 5 for each full five points; `null` for every
    /// part of a point.
    #[serde(default)]
    pub point_step: Option<Score>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookTriggerOutcome)]
pub enum Outcome {
    /// 限期整改
    Rectification,
    /// The manager is replaced.
    ReplaceManager,
    /// 解除合同
    Termination,
    /// 续签
    Renewal,
}

/// How periods are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookTriggerCounting)]
pub enum Counting {
    /// One after another.
    Consecutive,
    /// All in the contract's term.
    Cumulative,
}

/// What follows when scores stay below a limit; for `renewal`, when they do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookTrigger)]
pub struct TriggerDocument {
    /// What happens.
    pub outcome: Outcome,
    /// The limit.
    pub below: Score,
    /// How often.
    #[schema(minimum = 1, maximum = 36)]
    pub times: u32,
    /// Counted how.
    pub counting: Counting,
    /// What it costs beside, in percent of the contract's price.
    #[serde(default)]
    pub penalty_percent: Option<Weight>,
    /// For `renewal`: up to how many months in all.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 120)]
    pub months_max: Option<u32>,
}

/// For what a penalty is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookPenaltyPer)]
pub enum PenaltyPer {
    /// Each case.
    Case,
    /// Each day that it lasts.
    Day,
}

/// What a single failure costs: an amount, or a part of the period's price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookPenalty)]
pub struct PenaltyDocument {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 200, example = "逾期整改")]
    pub name_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 200, example = "Late rectification")]
    pub name_en: String,
    /// For what.
    pub per: PenaltyPer,
    /// An amount.
    #[serde(default)]
    pub amount: Option<Money>,
    /// Or so much of the period's price, in percent.
    #[serde(default)]
    pub percent: Option<Weight>,
}

impl BookDocument {
    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// A fault if it cannot be written as JSON.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write a book", error))
    }

    /// What was stored.
    ///
    /// # Errors
    /// A fault if it cannot be read.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a stored book", error))
    }
}
