//! Performance security (履约保证金): what the supplier lodges before the buyer signs. How much it may be, and which state follows which
//! (政府采购法实施条例 art 48). In kinds and states it is like a bid security. Pure.

use chrono::NaiveDate;

use crate::bids::rules_securities::{
    DECISION_LENGTH_MAX, ISSUER_LENGTH_MAX, Lodged, REFERENCE_LENGTH_MAX, State,
};
use crate::contracts::rules::ContractId;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// What was lodged for a contract.
    PerformanceSecurityId "performancesecurity"
}

/// Securities of one contract at most.
pub const SECURITIES_MAX: usize = 5;

/// The contract asks for none.
pub static NOT_ASKED: Reason = Reason::new(
    ReasonKind::Conflict,
    "performance_security_not_asked",
    "本合同不要求履约保证金",
    "The contract asks for no performance security",
);
/// There are as many as there may be.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "performance_security_too_many",
    "履约保证金记录过多",
    "There are as many records of performance security as there may be",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "performance_security_wrong_state",
    "履约保证金当前状态不允许此操作",
    "The performance security's state does not allow this",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&NOT_ASKED, &TOO_MANY, &WRONG_STATE];

/// What was lodged for a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerformanceSecurity {
    /// Its id.
    pub id: PerformanceSecurityId,
    /// For which contract.
    pub contract_id: ContractId,
    /// How far it has come.
    pub state: State,
    /// What the supplier says of it.
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

/// How much lies with the buyer.
///
/// # Errors
/// A fault of arithmetic.
pub fn confirmed(all: &[PerformanceSecurity]) -> Result<Money, Fault> {
    let there = all.iter().filter(|one| one.state == State::Confirmed);
    let sum = Money::sum(there.map(|one| one.lodged.amount));
    sum.map_err(|error| Fault::caused("performance securities", error))
}

/// Checks what a supplier says that was lodged, today, for a contract that asks for so much and may take so much; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked(
    lodged: Lodged,
    (asked, amount_max): (Money, Money),
    (today, service_until): (NaiveDate, Option<NaiveDate>),
) -> Result<Lodged, Refusal> {
    let mut form = Form::new();
    if lodged.amount < asked {
        form.object("/amount", text!("应为 {asked}", "the contract asks for {asked}"));
    }
    if lodged.amount > amount_max {
        form.object(
            "/amount",
            text!(
                "最多 {amount_max}（政府采购法实施条例第48条）",
                "at most {amount_max} (政府采购法实施条例 art 48)"
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
    match (lodged.kind.expires(), lodged.expires_on, service_until) {
        (true, Some(last), Some(until)) if last < until => form.object(
            "/expires_on",
            text!(
                "不得早于服务期满日 {until}",
                "must not end before {until}, the last day of the service"
            ),
        ),
        (true, None, _) => form.object(
            "/expires_on",
            Text::fixed("保函与保险须填写", "a guarantee and an insurance have one"),
        ),
        (false, Some(_), _) => form.object(
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

fn in_state(security: &PerformanceSecurity, wanted: State) -> Result<(), Refusal> {
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
pub fn decide(
    before: PerformanceSecurity,
    is_there: bool,
    decision: &str,
    now: Instant,
) -> Result<PerformanceSecurity, Refusal> {
    let mut form = Form::new();
    let decision = form.line("/decision", decision, DECISION_LENGTH_MAX);
    let decision = form.finish(decision)?;
    in_state(&before, State::Lodged)?;
    Ok(PerformanceSecurity {
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
    before: PerformanceSecurity,
    (on, reference): (NaiveDate, &str),
    today: NaiveDate,
) -> Result<PerformanceSecurity, Refusal> {
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
    Ok(PerformanceSecurity {
        state: State::Returned,
        revision: before.revision.saturating_add(1),
        returned: Some((on, reference)),
        ..before
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bids::rules_securities::Kind;
    use crate::contracts::rules::tests::{contract, now};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn lodged(kind: Kind, amount: &str, expires_on: Option<&str>) -> Lodged {
        Lodged {
            kind,
            amount: amount.parse().unwrap(),
            issuer: "某银行".to_owned(),
            reference: "20260424001".to_owned(),
            lodged_on: day("2026-04-24"),
            expires_on: expires_on.map(day),
        }
    }

    fn faults(lodged: Lodged) -> Vec<String> {
        let bounds = ("114930.00".parse().unwrap(), "229860.00".parse().unwrap());
        let days = (day("2026-04-24"), Some(day("2027-04-30")));
        let checked = checked(lodged, bounds, days);
        let objections = checked
            .err()
            .map(|refusal| refusal.objections)
            .unwrap_or_default();
        objections.into_iter().map(|one| one.pointer).collect()
    }

    #[test]
    fn it_is_as_much_as_is_asked_for_and_within_the_cap_and_lasts_as_long_as_the_service() {
        assert!(faults(lodged(Kind::Transfer, "114930.00", None)).is_empty());
        assert_eq!(faults(lodged(Kind::Transfer, "114929.99", None)), ["/amount"]);
        assert_eq!(faults(lodged(Kind::Transfer, "229860.01", None)), ["/amount"]);
        assert!(faults(lodged(Kind::Guarantee, "114930.00", Some("2027-04-30"))).is_empty());
        assert_eq!(
            faults(lodged(Kind::Guarantee, "114930.00", Some("2027-04-29"))),
            ["/expires_on"]
        );
        assert_eq!(
            faults(lodged(Kind::Insurance, "114930.00", None)),
            ["/expires_on"]
        );
        assert_eq!(
            faults(lodged(Kind::Cheque, "114930.00", Some("2027-04-30"))),
            ["/expires_on"]
        );
    }

    #[test]
    fn it_counts_from_when_the_buyer_has_found_it_until_it_goes_back() {
        let one = PerformanceSecurity {
            id: PerformanceSecurityId::mint(now()),
            contract_id: contract().id,
            state: State::Lodged,
            lodged: lodged(Kind::Transfer, "114930.00", None),
            revision: 1,
            recorded_at: now(),
            decided: None,
            returned: None,
        };
        let sum = |one: &PerformanceSecurity| confirmed(std::slice::from_ref(one)).unwrap().to_string();
        assert_eq!(sum(&one), "0.00");
        let found = decide(one.clone(), true, "已到账", now()).unwrap();
        assert_eq!(sum(&found), "114930.00");
        assert_eq!(sum(&decide(one.clone(), false, "未到账", now()).unwrap()), "0.00");
        let today = day("2026-05-01");
        assert!(give_back(one, (today, "R1"), today).is_err());
        let early = give_back(found.clone(), (day("2026-04-23"), "R1"), today);
        assert_eq!(early.unwrap_err().objections[0].pointer, "/returned_on");
        let back = give_back(found.clone(), (today, "R1"), today).unwrap();
        assert_eq!((sum(&back).as_str(), back.revision), ("0.00", 3));
        let again = decide(found, true, "已到账", now());
        assert_eq!(again.unwrap_err().reason.code, "performance_security_wrong_state");
    }
}
