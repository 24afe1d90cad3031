//! The defects of the demo: reported by residents, officers and passers-by, decided on by an officer, put right by the contractor. All by the acts.

use crate::app::demo_inspections::{AGENT, OFFICER};
use crate::app::demo_scenes::Turn;
use crate::app::demo_service::{Ward, contract, upload};
use crate::app::demo_stage::cast;
use crate::app::demo_troubles::Trouble;
use crate::contracts::acts_defect_reports::{self as reports, Bounds, NewReport};
use crate::contracts::rules_defect_reports::{DefectReport, Said, Visibility};
use crate::contracts::rules_defects::DefectId;
use crate::contracts::rules_places::{PlaceRef, ServedPlace};
use crate::contracts::store_defects::DefectFilter;
use crate::contracts::{acts_defects, acts_defects_watch, store_defect_reports, store_defects, store_places};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files::acts::Upload;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// Defects that are looked through for one of the demo's.
const LOOKED_AT_MAX: i64 = 100;

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

/// Writes down what silence has confirmed, unless the service has done so by itself.
///
/// # Errors
/// A fault of the database.
pub fn settle(tx: &mut Tx<'_>, ward: &Ward) -> Answer<()> {
    let now = tx.now();
    while !store_defects::silent(tx.conn(), now, 1)?.is_empty() {
        acts_defects_watch::settle_silent(tx, ward.setting())?;
    }
    Ok(())
}

/// What happens to a defect.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn act(
    tx: &mut Tx<'_>,
    ward: &Ward,
    (trouble, turn): (&Trouble, &Turn),
    pictures: &[Upload],
) -> Answer<()> {
    if let Turn::Report {
        by, contact, words, ..
    } = turn
    {
        let words = words.unwrap_or(trouble.words);
        return report(tx, ward, (trouble, words, *contact), (*by, pictures));
    }
    let now = tx.now();
    let first = first_report(tx.conn(), trouble, now)?;
    let (id, setting) = (first.defect_id.clone(), ward.setting());
    let of = (&id, Expected::Any);
    match turn {
        Turn::Report { .. } => Ok(()),
        Turn::Release => moderate(tx, &first, (Visibility::Released, None)),
        Turn::Hide(reason) => moderate(tx, &first, (Visibility::Hidden, Some(reason))),
        Turn::Dispatch => {
            let officer = cast(tx, OFFICER)?;
            acts_defects::dispatch(tx, &officer, of, setting).map(drop)
        }
        Turn::Reject(reason) => {
            let officer = cast(tx, OFFICER)?;
            acts_defects::reject(tx, &officer, of, reason, setting).map(drop)
        }
        Turn::Acknowledge => {
            let agent = cast(tx, AGENT)?;
            acts_defects::acknowledge(tx, &agent, of).map(drop)
        }
        Turn::Fix(note) => {
            let agent = cast(tx, AGENT)?;
            let evidence = upload(tx, &agent, pictures, &ward.limits)?;
            acts_defects::fix(tx, &agent, of, (note, &evidence), setting).map(drop)
        }
        Turn::Confirm(by) => {
            let (actor, link) = match by {
                Some(name) => (cast(tx, name)?, None),
                None => (Actor::public(), Some(&first.id)),
            };
            acts_defects::confirm(tx, &actor, (&id, link), Expected::Any, setting).map(drop)
        }
        Turn::Reopen(by, reason) => {
            let actor = cast(tx, by)?;
            let said = (Expected::Any, *reason);
            acts_defects::reopen(tx, &actor, (&id, None), said, setting).map(drop)
        }
        Turn::Withdraw(by) => {
            let actor = cast(tx, by)?;
            acts_defects::withdraw(tx, &actor, (&id, None), Expected::Any).map(drop)
        }
    }
}

fn report(
    tx: &mut Tx<'_>,
    ward: &Ward,
    (trouble, words, contact): (&Trouble, &str, Option<&str>),
    (by, pictures): (Option<&str>, &[Upload]),
) -> Answer<()> {
    let place = place_of(tx.conn(), trouble)?;
    // Those without an account stand before the sign and read its code.
    let (actor, place) = match by {
        Some(name) => (cast(tx, name)?, PlaceRef::Id(place.id)),
        None => (
            Actor::public(),
            PlaceRef::Code(place.code.ok_or_else(|| missing("code"))?),
        ),
    };
    let new = NewReport {
        place,
        said: Said {
            category: trouble.category.to_owned(),
            words: words.to_owned(),
            occurred_at: None,
            contact: contact.map(str::to_owned),
        },
        language: Language::Chinese,
        photos: pictures.to_vec(),
    };
    let bounds = Bounds {
        per_place: ward.per_place,
        files: &ward.limits,
    };
    reports::report(tx, &actor, &new, (bounds, ward.setting())).map(drop)
}

fn place_of(conn: &mut Conn, trouble: &Trouble) -> Answer<ServedPlace> {
    let contract = contract(conn)?.id;
    let places = store_places::of_contract(conn, &contract)?;
    let found = places.into_iter().find(|place| place.number == trouble.place);
    Ok(found.ok_or_else(|| missing("place"))?)
}

fn moderate(tx: &mut Tx<'_>, first: &DefectReport, to: (Visibility, Option<&str>)) -> Answer<()> {
    let officer = cast(tx, OFFICER)?;
    reports::moderate(tx, &officer, (&first.id, Expected::Any), to).map(drop)
}

/// The first report of a defect of the demo, which is found by its words.
fn first_report(conn: &mut Conn, trouble: &Trouble, now: Instant) -> Answer<DefectReport> {
    let filter = DefectFilter {
        contract: Some(contract(conn)?.id),
        category: Some(trouble.category.to_owned()),
        is_all: true,
        ..DefectFilter::default()
    };
    let all = store_defects::list(conn, &filter, now, LOOKED_AT_MAX)?;
    let ids: Vec<&DefectId> = all.iter().map(|defect| &defect.id).collect();
    let mut said = store_defect_reports::of_defects(conn, &ids)?.into_iter();
    let found = said.find(|report| report.number == 1 && report.words == trouble.words);
    Ok(found.ok_or_else(|| missing("defect"))?)
}
