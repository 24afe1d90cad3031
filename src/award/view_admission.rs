//! How the examination of bids is shown: to the buyer, the panel, auditors and the regulator; and to a bidder what is asked about its own bid.
//! Who of the panel decided or dissents is told to its members and to auditors alone.

use serde::Serialize;
use utoipa::ToSchema;

use crate::award::acts_admission::readable;
use crate::award::acts_prices;
use crate::award::admitted::verdict;
use crate::award::rules_abnormally_low::Test;
use crate::award::rules_admission::{
    Admitted, Correction, Decision, Disqualification, Dissent, Examined, ExaminedItem, Ground, Justification,
    Side,
};
use crate::award::rules_corrections::Step;
use crate::award::{store_admission, store_panels};
use crate::bids::rules::BidId;
use crate::bids::rules_opening::Finding;
use crate::books::rules::LotId;
use crate::books::view::ItemView;
use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::statutes::profile::Citation;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// Who decided something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdmissionDecider)]
pub enum Decider {
    /// It follows from a rule.
    Rule,
    /// The buyer.
    Buyer,
    /// The panel, by its majority.
    Panel,
}

/// What was decided of an item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdmissionDecision)]
pub struct DecisionView {
    /// Counts the decisions of the item, from 1.
    pub number: i64,
    /// Whether the bid passes.
    pub passes: bool,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// Who decided.
    pub by: Decider,
    /// The account; `null` where you may not know, and where nobody did.
    pub account_id: Option<AccountId>,
    /// When, UTC.
    pub decided_at: String,
}

/// What a member of the panel holds against a decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdmissionDissent)]
pub struct DissentView {
    /// Who; `null` where you may not know.
    pub account_id: Option<AccountId>,
    /// What.
    pub reason: String,
    /// When, UTC.
    pub noted_at: String,
}

/// An item of a bid's list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdmissionItem)]
pub struct ExaminedItemView {
    /// Its code, unique within the bid's list.
    pub code: String,
    /// Whose it is to decide.
    pub side: Side,
    /// What has to be so, in Chinese.
    pub text_zh: String,
    /// What has to be so, in English.
    pub text_en: String,
    /// Where in the bid.
    pub pointer: String,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The code of the rule, if it is one of the statutes.
    pub rule: Option<String>,
    /// Where it stands.
    pub citations: Vec<Citation>,
    /// What was decided, the last first; nothing if it was not.
    #[schema(max_items = 20)]
    pub decisions: Vec<DecisionView>,
    /// What members of the panel hold against it.
    #[schema(max_items = 99)]
    pub dissents: Vec<DissentView>,
}

/// A corrected price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceCorrection)]
pub struct CorrectionView {
    /// The price in the body of the bid, where that is another amount than was read out.
    pub body: Option<Money>,
    /// The amount in words.
    pub words: Option<String>,
    /// How the price was arrived at.
    pub steps: Vec<Step>,
    /// The corrected price.
    pub price: Money,
    /// When it was put to the bidder, UTC.
    pub proposed_at: String,
    /// Until when the bidder answers, UTC; strictly before.
    pub answer_until: String,
    /// Whether the bidder confirms it; `null` before the answer.
    pub confirmed: Option<bool>,
    /// When the bidder answered, UTC.
    pub answered_at: Option<String>,
}

impl From<&Correction> for CorrectionView {
    fn from(correction: &Correction) -> Self {
        Self {
            body: correction.body,
            words: correction.words.clone(),
            steps: correction.steps.clone(),
            price: correction.price,
            proposed_at: rfc3339(correction.proposed_at),
            answer_until: rfc3339(correction.answer_until),
            confirmed: correction.answered.map(|(_, confirmed)| confirmed),
            answered_at: correction.answered.map(|(at, _)| rfc3339(at)),
        }
    }
}

/// The question whether an abnormally low price can be justified.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceJustification)]
pub struct JustificationView {
    /// By which tests the price was too low.
    #[schema(max_items = 3)]
    pub tests: Vec<Test>,
    /// When it was asked, UTC.
    pub asked_at: String,
    /// Until when the bidder answers, UTC; strictly before.
    pub answer_until: String,
    /// What the bidder says.
    pub text: Option<String>,
    /// Attachments.
    #[schema(max_items = 10)]
    pub documents: Vec<String>,
    /// When the bidder answered, UTC.
    pub answered_at: Option<String>,
    /// Whether the panel finds the price justified; `null` before it has decided.
    pub accepted: Option<bool>,
    /// Why, in Chinese.
    pub reason_zh: Option<String>,
    /// Why, in English.
    pub reason_en: Option<String>,
    /// When the panel decided, UTC.
    pub decided_at: Option<String>,
}

impl From<&Justification> for JustificationView {
    fn from(justification: &Justification) -> Self {
        let (answered, found) = (justification.answered.as_ref(), justification.found.as_ref());
        Self {
            tests: justification.tests.clone(),
            asked_at: rfc3339(justification.asked_at),
            answer_until: rfc3339(justification.answer_until),
            text: answered.map(|one| one.text.clone()),
            documents: answered.map(|one| one.documents.clone()).unwrap_or_default(),
            answered_at: answered.map(|one| rfc3339(one.at)),
            accepted: found.map(|one| one.accepted),
            reason_zh: found.map(|one| one.reason.zh.clone()),
            reason_en: found.map(|one| one.reason.en.clone()),
            decided_at: found.map(|one| rfc3339(one.at)),
        }
    }
}

/// That a bid was put out later.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidDisqualification)]
pub struct DisqualificationView {
    /// On what ground.
    pub ground: Ground,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// When, UTC.
    pub decided_at: String,
}

impl From<&Disqualification> for DisqualificationView {
    fn from(disqualification: &Disqualification) -> Self {
        Self {
            ground: disqualification.ground,
            reason_zh: disqualification.reason.zh.clone(),
            reason_en: disqualification.reason.en.clone(),
            decided_at: rfc3339(disqualification.at),
        }
    }
}

/// Why a bid is out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidOut)]
pub struct OutView {
    /// `disqualified`, the code of the item that it fails, `correction_refused`, `correction_unanswered`, `above_ceiling`,
    /// `price_not_justified`, `justification_unanswered`.
    pub code: String,
    /// In Chinese.
    pub reason_zh: String,
    /// In English.
    pub reason_en: String,
}

/// A bid that is examined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExaminedBid)]
pub struct ExaminedView {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// Where its public record of performance under earlier contracts is.
    pub performance: String,
    /// The price that was read out.
    pub original_price: Money,
    /// What the contract would cost: corrected and confirmed.
    pub price: Money,
    /// What unit prices and quantities come to; `null` if they cannot be reckoned.
    pub lines: Option<Money>,
    /// Whether the bidder is small or micro.
    pub is_sme: bool,
    /// Whether it is not, but somebody of the consortium or a subcontractor is.
    pub is_sme_consortium: bool,
    /// By which tests the price is abnormally low among those that are in so far.
    #[schema(max_items = 3)]
    pub tests: Vec<Test>,
    /// Why it is out; `null` if it is in so far.
    pub out: Option<OutView>,
    /// Its list.
    #[schema(max_items = 400)]
    pub items: Vec<ExaminedItemView>,
    /// Its corrected price.
    pub correction: Option<CorrectionView>,
    /// Whether its price was justified.
    pub justification: Option<JustificationView>,
    /// That it was put out later.
    pub disqualification: Option<DisqualificationView>,
}

/// The examination of a lot's bids.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Admission, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "begun_at": "2026-04-01T02:00:00.000000Z", "is_settled": false, "responsive": 0,
    "responsive_min": 3, "missing": [], "bids": []
}))]
pub struct AdmissionView {
    /// The lot.
    pub lot_id: LotId,
    /// When it began, UTC; `null` if it has not.
    pub begun_at: Option<String>,
    /// Whether everything is decided.
    pub is_settled: bool,
    /// How many bids are in so far.
    pub responsive: usize,
    /// With fewer than so many the lot is unsuccessful.
    pub responsive_min: u32,
    /// What is not decided yet.
    pub missing: Vec<ItemView>,
    /// The bids.
    pub bids: Vec<ExaminedView>,
}

fn decision(item: &ExaminedItem, decision: &Decision, names: bool) -> DecisionView {
    let by = match (&decision.decided_by, item.side) {
        (None, _) => Decider::Rule,
        (Some(_), Side::Eligibility) => Decider::Buyer,
        (Some(_), Side::Responsiveness) => Decider::Panel,
    };
    DecisionView {
        number: decision.number,
        passes: decision.passes,
        reason_zh: decision.reason.zh.clone(),
        reason_en: decision.reason.en.clone(),
        by,
        account_id: decision
            .decided_by
            .clone()
            .filter(|_| names || by == Decider::Buyer),
        decided_at: rfc3339(decision.decided_at),
    }
}

fn dissent(dissent: &Dissent, names: bool) -> DissentView {
    DissentView {
        account_id: Some(dissent.account_id.clone()).filter(|_| names),
        reason: dissent.reason.clone(),
        noted_at: rfc3339(dissent.noted_at),
    }
}

fn item(item: ExaminedItem, names: bool) -> ExaminedItemView {
    ExaminedItemView {
        decisions: item
            .decisions
            .iter()
            .map(|one| decision(&item, one, names))
            .collect(),
        dissents: item.dissents.iter().map(|one| dissent(one, names)).collect(),
        code: item.code,
        side: item.side,
        text_zh: item.asked.text_zh,
        text_en: item.asked.text_en,
        pointer: item.asked.pointer,
        findings: item.asked.findings,
        rule: item.asked.rule,
        citations: item.asked.citations,
    }
}

fn bid(examined: Examined, admitted: Admitted, names: bool) -> ExaminedView {
    ExaminedView {
        bid_id: admitted.bid_id,
        performance: format!("/api/v1/organisations/{}/performance", admitted.supplier_id),
        supplier_id: admitted.supplier_id,
        original_price: admitted.original_price,
        price: admitted.price,
        lines: examined.lines,
        is_sme: admitted.is_sme,
        is_sme_consortium: admitted.is_sme_consortium,
        tests: admitted.tests,
        out: admitted.out.map(|out| OutView {
            code: out.code,
            reason_zh: out.reason.zh,
            reason_en: out.reason.en,
        }),
        correction: examined.correction.as_ref().map(CorrectionView::from),
        justification: examined.justification.as_ref().map(JustificationView::from),
        disqualification: examined.disqualification.as_ref().map(DisqualificationView::from),
        items: examined.items.into_iter().map(|one| item(one, names)).collect(),
    }
}

/// The examination of a lot's bids, for whoever may see it.
///
/// # Errors
/// Those of [`readable`].
pub fn shown(conn: &mut Conn, actor: &Actor, lot: &LotId, now: Instant) -> Answer<AdmissionView> {
    let known = readable(conn, actor, lot)?;
    let panel = store_panels::of_book(conn, &known.book.id)?;
    let sits = panel.is_some_and(|panel| actor.id().is_some_and(|id| panel.seat_of(id).is_some()));
    let names = sits || policy::allows(actor, Action::OpenPanelNames, Matter::default());
    let verdict = verdict(conn, &known, now)?;
    let begun_at = store_admission::begun_at(conn, lot)?;
    let examined = store_admission::examined(conn, lot)?;
    Ok(AdmissionView {
        lot_id: lot.clone(),
        begun_at: begun_at.map(rfc3339),
        is_settled: begun_at.is_some() && verdict.missing.is_empty(),
        responsive: verdict.responsive,
        responsive_min: verdict.responsive_min,
        missing: verdict.missing.into_iter().map(ItemView::from).collect(),
        bids: examined
            .into_iter()
            .zip(verdict.bids)
            .map(|(examined, admitted)| bid(examined, admitted, names))
            .collect(),
    })
}

/// What the panel asks about a bid, for its bidder.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidQuestions, example = json!({
    "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "original_price": {"amount": "511.00", "currency": "CNY"},
    "correction": {
        "body": null, "words": null, "steps": [], "price": {"amount": "510.00", "currency": "CNY"}, "proposed_at": "2026-04-01T02:00:00.000000Z",
        "answer_until": "2026-04-01T03:00:00.000000Z", "confirmed": null, "answered_at": null
    },
    "justification": null, "disqualification": null
}))]
pub struct QuestionsView {
    /// The bid.
    pub bid_id: BidId,
    /// The price that was read out.
    pub original_price: Option<Money>,
    /// A corrected price to confirm.
    pub correction: Option<CorrectionView>,
    /// An abnormally low price to justify.
    pub justification: Option<JustificationView>,
    /// That the bid was put out.
    pub disqualification: Option<DisqualificationView>,
}

/// What the panel asks about a bid; nothing as long as it asks nothing.
///
/// # Errors
/// Those of [`acts_prices::own`].
pub fn questions(conn: &mut Conn, actor: &Actor, (lot, bid): (&LotId, &BidId)) -> Answer<QuestionsView> {
    acts_prices::own(conn, actor, Action::ReadPanelQuestions, (lot, bid))?;
    let disqualified = store_admission::disqualified(conn, lot)?;
    let examined = store_admission::examined(conn, lot)?;
    let examined = examined.into_iter().find(|one| one.bid_id == *bid);
    let examined = examined.as_ref();
    Ok(QuestionsView {
        bid_id: bid.clone(),
        original_price: examined.map(|one| one.total),
        correction: examined
            .and_then(|one| one.correction.as_ref())
            .map(CorrectionView::from),
        justification: examined
            .and_then(|one| one.justification.as_ref())
            .map(JustificationView::from),
        disqualification: disqualified.get(bid).map(DisqualificationView::from),
    })
}
