//! The events of the log that tell of what moved for something. Reading only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::audit::store::{self as audit, EventFilter, EventRow};
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::oversight::desk_trace::About;
use crate::oversight::store_trace as store;

/// Events about one thing that are looked through at most.
const EVENTS_MAX: i64 = 500;

/// An event, and which transfers it tells of.
pub(super) struct Told {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When, UTC.
    pub at: Instant,
    /// Its place in the log.
    pub leaf_index: i64,
    /// The transfers, in the order in which they were made.
    pub transfers: Vec<String>,
    /// Whether it tells everybody.
    pub is_public: bool,
}

/// The events that may tell of what moved for these, in the order of the log.
pub(super) fn told<'a>(conn: &mut Conn, abouts: impl Iterator<Item = &'a About>) -> Answer<Vec<Told>> {
    let (mut subjects, mut lots, mut contracts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for about in abouts {
        subjects.insert(about.matter.clone());
        lots.extend(about.lot.clone());
        contracts.extend(about.contract.clone());
    }
    for lot in &lots {
        subjects.extend(store::subjects_of_lot(conn, lot)?);
    }
    for contract in &contracts {
        subjects.insert(contract.to_string());
        subjects.extend(store::terminations_of(conn, contract)?);
    }
    let mut found = Vec::new();
    for subject in subjects {
        let filter = EventFilter {
            subject: Some(subject.clone()),
            ..EventFilter::default()
        };
        for row in audit::events(conn, &filter, EVENTS_MAX)? {
            found.push(tells_of(&row, &subject)?);
        }
    }
    found.sort_by_key(|told| told.leaf_index);
    Ok(found)
}

/// By which event each transfer is told of, and which it is among the event's.
pub(super) fn by_transfer(told: &[Told]) -> BTreeMap<&str, (&Told, usize)> {
    let mut found = BTreeMap::new();
    for event in told {
        for (place, transfer) in event.transfers.iter().enumerate() {
            found.entry(transfer.as_str()).or_insert((event, place));
        }
    }
    found
}

/// What an event tells of transfers, to everybody or to few.
fn tells_of(row: &EventRow, subject: &str) -> Answer<Told> {
    let entry: Value = serde_json::from_slice(&row.entry)
        .map_err(|error| Fault::caused(format!("read {}", row.id), error))?;
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
    let ids = |told: Option<&Value>| -> Vec<String> {
        let told = told.and_then(Value::as_array).into_iter().flatten();
        told.filter_map(|one| Some(one.get("id")?.as_str()?.to_owned()))
            .collect()
    };
    let public = ids(entry.pointer("/data/transfers"));
    let private: Option<Value> = row
        .content
        .as_deref()
        .and_then(|content| serde_json::from_str(content).ok());
    let at = text("at").parse::<Instant>();
    Ok(Told {
        id: row.id.to_string(),
        kind: text("type").to_owned(),
        subject: subject.to_owned(),
        at: at.map_err(|error| Fault::caused(format!("when {} was", row.id), error))?,
        leaf_index: row.leaf_index.unwrap_or(i64::MAX),
        is_public: !public.is_empty(),
        transfers: if public.is_empty() {
            ids(private.as_ref().and_then(|private| private.get("transfers")))
        } else {
            public
        },
    })
}
