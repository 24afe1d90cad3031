//! Bid security: what a bidder lodges so that the buyer is not left alone with an award (投标保证金). How much it may be, which state follows
//! which, and until when it goes back (政府采购法实施条例 art 33; 87号令 art 38). Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules::LotId;
use crate::books::rules_documents::{BookDocument, LotDocument};
use crate::kernel::calendar::Calendar;
use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, Rounding};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Kind as ReasonKind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::statutes::codes::{TENDER_BID_SECURITY_PERCENT_MAX, TENDER_BID_SECURITY_RETURN_WORKING_DAYS_MAX};
use crate::statutes::profile::Profile;
use crate::text;

crate::ids! {
    /// What was lodged with a bid.
    SecurityId "bidsecurity"
}

/// Securities of one supplier for one lot at most.
pub const SECURITIES_MAX: i64 = 5;
/// Characters of an issuer's name.
pub const ISSUER_LENGTH_MAX: usize = 200;
/// Characters of a bank's reference.
pub const REFERENCE_LENGTH_MAX: usize = 100;
/// Characters of a decision.
pub const DECISION_LENGTH_MAX: usize = 2_000;

/// The book asks for none.
pub static NOT_ASKED: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_security_not_asked",
    "本项目不要求投标保证金",
    "The book asks for no bid security",
);
/// There are as many as there may be.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_security_too_many",
    "投标保证金记录过多",
    "There are as many records of bid security as there may be",
);
/// The same is recorded already.
pub static RECORDED_TWICE: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_security_recorded",
    "该投标保证金已登记",
    "That bid security is recorded already",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "bid_security_wrong_state",
    "投标保证金当前状态不允许此操作",
    "The bid security's state does not allow this",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 4] = [&NOT_ASKED, &TOO_MANY, &RECORDED_TWICE, &WRONG_STATE];

/// In which form it was lodged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidSecurityKind)]
pub enum Kind {
    /// 转账
    Transfer,
    /// 支票
    Cheque,
    /// 汇票、本票
    Draft,
    /// 金融机构、担保机构出具的保函
    Guarantee,
    /// 保证保险
    Insurance,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Transfer,
        Self::Cheque,
        Self::Draft,
        Self::Guarantee,
        Self::Insurance,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Cheque => "cheque",
            Self::Draft => "draft",
            Self::Guarantee => "guarantee",
            Self::Insurance => "insurance",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is somebody's promise, which ends on a day.
    pub const fn expires(self) -> bool {
        matches!(self, Self::Guarantee | Self::Insurance)
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidSecurityState)]
pub enum State {
    /// The bidder says that it was lodged.
    Lodged,
    /// The buyer has found it.
    Confirmed,
    /// The buyer has not found it.
    NotFound,
    /// It went back.
    Returned,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lodged, Self::Confirmed, Self::NotFound, Self::Returned];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lodged => "lodged",
            Self::Confirmed => "confirmed",
            Self::NotFound => "not_found",
            Self::Returned => "returned",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a bidder says that was lodged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lodged {
    /// In which form.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// By which bank or insurer.
    pub issuer: String,
    /// Under which number.
    pub reference: String,
    /// On which day.
    pub lodged_on: NaiveDate,
    /// The last day of a guarantee or an insurance.
    pub expires_on: Option<NaiveDate>,
}

/// What was lodged with a bid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// Its id.
    pub id: SecurityId,
    /// For which lot.
    pub lot_id: LotId,
    /// By whom.
    pub supplier_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// What the bidder says of it.
    pub lodged: Lodged,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it was recorded, UTC.
    pub recorded_at: Instant,
    /// When the buyer decided about it, UTC, and what was found.
    pub decided: Option<(Instant, String)>,
    /// On which day it went back, and under which number.
    pub returned: Option<(NaiveDate, String)>,
}

/// How much has to be lodged for a lot, and how much may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What the book asks for.
    pub asked: Money,
    /// What the law allows.
    pub amount_max: Money,
}

/// The bounds for a lot, in parts of its ceiling. What the book asks for is rounded up to the fen and never above what the law allows.
///
/// # Errors
/// [`NOT_ASKED`] if the book asks for none; a rule that is not set; a fault of arithmetic.
pub fn bounds(book: &BookDocument, lot: &LotDocument, profile: &Profile) -> Answer<Bounds> {
    let Some((percent, ceiling)) = book.bid_security_percent.zip(lot.ceiling) else {
        return Err(NOT_ASKED.refuse().into());
    };
    let cap = profile.rule(TENDER_BID_SECURITY_PERCENT_MAX)?.decimal();
    let beyond = |error| Fault::caused("a bid security", error);
    let amount_max = ceiling.percent_of(cap, Rounding::Down).map_err(beyond)?;
    let asked = ceiling
        .percent_of(percent.percent(), Rounding::HalfUp)
        .map_err(beyond)?;
    Ok(Bounds {
        asked: asked.min(amount_max),
        amount_max,
    })
}

/// Checks what a bidder says that was lodged, today, for a lot whose bids are taken until a day; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked(
    lodged: Lodged,
    bounds: Bounds,
    (today, deadline): (NaiveDate, NaiveDate),
) -> Result<Lodged, Refusal> {
    let mut form = Form::new();
    let (asked, amount_max) = (bounds.asked, bounds.amount_max);
    if lodged.amount < asked {
        form.object("/amount", text!("应为 {asked}", "the book asks for {asked}"));
    }
    if lodged.amount > amount_max {
        form.object(
            "/amount",
            text!(
                "最多 {amount_max}（政府采购法实施条例第33条）",
                "at most {amount_max} (政府采购法实施条例 art 33)"
            ),
        );
    }
    let issuer = form.line("/issuer", &lodged.issuer, ISSUER_LENGTH_MAX);
    let reference = form.line("/reference", &lodged.reference, REFERENCE_LENGTH_MAX);
    if lodged.lodged_on > today {
        form.object(
            "/lodged_on",
            Text::fixed("不得晚于今日", "must not lie in the future"),
        );
    }
    match (lodged.kind.expires(), lodged.expires_on) {
        (true, Some(last)) if last < deadline => form.object(
            "/expires_on",
            text!(
                "不得早于投标截止日 {deadline}",
                "must not end before {deadline}, when bids are opened"
            ),
        ),
        (true, None) => form.object(
            "/expires_on",
            Text::fixed("保函与保险须填写", "a guarantee and an insurance have one"),
        ),
        (false, Some(_)) => form.object(
            "/expires_on",
            Text::fixed("仅用于保函与保险", "only a guarantee and an insurance have one"),
        ),
        _ => {}
    }
    form.finish(Lodged {
        issuer,
        reference,
        ..lodged
    })
}

fn in_state(security: &Security, wanted: State) -> Result<(), Refusal> {
    if security.state == wanted {
        return Ok(());
    }
    let name = security.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

/// The security, found or not found by the buyer.
///
/// # Errors
/// A decision that is none; [`WRONG_STATE`] unless it is lodged.
pub fn decide(before: Security, is_there: bool, decision: &str, now: Instant) -> Result<Security, Refusal> {
    let mut form = Form::new();
    let decision = form.line("/decision", decision, DECISION_LENGTH_MAX);
    let decision = form.finish(decision)?;
    in_state(&before, State::Lodged)?;
    Ok(Security {
        state: if is_there {
            State::Confirmed
        } else {
            State::NotFound
        },
        revision: before.revision.saturating_add(1),
        decided: Some((now, decision)),
        ..before
    })
}

/// The security, gone back.
///
/// # Errors
/// A reference that is none, or a day before it was lodged or after today; [`WRONG_STATE`] unless it was confirmed.
pub fn give_back(
    before: Security,
    (on, reference): (NaiveDate, &str),
    today: NaiveDate,
) -> Result<Security, Refusal> {
    let mut form = Form::new();
    let reference = form.line("/reference", reference, REFERENCE_LENGTH_MAX);
    if !(before.lodged.lodged_on..=today).contains(&on) {
        form.object(
            "/returned_on",
            Text::fixed(
                "应在交纳日与今日之间",
                "must lie between the day it was lodged and today",
            ),
        );
    }
    let reference = form.finish(reference)?;
    in_state(&before, State::Confirmed)?;
    Ok(Security {
        state: State::Returned,
        revision: before.revision.saturating_add(1),
        returned: Some((on, reference)),
        ..before
    })
}

/// The last day on which a security may go back that is due since `from`: the day of the award notice, of a withdrawal before the
/// deadline, or of the end of a lot without an award. `None` if the calendar does not reach so far.
///
/// # Errors
/// A rule that is not set.
pub fn return_due(from: NaiveDate, profile: &Profile, calendar: &Calendar) -> Answer<Option<NaiveDate>> {
    let days = profile.rule(TENDER_BID_SECURITY_RETURN_WORKING_DAYS_MAX)?.0;
    Ok(calendar.add_working_days(from, days).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn lodged(amount: &str) -> Lodged {
        Lodged {
            kind: Kind::Transfer,
            amount: amount.parse().unwrap(),
            issuer: "某银行".to_owned(),
            reference: "20260318001".to_owned(),
            lodged_on: day(18),
            expires_on: None,
        }
    }

    fn faults(lodged: Lodged) -> Vec<String> {
        let bounds = Bounds {
            asked: "23502.00".parse().unwrap(),
            amount_max: "47004.00".parse().unwrap(),
        };
        let refused = checked(lodged, bounds, (day(18), day(20))).err();
        refused.map_or(Vec::new(), |refusal| {
            refusal.objections.into_iter().map(|one| one.pointer).collect()
        })
    }

    #[test]
    fn it_is_what_the_book_asks_for_at_least_and_what_the_law_allows_at_most() {
        for (amount, is_right) in [
            ("23501.99", false),
            ("23502.00", true),
            ("47004.00", true),
            ("47004.01", false),
        ] {
            assert_eq!(faults(lodged(amount)).is_empty(), is_right, "{amount}");
        }
        let tomorrow = Lodged {
            lodged_on: day(19),
            expires_on: Some(day(30)),
            ..lodged("30000.00")
        };
        assert_eq!(faults(tomorrow), ["/lodged_on", "/expires_on"]);
        let promise = |last| Lodged {
            kind: Kind::Guarantee,
            expires_on: last,
            ..lodged("30000.00")
        };
        assert_eq!(faults(promise(None)), ["/expires_on"]);
        assert_eq!(faults(promise(Some(day(19)))), ["/expires_on"]);
        assert!(faults(promise(Some(day(20)))).is_empty());
    }

    #[test]
    fn it_goes_back_once_it_was_found_and_only_then() {
        let now = Utc.with_ymd_and_hms(2026, 3, 20, 1, 0, 0).unwrap();
        let security = Security {
            id: SecurityId::mint(now),
            lot_id: "lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            supplier_id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            state: State::Lodged,
            lodged: lodged("30000.00"),
            revision: 1,
            recorded_at: now,
            decided: None,
            returned: None,
        };
        let back = |security: Security, on| {
            give_back(security, (on, "7"), day(25)).map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(back(security.clone(), day(25)), Err("bid_security_wrong_state"));
        let missing = decide(security.clone(), false, "未到账", now).unwrap();
        assert_eq!(back(missing.clone(), day(25)), Err("bid_security_wrong_state"));
        assert_eq!(
            decide(missing, true, "x", now).unwrap_err().reason.code,
            "bid_security_wrong_state"
        );
        let found = decide(security, true, "已到账", now).unwrap();
        assert_eq!((found.state, found.revision), (State::Confirmed, 2));
        assert_eq!(back(found.clone(), day(26)), Err("invalid"));
        assert_eq!(back(found.clone(), day(17)), Err("invalid"));
        assert_eq!(back(found, day(25)).unwrap().state, State::Returned);
    }

    #[test]
    fn it_goes_back_within_the_working_days_that_the_law_gives() {
        let calendar = Calendar::builtin().unwrap();
        let profiles = crate::statutes::built_in::profiles_for("cn").unwrap();
        let due = |from| return_due(from, profiles.last().unwrap(), &calendar).unwrap();
        assert_eq!(due(day(2)), Some(day(9)));
        let beyond = NaiveDate::from_ymd_opt(2190, 1, 1).unwrap();
        assert_eq!(due(beyond), None);
    }
}
