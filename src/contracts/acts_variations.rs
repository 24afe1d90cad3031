//! What is done to variations: proposed by the buyer, signed by both parties as the same bytes, or ended before that. With the second signature the
//! money moves in the same transaction. Each function is one transaction's worth of work, permission first, event last.

use chrono::NaiveDate;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk as awards;
use crate::award::rules_awards::reason as checked;
use crate::budget::rules_ledger::Transfer;
use crate::budget::{posting, spending};
use crate::contracts::commitments;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::{ContractId, Party, Signature, TERMINATED};
use crate::contracts::rules_periods::{NO_PERIODS, Period, Span, schedule};
use crate::contracts::rules_triggers::Scored;
use crate::contracts::rules_variation_bounds::{self as bounds, Facts, Priced, Renewal, as_changed};
use crate::contracts::rules_variations::{
    self as rules, BEYOND_COMMITMENT, Entered, Kind, OVERTAKEN, PENDING, Part, State, TOO_MANY,
    VARIATIONS_MAX, Variation, VariationId,
};
use crate::contracts::rules_variations_document::{VariationDocument, written};
use crate::contracts::{acts_triggers, store_periods, store_variations as store, tidings_changes as tidings};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::capacity;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes::{
    CONTRACT_SUPPLEMENTS_PERCENT_MAX, PLANNING_TERM_YEARS_MAX, PLANNING_TERM_YEARS_MAX_IF_BUDGET_STABLE,
};
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// A signed contract with its variations.
struct Varied {
    signed: Signed,
    all: Vec<Variation>,
}

fn varied(conn: &mut Conn, id: &ContractId) -> Answer<Varied> {
    let signed = desk::signed(conn, id)?;
    let all = store::of_contract(conn, id)?;
    Ok(Varied { signed, all })
}

/// The periods of a contract as its concluded variations have changed them; none if it has no schedule.
///
/// # Errors
/// A fault of the database or of arithmetic.
pub fn priced(conn: &mut Conn, signed: &Signed) -> Answer<Vec<Priced>> {
    let Some(schedule) = schedule(&signed.document)? else {
        return Ok(Vec::new());
    };
    let all = store::of_contract(conn, &signed.contract.id)?;
    Ok(as_changed(&schedule, &concluded(&all))?)
}

fn concluded(all: &[Variation]) -> Vec<Variation> {
    all.iter().filter(|one| one.is_concluded()).cloned().collect()
}

/// A variation, if the actor may know of it: everybody once it is concluded, the parties and auditors before and of what came to nothing.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &VariationId) -> Answer<(Variation, Signed)> {
    let variation = store::variation(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &variation.contract_id)?;
    if variation.is_concluded() || signed.is_insider(actor) {
        Ok((variation, signed))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// The variations of a contract that the actor may know of, in their order.
///
/// # Errors
/// Not found; a fault of the database.
pub fn of_contract(conn: &mut Conn, actor: &Actor, id: &ContractId) -> Answer<Vec<Variation>> {
    let Varied { signed, mut all } = varied(conn, id)?;
    let is_insider = signed.is_insider(actor);
    all.retain(|one| is_insider || one.is_concluded());
    Ok(all)
}

/// Proposes a variation.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::entered`]; [`TERMINATED`]; [`PENDING`]; [`TOO_MANY`]; [`NO_PERIODS`]; those of
/// [`bounds::renewable`] and of [`bounds::parts`]; [`BEYOND_COMMITMENT`]; a rule that is not set; separation of duties.
pub fn propose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    raw: Entered,
    calendar: &WardCalendar,
) -> Answer<Variation> {
    policy::allow_at_all(actor, Action::ProposeVariation)?;
    let known = varied(tx.conn(), id)?;
    desk::allow_for_buyer(actor, Action::ProposeVariation, &known.signed.contract)?;
    let entered = rules::entered(raw)?;
    if known.signed.contract.since.terminated_on.is_some() {
        return Err(TERMINATED.refuse().into());
    }
    if known.all.iter().any(|one| one.state == State::Proposed) {
        return Err(PENDING.refuse().into());
    }
    if known.all.len() >= VARIATIONS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let (parts, until_before) = judged(tx, &known, &entered, calendar)?;
    enough_is_committed(tx.conn(), &known, entered.amount)?;
    let variation = drafted(tx, actor, &known, (entered, &parts, until_before))?;
    let capacity = capacity(actor, Action::ProposeVariation, known.signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Draft, variation.id.as_str())?;
    store::insert(tx, &variation)?;
    let entered = &variation.entered;
    let private = json!({
        "kind": entered.kind, "cause": entered.cause, "amount": entered.amount, "until": entered.until,
        "words_zh": entered.words.zh, "words_en": entered.words.en,
    });
    record(tx, actor, "variation.proposed", &variation, (json!({}), private))?;
    tidings::variation_proposed(tx, &known.signed, &variation)?;
    Ok(variation)
}

fn drafted(
    tx: &Tx<'_>,
    actor: &Actor,
    known: &Varied,
    (entered, parts, until_before): (Entered, &[Part], NaiveDate),
) -> Answer<Variation> {
    let number = i64::try_from(known.all.len())
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let id = VariationId::mint(tx.now());
    let contract = &known.signed.contract;
    let content = written((id.clone(), number), contract, (&entered, parts), until_before)?.bytes()?;
    Ok(Variation {
        id,
        contract_id: contract.id.clone(),
        number,
        entered,
        until_before,
        sha256: Sha256::digest(content.as_bytes()).into(),
        content,
        state: State::Proposed,
        proposed_by: acting(actor)?,
        proposed_at: tx.now(),
        signatures: Vec::new(),
        closed_at: None,
        end_reason: None,
        parts: Vec::new(),
        revision: 1,
    })
}

/// What a variation does to each period, if it may be concluded now, and the last day before it.
fn judged(
    tx: &mut Tx<'_>,
    known: &Varied,
    entered: &Entered,
    calendar: &WardCalendar,
) -> Answer<(Vec<Part>, NaiveDate)> {
    let signed = &known.signed;
    let schedule = schedule(&signed.document)?.ok_or_else(|| NO_PERIODS.refuse())?;
    let term = term(signed)?;
    let concluded = concluded(&known.all);
    let periods = as_changed(&schedule, &concluded)?;
    let until = signed.contract.since.prolonged_until.unwrap_or(term.last);
    let today = local_date(tx.now(), calendar.zone);
    let facts = Facts {
        price: signed.contract.price,
        term,
        until,
        kind: schedule.kind,
        periods: &periods,
        concluded: &concluded,
        cap_percent: signed.profile.rule(CONTRACT_SUPPLEMENTS_PERCENT_MAX)?.decimal(),
        today,
    };
    if entered.kind == Kind::Renewal {
        let now = tx.now();
        let scores = acts_triggers::scores(tx.conn(), signed, (calendar, now))?;
        may_be_renewed(tx.conn(), signed, (entered, &facts), &scores)?;
    }
    Ok((bounds::parts(entered, &facts)?, until))
}

fn term(signed: &Signed) -> Answer<Span> {
    let dates = signed.document.service_from.zip(signed.document.service_until);
    let (first, last) = dates.ok_or_else(|| NO_PERIODS.refuse())?;
    Ok(Span { first, last })
}

fn may_be_renewed(
    conn: &mut Conn,
    signed: &Signed,
    (entered, facts): (&Entered, &Facts<'_>),
    scores: &[Scored],
) -> Answer<()> {
    let book = awards::known(conn, &signed.contract.lot_id)?.book;
    let rule = if book.content.document().budget_is_stable {
        PLANNING_TERM_YEARS_MAX_IF_BUDGET_STABLE
    } else {
        PLANNING_TERM_YEARS_MAX
    };
    let renewal = Renewal {
        triggers: &signed.document.lot.triggers,
        scores,
        years_max: signed.profile.rule(rule)?.0,
    };
    Ok(bounds::renewable(entered, facts, renewal)?)
}

/// Whether what a reduction gives back is still there.
fn enough_is_committed(conn: &mut Conn, known: &Varied, amount: Money) -> Answer<()> {
    if !amount.is_negative() {
        return Ok(());
    }
    let holds = commitments::held(conn, &known.signed.contract.id, &known.all)?;
    let left = commitments::remaining(&holds)?;
    let asked = amount.negated();
    if asked <= left {
        return Ok(());
    }
    Err(BEYOND_COMMITMENT
        .because(text!(
            "尚有 {left} 元，拟核减 {asked} 元",
            "{left} CNY are left, {asked} CNY are to go back"
        ))
        .at("/amount")
        .into())
}

/// Signs a variation for a party. The second signature makes it hold: money, periods and last day change in the same transaction.
///
/// # Errors
/// In this order: permission; not found, to everybody but the parties; those of [`rules::may_sign`]; those of the bounds, which are asked once more;
/// [`OVERTAKEN`]; [`BEYOND_COMMITMENT`]; separation of duties; those of the ledger: `ledger_would_overdraw` if the line has not enough.
pub fn sign(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &VariationId,
    (party, sha256): (Party, &str),
    calendar: &WardCalendar,
) -> Answer<Variation> {
    let action = match party {
        Party::Buyer => Action::SignForBuyer,
        Party::Supplier => Action::SignForSupplier,
    };
    policy::allow_at_all(actor, action)?;
    let (variation, signed) = seen(tx.conn(), actor, id)?;
    match party {
        Party::Buyer => desk::allow_for_buyer(actor, action, &signed.contract)?,
        Party::Supplier => policy::allow(actor, action, signed.of_supplier())?,
    }
    rules::may_sign(&variation, (party, sha256))?;
    let all = store::of_contract(tx.conn(), &variation.contract_id)?;
    let known = Varied { signed, all };
    let (parts, _) = judged(tx, &known, &variation.entered, calendar)?;
    let said = VariationDocument::stored(&variation.content)?;
    if !said.parts.iter().map(|one| one.part()).eq(parts.iter().copied()) {
        return Err(OVERTAKEN.refuse().into());
    }
    enough_is_committed(tx.conn(), &known, variation.entered.amount)?;
    if party == Party::Buyer {
        let capacity = capacity(actor, action, known.signed.of_buyer());
        duties::undertake(tx, actor, capacity, Duty::Approve, id.as_str())?;
    }
    let signature = Signature {
        party,
        account_id: acting(actor)?,
        at: tx.now(),
    };
    store::sign(tx, &variation, &signature)?;
    let data = json!({ "party": party.name(), "sha256": hex::encode(variation.sha256) });
    record(
        tx,
        actor,
        "variation.party_signed",
        &variation,
        (data, Value::Null),
    )?;
    let mut signatures = variation.signatures.clone();
    signatures.push(signature);
    signatures.sort_by_key(|one| one.party);
    let variation = Variation {
        signatures,
        ..variation
    };
    if variation.signatures.len() < Party::ALL.len() {
        tidings::variation_signed_by_one(tx, &known.signed, &variation, party)?;
        return Ok(variation);
    }
    conclude(tx, actor, &known, (variation, parts))
}

fn conclude(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Varied,
    (variation, parts): (Variation, Vec<Part>),
) -> Answer<Variation> {
    let variation = rules::conclude(variation, parts, tx.now())?;
    let transfers = moved(tx, known, &variation)?;
    store::close(tx, &variation)?;
    // What is added is planned, inspected and accepted like the rest.
    let added: Vec<Period> = variation
        .parts
        .iter()
        .filter(|part| part.is_added)
        .map(|part| Period {
            number: part.period,
            span: part.span,
            amount: Money::ZERO,
        })
        .collect();
    store_periods::add(tx, &variation.contract_id, &added)?;
    let entered = &variation.entered;
    let parts: Vec<Value> = variation
        .parts
        .iter()
        .map(|part| json!({ "period": part.period, "amount": part.amount, "is_added": part.is_added }))
        .collect();
    let data = json!({
        "sha256": hex::encode(variation.sha256), "kind": entered.kind, "cause": entered.cause, "amount": entered.amount,
        "until": entered.until, "words_zh": entered.words.zh, "words_en": entered.words.en, "parts": parts,
        "transfers": posting::told(&transfers),
    });
    record(tx, actor, "variation.concluded", &variation, (data, Value::Null))?;
    tidings::variation_concluded(tx, &known.signed, &variation)?;
    Ok(variation)
}

/// Moves the money: more is committed under the variation's own id, less goes back out of what is committed for the contract.
fn moved(tx: &mut Tx<'_>, known: &Varied, variation: &Variation) -> Answer<Vec<Transfer>> {
    let amount = variation.entered.amount;
    if amount.is_zero() {
        return Ok(Vec::new());
    }
    if amount.is_negative() {
        let holds = commitments::held(tx.conn(), &known.signed.contract.id, &known.all)?;
        return commitments::give_back(tx, &holds, amount.negated());
    }
    let lot = awards::known(tx.conn(), &known.signed.contract.lot_id)?.lot;
    spending::describe_as(tx, variation.id.as_str(), known.signed.contract.id.as_str())?;
    let line = commitments::line(tx.conn(), &known.signed.contract.id, &lot)?;
    commitments::add(tx, &line, (amount, variation.id.as_str()))
}

/// Takes a variation back as the buyer, before both have signed.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a reason that is none; a state in which it cannot be.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&VariationId, Expected),
    reason: (&str, &str),
) -> Answer<Variation> {
    ended(
        tx,
        actor,
        (id, expected),
        (Action::WithdrawVariation, State::Withdrawn),
        reason,
    )
}

/// Refuses a variation as the supplier, before both have signed.
///
/// # Errors
/// As [`withdraw`].
pub fn refuse(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&VariationId, Expected),
    reason: (&str, &str),
) -> Answer<Variation> {
    ended(
        tx,
        actor,
        (id, expected),
        (Action::SignForSupplier, State::Refused),
        reason,
    )
}

fn ended(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&VariationId, Expected),
    (action, state): (Action, State),
    reason: (&str, &str),
) -> Answer<Variation> {
    policy::allow_at_all(actor, action)?;
    let (before, signed) = seen(tx.conn(), actor, id)?;
    if state == State::Refused {
        policy::allow(actor, action, signed.of_supplier())?;
    } else {
        desk::allow_for_buyer(actor, action, &signed.contract)?;
    }
    expected.check(before.revision)?;
    let reason = checked(reason)?;
    let variation = rules::end(before, state, reason, tx.now())?;
    closed(tx, actor, &signed, &variation)?;
    Ok(variation)
}

fn closed(tx: &mut Tx<'_>, actor: &Actor, signed: &Signed, variation: &Variation) -> Answer<()> {
    store::close(tx, variation)?;
    let kind = match variation.state {
        State::Withdrawn => "variation.withdrawn",
        State::Refused => "variation.refused",
        State::Ended => "variation.ended",
        State::Proposed | State::Concluded => return Err(Fault::broken("a variation ended in no way").into()),
    };
    let reason = variation.end_reason.as_ref();
    let private = json!({
        "reason_zh": reason.map(|one| &one.zh), "reason_en": reason.map(|one| &one.en),
    });
    record(tx, actor, kind, variation, (json!({}), private))?;
    tidings::variation_ended(tx, signed, variation)
}

/// Ends what is pending of a contract that was just terminated.
///
/// # Errors
/// A fault of the database.
pub(super) fn end_with_contract(tx: &mut Tx<'_>, actor: &Actor, signed: &Signed) -> Answer<()> {
    let all = store::of_contract(tx.conn(), &signed.contract.id)?;
    let Some(pending) = all.into_iter().find(|one| one.state == State::Proposed) else {
        return Ok(());
    };
    let reason = Line {
        zh: "合同已解除".to_owned(),
        en: "The contract was terminated".to_owned(),
    };
    let ended = rules::end(pending, State::Ended, reason, tx.now())?;
    closed(tx, actor, signed, &ended)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    variation: &Variation,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "contract_id": variation.contract_id, "number": variation.number });
    let event = Event {
        kind,
        subject: variation.id.to_string(),
        data: awards::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
