//! Entries that are kept out of the log until what they tell of may be known: of a sealed bid the log would otherwise tell that there is
//! one, and when it came. Such an entry is written and hashed in the transaction of its act like any other, so that what it says is fixed
//! then; only its place in the log comes later, with all others of its matter. Until then nobody is shown that it exists.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::entry::{Entry, Event, EventId, Salts};
use crate::audit::store::{self, Prepared};
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::audit_withheld;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;

/// Entries that are taken into the log by one call at most.
pub const RELEASED_MAX: i64 = 2_000;

/// Writes an event in the transaction of the act that it records, and keeps its entry out of the log until its matter is released.
///
/// # Errors
/// A fault of the database, or if the event is too large.
pub fn withhold(tx: &mut Tx<'_>, actor: &Actor, event: &Event, matter_id: &str) -> Answer<Prepared> {
    let prepared = store::prepare(actor, event, tx.now())?;
    let entry = &prepared.entry;
    diesel::insert_into(audit_withheld::table)
        .values((
            audit_withheld::event_id.eq(&entry.id),
            audit_withheld::matter_id.eq(matter_id),
            audit_withheld::entry.eq(&entry.bytes),
            audit_withheld::leaf_hash.eq(entry.leaf_hash.as_slice()),
            audit_withheld::kind.eq(&prepared.kind),
            audit_withheld::subject.eq(&prepared.subject),
            audit_withheld::at.eq(prepared.at.naive_utc()),
            audit_withheld::actor_salt.eq(prepared.salts.actor.as_slice()),
            audit_withheld::actor_id.eq(&prepared.actor_id),
            audit_withheld::salt.eq(prepared.salts.content.as_slice()),
            audit_withheld::content.eq(&entry.content),
        ))
        .execute(tx.conn())?;
    tx.event_recorded();
    Ok(prepared)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_withheld)]
struct WithheldRow {
    event_id: EventId,
    entry: Vec<u8>,
    leaf_hash: Vec<u8>,
    kind: String,
    subject: String,
    at: NaiveDateTime,
    actor_salt: Vec<u8>,
    actor_id: String,
    salt: Vec<u8>,
    content: String,
}

impl TryFrom<WithheldRow> for Prepared {
    type Error = Fault;

    fn try_from(row: WithheldRow) -> Result<Self, Fault> {
        let broken = || {
            Fault::broken(format!(
                "the withheld entry {} is not what was written",
                row.event_id
            ))
        };
        let leaf_hash = crate::audit::tree::leaf_hash(&row.entry);
        if row.leaf_hash != leaf_hash {
            return Err(broken());
        }
        let salts = Salts {
            actor: row.actor_salt.as_slice().try_into().map_err(|_| broken())?,
            content: row.salt.as_slice().try_into().map_err(|_| broken())?,
        };
        Ok(Self {
            entry: Entry {
                id: row.event_id,
                bytes: row.entry,
                leaf_hash,
                content: row.content,
            },
            kind: row.kind,
            subject: row.subject,
            at: row.at.and_utc(),
            actor_id: row.actor_id,
            salts,
        })
    }
}

/// Takes the entries of a matter into the log, oldest first, and tells how many they were. If there are more than [`RELEASED_MAX`],
/// the rest waits for another call.
///
/// # Errors
/// A fault of the database, or if an entry is not what was written.
pub fn release(tx: &mut Tx<'_>, matter_id: &str) -> Answer<i64> {
    let rows: Vec<WithheldRow> = audit_withheld::table
        .filter(audit_withheld::matter_id.eq(matter_id))
        .order(audit_withheld::event_id)
        .limit(RELEASED_MAX)
        .select(WithheldRow::as_select())
        .load(tx.conn())?;
    let mut released = 0_i64;
    for row in rows {
        let prepared = Prepared::try_from(row)?;
        store::insert(tx, &prepared)?;
        let gone = diesel::delete(audit_withheld::table.find(&prepared.entry.id));
        if both!(tx.conn(), c => gone.execute(c))? != 1 {
            return Err(Fault::broken("a withheld entry was released twice").into());
        }
        tx.event_recorded();
        released = released.saturating_add(1);
    }
    Ok(released)
}

/// Up to `max` matters that have entries withheld, in the order of their ids, beyond `after`.
///
/// # Errors
/// A fault of the database.
pub fn matters(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<String>> {
    Ok(audit_withheld::table
        .filter(audit_withheld::matter_id.gt(after))
        .select(audit_withheld::matter_id)
        .distinct()
        .order(audit_withheld::matter_id)
        .limit(max)
        .load(conn)?)
}
