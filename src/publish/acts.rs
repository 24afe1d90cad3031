//! Publishes what has become public: reads the log on from where it stopped, looks up the processes that its entries name as they are now, and makes a release of
//! each that has changed. What is read is one snapshot; what is written is guarded by how far publication had come in it, so that of two who publish at once
//! one does nothing. Nothing here changes the ward's state, and no act waits for it.

use std::collections::BTreeSet;

use chrono::Duration;

use crate::audit;
use crate::award::store_awards;
use crate::books::rules::BookId;
use crate::books::rules_intentions::IntentionId;
use crate::books::{store as books, store_enquiries};
use crate::budget::store_year_ends;
use crate::contracts::rules::ContractId;
use crate::contracts::{store as contracts, store_acceptances, store_terminations, store_variations};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Clock;
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::store_claims;
use crate::publish::rules_entries::{Named, named, names};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_publisher::Publisher;
use crate::publish::rules_release::{Place, release};
use crate::publish::store::{self, Progress, Row};
use crate::publish::{desk, rules_state};
use crate::web::context::WardCalendar;

/// Entries of the log that are read at a time.
const ENTRIES_AT_ONCE: i64 = 500;
/// Processes that are looked up at a time; the entries after those that name them are read the next time.
const PROCESSES_AT_ONCE: usize = 20;

/// What a process is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Planned(IntentionId),
    Bought(BookId),
}

impl Subject {
    fn id(&self) -> &str {
        match self {
            Self::Planned(id) => id.as_str(),
            Self::Bought(id) => id.as_str(),
        }
    }
}

/// What is to be published next.
#[derive(Clone, Debug)]
pub struct Prepared {
    before: Progress,
    after: Progress,
    releases: Vec<Row>,
}

/// Looks up what is to be published next; nothing if the log says nothing that was not read.
///
/// # Errors
/// A fault of the database, or of facts that do not fit each other.
pub fn prepare(
    conn: &mut Conn,
    publisher: &Publisher,
    (calendar, clock): (&WardCalendar, &Clock),
) -> Answer<Option<Prepared>> {
    let Some(prefix) = &publisher.prefix else {
        return Ok(None);
    };
    let before = store::progress(conn)?;
    let entries = audit::store::entries(conn, before.next_place, ENTRIES_AT_ONCE)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let mut subjects = BTreeSet::new();
    let mut next_place = before.next_place;
    for entry in entries {
        for named in names(&entry) {
            subjects.extend(subject_of(conn, named)?);
        }
        next_place = next_place.saturating_add(1);
        if subjects.len() >= PROCESSES_AT_ONCE {
            break;
        }
    }
    let mut last_at = store::last_at(conn)?;
    let mut sequence = before.last_sequence;
    let mut releases = Vec::new();
    for subject in subjects {
        let Some(state) = state_of(conn, &subject, publisher, (calendar, clock))? else {
            continue;
        };
        let ocid = prefix.process_of(subject.id());
        let last = store::last_of(conn, &ocid)?;
        let previous = last.as_ref().map(|row| parsed(&row.content)).transpose()?;
        // After everything that it tells, and after every release before it.
        let now = clock.now();
        let at = match last_at {
            Some(last) => now.max(last + Duration::microseconds(1)),
            None => now,
        };
        let place = Place {
            ocid: &ocid,
            number: last.map_or(1, |row| row.number.saturating_add(1)),
            at,
        };
        if let Some(made) = release(previous.as_ref(), &state, place) {
            sequence = sequence.saturating_add(1);
            last_at = Some(at);
            releases.push(Row {
                sequence,
                number: place.number,
                release_id: place.id(),
                subject_id: subject.id().to_owned(),
                places: next_place,
                released_at: at.naive_utc(),
                tags: tags_of(&made),
                content: made.written(),
                ocid,
            });
        }
    }
    Ok(Some(Prepared {
        before,
        after: Progress {
            next_place,
            last_sequence: sequence,
        },
        releases,
    }))
}

/// Publishes what was prepared; nothing if somebody else has published meanwhile.
///
/// # Errors
/// A fault of the database.
pub fn publish(tx: &mut Tx<'_>, prepared: &Prepared) -> Answer<()> {
    if !store::advance(tx, prepared.before, prepared.after)? {
        return Ok(());
    }
    for row in &prepared.releases {
        store::insert(tx, row)?;
    }
    Ok(())
}

/// Refuses to go on under another prefix than the one that processes have: their ids never change.
///
/// # Errors
/// A fault that says so.
pub fn keeps_prefix(conn: &mut Conn, publisher: &Publisher) -> Answer<()> {
    let Some(known) = store::any_process(conn)? else {
        return Ok(());
    };
    match &publisher.prefix {
        Some(prefix) if !known.starts_with(prefix.as_str()) => Err(Fault::broken(format!(
            "ocds_prefix is {}, but processes were published as {known}: a prefix never changes",
            prefix.as_str()
        ))
        .into()),
        _ => Ok(()),
    }
}

/// A stored release.
///
/// # Errors
/// A fault if it is none.
pub fn parsed(content: &str) -> Result<Object, Fault> {
    match Json::parse(content)? {
        Json::Object(object) => Ok(object),
        _ => Err(Fault::broken("a stored release is no object")),
    }
}

fn state_of(
    conn: &mut Conn,
    subject: &Subject,
    publisher: &Publisher,
    (calendar, clock): (&WardCalendar, &Clock),
) -> Answer<Option<Object>> {
    Ok(match subject {
        Subject::Planned(id) => match desk::planned(conn, id)? {
            Some(facts) => Some(rules_state::planned(&facts)?),
            None => None,
        },
        Subject::Bought(id) => match desk::published(conn, id, (calendar, clock.now()))? {
            Some(facts) => Some(rules_state::book(&facts, publisher)?),
            None => None,
        },
    })
}

/// The tags of a release, with a blank between two.
fn tags_of(release: &Object) -> String {
    let tags = release.get("tag").and_then(Json::as_array).unwrap_or_default();
    let tags: Vec<&str> = tags.iter().filter_map(Json::as_text).collect();
    tags.join(" ")
}

/// The process that a thing belongs to.
fn subject_of(conn: &mut Conn, thing: Named) -> Answer<Option<Subject>> {
    let book = match thing {
        Named::Intention(id) => return Ok(Some(Subject::Planned(id))),
        Named::Book(id) => Some(id),
        Named::Lot(id) => books::lot(conn, &id)?.map(|lot| lot.book_id),
        Named::Enquiry(id) => store_enquiries::enquiry(conn, &id)?.map(|one| one.book_id),
        Named::Award(id) => store_awards::award(conn, &id)?.map(|one| one.book_id),
        Named::Contract(id) => of_contract(conn, Some(id))?,
        Named::Acceptance(id) => {
            let found = store_acceptances::acceptance(conn, &id)?;
            of_contract(conn, found.map(|one| one.contract_id))?
        }
        Named::Variation(id) => {
            let found = store_variations::variation(conn, &id)?;
            of_contract(conn, found.map(|one| one.contract_id))?
        }
        Named::Termination(id) => {
            let found = store_terminations::termination(conn, &id)?;
            of_contract(conn, found.map(|one| one.contract_id))?
        }
        Named::Claim(id) => {
            let found = store_claims::claim(conn, &id)?;
            of_contract(conn, found.map(|one| one.contract_id))?
        }
        // What is given back at a year's end can be the last that was held for a contract.
        Named::YearEnd(id) => {
            let found = store_year_ends::year_end(conn, &id)?;
            match found.and_then(|one| named(&one.matter)) {
                Some(Named::YearEnd(_)) | None => None,
                Some(matter) => return subject_of(conn, matter),
            }
        }
    };
    Ok(book.map(Subject::Bought))
}

fn of_contract(conn: &mut Conn, id: Option<ContractId>) -> Answer<Option<BookId>> {
    Ok(match id {
        Some(id) => contracts::contract(conn, &id)?.map(|contract| contract.book_id),
        None => None,
    })
}
