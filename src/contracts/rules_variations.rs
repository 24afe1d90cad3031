//! Variations of a signed contract: what is changed, why, and within which bounds. Supplements together stay below the law's part of the original price
//! (政府采购法 art 49), and a renewal is only what the book has promised for good scores. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::{ContractId, Party, Signature};
use crate::contracts::rules_periods::Span;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A variation of a contract.
    VariationId "variation"
}

/// Variations of one contract at most, those that came to nothing among them.
pub const VARIATIONS_MAX: usize = 100;
/// Characters of the words, and of a reason, at most.
pub const WORDS_LENGTH_MAX: usize = 2_000;

/// There is one that neither both have signed nor anybody has ended.
pub static PENDING: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_pending",
    "该合同有一项变更尚未了结",
    "Another variation of the contract is pending",
);
/// There are too many.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_too_many",
    "该合同的变更次数已达上限",
    "The contract has as many variations as there may be",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_wrong_state",
    "该变更当前状态不允许此操作",
    "The variation's state does not allow this",
);
/// This party has signed it.
pub static SIGNED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_signed_already",
    "该方已经签署此变更",
    "This party has signed the variation already",
);
/// Other bytes were meant.
pub static HASH_DIFFERS: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_hash_differs",
    "签署的哈希与变更文本不符",
    "The hash is not that of the variation",
);
/// What both would sign does not fit the contract any more.
pub static OVERTAKEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_overtaken",
    "涉及的服务期已经开始，请撤回后重新提出",
    "A period that it changes has begun; withdraw it and propose it anew",
);
/// All increases together are more than the law allows.
pub static OVER_CAP: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_over_cap",
    "累计追加超出原合同金额的法定比例",
    "All increases together exceed the lawful part of the original price",
);
/// All extensions together are longer than the law's part of the original term.
pub static EXTENDED_TOO_LONG: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_extended_too_long",
    "累计延期超出原服务期的法定比例",
    "All extensions together exceed the lawful part of the original term",
);
/// No period is left that it could change.
pub static NO_PERIOD_LEFT: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_no_period_left",
    "没有尚未开始的服务期可以变更",
    "No period that has not begun is left to be changed",
);
/// The contract would have too many periods.
pub static TOO_MANY_PERIODS: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_too_many_periods",
    "服务期数将超出上限",
    "The contract would have more periods than there may be",
);
/// A period's price would be below zero.
pub static BELOW_ZERO: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_below_zero",
    "核减后的某期价款将小于零",
    "The price of a period would be below zero",
);
/// More than is still committed would go back.
pub static BEYOND_COMMITMENT: Reason = Reason::new(
    ReasonKind::Conflict,
    "variation_beyond_commitment",
    "核减金额超出合同尚未支付的承诺资金",
    "Less than that is still committed for the contract",
);
/// The term is over.
pub static TERM_OVER: Reason = Reason::new(
    ReasonKind::Conflict,
    "contract_term_over",
    "合同服务期已满",
    "The contract's term is over",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 13] = [
    &PENDING,
    &TOO_MANY,
    &WRONG_STATE,
    &SIGNED_ALREADY,
    &HASH_DIFFERS,
    &OVERTAKEN,
    &OVER_CAP,
    &EXTENDED_TOO_LONG,
    &NO_PERIOD_LEFT,
    &TOO_MANY_PERIODS,
    &BELOW_ZERO,
    &BEYOND_COMMITMENT,
    &TERM_OVER,
];

/// What a variation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VariationKind)]
pub enum Kind {
    /// 追加: more for periods that have not begun.
    Supplement,
    /// 核减: less for them.
    Reduction,
    /// 延期: a later last day.
    Extension,
    /// 续签: a further term, which the book has promised for good scores.
    Renewal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Supplement, Self::Reduction, Self::Extension, Self::Renewal];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supplement => "supplement",
            Self::Reduction => "reduction",
            Self::Extension => "extension",
            Self::Renewal => "renewal",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it brings a later last day.
    pub const fn prolongs(self) -> bool {
        matches!(self, Self::Extension | Self::Renewal)
    }

    /// Whether what it adds counts against the law's cap. A renewal is a term of its own, which the book has announced to every bidder.
    pub const fn is_capped(self) -> bool {
        matches!(self, Self::Supplement | Self::Extension)
    }
}

/// Why a contract is varied: a closed list, so that reasons can be counted. What exactly it is, is said in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VariationCause)]
pub enum Cause {
    /// There is more or less to do.
    Quantity,
    /// Elsewhere, or over a larger or smaller area.
    Area,
    /// To another standard.
    Standard,
    /// The law has changed a price, such as the lowest wage.
    StatutoryPriceChange,
    /// An emergency.
    Emergency,
    /// Something else.
    Other,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Quantity,
        Self::Area,
        Self::Standard,
        Self::StatutoryPriceChange,
        Self::Emergency,
        Self::Other,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quantity => "quantity",
            Self::Area => "area",
            Self::Standard => "standard",
            Self::StatutoryPriceChange => "statutory_price_change",
            Self::Emergency => "emergency",
            Self::Other => "other",
        }
    }

    /// The cause of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// How far a variation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VariationState)]
pub enum State {
    /// It waits for signatures.
    Proposed,
    /// Both have signed: it holds.
    Concluded,
    /// The buyer has taken it back.
    Withdrawn,
    /// The supplier does not want it.
    Refused,
    /// The contract ended before both had signed.
    Ended,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Proposed,
        Self::Concluded,
        Self::Withdrawn,
        Self::Refused,
        Self::Ended,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Concluded => "concluded",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// What it does.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// What exactly, and why.
    pub words: Line,
    /// How much more; less than nothing for a reduction.
    pub amount: Money,
    /// From which period on; `None` for the first that has not begun, and for what prolongs.
    pub from_period: Option<i64>,
    /// The new last day, of what prolongs.
    pub until: Option<NaiveDate>,
}

/// What a variation does to one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The period's number.
    pub period: i64,
    /// Its days.
    pub span: Span,
    /// What it adds to the period's price.
    pub amount: Money,
    /// Whether the variation adds the period itself.
    pub is_added: bool,
}

/// A variation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variation {
    /// Its id.
    pub id: VariationId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Its number there, from 1.
    pub number: i64,
    /// What was proposed.
    pub entered: Entered,
    /// The contract's last day without it.
    pub until_before: NaiveDate,
    /// The bytes that are signed.
    pub content: String,
    /// SHA-256 of them, as the log has it.
    pub sha256: [u8; 32],
    /// How far it has come.
    pub state: State,
    /// By whom it was proposed.
    pub proposed_by: AccountId,
    /// When, UTC.
    pub proposed_at: Instant,
    /// Who has signed, the buyer first.
    pub signatures: Vec<Signature>,
    /// When it was concluded or ended, UTC.
    pub closed_at: Option<Instant>,
    /// Why it came to nothing.
    pub end_reason: Option<Line>,
    /// What it does to each period, once it is concluded.
    pub parts: Vec<Part>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Variation {
    /// Whether a party has signed.
    pub fn is_signed_by(&self, party: Party) -> bool {
        self.signatures.iter().any(|one| one.party == party)
    }

    /// Whether it holds.
    pub fn is_concluded(&self) -> bool {
        self.state == State::Concluded
    }
}

/// What somebody wants to propose, with everything that is wrong with its form.
///
/// # Errors
/// Every fault of the form: words that are none, an amount that does not fit its kind, a last day that is missing, or one of what does not prolong.
pub fn entered(raw: Entered) -> Result<Entered, Refusal> {
    let mut form = Form::new();
    let words = Line {
        zh: form.line("/words_zh", &raw.words.zh, WORDS_LENGTH_MAX),
        en: form.line("/words_en", &raw.words.en, WORDS_LENGTH_MAX),
    };
    let fits = match raw.kind {
        Kind::Supplement | Kind::Renewal => raw.amount > Money::ZERO,
        Kind::Reduction => raw.amount.is_negative(),
        Kind::Extension => !raw.amount.is_negative(),
    };
    if !fits {
        form.object(
            "/amount",
            Text::fixed(
                "追加、续签应大于零，核减应小于零，延期不得小于零",
                "must be above zero for a supplement or a renewal, below zero for a reduction, and not below zero for an extension",
            ),
        );
    }
    if raw.kind.prolongs() != raw.until.is_some() {
        form.object(
            "/until",
            Text::fixed(
                "延期、续签须注明新的截止日，其他变更不得注明",
                "is named for an extension or a renewal, and for nothing else",
            ),
        );
    }
    if raw.kind.prolongs() && raw.from_period.is_some() {
        form.object(
            "/from_period",
            Text::fixed(
                "延期、续签的价款归入新增服务期",
                "is not named for what prolongs: its price belongs to the periods that it adds",
            ),
        );
    }
    form.finish(Entered { words, ..raw })
}

/// Whether a party may sign these bytes now.
///
/// # Errors
/// In this order: [`WRONG_STATE`], [`SIGNED_ALREADY`], [`HASH_DIFFERS`].
pub fn may_sign(variation: &Variation, (party, sha256): (Party, &str)) -> Result<(), Refusal> {
    is_proposed(variation)?;
    if variation.is_signed_by(party) {
        return Err(SIGNED_ALREADY.refuse());
    }
    if sha256 != hex::encode(variation.sha256) {
        return Err(HASH_DIFFERS.refuse().at("/sha256"));
    }
    Ok(())
}

fn is_proposed(variation: &Variation) -> Result<(), Refusal> {
    if variation.state == State::Proposed {
        return Ok(());
    }
    let name = variation.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

/// The variation with both signatures.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn conclude(before: Variation, parts: Vec<Part>, now: Instant) -> Result<Variation, Refusal> {
    is_proposed(&before)?;
    Ok(Variation {
        state: State::Concluded,
        closed_at: Some(now),
        parts,
        revision: before.revision.saturating_add(1),
        ..before
    })
}

/// The variation that came to nothing: withdrawn, refused, or ended with its contract.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn end(before: Variation, state: State, reason: Line, now: Instant) -> Result<Variation, Refusal> {
    is_proposed(&before)?;
    Ok(Variation {
        state,
        closed_at: Some(now),
        end_reason: Some(reason),
        revision: before.revision.saturating_add(1),
        ..before
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::contracts::rules::tests::now;

    /// A proposed supplement of 100 yuan.
    pub fn variation() -> Variation {
        Variation {
            id: VariationId::mint(now()),
            contract_id: ContractId::mint(now()),
            number: 1,
            entered: asked(Kind::Supplement, "100.00"),
            until_before: "2027-04-30".parse().unwrap(),
            content: "{}".to_owned(),
            sha256: [7; 32],
            state: State::Proposed,
            proposed_by: AccountId::mint(now()),
            proposed_at: now(),
            signatures: Vec::new(),
            closed_at: None,
            end_reason: None,
            parts: Vec::new(),
            revision: 1,
        }
    }

    /// What is asked for, with a last day if it needs one.
    pub fn asked(kind: Kind, amount: &str) -> Entered {
        Entered {
            kind,
            cause: Cause::Area,
            words: Line {
                zh: "新增两条道路".to_owned(),
                en: "Two more roads".to_owned(),
            },
            amount: amount.parse().unwrap(),
            from_period: None,
            until: kind.prolongs().then(|| "2027-05-31".parse().unwrap()),
        }
    }

    fn places(result: Result<Entered, Refusal>) -> Vec<String> {
        let refusal = result.err();
        let objections = refusal.map(|refusal| refusal.objections).unwrap_or_default();
        objections.into_iter().map(|one| one.pointer).collect()
    }

    #[test]
    fn amounts_and_days_fit_what_is_done() {
        for (kind, good, bad) in [
            (Kind::Supplement, "0.01", "0.00"),
            (Kind::Reduction, "-0.01", "0.00"),
            (Kind::Extension, "0.00", "-0.01"),
            (Kind::Renewal, "0.01", "0.00"),
        ] {
            assert!(entered(asked(kind, good)).is_ok(), "{kind:?}");
            assert_eq!(places(entered(asked(kind, bad))), ["/amount"], "{kind:?}");
            let mut other = asked(kind, good);
            other.until = match other.until {
                Some(_) => None,
                None => Some("2027-05-31".parse().unwrap()),
            };
            assert_eq!(places(entered(other)), ["/until"], "{kind:?}");
        }
        let mut nothing = asked(Kind::Renewal, "-1.00");
        nothing.words.zh = " ".to_owned();
        nothing.words.en = "x".repeat(2_001);
        nothing.from_period = Some(3);
        assert_eq!(
            places(entered(nothing)),
            ["/words_zh", "/words_en", "/amount", "/from_period"]
        );
    }

    #[test]
    fn the_same_bytes_are_signed_once_by_each_and_what_is_closed_stays_so() {
        let mut one = variation();
        let hash = hex::encode([7; 32]);
        let code = |result: Result<(), Refusal>| result.map_or_else(|refusal| refusal.reason.code, |()| "ok");
        assert_eq!(code(may_sign(&one, (Party::Buyer, &hash))), "ok");
        assert_eq!(
            code(may_sign(&one, (Party::Buyer, "00"))),
            "variation_hash_differs"
        );
        one.signatures.push(Signature {
            party: Party::Buyer,
            account_id: AccountId::mint(now()),
            at: now(),
        });
        assert_eq!(
            code(may_sign(&one, (Party::Buyer, "00"))),
            "variation_signed_already"
        );
        assert_eq!(code(may_sign(&one, (Party::Supplier, &hash))), "ok");
        let reason = asked(Kind::Supplement, "1.00").words;
        let concluded = conclude(one.clone(), Vec::new(), now()).unwrap();
        assert!(concluded.is_concluded() && concluded.revision == 2);
        for state in [State::Withdrawn, State::Refused, State::Ended] {
            let ended = end(one.clone(), state, reason.clone(), now()).unwrap();
            assert_eq!((ended.state, ended.end_reason.as_ref()), (state, Some(&reason)));
            assert_eq!(
                code(may_sign(&ended, (Party::Supplier, &hash))),
                "variation_wrong_state"
            );
            assert!(end(ended, State::Withdrawn, reason.clone(), now()).is_err());
        }
        assert!(conclude(concluded, Vec::new(), now()).is_err());
    }

    #[test]
    fn names_lead_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        for cause in Cause::ALL {
            assert_eq!(Cause::named(cause.name()), Some(cause));
        }
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }
}
