//! The examination of bids before they are scored: who may bid at all (资格性审查, by the buyer, 87号令 art 44), whether what is offered
//! answers (符合性审查, by the panel, art 50), which price counts, whether it is too low to be true. What was decided, and what follows from
//! the rules alone, together say which bids are in. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_abnormally_low::{Test, Thresholds, tests};
use crate::award::rules_corrections::Step;
use crate::bids::rules::BidId;
use crate::bids::rules_opening::Finding;
use crate::books::rules::LotId;
use crate::books::rules_readiness::Item;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::kernel::text::Text;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes;
use crate::statutes::profile::{Citation, Profile};

/// Decisions of one item at most: the last one counts.
pub const DECISIONS_MAX: i64 = 20;
/// Items that one request decides at most.
pub const DECIDED_AT_ONCE_MAX: usize = 500;
/// Characters of a reason.
pub const REASON_LENGTH_MAX: usize = 2_000;
/// Characters of a bidder's justification of a price.
pub const STATEMENT_LENGTH_MAX: usize = 8_000;
/// Attachments of a justification at most.
pub const JUSTIFICATION_DOCUMENTS_MAX: usize = 10;

/// None of the lot's bids was opened.
pub static ADMISSION_NOT_OPENED: Reason = Reason::new(
    Kind::Conflict,
    "admission_not_opened",
    "该标段没有已开启的投标",
    "None of this lot's bids was opened",
);
/// The examination has not begun.
pub static ADMISSION_NOT_BEGUN: Reason = Reason::new(
    Kind::Conflict,
    "admission_not_begun",
    "该标段的资格性、符合性审查尚未开始",
    "The examination of this lot's bids has not begun",
);
/// The lot was judged, and its examination does not change any more.
pub static ADMISSION_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "admission_closed",
    "该标段已完成评审，审查结论不再变更",
    "The lot's bids were judged; their examination does not change any more",
);
/// Something of the examination is open that comes first.
pub static ADMISSION_UNDECIDED: Reason = Reason::new(
    Kind::Conflict,
    "admission_undecided",
    "尚有须先作出结论的审查事项",
    "Something of the examination has to be decided first",
);
/// What follows from a rule is nobody's to decide.
pub static ADMISSION_DECIDED_BY_RULE: Reason = Reason::new(
    Kind::Conflict,
    "admission_decided_by_rule",
    "该项由规则直接认定，无裁量余地",
    "This follows from a rule and is nobody's to decide",
);
/// An item was decided too often.
pub static ADMISSION_DECIDED_TOO_OFTEN: Reason = Reason::new(
    Kind::Conflict,
    "admission_decided_too_often",
    "该项的结论变更次数已达上限",
    "This was decided anew too often",
);
/// The member has said so already, or there is no decision to dissent from.
pub static ADMISSION_NO_DISSENT: Reason = Reason::new(
    Kind::Conflict,
    "admission_no_dissent",
    "该项尚无评委会结论，或您已记录不同意见",
    "The panel has not decided this, or you have noted your dissent already",
);
/// The price is not abnormally low.
pub static PRICE_NOT_LOW: Reason = Reason::new(
    Kind::Conflict,
    "price_not_low",
    "该报价不属于异常低价",
    "The price is not abnormally low",
);
/// The bidder was asked already.
pub static JUSTIFICATION_EXISTS: Reason = Reason::new(
    Kind::Conflict,
    "justification_exists",
    "已要求该投标人说明报价",
    "The bidder was asked to justify the price already",
);
/// Nothing waits for an answer: nothing was asked, it was answered, or its time is over.
pub static JUSTIFICATION_NOT_OPEN: Reason = Reason::new(
    Kind::Conflict,
    "justification_not_open",
    "没有等待答复的报价说明要求，或答复期限已过",
    "No price waits for a justification, or its time is over",
);
/// Nothing waits for the panel: there is no answer, or it was judged.
pub static JUSTIFICATION_NOT_ANSWERED: Reason = Reason::new(
    Kind::Conflict,
    "justification_not_answered",
    "投标人尚未作出书面说明，或该说明已经评审",
    "The bidder has not answered, or the answer was judged already",
);
/// The bid was disqualified already.
pub static BID_DISQUALIFIED: Reason = Reason::new(
    Kind::Conflict,
    "bid_disqualified",
    "该投标已被否决",
    "The bid was disqualified already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 12] = [
    &ADMISSION_NOT_OPENED,
    &ADMISSION_NOT_BEGUN,
    &ADMISSION_CLOSED,
    &ADMISSION_UNDECIDED,
    &ADMISSION_DECIDED_BY_RULE,
    &ADMISSION_DECIDED_TOO_OFTEN,
    &ADMISSION_NO_DISSENT,
    &PRICE_NOT_LOW,
    &JUSTIFICATION_EXISTS,
    &JUSTIFICATION_NOT_OPEN,
    &JUSTIFICATION_NOT_ANSWERED,
    &BID_DISQUALIFIED,
];

/// Whose an item is to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdmissionSide)]
pub enum Side {
    /// 资格性: the buyer's.
    Eligibility,
    /// 符合性: the panel's.
    Responsiveness,
}

impl Side {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eligibility => "eligibility",
            Self::Responsiveness => "responsiveness",
        }
    }

    /// The side of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Eligibility, Self::Responsiveness]
            .into_iter()
            .find(|side| side.name() == name)
    }
}

/// What is examined of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What has to be so, in Chinese.
    pub text_zh: String,
    /// What has to be so, in English.
    pub text_en: String,
    /// Where in the bid.
    pub pointer: String,
    /// What the opening found, or the service when the examination began.
    pub findings: Vec<Finding>,
    /// Whether it follows from a rule, and if so, whether the bid passes.
    pub by_rule: Option<bool>,
    /// The code of the rule, if it is one of the statutes.
    pub rule: Option<String>,
    /// Where it stands.
    pub citations: Vec<Citation>,
}

/// What was decided of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Counts the decisions of the item, from 1.
    pub number: i64,
    /// Whether the bid passes.
    pub passes: bool,
    /// Why.
    pub reason: Line,
    /// Who decided; `None` if it follows from a rule.
    pub decided_by: Option<AccountId>,
    /// When, UTC.
    pub decided_at: Instant,
}

/// What a member holds against a decision of the panel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissent {
    /// Who.
    pub account_id: AccountId,
    /// What.
    pub reason: String,
    /// When, UTC.
    pub noted_at: Instant,
}

/// An item of a bid's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedItem {
    /// Its code, unique within the bid's list.
    pub code: String,
    /// Whose it is.
    pub side: Side,
    /// Where in the list, from 1.
    pub position: i64,
    /// What is asked.
    pub asked: Asked,
    /// What was decided, the last first.
    pub decisions: Vec<Decision>,
    /// What members hold against it.
    pub dissents: Vec<Dissent>,
}

impl ExaminedItem {
    /// The decision that counts.
    pub fn decision(&self) -> Option<&Decision> {
        self.decisions.first()
    }
}

/// A corrected price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What the body says, where that is another amount.
    pub body: Option<Money>,
    /// The amount in words, as the bid has it.
    pub words: Option<String>,
    /// How the price was arrived at.
    pub steps: Vec<Step>,
    /// The price.
    pub price: Money,
    /// Who recorded it for the panel.
    pub proposed_by: AccountId,
    /// When it was put to the bidder, UTC.
    pub proposed_at: Instant,
    /// Until when the bidder answers, UTC; strictly before.
    pub answer_until: Instant,
    /// What the bidder answered: when, and whether they confirm.
    pub answered: Option<(Instant, bool)>,
}

/// The question whether an abnormally low price can be justified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Justification {
    /// By which tests the price was too low when it was asked.
    pub tests: Vec<Test>,
    /// When it was asked, UTC.
    pub asked_at: Instant,
    /// Until when the bidder answers, UTC; strictly before.
    pub answer_until: Instant,
    /// What the bidder answered, with attachments, and when.
    pub answered: Option<Statement>,
    /// What the panel found.
    pub found: Option<Found>,
}

/// What a bidder says of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// In words.
    pub text: String,
    /// Attachments, by their ids.
    pub documents: Vec<String>,
    /// When, UTC.
    pub at: Instant,
}

/// What the panel found of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether the price is justified.
    pub accepted: bool,
    /// Why.
    pub reason: Line,
    /// When, UTC.
    pub at: Instant,
}

/// On what ground a bid is put out later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisqualificationGround)]
pub enum Ground {
    /// 提供虚假材料.
    FalseStatements,
    /// 串通投标.
    Collusion,
    /// 行贿等不正当手段.
    Bribery,
    /// Is not eligible any more.
    NoLongerEligible,
    /// Something else that the law or the book says.
    Other,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::FalseStatements,
        Self::Collusion,
        Self::Bribery,
        Self::NoLongerEligible,
        Self::Other,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FalseStatements => "false_statements",
            Self::Collusion => "collusion",
            Self::Bribery => "bribery",
            Self::NoLongerEligible => "no_longer_eligible",
            Self::Other => "other",
        }
    }

    /// The ground of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.name() == name)
    }
}

/// That a bid was put out later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disqualification {
    /// On what ground.
    pub ground: Ground,
    /// Why.
    pub reason: Line,
    /// When, UTC.
    pub at: Instant,
}

/// A bid that is examined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The price that was read out.
    pub total: Money,
    /// What unit prices and quantities come to; `None` if they cannot be reckoned.
    pub lines: Option<Money>,
    /// Whether the bidder is small or micro.
    pub is_sme: bool,
    /// Whether it is not, but somebody of the consortium or a subcontractor is.
    pub is_sme_consortium: bool,
    /// Its list.
    pub items: Vec<ExaminedItem>,
    /// Its corrected price.
    pub correction: Option<Correction>,
    /// Whether its price was justified.
    pub justification: Option<Justification>,
    /// Whether it was put out later.
    pub disqualification: Option<Disqualification>,
}

/// Why a bid is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out {
    /// `disqualified`, the code of the item that it fails, `correction_refused`, `correction_unanswered`, `above_ceiling`,
    /// `price_not_justified`, `justification_unanswered`.
    pub code: String,
    /// In words.
    pub reason: Line,
}

/// A bid after its examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// What the contract would cost: corrected and confirmed.
    pub price: Money,
    /// The price that was read out.
    pub original_price: Money,
    /// Whether the bidder is small or micro.
    pub is_sme: bool,
    /// Whether it is not, but somebody of the consortium or a subcontractor is.
    pub is_sme_consortium: bool,
    /// By which tests the price is abnormally low among the responsive ones.
    pub tests: Vec<Test>,
    /// Why it is out; `None` if it is in.
    pub out: Option<Out>,
}

/// What the examination of a lot came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The bids, as they were opened.
    pub bids: Vec<Admitted>,
    /// What is not decided yet, each with its place; nothing if everything is.
    pub missing: Vec<Item>,
    /// How many are in.
    pub responsive: usize,
    /// With fewer than so many the lot is unsuccessful (87号令 art 43).
    pub responsive_min: u32,
}

impl Verdict {
    /// Whether too few are left.
    pub fn is_too_few(&self) -> bool {
        usize::try_from(self.responsive_min).is_ok_and(|min| self.responsive < min)
    }
}

/// What bids are held against.
#[derive(Clone, Copy, Debug)]
pub struct Held<'h> {
    /// The lot.
    pub lot_id: &'h LotId,
    /// The highest price.
    pub ceiling: Option<Money>,
    /// With fewer bidders the book says the lot is unsuccessful.
    pub bidders_min: Option<u32>,
    /// The rules in force for the book.
    pub profile: &'h Profile,
    /// Now: what is not answered by then is answered by silence.
    pub now: Instant,
}

fn line(zh: &str, en: &str) -> Line {
    Line {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn out(code: &str, zh: &str, en: &str) -> Out {
    Out {
        code: code.to_owned(),
        reason: line(zh, en),
    }
}

fn missing(bid: &Examined, place: &str, code: &'static str, detail: Text) -> Item {
    Item {
        pointer: format!("/bids/{}{place}", bid.bid_id),
        code,
        detail,
        rule: None,
        citations: Vec::new(),
    }
}

/// What became of one bid before its price is held against the others.
struct First {
    price: Money,
    out: Option<Out>,
    missing: Vec<Item>,
}

/// Which bids are in, and what is not decided yet. A bid is put out by the first of these: it was disqualified; it fails an item, in the
/// order of the list; its corrected price was refused or not confirmed in time; its price is above the ceiling; its price is abnormally low
/// and not justified. Of a bid that is out nothing more has to be decided.
///
/// # Errors
/// A rule that is not set.
pub fn judged(bids: &[Examined], held: Held<'_>) -> Answer<Verdict> {
    let mut firsts = Vec::with_capacity(bids.len());
    for bid in bids {
        firsts.push(first(bid, held)?);
    }
    let responsive: Vec<Money> = firsts
        .iter()
        .filter(|first| first.out.is_none())
        .map(|first| first.price)
        .collect();
    let thresholds = Thresholds::of(held.profile)?;
    let invalid = held
        .profile
        .rule_if_set(codes::EVALUATION_ABNORMALLY_LOW_UNJUSTIFIED_INVALID)?
        .unwrap_or(false);
    let mut verdict = Verdict {
        bids: Vec::with_capacity(bids.len()),
        missing: Vec::new(),
        responsive: 0,
        responsive_min: responsive_min(held)?,
    };
    for (bid, first) in bids.iter().zip(firsts) {
        let (mut out, mut found) = (first.out, Vec::new());
        verdict.missing.extend(first.missing);
        if out.is_none() {
            found = tests(first.price, &responsive, held.ceiling, thresholds);
            match low(bid, !found.is_empty(), held.now) {
                Low::Fine => {}
                Low::Missing(item) => verdict.missing.push(item),
                Low::Unjustified(why) if invalid => out = Some(why),
                Low::Unjustified(_) => {}
            }
        }
        verdict.bids.push(Admitted {
            bid_id: bid.bid_id.clone(),
            supplier_id: bid.supplier_id.clone(),
            price: first.price,
            original_price: bid.total,
            is_sme: bid.is_sme,
            is_sme_consortium: bid.is_sme_consortium,
            tests: found,
            out,
        });
    }
    verdict.responsive = verdict.bids.iter().filter(|bid| bid.out.is_none()).count();
    Ok(verdict)
}

/// A ballot of residents may ask for fewer bidders than the statute; then it asks for no more responsive ones.
fn responsive_min(held: Held<'_>) -> Answer<u32> {
    let min = held.profile.rule(codes::EVALUATION_RESPONSIVE_BIDS_MIN)?.0;
    Ok(held.bidders_min.map_or(min, |bidders| bidders.min(min)))
}

fn first(bid: &Examined, held: Held<'_>) -> Answer<First> {
    let mut result = First {
        price: bid.total,
        out: None,
        missing: Vec::new(),
    };
    if let Some(disqualified) = &bid.disqualification {
        result.out = Some(Out {
            code: "disqualified".to_owned(),
            reason: disqualified.reason.clone(),
        });
        return Ok(result);
    }
    for item in &bid.items {
        match item.decision() {
            Some(decision) if !decision.passes => {
                result.out = Some(Out {
                    code: item.code.clone(),
                    reason: decision.reason.clone(),
                });
                result.missing.clear();
                return Ok(result);
            }
            Some(_) => {}
            None => {
                let detail = Text::fixed("尚未作出结论", "was not decided yet");
                let place = format!("/items/{}", item.code);
                result
                    .missing
                    .push(missing(bid, &place, "item_undecided", detail));
            }
        }
    }
    correction(bid, held, &mut result)?;
    if result.out.is_none() && held.ceiling.is_some_and(|ceiling| result.price > ceiling) {
        result.out = Some(out(
            "above_ceiling",
            "投标报价超过最高限价",
            "the price is above the ceiling",
        ));
    }
    if result.out.is_some() {
        result.missing.clear();
    }
    Ok(result)
}

fn correction(bid: &Examined, held: Held<'_>, result: &mut First) -> Answer<()> {
    let Some(correction) = &bid.correction else {
        if bid.lines.is_some_and(|lines| lines != bid.total) {
            let detail = Text::fixed(
                "单价汇总与总价不一致，须作算术修正",
                "its unit prices do not come to its price, which has to be corrected",
            );
            let code = "correction_missing";
            result.missing.push(missing(bid, "/correction", code, detail));
        }
        return Ok(());
    };
    let must_confirm = held
        .profile
        .rule(codes::EVALUATION_CORRECTION_NEEDS_CONFIRMATION)?;
    match correction.answered {
        _ if !must_confirm => result.price = correction.price,
        Some((_, true)) => result.price = correction.price,
        Some((_, false)) => {
            result.out = Some(out(
                "correction_refused",
                "投标人不确认修正后的报价",
                "the bidder did not confirm the corrected price",
            ));
        }
        None if held.now >= correction.answer_until => {
            result.out = Some(out(
                "correction_unanswered",
                "投标人未在期限内确认修正后的报价",
                "the bidder did not confirm the corrected price in time",
            ));
        }
        None => {
            let detail = Text::fixed(
                "等待投标人确认修正后的报价",
                "waits for the bidder's confirmation",
            );
            let code = "correction_unanswered";
            result.missing.push(missing(bid, "/correction", code, detail));
        }
    }
    Ok(())
}

enum Low {
    Fine,
    Missing(Item),
    Unjustified(Out),
}

fn low(bid: &Examined, is_low: bool, now: Instant) -> Low {
    let place = "/justification";
    let Some(justification) = &bid.justification else {
        if !is_low {
            return Low::Fine;
        }
        let detail = Text::fixed(
            "异常低价，须要求投标人说明",
            "is abnormally low; the bidder has to be asked",
        );
        return Low::Missing(missing(bid, place, "justification_missing", detail));
    };
    match (&justification.answered, &justification.found) {
        (_, Some(found)) if found.accepted => Low::Fine,
        (_, Some(found)) => Low::Unjustified(Out {
            code: "price_not_justified".to_owned(),
            reason: found.reason.clone(),
        }),
        // The others have changed meanwhile, and nobody has to justify it any more.
        _ if !is_low => Low::Fine,
        (Some(_), None) => {
            let detail = Text::fixed(
                "评委会尚未评审该说明",
                "the panel has not judged the justification",
            );
            Low::Missing(missing(bid, place, "justification_undecided", detail))
        }
        (None, None) if now >= justification.answer_until => Low::Unjustified(out(
            "justification_unanswered",
            "投标人未在期限内书面说明报价",
            "the bidder did not justify the price in time",
        )),
        (None, None) => {
            let detail = Text::fixed("等待投标人书面说明", "waits for the bidder's justification");
            Low::Missing(missing(bid, place, "justification_unanswered", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::statutes::built_in;
    use chrono::{Duration, TimeZone, Utc};
    use proptest::prelude::*;

    static CN: LazyLock<Profile> = LazyLock::new(|| built_in::profiles_for("cn").unwrap().pop().unwrap());
    static LOT: LazyLock<LotId> = LazyLock::new(|| "lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap());

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 1, 2, 0, 0).unwrap()
    }

    fn account() -> AccountId {
        "user_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()
    }

    fn item(code: &str, side: Side, passes: Option<bool>) -> ExaminedItem {
        ExaminedItem {
            code: code.to_owned(),
            side,
            position: 1,
            asked: Asked {
                text_zh: "甲".to_owned(),
                text_en: "A".to_owned(),
                pointer: String::new(),
                findings: Vec::new(),
                by_rule: None,
                rule: None,
                citations: Vec::new(),
            },
            decisions: passes
                .map(|passes| Decision {
                    number: 1,
                    passes,
                    reason: line("理由", "a reason"),
                    decided_by: Some(account()),
                    decided_at: now(),
                })
                .into_iter()
                .collect(),
            dissents: Vec::new(),
        }
    }

    /// A bid that passes everything, for so many yuan.
    fn bid(number: u32, yuan: i64) -> Examined {
        let price = Money::from_yuan(yuan).unwrap();
        Examined {
            bid_id: format!("bid_01jd3n8f5teqkrzvq1c0{number:06}").parse().unwrap(),
            supplier_id: format!("org_01jd3n8f5teqkrzvq1c0{number:06}").parse().unwrap(),
            total: price,
            lines: Some(price),
            is_sme: false,
            is_sme_consortium: false,
            items: vec![
                item("not_debarred", Side::Eligibility, Some(true)),
                item("terms", Side::Responsiveness, Some(true)),
            ],
            correction: None,
            justification: None,
            disqualification: None,
        }
    }

    fn judge(bids: &[Examined]) -> Verdict {
        judged(
            bids,
            Held {
                lot_id: &LOT,
                ceiling: Some(Money::from_yuan(1000).unwrap()),
                bidders_min: Some(3),
                profile: &CN,
                now: now(),
            },
        )
        .unwrap()
    }

    fn outs(verdict: &Verdict) -> Vec<&str> {
        let codes = verdict.bids.iter();
        codes
            .map(|bid| bid.out.as_ref().map_or("", |out| &out.code))
            .collect()
    }

    fn missing_of(verdict: &Verdict) -> Vec<&str> {
        verdict.missing.iter().map(|item| item.code).collect()
    }

    fn corrected(yuan: i64, minutes: i64, answered: Option<bool>) -> Option<Correction> {
        Some(Correction {
            body: None,
            words: None,
            steps: Vec::new(),
            price: Money::from_yuan(yuan).unwrap(),
            proposed_by: account(),
            proposed_at: now() - Duration::hours(1),
            answer_until: now() + Duration::minutes(minutes),
            answered: answered.map(|confirms| (now(), confirms)),
        })
    }

    fn justified(minutes: i64, answered: bool, accepted: Option<bool>) -> Option<Justification> {
        Some(Justification {
            tests: vec![Test::Ceiling],
            asked_at: now() - Duration::hours(1),
            answer_until: now() + Duration::minutes(minutes),
            answered: answered.then(|| Statement {
                text: "有依据".to_owned(),
                documents: Vec::new(),
                at: now(),
            }),
            found: accepted.map(|accepted| Found {
                accepted,
                reason: line("理由", "a reason"),
                at: now(),
            }),
        })
    }

    #[test]
    fn what_passes_everything_is_in_and_too_few_are_told() {
        let all = judge(&[bid(1, 800), bid(2, 850), bid(3, 900)]);
        assert_eq!(
            (outs(&all), all.responsive, all.is_too_few()),
            (vec![""; 3], 3, false)
        );
        assert!(all.missing.is_empty());
        assert!(judge(&[bid(1, 800), bid(2, 850)]).is_too_few());
        // The lot of a ballot may ask for fewer, and none may ask for more than the statutes.
        for (bidders_min, expected) in [(None, 3), (Some(1), 1), (Some(5), 3)] {
            let held = Held {
                lot_id: &LOT,
                ceiling: None,
                bidders_min,
                profile: &CN,
                now: now(),
            };
            assert_eq!(judged(&[], held).unwrap().responsive_min, expected);
        }
    }

    #[test]
    fn a_bid_is_put_out_by_the_first_reason_in_the_documented_order() {
        type Change = fn(&mut Examined);
        let mut worst = bid(1, 1200);
        worst.disqualification = Some(Disqualification {
            ground: Ground::FalseStatements,
            reason: line("伪造", "forged"),
            at: now(),
        });
        worst.items[0].decisions[0].passes = false;
        worst.items[1].decisions[0].passes = false;
        worst.correction = corrected(1100, 10, Some(false));
        let mut expected = Vec::new();
        let mut seen = Vec::new();
        let steps: [(&str, Change); 6] = [
            ("disqualified", |_| {}),
            ("not_debarred", |bid| bid.disqualification = None),
            ("terms", |bid| bid.items[0].decisions[0].passes = true),
            ("correction_refused", |bid| {
                bid.items[1].decisions[0].passes = true;
            }),
            ("above_ceiling", |bid| {
                bid.correction = corrected(1100, 10, Some(true));
            }),
            ("", |bid| bid.correction = corrected(1000, 10, Some(true))),
        ];
        for (code, change) in steps {
            change(&mut worst);
            let verdict = judge(&[worst.clone(), bid(2, 850), bid(3, 900)]);
            assert!(
                verdict.missing.is_empty(),
                "{code}: nothing is missing of what is out"
            );
            seen.push(outs(&verdict)[0].to_owned());
            expected.push(code.to_owned());
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_not_decided_is_missing_and_of_a_bid_that_is_out_nothing_is() {
        let mut open = bid(1, 800);
        open.items[0].decisions.clear();
        open.items[1].decisions.clear();
        open.lines = Some(Money::from_yuan(790).unwrap());
        let verdict = judge(&[open.clone(), bid(2, 850), bid(3, 900)]);
        assert_eq!(
            missing_of(&verdict),
            ["item_undecided", "item_undecided", "correction_missing"]
        );
        assert_eq!(
            verdict.missing[0].pointer,
            format!("/bids/{}/items/not_debarred", open.bid_id)
        );
        open.items[1] = item("terms", Side::Responsiveness, Some(false));
        let verdict = judge(&[open, bid(2, 850), bid(3, 900)]);
        assert_eq!((missing_of(&verdict), outs(&verdict)[0]), (vec![], "terms"));
    }

    #[test]
    fn a_corrected_price_counts_when_it_is_confirmed_and_silence_is_a_refusal() {
        let with = |minutes, answered| {
            let mut first = bid(1, 800);
            first.correction = corrected(790, minutes, answered);
            let verdict = judge(&[first, bid(2, 850), bid(3, 900)]);
            let price = verdict.bids[0].price.to_string();
            let missing = missing_of(&verdict)
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>();
            (outs(&verdict)[0].to_owned(), price, missing)
        };
        assert_eq!(
            with(-10, Some(true)),
            (String::new(), "790.00".to_owned(), vec![])
        );
        assert_eq!(with(10, Some(false)).0, "correction_refused");
        assert_eq!(
            with(1, None),
            (
                String::new(),
                "800.00".to_owned(),
                vec!["correction_unanswered".to_owned()]
            )
        );
        // At the very instant it is too late.
        assert_eq!(with(0, None).0, "correction_unanswered");
        assert_eq!(with(-1, None).0, "correction_unanswered");
    }

    #[test]
    fn a_price_that_is_too_low_is_justified_or_out() {
        let with = |justification| {
            let mut first = bid(1, 440);
            first.justification = justification;
            let verdict = judge(&[first, bid(2, 850), bid(3, 900), bid(4, 800)]);
            assert_eq!(verdict.bids[0].tests, [Test::Ceiling]);
            let missing = verdict.missing.first().map_or("", |item| item.code);
            (outs(&verdict)[0].to_owned(), missing)
        };
        assert_eq!(with(None), (String::new(), "justification_missing"));
        assert_eq!(
            with(justified(1, false, None)),
            (String::new(), "justification_unanswered")
        );
        assert_eq!(
            with(justified(0, false, None)),
            ("justification_unanswered".to_owned(), "")
        );
        assert_eq!(
            with(justified(-5, true, None)),
            (String::new(), "justification_undecided")
        );
        assert_eq!(with(justified(-5, true, Some(true))), (String::new(), ""));
        assert_eq!(
            with(justified(-5, true, Some(false))),
            ("price_not_justified".to_owned(), "")
        );
    }

    #[test]
    fn a_price_is_held_against_those_of_the_bids_that_pass_everything() {
        // Half of the second-lowest, 905, is 452.50; the bid for 700 is out and does not count.
        let mut out = bid(2, 700);
        out.items[0].decisions[0].passes = false;
        let verdict = judge(&[bid(1, 451), out, bid(3, 910), bid(4, 905)]);
        assert_eq!(verdict.bids[0].tests, [Test::SecondLowest]);
        // One that was not justified passes everything else, and still counts among them.
        let mut low = bid(2, 440);
        low.justification = justified(-5, true, Some(false));
        let verdict = judge(&[bid(1, 451), low, bid(3, 910), bid(4, 905)]);
        assert_eq!(outs(&verdict)[1], "price_not_justified");
        assert!(verdict.bids[0].tests.is_empty());
        // Nobody has to judge a justification that the others have made needless.
        let mut needless = bid(1, 600);
        needless.justification = justified(-5, true, None);
        assert!(judge(&[needless, bid(2, 850), bid(3, 900)]).missing.is_empty());
    }

    #[test]
    fn a_statute_without_numbers_flags_nothing() {
        let first = built_in::profiles_for("cn").unwrap().remove(0);
        let held = Held {
            lot_id: &LOT,
            ceiling: Some(Money::from_yuan(1000).unwrap()),
            bidders_min: None,
            profile: &first,
            now: now(),
        };
        let verdict = judged(&[bid(1, 1), bid(2, 850), bid(3, 900)], held).unwrap();
        assert!(verdict.missing.is_empty() && verdict.bids.iter().all(|bid| bid.tests.is_empty()));
    }

    proptest! {
        #[test]
        fn every_bid_is_in_or_out_or_something_of_it_is_missing(decided in proptest::collection::vec(proptest::option::of(any::<bool>()), 6), prices in proptest::collection::vec(1_i64..1_200, 3)) {
            let mut bids = Vec::new();
            for ((number, price), decided) in (1_u32..).zip(&prices).zip(decided.chunks(2)) {
                let mut one = bid(number, *price);
                one.items = vec![item("a", Side::Eligibility, decided[0]), item("b", Side::Responsiveness, decided[1])];
                bids.push(one);
            }
            let verdict = judge(&bids);
            prop_assert_eq!(verdict.bids.len(), bids.len());
            prop_assert_eq!(verdict.responsive, verdict.bids.iter().filter(|bid| bid.out.is_none()).count());
            for (examined, admitted) in bids.iter().zip(&verdict.bids) {
                let own = verdict.missing.iter().filter(|item| item.pointer.contains(examined.bid_id.as_str())).count();
                prop_assert!(admitted.out.is_none() || own == 0);
                let undecided = examined.items.iter().any(|item| item.decision().is_none());
                prop_assert!(!undecided || admitted.out.is_some() || own > 0);
                let fails = examined.items.iter().any(|item| item.decision().is_some_and(|one| !one.passes));
                prop_assert!(!fails || admitted.out.is_some());
            }
        }
    }
}
