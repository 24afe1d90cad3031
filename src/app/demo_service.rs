//! Plays what happens under the two contracts of the demo that are signed: every scene by the acts, by whom it is the duty of, at its own instant.
//! With a scene, in the same transaction, the clock moves on to the next: wherever making the demo was interrupted, it goes on with the scene at which
//! the clock stands.

use std::sync::Arc;

use actix_web::web;
use chrono::{Duration, TimeZone, Utc};

use crate::app::demo::{self, ESTATES, TOILETS};
use crate::app::demo_bills::{PAYMENTS, PAYMENTS_OF_TOILETS};
use crate::app::demo_plans::of_line;
use crate::app::demo_scenes::{Deed, SCENES, Scene};
use crate::app::demo_team::SCENES_OF_TOILETS;
use crate::app::server::House;
use crate::app::{
    demo_acceptances, demo_ballots, demo_changes, demo_defects, demo_files, demo_inspections, demo_judging,
    demo_money, demo_payments, demo_pictures, demo_team, time,
};
use crate::ballots::polling::Polling;
use crate::contracts::acts_defects::Setting;
use crate::contracts::follow_up::FollowUpKey;
use crate::contracts::rules::Contract;
use crate::contracts::store::{self, ContractFilter};
use crate::contracts::store_places;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::acts::Upload;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Limits};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::context::{Context, WardCalendar};

/// What the acts of a scene need to know of the ward.
pub struct Ward {
    context: web::Data<Context>,
    key: FollowUpKey,
    polling: Polling,
    /// How much is taken of files.
    pub limits: Arc<Limits>,
    /// Reports of one place in a day.
    pub per_place: u32,
}

impl Ward {
    fn of(house: &House) -> Answer<Self> {
        Ok(Self {
            context: house.context.clone(),
            key: FollowUpKey::open(&house.settings.keys_dir())?,
            polling: demo_ballots::polling(house)?,
            limits: house.files.limits.clone(),
            per_place: house.settings.defect_reports_per_place,
        })
    }

    /// Its days.
    pub fn calendar(&self) -> &WardCalendar {
        &self.context.calendar
    }

    /// Where its votes come in.
    pub const fn polling(&self) -> &Polling {
        &self.polling
    }

    /// What the acts about defects need.
    pub fn setting(&self) -> Setting<'_> {
        Setting {
            calendar: self.calendar(),
            key: &self.key,
        }
    }
}

/// The contract about the estates.
///
/// # Errors
/// A fault if it is not signed.
pub fn contract(conn: &mut Conn) -> Answer<Contract> {
    contract_of(conn, ESTATES)
}

/// The contract of the book of a budget line.
///
/// # Errors
/// A fault if it is not signed.
pub fn contract_of(conn: &mut Conn, line: &str) -> Answer<Contract> {
    let (_, lot) = demo_judging::lot_of(conn, of_line(line)?)?;
    let filter = ContractFilter {
        lot: Some(lot.id),
        ..ContractFilter::default()
    };
    let signed = store::signed(conn, &filter, 1)?.pop();
    Ok(signed.ok_or_else(|| Fault::broken("the demo has no signed contract"))?)
}

/// Uploads pictures for whoever shows them.
///
/// # Errors
/// A fault or a refusal if they cannot be taken.
pub fn upload(
    tx: &mut Tx<'_>,
    actor: &Actor,
    pictures: &[Upload],
    limits: &Limits,
) -> Answer<Vec<AttachmentId>> {
    let mut ids = Vec::with_capacity(pictures.len());
    for picture in pictures {
        ids.push(files::acts::upload(tx, actor, picture, limits)?.attachment.id);
    }
    Ok(ids)
}

/// An instant of a scene. The scenes are in 2026, UTC.
pub fn at((month, day, hour, minute): (u32, u32, u32, u32)) -> Instant {
    Utc.with_ymd_and_hms(2026, month, day, hour, minute, 0)
        .single()
        .unwrap_or_default()
}

/// All scenes, in their order.
fn scenes() -> Vec<&'static Scene> {
    let of_toilets = SCENES_OF_TOILETS.iter().chain(PAYMENTS_OF_TOILETS);
    let mut all: Vec<&Scene> = SCENES.iter().chain(PAYMENTS).chain(of_toilets).collect();
    all.sort_by_key(|scene| scene.at);
    all
}

/// Plays the scenes before an instant that were not played yet.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn serve(house: &House, until: Instant) -> Answer<()> {
    let now = house.context.clock.now();
    let left = |scene: &&Scene| (now..until).contains(&at(scene.at));
    let mut left = scenes().into_iter().filter(left).peekable();
    if left.peek().is_none() {
        return Ok(());
    }
    let ward = Arc::new(Ward::of(house)?);
    while let Some(scene) = left.next() {
        demo::move_clock(house, at(scene.at))?;
        let next = left.peek().map_or(until, |next| at(next.at));
        play(house, &ward, (scene, next))?;
    }
    Ok(())
}

/// Plays a scene and moves the clock on.
fn play(house: &House, ward: &Arc<Ward>, (scene, next): (&'static Scene, Instant)) -> Answer<()> {
    let mut pictures = Vec::new();
    if let Some(bytes) = picture(scene)? {
        let name = "现场照片.png";
        pictures.push(demo_files::shelve(house, name, MediaType::Png, &bytes)?);
    }
    let ward = ward.clone();
    house.context.db.write_and_wait(move |tx| {
        act(tx, &ward, &scene.deed, &pictures)?;
        time::advance(tx, &Actor::system(), next)
    })?;
    house.context.clock.advance(next);
    Ok(())
}

/// The picture that belongs to a scene, if one does.
fn picture(scene: &Scene) -> Answer<Option<Vec<u8>>> {
    if !scene.deed.has_picture() {
        return Ok(None);
    }
    let number = at(scene.at).timestamp();
    demo_pictures::picture(number, scene.deed.shows_it_whole()).map(Some)
}

fn act(tx: &mut Tx<'_>, ward: &Ward, deed: &'static Deed, pictures: &[Upload]) -> Answer<()> {
    match deed {
        Deed::Code(_)
        | Deed::Draw { .. }
        | Deed::Inspect(_)
        | Deed::Omit { .. }
        | Deed::Annul { .. }
        | Deed::Contest { .. }
        | Deed::Decide { .. } => demo_inspections::act(tx, ward, deed, pictures),
        Deed::Defect(trouble, turn) => demo_defects::act(tx, ward, (trouble, turn), pictures),
        Deed::Settle => demo_defects::settle(tx, ward),
        Deed::Rectify(step) => demo_changes::rectify(tx, ward, step, pictures),
        Deed::Allocate { line, yuan } => demo_money::allocate(tx, line, *yuan, ward.calendar().zone),
        Deed::Vary(step) => demo_changes::vary(tx, ward, step),
        Deed::Rate(period, poll) => demo_ballots::rate(tx, ward, (*period, poll)),
        Deed::Accept(period, step) => demo_acceptances::accept(tx, ward, *period, step),
        Deed::Pay(counter, step) => demo_payments::pay(tx, ward, (counter, step)),
        Deed::Team(step) => demo_team::act(tx, ward, step),
    }
}

/// Where to see what has happened under the contract that is served, by name, at a service's address.
///
/// # Errors
/// A fault if there is no such contract.
pub fn sights(house: &House, address: &str) -> Answer<Vec<(&'static str, String)>> {
    house.context.db.read_primary_and_wait(|conn| {
        let (id, ended) = (contract(conn)?.id, contract_of(conn, TOILETS)?.id);
        let of = |what: &str| format!("http://{address}/api/v1/contracts/{id}/{what}");
        let mut sights = vec![
            ("periods of a month", of("periods")),
            ("score of the third", of("periods/3/scores")),
            ("inspections", of("inspections")),
            ("contests of them", of("inspection-contests")),
            ("places drawn by lot", of("inspection-plans")),
            (
                "defects",
                format!("http://{address}/api/v1/defects?contract_id={id}"),
            ),
            (
                "late ones",
                format!("http://{address}/api/v1/defects?overdue=true"),
            ),
            ("a rectification", of("rectifications")),
            ("a variation", of("variations")),
            (
                "ratings by residents",
                format!("http://{address}/api/v1/ballots?matter_id={id}"),
            ),
            ("acceptances", of("acceptances")),
            ("claims", of("claims")),
            ("what was paid", of("payments")),
            ("why May pays less", of("periods/2/pay")),
            (
                "the one that ended",
                format!("http://{address}/api/v1/contracts/{ended}/terminations"),
            ),
        ];
        let places = store_places::of_contract(conn, &id)?;
        if let Some(code) = places.into_iter().find_map(|place| place.code) {
            // What the sign says that is put up at the first place.
            sights.push(("report a defect", format!("http://{address}{}", code.path())));
        }
        Ok(sights)
    })
}

/// Minutes before an instant.
///
/// # Errors
/// A fault if there are none.
pub fn minutes_before(instant: Instant, minutes: i64) -> Answer<Instant> {
    let before = instant.checked_sub_signed(Duration::minutes(minutes));
    Ok(before.ok_or_else(|| Fault::broken("an instant of the demo"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenes_are_in_their_order_and_end_before_the_demo_begins() {
        let instants: Vec<Instant> = scenes().into_iter().map(|scene| at(scene.at)).collect();
        assert!(instants.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(instants.first().is_some_and(|first| *first > demo::start()));
        assert!(instants.last().is_some_and(|last| *last < demo::stands()));
    }
    #[test]
    fn no_two_pictures_are_the_same() {
        let all: Vec<Vec<u8>> = scenes()
            .into_iter()
            .filter_map(|scene| picture(scene).unwrap())
            .collect();
        let different: std::collections::BTreeSet<&Vec<u8>> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (29, 29));
    }
}
