//! What is done about claims until they are paid: made by the contractor, certified by the buyer's officer, approved by a finance officer, or sent back. Each function is one
//! transaction's worth of work, permission first, event last.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk as awards;
use crate::budget::posting;
use crate::contracts::desk::{self, Signed};
use crate::contracts::desk_acceptances::known;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_standing::Standing;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files::acts as files;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::payments::desk_claims::{
    Seen, accrued, basis, due_on, fee, schedule, seen, still_accepted, termination,
};
use crate::payments::rules_certification::{counted, less};
use crate::payments::rules_claim_forms::entered;
use crate::payments::rules_claims::{
    ACCOUNT_MISSING, BEYOND_PRICE, CLAIMS_MAX, CONTRACT_SETTLED, Certified, Claim, ClaimId, Counted, Done,
    Entered, INVOICE_DUPLICATE, Kind, NO_INTEREST, NO_SUCH_PART, NOT_TERMINATED, OWN_CLAIM, PERIOD_NOT_OVER,
    State, TOO_MANY,
};
use crate::payments::{moves_claims as moves, store_claims as store, tidings_claims as tidings};
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_bank_accounts::ChangeState;
use crate::registry::rules_text::Form;
use crate::registry::store_bank_accounts;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// What files of a claim may be.
const TYPES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg, MediaType::Webp];

/// Who acts, and when.
pub(super) fn doing(tx: &Tx<'_>, actor: &Actor) -> Answer<Done> {
    let by = actor
        .id()
        .ok_or_else(|| Fault::broken("a claim is acted on by somebody"))?;
    let by = by
        .parse()
        .map_err(|error| Fault::caused("the account that acts", error))?;
    Ok(Done { by, at: tx.now() })
}

/// Refuses for whoever acts for the contractor, in whatever capacity they would do it.
///
/// # Errors
/// [`OWN_CLAIM`].
pub(super) fn not_own_claim(actor: &Actor, signed: &Signed) -> Answer<()> {
    let supplier = &signed.contract.supplier_id;
    let mut grants = actor.grants().iter();
    if grants.any(|grant| grant.organisation.as_ref() == Some(supplier)) {
        return Err(OWN_CLAIM.refuse().into());
    }
    Ok(())
}

/// Claims a payment as the contractor. It is paid to the bank account that the supplier has confirmed at that moment.
///
/// # Errors
/// In this order: permission; not found; those of [`entered`]; those of what is claimed (`contract_without_periods`, [`CONTRACT_SETTLED`], [`NO_SUCH_PART`],
/// [`PERIOD_NOT_OVER`], [`NOT_TERMINATED`], [`NO_INTEREST`], [`BEYOND_PRICE`]); [`TOO_MANY`]; [`INVOICE_DUPLICATE`]; [`ACCOUNT_MISSING`]; separation of duties; those of hanging the files.
pub fn claim(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    (raw, attachments): (Entered, &[AttachmentId]),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::MakeClaim)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::MakeClaim, signed.of_supplier())?;
    let now = tx.now();
    let entered = entered(raw, local_date(now, calendar.zone))?;
    claimable(tx.conn(), &signed, &entered, (calendar, now))?;
    let before = store::of_contract(tx.conn(), id)?;
    if before.len() >= CLAIMS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let supplier = &signed.contract.supplier_id;
    if store::is_invoiced(tx.conn(), supplier, &entered.invoice_number)? {
        return Err(INVOICE_DUPLICATE.refuse().at("/invoice_number").into());
    }
    let account = store_bank_accounts::newest(tx.conn(), supplier, ChangeState::Confirmed)?;
    let account = account.ok_or_else(|| ACCOUNT_MISSING.refuse())?;
    let one = Claim {
        id: ClaimId::mint(now),
        contract_id: id.clone(),
        number: before.last().map_or(1, |last| last.number.saturating_add(1)),
        supplier_id: supplier.clone(),
        entered,
        account_id: account.id,
        claimed: doing(tx, actor)?,
        state: State::Claimed,
        certified: None,
        approved: None,
        executed: None,
        confirmed: None,
        ended: None,
        revision: 1,
    };
    let capacity = capacity(actor, Action::MakeClaim, signed.of_supplier());
    duties::undertake(tx, actor, capacity, Duty::Claim, one.id.as_str())?;
    store::insert(tx, &one)?;
    for (index, attachment) in attachments.iter().enumerate() {
        let to = Use {
            matter_kind: ClaimId::PREFIX,
            matter_id: one.id.as_str(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &format!("/attachment_ids/{index}"),
        };
        files::attach(tx, actor, attachment, to)?;
    }
    let private = json!({
        "invoice_number": one.entered.invoice_number, "invoice_on": one.entered.invoice_on, "bank_account_id": one.account_id,
    });
    record(tx, actor, "claim.made", &one, (json!({}), private))?;
    tidings::made(tx, &signed, &one)?;
    Ok(Seen { signed, claim: one })
}

/// Whether what is claimed is a part of the contract's price, and not more than that.
fn claimable(
    conn: &mut Conn,
    signed: &Signed,
    entered: &Entered,
    at: (&WardCalendar, Instant),
) -> Answer<()> {
    let contract = &signed.contract.id;
    let ended = termination(conn, contract)?;
    let most = match (entered.kind, entered.period) {
        (Kind::Period | Kind::Advance, _) if ended.is_some() => return Err(CONTRACT_SETTLED.refuse().into()),
        (Kind::Period, Some(number)) => {
            if schedule(conn, contract)?.period(number).is_none() {
                let mut form = Form::new();
                form.object(
                    "/period",
                    Text::fixed("合同没有该期", "is no period of the contract"),
                );
                form.finish(())?;
            }
            match known(conn, contract, number, at)? {
                Standing::NotOver => return Err(PERIOD_NOT_OVER.refuse().into()),
                Standing::NeverRan => return Err(NO_SUCH_PART.refuse().into()),
                _ => fee(conn, signed, number)?,
            }
        }
        (Kind::Period, None) => return Err(Fault::broken("a claim for a period names none").into()),
        (Kind::Advance, _) => schedule(conn, contract)?.advance,
        (Kind::Retention, _) => schedule(conn, contract)?.retention,
        (Kind::Settlement, _) => ended.ok_or_else(|| NOT_TERMINATED.refuse())?.entered.settlement,
        (Kind::Interest, _) => {
            let claims = store::of_contract(conn, contract)?;
            let accrued = accrued(conn, (signed, &claims), at)?;
            if accrued.is_zero() {
                return Err(NO_INTEREST.refuse().into());
            }
            accrued
        }
    };
    if most.is_zero() {
        return Err(NO_SUCH_PART.refuse().into());
    }
    if entered.amount > most {
        let (asked, most) = (entered.amount.grouped(), most.grouped());
        let why = text!(
            "该项价款 {most} 元，请款 {asked} 元",
            "it is {most} CNY, and {asked} CNY are claimed"
        );
        return Err(BEYOND_PRICE.because(why).at("/amount").into());
    }
    Ok(())
}

/// What the certifying officer says.
#[derive(Clone, Debug)]
pub struct Certifying {
    /// What is counted of the contract's penalties; `None` for what was counted when the period was certified last.
    pub penalties: Option<Vec<Counted>>,
    /// Why less is certified than was claimed, in Chinese and in English.
    pub less: (Option<String>, Option<String>),
}

/// Certifies a claim as the buyer's officer: for what its part of the price comes to, as far as that is undisputed and not certified before.
///
/// # Errors
/// In this order: permission; not found; a stale revision; [`OWN_CLAIM`]; `claim_wrong_state`; those of [`counted`]; those of [`basis`];
/// `claim_nothing_payable`; those of [`less`]; separation of duties.
pub fn certify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    said: Certifying,
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::CertifyClaim)?;
    let seen = seen(tx.conn(), id)?;
    policy::allow(actor, Action::CertifyClaim, seen.signed.of_buyer())?;
    expected.check(seen.claim.revision)?;
    not_own_claim(actor, &seen.signed)?;
    seen.claim.may_be_certified()?;
    let now = tx.now();
    let penalties = penalties(&seen, said.penalties)?;
    let basis = basis(tx.conn(), &seen, penalties, (calendar, now))?;
    let claimed = seen.claim.entered.amount;
    let amount = basis.part.certified(claimed)??;
    let less = less(
        (claimed, amount),
        (said.less.0.as_deref(), said.less.1.as_deref()),
    )?;
    let content = basis.derivation.as_ref().map(|one| one.written()).transpose()?;
    let Seen { signed, claim } = seen;
    let certified = Certified {
        acceptance_id: basis.acceptance_id,
        payable: basis.part.payable,
        deducted: basis.deducted,
        recovered: basis.recovered,
        undisputed: basis.part.undisputed,
        before: basis.part.before,
        amount,
        is_settled: basis.is_settled,
        less,
        since: basis.since,
        due_on: due_on(&signed, basis.since, calendar)?,
        penalties: basis.penalties,
        sha256: content
            .as_ref()
            .map(|text| Sha256::digest(text.as_bytes()).into()),
        done: doing(tx, actor)?,
    };
    let capacity = capacity(actor, Action::CertifyClaim, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Certify, id.as_str())?;
    let mut data = told(&certified);
    store::certify(tx, id, &certified, content.as_deref())?;
    let claim = claim.certify(certified)?;
    if claim.entered.kind == Kind::Interest {
        let transfers = moves::commit_interest(tx, &signed, &claim)?;
        data = awards::joined(data, json!({ "transfers": posting::told(&transfers) }));
    }
    store::advance(tx, &claim)?;
    record(tx, actor, "claim.certified", &claim, (data, Value::Null))?;
    tidings::certified(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}

/// Penalties are counted for periods alone.
fn penalties(seen: &Seen, said: Option<Vec<Counted>>) -> Answer<Option<Vec<Counted>>> {
    let Some(said) = said else {
        return Ok(None);
    };
    let all = match seen.claim.entered.kind {
        Kind::Period => seen.signed.document.lot.penalties.as_slice(),
        Kind::Advance | Kind::Retention | Kind::Settlement | Kind::Interest => &[],
    };
    Ok(Some(counted(&said, all)?))
}

/// What events tell of penalties that were counted.
pub(super) fn told_of_penalties(all: &[Counted]) -> Vec<Value> {
    all.iter()
        .map(|one| json!({ "penalty": one.penalty, "count": one.count, "reason_zh": one.reason.zh, "reason_en": one.reason.en }))
        .collect()
}

/// What the event of a certification tells.
fn told(certified: &Certified) -> Value {
    let penalties = told_of_penalties(&certified.penalties);
    let less = certified.less.as_ref();
    json!({
        "acceptance_id": certified.acceptance_id, "payable": certified.payable, "deducted": certified.deducted, "recovered": certified.recovered,
        "undisputed_percent": certified.undisputed, "before": certified.before, "certified": certified.amount,
        "is_settled": certified.is_settled, "less_zh": less.map(|line| &line.zh), "less_en": less.map(|line| &line.en),
        "since": rfc3339(certified.since), "due_on": certified.due_on, "penalties": penalties,
        "sha256": certified.sha256.map(hex::encode),
    })
}

/// Who pays is none who has accepted the work: on the acceptance that a claim rests on it is recorded, on the contract it is looked at.
///
/// # Errors
/// Separation of duties; a fault of the database.
pub(super) fn pays(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (signed, claim): (&Signed, &Claim),
    (duty, action): (Duty, Action),
) -> Answer<()> {
    let capacity = capacity(actor, action, signed.of_buyer());
    duties::undertake(tx, actor, capacity, duty, claim.id.as_str())?;
    duties::keep_apart(tx.conn(), actor, capacity, duty, signed.contract.id.as_str())?;
    let acceptance = claim
        .certified
        .as_ref()
        .and_then(|certified| certified.acceptance_id.as_ref());
    if let Some(acceptance) = acceptance {
        duties::undertake(tx, actor, capacity, duty, acceptance.as_str())?;
    }
    Ok(())
}

/// Approves the payment of a certified claim as a finance officer.
///
/// # Errors
/// In this order: permission; not found; a stale revision; [`OWN_CLAIM`]; `claim_wrong_state`; `claim_not_accepted`, if the acceptance has fallen; separation of duties.
pub fn approve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ApproveClaim)?;
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ApproveClaim, signed.of_buyer())?;
    expected.check(claim.revision)?;
    not_own_claim(actor, &signed)?;
    let claim = claim.approve(doing(tx, actor)?)?;
    let now = tx.now();
    still_accepted(tx.conn(), &claim, (calendar, now))?;
    pays(
        tx,
        actor,
        (&signed, &claim),
        (Duty::Authorise, Action::ApproveClaim),
    )?;
    store::advance(tx, &claim)?;
    record(tx, actor, "claim.approved", &claim, (json!({}), Value::Null))?;
    tidings::approved(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}

/// Sends a claim back, as whoever of the buyer handles it; what was certified of it is free again.
///
/// # Errors
/// In this order: permission; not found; a stale revision; [`OWN_CLAIM`]; those of [`Claim::send_back`].
pub fn send_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    reason: (&str, &str),
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ReturnClaim)?;
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ReturnClaim, signed.of_buyer())?;
    expected.check(claim.revision)?;
    not_own_claim(actor, &signed)?;
    let claim = claim.send_back(reason, doing(tx, actor)?)?;
    store::advance(tx, &claim)?;
    let transfers = moves::free_interest(tx, &claim)?;
    let data = if transfers.is_empty() {
        json!({})
    } else {
        json!({ "transfers": posting::told(&transfers) })
    };
    record(tx, actor, "claim.returned", &claim, (data, ended(&claim)))?;
    tidings::returned(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}

/// Why a claim ended, which is between the parties.
pub(super) fn ended(claim: &Claim) -> Value {
    let reason = claim.ended.as_ref().map(|ended| &ended.reason);
    json!({ "reason_zh": reason.map(|line| &line.zh), "reason_en": reason.map(|line| &line.en) })
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    one: &Claim,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({
        "contract_id": one.contract_id, "number": one.number, "kind": one.entered.kind, "period": one.entered.period,
        "amount": one.entered.amount,
    });
    let event = Event {
        kind,
        subject: one.id.to_string(),
        data: awards::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
