//! What is done to served places: they get a code, another one, or none any more. Each function is one transaction's worth of work, permission first,
//! event last.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::desk_defects::known;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_places::{
    self as rules, NewPlace, PLACE_IN_USE, PlaceCode, ServedPlace, ServedPlaceId,
};
use crate::contracts::{store, store_places};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store as areas;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Gives places of a contract's lot codes.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::checked`]; [`PLACE_IN_USE`] at each place that has one.
pub fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    contract: &ContractId,
    new: &[NewPlace],
) -> Answer<Vec<ServedPlace>> {
    policy::allow_at_all(actor, Action::KeepServedPlaces)?;
    let known = known(tx.conn(), contract)?;
    policy::allow(actor, Action::KeepServedPlaces, known.signed.of_buyer())?;
    let places = &known.signed.document.lot.places;
    let mut there = Vec::new();
    for area in new.iter().filter_map(|place| place.area_id.as_ref()) {
        there.extend(areas::area(tx.conn(), area)?.map(|area| area.id));
    }
    rules::checked(new, places.len(), &known.grades, |area| there.contains(area))?;
    let before = store_places::of_contract(tx.conn(), contract)?;
    let mut made = Vec::new();
    for (at, place) in new.iter().enumerate() {
        let code = PlaceCode::of(id::random::<8>()?);
        let known_place = before.iter().find(|known| known.number == place.number);
        match known_place {
            Some(known) if known.code.is_some() => {
                return Err(PLACE_IN_USE.refuse().at(format!("/places/{at}/number")).into());
            }
            Some(known) => {
                let anew = ServedPlace {
                    grade: place.grade.clone(),
                    area_id: place.area_id.clone(),
                    ..known.clone()
                };
                let anew = anew.coded(code, tx.now());
                store_places::advance(tx, &anew)?;
                made.push(anew);
            }
            None => {
                let index = usize::try_from(place.number)
                    .ok()
                    .and_then(|number| number.checked_sub(1));
                let named = index.and_then(|index| places.get(index));
                let named = named.ok_or_else(|| Fault::broken("a place that was checked is not there"))?;
                let one = ServedPlace {
                    id: ServedPlaceId::mint(tx.now()),
                    contract_id: contract.clone(),
                    number: place.number,
                    name_zh: named.name_zh.clone(),
                    name_en: named.name_en.clone(),
                    grade: place.grade.clone(),
                    area_id: place.area_id.clone(),
                    code: Some(code),
                    revision: 1,
                    made_at: tx.now(),
                    changed_at: tx.now(),
                };
                store_places::insert(tx, &one)?;
                made.push(one);
            }
        }
    }
    for place in &made {
        record(tx, actor, "served_place.coded", place)?;
    }
    Ok(made)
}

/// A place that the actor keeps.
fn kept(tx: &mut Tx<'_>, actor: &Actor, id: &ServedPlaceId) -> Answer<ServedPlace> {
    policy::allow_at_all(actor, Action::KeepServedPlaces)?;
    let place = store_places::place(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let contract = store::contract(tx.conn(), &place.contract_id)?;
    let contract = contract.ok_or_else(|| Fault::broken(format!("{id} is of no contract")))?;
    let matter = Matter::of_organisation(&contract.buyer_id);
    policy::allow(actor, Action::KeepServedPlaces, matter)?;
    Ok(place)
}

/// Gives a place another code; the one before leads nowhere any more.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a place without a code.
pub fn renew(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ServedPlaceId, Expected),
) -> Answer<ServedPlace> {
    let before = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let renewed = before.renewed(PlaceCode::of(id::random::<8>()?), tx.now())?;
    store_places::advance(tx, &renewed)?;
    record(tx, actor, "served_place.renewed", &renewed)?;
    Ok(renewed)
}

/// Takes the code of a place away.
///
/// # Errors
/// As [`renew`].
pub fn retire(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ServedPlaceId, Expected),
) -> Answer<ServedPlace> {
    let before = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let retired = before.retired(tx.now())?;
    store_places::advance(tx, &retired)?;
    record(tx, actor, "served_place.retired", &retired)?;
    Ok(retired)
}

/// The places of a contract with their codes, for those who put them up.
///
/// # Errors
/// Permission; not found.
pub fn to_print(conn: &mut Conn, actor: &Actor, contract: &ContractId) -> Answer<Vec<ServedPlace>> {
    policy::allow_at_all(actor, Action::KeepServedPlaces)?;
    let signed = crate::contracts::desk::signed(conn, contract)?;
    policy::allow(actor, Action::KeepServedPlaces, signed.of_buyer())?;
    store_places::of_contract(conn, contract)
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, place: &ServedPlace) -> Answer<()> {
    let event = Event {
        kind,
        subject: place.id.to_string(),
        data: json!({ "contract_id": place.contract_id, "number": place.number, "revision": place.revision }),
        // Whoever reads the log does not stand at the place.
        private: json!({ "code": place.code.as_ref().map(PlaceCode::as_str) }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
