//! What is done to bid securities: recorded by the bidder under the same secrecy as the bid itself, and once it may be known who has bid
//! confirmed and given back by the buyer's finance officer.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::audit::store_withheld;
use crate::bids::acts::{lot, may_bid, standing};
use crate::bids::rules::{self, Standing};
use crate::bids::rules_opening::Outcome;
use crate::bids::rules_securities::{
    self as securities, Lodged, RECORDED_TWICE, SECURITIES_MAX, Security, SecurityId, State, TOO_MANY,
};
use crate::bids::{desk, store, store_openings, store_securities};
use crate::books::rules::LotId;
use crate::books::store::{self as books, Lot};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Objection};
use crate::statutes;
use crate::statutes::profile::Profile;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

/// Records what was lodged with a bid, while bids are taken.
///
/// # Errors
/// In this order: permission; not found; those of [`may_bid`]; those of [`rules::in_time`]; those of [`securities::bounds`] and
/// [`securities::checked`]; [`TOO_MANY`]; [`RECORDED_TWICE`].
pub fn lodge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot_id, supplier): (&LotId, &OrganisationId),
    lodged: Lodged,
    calendar: &WardCalendar,
) -> Answer<Security> {
    policy::allow(actor, Action::LodgeBidSecurity, Matter::of_organisation(supplier))?;
    let known = desk::known(tx.conn(), lot_id)?;
    may_bid(tx, supplier, calendar.zone)?;
    rules::in_time(&known.standing, tx.now())?;
    let profile = profile_of(tx.conn(), &known.lot)?;
    let bounds = securities::bounds(known.book.content.document(), known.document()?, &profile)?;
    let today = local_date(tx.now(), calendar.zone);
    let deadline = known
        .standing
        .deadline
        .map_or(today, |at| local_date(at, calendar.zone));
    let lodged = securities::checked(lodged, bounds, (today, deadline))?;
    if store_securities::count(tx.conn(), lot_id, supplier)? >= SECURITIES_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    if store_securities::is_recorded(tx.conn(), (lot_id, supplier), &lodged)? {
        return Err(RECORDED_TWICE.refuse().at("/reference").into());
    }
    let live = store_securities::live(tx.conn(), lot_id, supplier)?;
    let sum = live
        .checked_add(lodged.amount)
        .map_err(|error| Fault::caused("add bid securities up", error))?;
    if sum > bounds.amount_max {
        let max = bounds.amount_max;
        let detail = text!(
            "已登记 {live}，合计最多 {max}",
            "{live} are recorded already, and there are at most {max} in all"
        );
        return Err(INVALID
            .refuse()
            .listing(vec![Objection {
                pointer: "/amount".to_owned(),
                code: "invalid",
                detail,
            }])
            .into());
    }
    let security = Security {
        id: SecurityId::mint(tx.now()),
        lot_id: lot_id.clone(),
        supplier_id: supplier.clone(),
        state: State::Lodged,
        lodged,
        revision: 1,
        recorded_at: tx.now(),
        decided: None,
        returned: None,
    };
    store_securities::insert(tx, &security)?;
    let event = event("bid_security.lodged", &security, Value::Null);
    store_withheld::withhold(tx, actor, &event, lot_id.as_str())?;
    Ok(security)
}

/// The rules that hold for the book of a lot.
///
/// # Errors
/// A fault of the database.
pub fn profile_of(conn: &mut Conn, lot: &Lot) -> Answer<Profile> {
    let statute_id = books::statute_of(conn, &lot.book_id)?;
    let statute = match statute_id {
        Some(id) => statutes::store::statute(conn, &id)?,
        None => None,
    };
    let statute = statute.ok_or_else(|| Fault::broken(format!("{} of no statute", lot.id)))?;
    Ok(statute.profile)
}

/// A security that the buyer's finance officer may know of, and its lot.
fn kept(tx: &mut Tx<'_>, actor: &Actor, id: &SecurityId) -> Answer<(Security, Lot)> {
    policy::allow_at_all(actor, Action::KeepBidSecurity)?;
    let found = store_securities::security(tx.conn(), id)?;
    let security = found.ok_or_else(|| NOT_FOUND.refuse())?;
    let lot = lot(tx.conn(), &security.lot_id)?;
    let buyer = books::buyer_of(tx.conn(), &lot.book_id)?;
    let visible = policy::allows(actor, Action::KeepBidSecurity, Matter::of_organisation(&buyer))
        && store::disclosed_at(tx.conn(), &lot.id)?.is_some();
    if visible {
        Ok((security, lot))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Tells whether a security was found.
///
/// # Errors
/// In this order: permission; not found, as long as nobody may know who has bid; a stale revision; those of [`securities::decide`].
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&SecurityId, Expected),
    (is_there, decision): (bool, &str),
) -> Answer<Security> {
    let (before, _) = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let decided = securities::decide(before, is_there, decision, tx.now())?;
    store_securities::advance(tx, &decided)?;
    let kind = if is_there {
        "bid_security.confirmed"
    } else {
        "bid_security.not_found"
    };
    let private = json!({ "decision": decision });
    audit::store::append(tx, actor, &event(kind, &decided, private))?;
    Ok(decided)
}

/// Records that a security went back.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`securities::give_back`].
pub fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&SecurityId, Expected),
    (on, reference): (chrono::NaiveDate, &str),
    calendar: &WardCalendar,
) -> Answer<Security> {
    let (before, _) = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let today = local_date(tx.now(), calendar.zone);
    let returned = securities::give_back(before, (on, reference), today)?;
    store_securities::advance(tx, &returned)?;
    let private = json!({ "reference": reference });
    audit::store::append(tx, actor, &event("bid_security.returned", &returned, private))?;
    Ok(returned)
}

fn event(kind: &'static str, security: &Security, more: Value) -> Event {
    let lodged = &security.lodged;
    Event {
        kind,
        subject: security.id.to_string(),
        data: json!({ "lot_id": security.lot_id, "revision": security.revision }),
        private: json!({
            "supplier_id": security.supplier_id,
            "kind": lodged.kind,
            "amount_fen": lodged.amount.fen(),
            "issuer": lodged.issuer,
            "reference": lodged.reference,
            "more": more,
        }),
    }
}

/// Until when a security has to go back, as far as it is known yet: since the notice of an award to somebody else, the signing of the contract, or
/// the end of the lot; and where its bid was withdrawn or its book cancelled, since the buyer could know.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn return_due(
    conn: &mut Conn,
    security: &Security,
    calendar: &WardCalendar,
) -> Answer<Option<chrono::NaiveDate>> {
    let lot = lot(conn, &security.lot_id)?;
    if let Some(from) = store_securities::return_counts_from(conn, &lot.id, &security.supplier_id)? {
        let profile = profile_of(conn, &lot)?;
        return securities::return_due(local_date(from, calendar.zone), &profile, &calendar.days);
    }
    let Some(disclosed_at) = store::disclosed_at(conn, &lot.id)? else {
        return Ok(None);
    };
    let book: Standing = standing(conn, &lot.book_id)?;
    let last = store::last_of(conn, &lot.id, &security.supplier_id)?;
    let is_without_bid = last.is_none_or(|last| last.kind == rules::Kind::Withdrawn);
    let opening = store_openings::of_lot(conn, &lot.id)?;
    let is_unsuccessful = opening.is_some_and(|one| one.outcome == Outcome::Unsuccessful);
    if !is_without_bid && !is_unsuccessful && book.state != crate::books::rules::State::Cancelled {
        return Ok(None);
    }
    let from = local_date(disclosed_at, calendar.zone);
    let profile = profile_of(conn, &lot)?;
    securities::return_due(from, &profile, &calendar.days)
}
