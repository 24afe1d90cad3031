//! Contracts: prepared from what is fixed, signed by both parties, and with the second signature the reserved money is committed, all in one
//! transaction. Each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_awards::{self, seen as seen_award};
use crate::award::acts_successions::{Fallen, end};
use crate::award::desk::{self, Known, days, is_blocked, joined, opening_of};
use crate::award::rules_awards::{
    Award, AwardId, End, State as AwardState, WRONG_STATE as AWARD_WRONG_STATE, reason as checked,
};
use crate::award::rules_deadlines::signing_until;
use crate::award::store_awards;
use crate::bids::acts_opened;
use crate::bids::rules_document::BidDocument;
use crate::books::reservations;
use crate::budget::posting;
use crate::contracts::desk::allow_for_buyer;
use crate::contracts::rules::{self, Contract, ContractId, Facts, Party, Signature, Since};
use crate::contracts::rules_document::{Sources, written};
use crate::contracts::rules_securities::confirmed;
use crate::contracts::{acts_periods, commitments, store, store_securities, tidings};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::{account, capacity};
use crate::text;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A contract with its award.
pub struct Held {
    /// The contract.
    pub contract: Contract,
    /// Its award as it is now.
    pub award: Award,
}

/// The contract, if the actor may know of it: everybody once it is signed, the parties and auditors before.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &ContractId) -> Answer<Held> {
    let contract = store::contract(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    with_award(conn, actor, contract)
}

/// The contract of an award, as [`seen`].
///
/// # Errors
/// As [`seen`].
pub fn seen_of_award(conn: &mut Conn, actor: &Actor, id: &AwardId) -> Answer<Held> {
    let contract = store::of_award(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    with_award(conn, actor, contract)
}

fn with_award(conn: &mut Conn, actor: &Actor, contract: Contract) -> Answer<Held> {
    let is_partys = [&contract.buyer_id, &contract.supplier_id]
        .into_iter()
        .any(|party| policy::allows(actor, Action::OpenContracts, Matter::of_organisation(party)));
    if contract.signed_at.is_none() && !is_partys {
        return Err(NOT_FOUND.refuse().into());
    }
    let award = store_awards::award(conn, &contract.award_id)?;
    let award = award.ok_or_else(|| Fault::broken(format!("{} has no award", contract.id)))?;
    Ok(Held { contract, award })
}

/// Prepares the contract of a confirmed award. One that was prepared before stays as it is.
///
/// # Errors
/// In this order: permission; not found; [`AWARD_WRONG_STATE`] unless the award is confirmed; that nobody can sign it any more; a rule that
/// is not set; separation of duties.
pub fn prepare(tx: &mut Tx<'_>, actor: &Actor, id: &AwardId, calendar: &WardCalendar) -> Answer<Held> {
    policy::allow_at_all(actor, Action::PrepareContract)?;
    let (award, known) = seen_award(tx.conn(), actor, id)?;
    policy::allow(actor, Action::PrepareContract, known.matter())?;
    if let Some(contract) = store::of_award(tx.conn(), id)? {
        tx.nothing_to_change();
        return Ok(Held { contract, award });
    }
    if award.state != AwardState::Confirmed {
        let name = award.state.name();
        return Err(AWARD_WRONG_STATE
            .because(text!("当前状态为 {name}", "its state is {name}"))
            .into());
    }
    rules::may_prepare(signing_over(&award, &known, calendar, tx.now())?, tx.now())?;
    let contract = prepared(tx, actor, &award, &known)?;
    store::insert(tx, &contract)?;
    // Whoever handles a contract does not accept what is done under it.
    let capacity = capacity(actor, Action::PrepareContract, known.matter());
    duties::undertake(tx, actor, capacity, Duty::Handle, contract.id.as_str())?;
    let data = json!({
        "sha256": hex::encode(contract.sha256), "price": contract.price, "supplier_id": contract.supplier_id,
    });
    record(tx, actor, "contract.prepared", &contract, data)?;
    tidings::prepared(tx, &known, &contract)?;
    Ok(Held { contract, award })
}

fn prepared(tx: &mut Tx<'_>, actor: &Actor, award: &Award, known: &Known) -> Answer<Contract> {
    let bid = winning_bid(tx.conn(), actor, award)?;
    let opening = opening_of(tx.conn(), &award.lot_id)?;
    let opened = opening.opened.iter().find(|one| one.bid_id == award.bid_id);
    let sources = Sources {
        award,
        book: &known.book,
        lot_code: &known.lot.code,
        buyer: store::party(tx.conn(), &known.book.organisation_id)?,
        supplier: store::party(tx.conn(), &award.supplier_id)?,
        opened: opened.ok_or_else(|| Fault::broken(format!("{} was never opened", award.bid_id)))?,
        bid: &bid,
        profile: &known.profile,
    };
    let id = ContractId::mint(tx.now());
    let document = written(id.clone(), &sources)?;
    let content = document.bytes()?;
    Ok(Contract {
        id,
        award_id: award.id.clone(),
        lot_id: award.lot_id.clone(),
        book_id: award.book_id.clone(),
        buyer_id: known.book.organisation_id.clone(),
        supplier_id: award.supplier_id.clone(),
        price: award.price,
        security: document.performance_security.unwrap_or(Money::ZERO),
        sha256: Sha256::digest(content.as_bytes()).into(),
        content,
        prepared_at: tx.now(),
        signatures: Vec::new(),
        signed_at: None,
        since: Since::default(),
    })
}

fn winning_bid(conn: &mut Conn, actor: &Actor, award: &Award) -> Answer<BidDocument> {
    let (sealed, key) = acts_opened::readable(conn, actor, (&award.lot_id, &award.bid_id))?;
    acts_opened::read_again(&award.bid_id, &sealed, &key)
}

/// When the time for both signatures is over.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub fn signing_over(award: &Award, known: &Known, calendar: &WardCalendar, now: Instant) -> Answer<Instant> {
    let noticed = award.notice.as_ref().map(|notice| notice.at);
    let noticed = noticed.ok_or_else(|| Fault::broken(format!("{} has no notice", award.id)))?;
    let days = days(calendar);
    let suspended = known.suspended_since(noticed, now);
    let last = signing_until(days.day(noticed), suspended, &known.profile, days)?;
    Ok(days.over(last)?)
}

/// Signs for a party. The second signature makes the contract: what was reserved is committed to the fen, and the rest goes back.
///
/// # Errors
/// In this order: permission; not found, to everybody but the parties; those of [`Known::may_go_on`]; a calendar that does not reach so far; those of
/// [`rules::may_sign`]; those of the ledger.
pub fn sign(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    (party, sha256): (Party, &str),
    calendar: &WardCalendar,
) -> Answer<Held> {
    let action = match party {
        Party::Buyer => Action::SignForBuyer,
        Party::Supplier => Action::SignForSupplier,
    };
    policy::allow_at_all(actor, action)?;
    let Held { contract, award } = seen(tx.conn(), actor, id)?;
    match party {
        Party::Buyer => allow_for_buyer(actor, action, &contract)?,
        Party::Supplier => policy::allow(actor, action, Matter::of_organisation(&contract.supplier_id))?,
    }
    let known = desk::known(tx.conn(), &contract.lot_id)?;
    let now = tx.now();
    if !contract.is_signed_by(party) && award.is_standing() {
        known.may_go_on(now)?;
    }
    let facts = Facts {
        award: award.state,
        until: signing_over(&award, &known, calendar, now)?,
        is_blocked: is_blocked(tx.conn(), &award, &known, now)?,
        security: confirmed(&store_securities::of_contract(tx.conn(), id)?)?,
    };
    rules::may_sign(&contract, (party, sha256), facts, now)?;
    let account_id: AccountId = account(actor)?
        .parse()
        .map_err(|error| Fault::caused("an account that signs", error))?;
    let signature = Signature {
        party,
        account_id,
        at: now,
    };
    store::sign(tx, &contract, &signature)?;
    let data = json!({ "party": party.name(), "sha256": hex::encode(contract.sha256) });
    record(tx, actor, "contract.party_signed", &contract, data)?;
    let mut signatures = contract.signatures.clone();
    signatures.push(signature);
    signatures.sort_by_key(|one| one.party);
    let contract = Contract {
        signatures,
        ..contract
    };
    if contract.signatures.len() < Party::ALL.len() {
        tidings::signed_by_one(tx, &known, &contract, party)?;
        return Ok(Held { contract, award });
    }
    conclude(tx, actor, &known, (contract, award))
}

fn conclude(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    (contract, award): (Contract, Award),
) -> Answer<Held> {
    store::conclude(tx, &contract.id)?;
    let contract = Contract {
        signed_at: Some(tx.now()),
        ..contract
    };
    let award = acts_awards::sign(tx, award)?;
    commitments::describe(tx, &known.lot, &contract)?;
    let matter = (contract.price, contract.id.as_str());
    let transfers = reservations::commit(tx, &known.lot, matter)?;
    let data = json!({
        "sha256": hex::encode(contract.sha256), "price": contract.price, "buyer_id": contract.buyer_id,
        "supplier_id": contract.supplier_id, "transfers": posting::told(&transfers),
    });
    record(tx, actor, "contract.signed", &contract, data)?;
    acts_periods::make(tx, actor, &contract)?;
    tidings::signed(tx, known, &contract)?;
    Ok(Held { contract, award })
}

/// Notes that the supplier did not sign in time: the award ends, and the next in rank takes its place.
///
/// # Errors
/// In this order: permission; not found; a reason that is none; a calendar that does not reach so far; those of [`rules::has_failed`]; a state of the
/// award in which it cannot be; those of the ledger, if nobody is left.
pub fn give_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    reason: (&str, &str),
    calendar: &WardCalendar,
) -> Answer<(Held, Fallen)> {
    policy::allow_at_all(actor, Action::EndAward)?;
    let Held { contract, award } = seen(tx.conn(), actor, id)?;
    policy::allow(
        actor,
        Action::EndAward,
        Matter::of_organisation(&contract.buyer_id),
    )?;
    let reason = checked(reason)?;
    let known = desk::known(tx.conn(), &contract.lot_id)?;
    let now = tx.now();
    let over = signing_over(&award, &known, calendar, now)?;
    rules::has_failed(&contract, over, now)?;
    let fallen = end(tx, actor, &known, award, (End::NotSigned, reason))?;
    let award = fallen.ended.clone();
    Ok((Held { contract, award }, fallen))
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    contract: &Contract,
    data: Value,
) -> Answer<()> {
    let of = json!({ "award_id": contract.award_id, "lot_id": contract.lot_id, "book_id": contract.book_id });
    let event = Event {
        kind,
        subject: contract.id.to_string(),
        data: joined(data, of),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
