//! The demo ward: 凤鸣区 梧桐街道 (fictional), made through the same acts as a real one, with a simulated clock. A second
//! start finds what is there and adds only what is missing.

use chrono::{TimeZone, Utc};

use crate::app::demo_books;
use crate::app::demo_cast::{
    CHIEFS, PLATFORM, PUBLIC_BODIES, RESIDENTS, STAFF, SUPPLIER_PEOPLE, SUPPLIERS, Somebody,
};
use crate::app::demo_money;
use crate::app::demo_planning;
use crate::app::demo_stage::{self, Scenery};
use crate::app::server::House;
use crate::app::settings::{MailTransport, Settings};
use crate::books::acts_publication as books;
use crate::books::custody::Custody;
use crate::budget::acts_delegations::Place;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::registry::import;
use crate::web::policy::Role;

/// Where the demo's clock stands at first: 1 March 2026, 08:00 in Shanghai.
pub fn start() -> Instant {
    Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0)
        .single()
        .unwrap_or_default()
}

/// Gives the demo ward its name, at the head of its mail, unless the configuration gives it another; its mail goes into files,
/// and nobody is asked for a second factor.
pub fn name_ward(settings: &mut Settings) {
    let usual = Settings::default();
    if settings.ward_name_zh == usual.ward_name_zh && settings.ward_name_en == usual.ward_name_en {
        settings.ward_name_zh = "凤鸣区梧桐街道".to_owned();
        settings.ward_name_en = "Wutong Street, Fengming District".to_owned();
    }
    settings.mail_transport = MailTransport::File;
    settings.second_factor_roles.clear();
}

/// The area tree: a city, the district, the street and its five communities. Codes are of a region that does not exist.
const AREAS: &str = "code,parent_code,name_zh,name_en
9901,,凤城市,Fengcheng City
990101,9901,凤鸣区,Fengming District
990101001,990101,梧桐街道,Wutong Street
990101001001,990101001,桂园社区,Guiyuan Community
990101001002,990101001,槐荫社区,Huaiyin Community
990101001003,990101001,柳堤社区,Liudi Community
990101001004,990101001,枫林社区,Fenglin Community
990101001005,990101001,竹溪社区,Zhuxi Community
";

/// Everybody's password in the demo, and nowhere else.
pub const PASSWORD: &str = "plane-trees-in-march";

/// The mail address of somebody in the demo; `.example` belongs to nobody (RFC 2606).
pub fn address_of(name: &str) -> String {
    format!("{name}@wutong.example")
}

/// Makes the demo ward, or whatever of it is not there yet.
///
/// # Errors
/// A fault of the database, or if something of the demo cannot be.
pub fn make(house: &House) -> Answer<()> {
    let (db, zone) = (&house.context.db, house.context.calendar.zone);
    let scenery = Scenery {
        areas: import::read(AREAS.as_bytes())?,
        password_hash: house.gate.hasher.hash_and_wait(PASSWORD)?,
    };
    db.write_and_wait(move |tx| demo_stage::set(tx, &scenery))?;
    for roll in demo_stage::rolls()? {
        let judged = roll.clone();
        if let Some(preview) = db.write_and_wait(move |tx| demo_stage::preview_roll(tx, zone, &judged))? {
            db.write_and_wait(move |tx| demo_stage::import_roll(tx, zone, &roll, &preview))?;
        }
    }
    db.write_and_wait(move |tx| demo_stage::claim_residences(tx, zone))?;
    let place = Place {
        jurisdiction: house.settings.jurisdiction.clone(),
        zone,
    };
    db.write_and_wait(move |tx| demo_money::endow(tx, &place))?;
    db.write_and_wait(move |tx| demo_planning::plan(tx, zone))?;
    let custody = Custody::open(&house.settings.keys_dir())?;
    let (context, jurisdiction) = (house.context.clone(), house.settings.jurisdiction.clone());
    db.write_and_wait(move |tx| {
        let place = books::Place {
            jurisdiction: &jurisdiction,
            calendar: &context.calendar,
        };
        demo_books::write(tx, place, &custody)
    })
}

/// Who can sign in and as what, a line each.
pub fn people() -> Vec<String> {
    let bodies = || PUBLIC_BODIES.iter().chain(&SUPPLIERS);
    let everybody = PLATFORM
        .iter()
        .chain(&CHIEFS)
        .chain(&STAFF)
        .chain(&SUPPLIER_PEOPLE);
    let mut lines: Vec<String> = everybody
        .map(|somebody| {
            let body = bodies().find(|body| Some(body.key) == somebody.body);
            let place = body.map_or(String::new(), |body| {
                format!(", {} {}", body.name_zh, body.name_en)
            });
            // Whoever registers a supplier administers it.
            let roles: Vec<&str> = match somebody.roles {
                [] => vec![Role::OrganisationAdmin.name()],
                roles => roles.iter().map(|role| role.name()).collect(),
            };
            line(somebody, &roles.join(" and "), &place)
        })
        .collect();
    lines.extend(
        RESIDENTS
            .iter()
            .map(|resident| line(resident, Role::Resident.name(), ", 桂园社区 Guiyuan Community")),
    );
    lines
}

fn line(somebody: &Somebody, roles: &str, place: &str) -> String {
    format!(
        "{:<36} {} ({roles}{place})",
        address_of(somebody.name),
        somebody.display_name
    )
}
