//! The demo ward: 凤鸣区 梧桐街道 (fictional), made through the same acts as a real one, over seven months of a simulated clock. A
//! second start finds what is there and adds only what is missing.

use actix_web::web;
use chrono::{TimeZone, Utc};

use crate::app::demo_cast::{
    CHIEFS, EXPERTS, PLATFORM, PUBLIC_BODIES, RESIDENTS, STAFF, SUPPLIER_PEOPLE, SUPPLIERS, Somebody,
};
use crate::app::demo_offers::OFFERS;
use crate::app::demo_plans::{Plan, of_line};
use crate::app::demo_stage::{self, Scenery};
use crate::app::server::House;
use crate::app::settings::{MailTransport, Settings};
use crate::app::{
    demo_awards, demo_ballots, demo_bids, demo_books, demo_enquiries, demo_files, demo_judging, demo_money,
    demo_planning, demo_service, time,
};
use crate::books::acts_publication as books;
use crate::books::custody::Custody;
use crate::budget::acts_delegations::Place;
use crate::db::writer::Tx;
use crate::files::media::MediaType;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::registry::import;
use crate::web::actor::Actor;
use crate::web::context::Context;
use crate::web::policy::Role;

/// Where a simulated clock begins in a new database: 5 January 2026, 09:00 in Shanghai. What went before the demo is played from then
/// on, at the instants below.
pub fn start() -> Instant {
    instant(1, 5, 1)
}

/// Where the demo's clock stands when it is made: 27 July 2026, 08:00 in Shanghai, in the fourth month of the contract that is served, and the day
/// before the last book is opened.
pub fn stands() -> Instant {
    instant(7, 27, 0)
}

/// An hour of 2026, UTC.
pub(super) fn instant(month: u32, day: u32, hour: u32) -> Instant {
    Utc.with_ymd_and_hms(2026, month, day, hour, 0, 0)
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

/// The budget lines of the books that are judged.
pub(super) const ESTATES: &str = "PRO-01";
pub(super) const TOILETS: &str = "GUI-01";
const PATROLS: &str = "SEC-01";
const GREENS: &str = "GRN-01";

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

/// Makes the demo ward, or whatever of it is not there yet: its people and money, and, over seven months, its planning, its books,
/// their bids, and what comes of some of them.
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
    db.write_and_wait(demo_stage::license)?;
    db.write_and_wait(demo_judging::list_experts)?;
    let place = Place {
        jurisdiction: house.settings.jurisdiction.clone(),
        zone,
    };
    db.write_and_wait(move |tx| demo_money::endow(tx, &place))?;
    plan(house)?;
    contract_the_first(house)?;
    buy_the_others(house)?;
    judge_the_others(house)?;
    stand(house, stands())
}

/// Lets the time pass until then, and whatever happens in it of the contracts that are signed, unless it is later already.
fn stand(house: &House, at: Instant) -> Answer<()> {
    demo_service::serve(house, at)?;
    move_clock(house, at)
}

/// Moves the clock on, as an administrator does, unless it stands there already or later.
pub(super) fn move_clock(house: &House, at: Instant) -> Answer<()> {
    let context = &house.context;
    house.publish_all()?;
    if context.clock.now() < at {
        context
            .db
            .write_and_wait(move |tx| time::advance(tx, &Actor::system(), at))?;
        context.clock.advance(at);
    }
    Ok(())
}

/// The notices are published at once, thirty days and more before the books; the needs are talked over in the last week of January.
fn plan(house: &House) -> Answer<()> {
    let (db, zone) = (&house.context.db, house.context.calendar.zone);
    db.write_and_wait(move |tx| demo_planning::announce(tx, zone))?;
    stand(house, instant(1, 26, 2))?;
    db.write_and_wait(demo_planning::consult)?;
    stand(house, instant(1, 30, 6))?;
    for plan in db.read_and_wait(demo_planning::unconcluded)? {
        let minutes = demo_files::minutes(plan);
        let minutes = demo_files::shelve(house, "会议记录.pdf", MediaType::Pdf, &minutes)?;
        let limits = house.files.limits.clone();
        db.write_and_wait(move |tx| demo_planning::conclude(tx, plan, &minutes, (&*limits, zone)))?;
    }
    Ok(())
}

/// The upkeep of the older estates is bought first, and that of the toilets: bids come in before the new year's holidays and are opened on 27 February. In March
/// the estates are judged by a panel and the toilets by the residents' representatives, and both are awarded and signed for; their service begins in April.
fn contract_the_first(house: &House) -> Answer<()> {
    draft(house, true, instant(2, 2, 2))?;
    approve(house, instant(2, 4, 2))?;
    publish(house, instant(2, 5, 1))?;
    bid(house, true)?;
    let (estates, toilets) = (of_line(ESTATES)?, of_line(TOILETS)?);
    stand(house, instant(2, 27, 1))?;
    demo_bids::open(house, estates)?;
    demo_bids::open(house, toilets)?;
    if house.context.clock.now() >= instant(4, 1, 0) {
        return Ok(());
    }
    panel(house, toilets, instant(2, 27, 3))?;
    demo_judging::examine(house, toilets, true)?;
    appraise(house, toilets)?;
    panel(house, estates, instant(3, 2, 1))?;
    demo_judging::examine(house, estates, true)?;
    stand(house, instant(3, 2, 5))?;
    let taken = demo_ballots::polling(house)?;
    let db = &house.context.db;
    db.write_and_wait(move |tx| demo_ballots::decide(tx, toilets, &taken))?;
    stand(house, instant(3, 3, 6))?;
    demo_judging::score(house, estates)?;
    let both = [estates, toilets];
    award(
        house,
        &both,
        [instant(3, 4, 2), instant(3, 5, 2), instant(3, 5, 6)],
    )?;
    // The estates last: theirs is the newest contract.
    for (plan, hour) in [(toilets, 2), (estates, 3)] {
        stand(house, instant(3, 18, hour))?;
        with_calendar(house, move |tx, place| {
            demo_awards::confirm(tx, plan, place.calendar)
        })?;
    }
    stand(house, instant(3, 19, 2))?;
    for plan in both {
        with_calendar(house, move |tx, place| {
            demo_awards::sign(tx, plan, place.calendar)
        })?;
    }
    Ok(())
}

/// The other books are drafted in June and published on the 26th; three days later a supplier asks about the first of them, and suppliers bid. Meanwhile
/// the estates are served, and the toilets for three months.
fn buy_the_others(house: &House) -> Answer<()> {
    draft(house, false, instant(6, 23, 2))?;
    approve(house, instant(6, 25, 2))?;
    publish(house, instant(6, 26, 1))?;
    stand(house, instant(6, 29, 2))?;
    with_calendar(house, demo_enquiries::clarify)?;
    bid(house, false)
}

/// July: the patrols are judged by a panel and awarded, and the award is challenged in the standstill in which the demo begins; for the greens a panel sits, and
/// the examination has begun. Whatever else comes of them is for whoever plays.
fn judge_the_others(house: &House) -> Answer<()> {
    if house.context.clock.now() >= stands() {
        return Ok(());
    }
    let (patrols, greens) = (of_line(PATROLS)?, of_line(GREENS)?);
    stand(house, instant(7, 17, 1))?;
    demo_bids::open(house, patrols)?;
    panel(house, patrols, instant(7, 17, 2))?;
    demo_judging::examine(house, patrols, true)?;
    stand(house, instant(7, 20, 6))?;
    demo_judging::score(house, patrols)?;
    stand(house, instant(7, 21, 1))?;
    demo_bids::open(house, greens)?;
    award(
        house,
        &[patrols],
        [instant(7, 21, 2), instant(7, 22, 2), instant(7, 22, 6)],
    )?;
    panel(house, greens, instant(7, 23, 1))?;
    demo_judging::examine(house, greens, false)?;
    stand(house, instant(7, 24, 5))?;
    with_calendar(house, move |tx, place| {
        demo_awards::challenge(tx, patrols, place.calendar)
    })
}

/// The representatives of the residents are listed and asked; most of them vote over the weekend.
fn appraise(house: &House, plan: &'static Plan) -> Answer<()> {
    let (open, closed) = (instant(2, 27, 5), instant(3, 2, 4));
    with_calendar(house, move |tx, place| {
        demo_ballots::represent(tx, plan, place.calendar)
    })?;
    let taken = demo_ballots::polling(house)?;
    with_calendar(house, move |tx, place| {
        demo_ballots::ask(tx, (plan, &taken), (open, closed), place.calendar)
    })?;
    stand(house, instant(2, 28, 3))?;
    let taken = demo_ballots::polling(house)?;
    let db = &house.context.db;
    db.write_and_wait(move |tx| demo_ballots::appraise(tx, plan, &taken))
}

fn panel(house: &House, plan: &'static Plan, at: Instant) -> Answer<()> {
    stand(house, at)?;
    let zone = house.context.calendar.zone;
    let db = &house.context.db;
    db.write_and_wait(move |tx| demo_judging::seat(tx, plan, zone))
}

/// Proposes, decides and publishes, each at its hour.
fn award(house: &House, plans: &[&'static Plan], [proposed, decided, noticed]: [Instant; 3]) -> Answer<()> {
    let db = &house.context.db;
    stand(house, proposed)?;
    for plan in plans.iter().copied() {
        db.write_and_wait(move |tx| demo_awards::propose(tx, plan))?;
    }
    stand(house, decided)?;
    for plan in plans.iter().copied() {
        db.write_and_wait(move |tx| demo_awards::decide(tx, plan))?;
    }
    stand(house, noticed)?;
    for plan in plans.iter().copied() {
        with_calendar(house, move |tx, place| {
            demo_awards::notice(tx, plan, place.calendar)
        })?;
    }
    Ok(())
}

/// Does something that counts days.
fn with_calendar(
    house: &House,
    act: impl Fn(&mut Tx<'_>, books::Place<'_>) -> Answer<()> + Send + 'static,
) -> Answer<()> {
    let located = Located::of(house);
    let db = &house.context.db;
    db.write_and_wait(move |tx| act(tx, located.place()))
}

/// Drafts the books of which none was begun, unless the demo was made before.
fn draft(house: &House, early: bool, at: Instant) -> Answer<()> {
    if house.context.clock.now() >= stands() {
        return Ok(());
    }
    stand(house, at)?;
    let db = &house.context.db;
    for plan in db.read_and_wait(|conn| demo_books::unbegun(conn, early))? {
        let table = demo_files::places(plan);
        let places = demo_files::shelve(house, "作业地点.csv", MediaType::Csv, table.as_bytes())?;
        let (limits, located) = (house.files.limits.clone(), Located::of(house));
        db.write_and_wait(move |tx| demo_books::draft(tx, plan, &places, (&*limits, located.place())))?;
    }
    Ok(())
}

fn approve(house: &House, at: Instant) -> Answer<()> {
    stand(house, at)?;
    house.context.db.write_and_wait(demo_books::approve)
}

fn publish(house: &House, at: Instant) -> Answer<()> {
    stand(house, at)?;
    let (located, custody) = (Located::of(house), Custody::open(&house.settings.keys_dir())?);
    house
        .context
        .db
        .write_and_wait(move |tx| demo_books::publish(tx, located.place(), &custody))
}

/// Lets suppliers bid for the early book, or for the others, each at its hour.
fn bid(house: &House, early: bool) -> Answer<()> {
    for offer in &OFFERS {
        if offer.plan()?.is_early() == early {
            let (month, day, hour) = offer.at;
            stand(house, instant(month, day, hour))?;
            demo_bids::submit(house, offer)?;
        }
    }
    Ok(())
}

/// Whose rules apply to a book, and how days are counted, for a job that outlives the call.
struct Located {
    context: web::Data<Context>,
    jurisdiction: String,
}

impl Located {
    fn of(house: &House) -> Self {
        Self {
            context: house.context.clone(),
            jurisdiction: house.settings.jurisdiction.clone(),
        }
    }

    fn place(&self) -> books::Place<'_> {
        books::Place {
            jurisdiction: &self.jurisdiction,
            calendar: &self.context.calendar,
        }
    }
}

/// Who can sign in and as what, a line each.
pub fn people() -> Vec<String> {
    let bodies = || PUBLIC_BODIES.iter().chain(&SUPPLIERS);
    let everybody = PLATFORM
        .iter()
        .chain(EXPERTS.iter().map(|(expert, _)| expert))
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
