//! A ballot with voters who have letters, put into a database for whoever measures or tests how votes come in: the roll and the letters' codes by plain rows,
//! the ballot by the act that calls it. It is used by the load tool and by a test of the suite.

use std::fmt::Write;

use actix_web::web;
use chrono::Duration;
use diesel::connection::SimpleConnection;
use wardbook::app::server::House;
use wardbook::ballots::acts::{self, Call};
use wardbook::ballots::polling::Polling;
use wardbook::ballots::rules::{BallotId, Kind, Unit};
use wardbook::ballots::rules_questions::NewBallot;
use wardbook::ballots::rules_slips::{PrintedLetter, letter_seal};
use wardbook::books::custody::Custody;
use wardbook::db::conn::Conn;
use wardbook::db::writer::Tx;
use wardbook::kernel::clock::Instant;
use wardbook::kernel::id;
use wardbook::kernel::party::{AccountId, AreaId, OrganisationId};
use wardbook::kernel::refusal::Answer;
use wardbook::registry::rules_letters::{codes, grouped, link_hash, typed_hash};
use wardbook::registry::rules_roll::{HouseholdId, ResidentId};
use wardbook::statutes::built_in;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 500;
/// Days for which it is open.
const DAYS_OPEN: i64 = 30;

/// A ballot that is open.
pub struct Staged {
    /// Its id.
    pub ballot: BallotId,
    /// When it closes, UTC.
    pub closes_at: Instant,
    /// The codes of the letters, by the voters' numbers.
    pub codes: Vec<String>,
}

/// Puts a ballot with so many voters into a ward that is not served by this process.
pub fn staged(house: &House, voters: usize) -> Staged {
    let polling = polling(house);
    let zone = house.context.calendar.zone;
    let placed = move |tx: &mut Tx<'_>| -> Answer<Staged> {
        let now = tx.now();
        let (buyer, officer, community) = (OrganisationId::mint(now), AccountId::mint(now), area(tx)?);
        let at = now.naive_utc();
        let rows = format!(
            "INSERT INTO organisations (id, kind, name_zh, name_en, state, version, created_at, updated_at) \
             VALUES ('{buyer}', 'department', '局', 'Bureau', 'verified', 1, '{at}', '{at}'); \
             INSERT INTO accounts (id, language, state, version, created_at, updated_at) \
             VALUES ('{officer}', 'zh-CN', 'active', 1, '{at}', '{at}');"
        );
        tx.conn().batch_execute(&rows)?;
        residents(tx, &community, voters)?;
        let grant = Grant::of(Role::BuyerOfficer).in_organisation(buyer.clone());
        let actor = Actor::in_session(officer.to_string(), "session_load".to_owned(), vec![grant]);
        let profiles = built_in::profiles_for("test")?;
        let new = NewBallot {
            opens_at: now,
            closes_at: now + Duration::days(DAYS_OPEN),
            unit: Unit::Residents,
            questions: Vec::new(),
            scale: Vec::new(),
            may_abstain: false,
            quorum_percent: 30,
            double_tally: None,
        };
        let call = Call {
            kind: Kind::Rating,
            matter_id: "contract_of_the_evening",
            matter_number: 1,
            organisation_id: &buyer,
            title_zh: "道路保洁：第 1 期".to_owned(),
            title_en: "Street sanitation: period 1".to_owned(),
            areas: &[community],
            about: &[],
            new: &new,
            profile: profiles.last().expect("there are rules"),
            zone,
        };
        let ballot = acts::call(tx, &actor, &polling, &call)?;
        let key = polling.key(&ballot)?;
        Ok(Staged {
            codes: letters(tx, &key, &ballot.id, voters)?,
            ballot: ballot.id,
            closes_at: new.closes_at,
        })
    };
    house
        .context
        .db
        .write_and_wait(placed)
        .expect("a ballot can be called")
}

/// Where the votes come in.
pub fn polling(house: &House) -> Polling {
    let custody = Custody::open(&house.settings.keys_dir()).expect("the keys can be read");
    house.polling(web::Data::new(custody))
}

/// A community in a street in a district in a city.
fn area(tx: &mut Tx<'_>) -> Answer<AreaId> {
    let at = tx.now().naive_utc();
    let (mut parent, mut path) = (None::<AreaId>, String::new());
    for level in ["city", "district", "street", "community"] {
        let id = AreaId::mint(tx.now());
        let above = parent.map_or_else(|| "NULL".to_owned(), |parent| format!("'{parent}'"));
        path = format!("{path}{id}/");
        let row = format!(
            "INSERT INTO areas (id, parent_id, level, name_zh, name_en, path, version, created_at, updated_at) \
             VALUES ('{id}', {above}, '{level}', '{level}', '{level}', '{path}', 1, '{at}', '{at}')"
        );
        tx.conn().batch_execute(&row)?;
        parent = Some(id);
    }
    Ok(parent.expect("a community"))
}

/// Grown-up residents, each in a household of their own.
fn residents(tx: &mut Tx<'_>, community: &AreaId, voters: usize) -> Answer<()> {
    let (now, at) = (tx.now(), tx.now().naive_utc());
    let numbers: Vec<usize> = (1..=voters).collect();
    for some in numbers.chunks(ROWS_AT_ONCE) {
        let (mut households, mut people) = (Vec::new(), Vec::new());
        for number in some {
            let (household, resident) = (HouseholdId::mint(now), ResidentId::mint(now));
            households.push(format!(
                "('{household}', '{community}', '{number}', 1, '{at}', '{at}')"
            ));
            people.push(format!(
                "('{resident}', '{community}', '{household}', '居民{number}', '1980-05-01', TRUE, 'active', '2020-01-01', 1, '{at}', '{at}')"
            ));
        }
        let statements = format!(
            "INSERT INTO households (id, area_id, code, version, created_at, updated_at) VALUES {}; \
             INSERT INTO residents (id, area_id, household_id, name, birth_date, is_owner, state, entered_on, version, created_at, updated_at) VALUES {};",
            households.join(", "),
            people.join(", ")
        );
        tx.conn().batch_execute(&statements)?;
    }
    Ok(())
}

/// A letter for every voter; its code as it is printed.
fn letters(tx: &mut Tx<'_>, key: &[u8; 32], ballot: &BallotId, voters: usize) -> Answer<Vec<String>> {
    let (now, at) = (tx.now(), tx.now().naive_utc());
    let mut printed = Vec::with_capacity(voters);
    let mut rows = String::new();
    for number in 1..=voters {
        let codes = loop {
            if let Some(codes) = codes(id::random()?, id::random()?) {
                break codes;
            }
        };
        let (link, typed) = (link_hash(&codes.link), typed_hash(&codes.typed));
        let letter = PrintedLetter {
            number: i64::try_from(number).expect("a number of a voter"),
            link: &link,
            code: &typed,
            printings: 1,
            printed_at: now,
        };
        let seal = letter_seal(key, ballot, &letter)?;
        let [link, typed, seal] = [link, typed, seal].map(|bytes| binary(tx.conn(), &bytes));
        let comma = if rows.is_empty() { "" } else { ", " };
        write!(
            rows,
            "{comma}('{ballot}', {number}, {link}, {typed}, '{at}', 1, {seal})"
        )
        .expect("text can be written");
        printed.push(grouped(&codes.typed));
        if number % ROWS_AT_ONCE == 0 || number == voters {
            let statement = format!(
                "INSERT INTO ballot_letters (ballot_id, number, link_hash, code_hash, printed_at, printings, seal) VALUES {rows}"
            );
            tx.conn().batch_execute(&statement)?;
            rows.clear();
        }
    }
    Ok(printed)
}

/// Bytes as the database writes them.
fn binary(conn: &Conn, bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    match conn {
        Conn::Sqlite(_) => format!("x'{digits}'"),
        Conn::Postgres(_) => format!("'\\x{digits}'"),
    }
}
