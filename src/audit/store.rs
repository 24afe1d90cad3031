//! The log's tables. Entries are appended here and nowhere else, inside the transaction of the act they record; rows are
//! never changed but to give an entry its place, once.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use crate::audit::entry::{self, Entry, Event, EventId, Salts};
use crate::audit::tree::Hash;
use crate::both;
use crate::db::conn::Conn;
use crate::db::moment::Moment;
use crate::db::schema::{audit_checkpoints, audit_events, audit_log, audit_nodes, audit_private};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;

/// The log that a database holds.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub struct LogRow {
    /// Its name, in every checkpoint.
    pub origin: String,
    /// Its public key, as `GET /audit/key` shows it.
    pub verifier_key: String,
}

/// A signed checkpoint, with what is needed to go on from it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_checkpoints)]
pub struct CheckpointRow {
    /// Entries.
    pub size: i64,
    /// The root over them.
    pub root: Vec<u8>,
    /// The signed note.
    pub note: String,
    /// The right edge of the tree.
    pub frontier: Vec<u8>,
}

/// An entry with everything that its row and the row of its private part hold.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The entry.
    pub entry: Entry,
    /// What happened.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// When, UTC.
    pub at: Instant,
    /// Who did it.
    pub actor_id: String,
    /// What the commitments are salted with.
    pub salts: Salts,
}

/// Writes an event out as an entry, and stores nothing yet.
///
/// # Errors
/// A fault if the event is too large, or the system gives no randomness.
pub fn prepare(actor: &Actor, event: &Event, now: Instant) -> Answer<Prepared> {
    let actor_id = actor.id().unwrap_or("public");
    let salts = Salts {
        actor: id::random()?,
        content: id::random()?,
    };
    Ok(Prepared {
        entry: entry::write(event, actor_id, EventId::mint(now), now, &salts)?,
        kind: event.kind.to_owned(),
        subject: event.subject.clone(),
        at: now,
        actor_id: actor_id.to_owned(),
        salts,
    })
}

/// Writes an event into the log, in the transaction of the act that it records.
///
/// # Errors
/// A fault of the database, or if the event is too large.
pub fn append(tx: &mut Tx<'_>, actor: &Actor, event: &Event) -> Answer<EventId> {
    let prepared = prepare(actor, event, tx.now())?;
    insert(tx, &prepared)?;
    tx.event_recorded();
    Ok(prepared.entry.id)
}

/// Takes an entry into the log.
///
/// # Errors
/// A fault of the database.
pub(super) fn insert(tx: &mut Tx<'_>, prepared: &Prepared) -> Answer<()> {
    let entry = &prepared.entry;
    // On SQLite nobody else writes, so that the place is known and the row need not be written a second time.
    let place = match tx.conn() {
        Conn::Sqlite(_) => Some(tx.take_place(end)?),
        Conn::Postgres(_) => None,
    };
    let public = diesel::insert_into(audit_events::table).values((
        audit_events::id.eq(&entry.id),
        audit_events::entry.eq(&entry.bytes),
        audit_events::leaf_hash.eq(entry.leaf_hash.as_slice()),
        audit_events::leaf_index.eq(place),
        audit_events::kind.eq(&prepared.kind),
        audit_events::subject.eq(&prepared.subject),
        audit_events::at.eq(Moment::from(prepared.at)),
    ));
    both!(tx.conn(), c => public.execute(c))?;
    let private = diesel::insert_into(audit_private::table).values((
        audit_private::event_id.eq(&entry.id),
        audit_private::actor_salt.eq(prepared.salts.actor.as_slice()),
        audit_private::actor_id.eq(&prepared.actor_id),
        audit_private::salt.eq(prepared.salts.content.as_slice()),
        audit_private::content.eq(&entry.content),
    ));
    both!(tx.conn(), c => private.execute(c))?;
    Ok(())
}

/// The first place after the last event that has one.
fn end(conn: &mut Conn) -> Answer<i64> {
    let last: Option<i64> = audit_events::table
        .select(diesel::dsl::max(audit_events::leaf_index))
        .first(conn)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

/// The log of this database, if it has been started.
///
/// # Errors
/// A fault of the database.
pub fn log(conn: &mut Conn) -> Answer<Option<LogRow>> {
    Ok(audit_log::table
        .find(1)
        .select(LogRow::as_select())
        .first(conn)
        .optional()?)
}

/// Names the log; once in the life of a database.
///
/// # Errors
/// A fault of the database.
pub fn insert_log(tx: &mut Tx<'_>, row: &LogRow) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::id.eq(1_i64),
            audit_log::origin.eq(&row.origin),
            audit_log::verifier_key.eq(&row.verifier_key),
            audit_log::started_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Events that have no place yet, oldest id first.
///
/// # Errors
/// A fault of the database.
pub fn waiting(conn: &mut Conn, max: i64) -> Answer<Vec<(String, Vec<u8>)>> {
    Ok(audit_events::table
        .filter(audit_events::leaf_index.is_null())
        .order(audit_events::id)
        .select((audit_events::id, audit_events::leaf_hash))
        .limit(max)
        .load(conn)?)
}

/// Places and leaf hashes of the events from place `first`, in the order of the log, `max` of them at most.
///
/// # Errors
/// A fault of the database.
pub fn placed_from(conn: &mut Conn, first: i64, max: i64) -> Answer<Vec<(Option<i64>, Vec<u8>)>> {
    Ok(audit_events::table
        .filter(audit_events::leaf_index.ge(first))
        .order(audit_events::leaf_index)
        .select((audit_events::leaf_index, audit_events::leaf_hash))
        .limit(max)
        .load(conn)?)
}

/// The newest checkpoint.
///
/// # Errors
/// A fault of the database.
pub fn last_checkpoint(conn: &mut Conn) -> Answer<Option<CheckpointRow>> {
    Ok(audit_checkpoints::table
        .order(audit_checkpoints::size.desc())
        .select(CheckpointRow::as_select())
        .first(conn)
        .optional()?)
}

/// Gives events their places, which are consecutive from `first`.
///
/// # Errors
/// A fault of the database, or if one of them has a place already.
pub fn place(conn: &mut Conn, ids: &[&str], first: i64) -> Answer<()> {
    let placed = match conn {
        Conn::Sqlite(c) => {
            let mut placed = 0;
            for (id, index) in ids.iter().zip(first..) {
                placed += diesel::update(
                    audit_events::table
                        .find(id)
                        .filter(audit_events::leaf_index.is_null()),
                )
                .set(audit_events::leaf_index.eq(index))
                .execute(c)?;
            }
            placed
        }
        // One statement for the whole batch: each would cost a way over the network.
        Conn::Postgres(c) => {
            let indices: Vec<i64> = ids.iter().zip(first..).map(|(_, index)| index).collect();
            diesel::sql_query(
                "UPDATE audit_events SET leaf_index = placed.leaf_index \
                 FROM unnest($1::text[], $2::bigint[]) AS placed (id, leaf_index) \
                 WHERE audit_events.id = placed.id AND audit_events.leaf_index IS NULL",
            )
            .bind::<Array<Text>, _>(ids)
            .bind::<Array<BigInt>, _>(indices)
            .execute(c)?
        }
    };
    if placed == ids.len() {
        Ok(())
    } else {
        Err(Fault::broken("an event of the log was placed twice").into())
    }
}

/// A node above the lowest tiles.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_nodes)]
pub struct NewNode {
    /// Height in the tree, a multiple of eight.
    pub level: i64,
    /// Place within the level.
    pub node_index: i64,
    /// The hash.
    pub hash: Vec<u8>,
}

/// Stores nodes that have become complete.
///
/// # Errors
/// A fault of the database.
pub fn insert_nodes(conn: &mut Conn, nodes: &[NewNode]) -> Answer<()> {
    if !nodes.is_empty() {
        both!(conn, c => diesel::insert_into(audit_nodes::table).values(nodes).execute(c))?;
    }
    Ok(())
}

/// Stores a signed checkpoint.
///
/// # Errors
/// A fault of the database.
pub fn insert_checkpoint(conn: &mut Conn, row: &CheckpointRow, signed_at: Instant) -> Answer<()> {
    diesel::insert_into(audit_checkpoints::table)
        .values((
            audit_checkpoints::size.eq(row.size),
            audit_checkpoints::root.eq(&row.root),
            audit_checkpoints::note.eq(&row.note),
            audit_checkpoints::frontier.eq(&row.frontier),
            audit_checkpoints::signed_at.eq(Moment::from(signed_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// `count` leaf hashes from place `first`; fewer if the log ends before.
///
/// # Errors
/// A fault of the database, or a hash that is not 32 bytes.
pub fn leaf_hashes(conn: &mut Conn, first: i64, count: i64) -> Answer<Vec<Hash>> {
    let rows: Vec<Vec<u8>> = audit_events::table
        .filter(audit_events::leaf_index.ge(first))
        .filter(audit_events::leaf_index.lt(first.saturating_add(count)))
        .order(audit_events::leaf_index)
        .select(audit_events::leaf_hash)
        .load(conn)?;
    hashes(rows)
}

/// `count` hashes of height `level` from place `first`; fewer if the tree ends before.
///
/// # Errors
/// As [`leaf_hashes`].
pub fn node_hashes(conn: &mut Conn, level: i64, first: i64, count: i64) -> Answer<Vec<Hash>> {
    if level == 0 {
        return leaf_hashes(conn, first, count);
    }
    let rows: Vec<Vec<u8>> = audit_nodes::table
        .filter(audit_nodes::level.eq(level))
        .filter(audit_nodes::node_index.ge(first))
        .filter(audit_nodes::node_index.lt(first.saturating_add(count)))
        .order(audit_nodes::node_index)
        .select(audit_nodes::hash)
        .load(conn)?;
    hashes(rows)
}

fn hashes(rows: Vec<Vec<u8>>) -> Answer<Vec<Hash>> {
    rows.into_iter()
        .map(|row| {
            Hash::try_from(row.as_slice()).map_err(|_| Fault::broken("a stored hash is not 32 bytes").into())
        })
        .collect()
}

/// `count` entries from place `first`; fewer if the log ends before.
///
/// # Errors
/// A fault of the database.
pub fn entries(conn: &mut Conn, first: i64, count: i64) -> Answer<Vec<Vec<u8>>> {
    Ok(audit_events::table
        .filter(audit_events::leaf_index.ge(first))
        .filter(audit_events::leaf_index.lt(first.saturating_add(count)))
        .order(audit_events::leaf_index)
        .select(audit_events::entry)
        .load(conn)?)
}

/// The place of an event, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn leaf_index(conn: &mut Conn, id: &EventId) -> Answer<Option<i64>> {
    let index: Option<Option<i64>> = audit_events::table
        .find(id)
        .select(audit_events::leaf_index)
        .first(conn)
        .optional()?;
    Ok(index.flatten())
}

/// The first of the `count` places from `first` that no event has; `first + count` if all are taken.
///
/// # Errors
/// A fault of the database.
pub fn first_missing(conn: &mut Conn, first: i64, count: i64) -> Answer<i64> {
    let taken: Vec<Option<i64>> = audit_events::table
        .filter(audit_events::leaf_index.ge(first))
        .filter(audit_events::leaf_index.lt(first.saturating_add(count)))
        .order(audit_events::leaf_index)
        .select(audit_events::leaf_index)
        .load(conn)?;
    let mut expected = first;
    for index in taken {
        if index != Some(expected) {
            break;
        }
        expected = expected.saturating_add(1);
    }
    Ok(expected)
}

/// How many nodes are stored.
///
/// # Errors
/// A fault of the database.
pub fn nodes(conn: &mut Conn) -> Answer<i64> {
    Ok(audit_nodes::table.count().get_result(conn)?)
}

/// How many events have a place at or after `size`; none in a sound log of that size.
///
/// # Errors
/// A fault of the database.
pub fn placed_beyond(conn: &mut Conn, size: i64) -> Answer<i64> {
    Ok(audit_events::table
        .filter(audit_events::leaf_index.ge(size))
        .count()
        .get_result(conn)?)
}

/// An event with its private part, as stored.
#[derive(Clone, Debug, Queryable)]
pub struct EventRow {
    /// Its id.
    pub id: EventId,
    /// Its entry.
    pub entry: Vec<u8>,
    /// Its place.
    pub leaf_index: Option<i64>,
    /// Salt of the commitment to the actor; none once erased.
    pub actor_salt: Option<Vec<u8>>,
    /// Who did it; none once erased.
    pub actor_id: Option<String>,
    /// Salt of the commitment to the content; none once erased.
    pub salt: Option<Vec<u8>>,
    /// The private content; none once erased.
    pub content: Option<String>,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Not before this instant.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
    /// Caused by this account.
    pub actor: Option<String>,
    /// About this thing.
    pub subject: Option<String>,
    /// Of this type, or of all types that begin so if it ends with `.*`.
    pub kind: Option<String>,
    /// Newest first.
    pub newest_first: bool,
    /// Only beyond this place, in the order asked for.
    pub beyond: Option<i64>,
    /// Only below this place.
    pub below: Option<i64>,
}

type Columns = (
    audit_events::id,
    audit_events::entry,
    audit_events::leaf_index,
    diesel::dsl::Nullable<audit_private::actor_salt>,
    diesel::dsl::Nullable<audit_private::actor_id>,
    diesel::dsl::Nullable<audit_private::salt>,
    diesel::dsl::Nullable<audit_private::content>,
);

fn columns() -> Columns {
    (
        audit_events::id,
        audit_events::entry,
        audit_events::leaf_index,
        audit_private::actor_salt.nullable(),
        audit_private::actor_id.nullable(),
        audit_private::salt.nullable(),
        audit_private::content.nullable(),
    )
}

/// Events in the order of the log; only those that have their place.
///
/// # Errors
/// A fault of the database.
pub fn events(conn: &mut Conn, filter: &EventFilter, max: i64) -> Answer<Vec<EventRow>> {
    let mut query = audit_events::table
        .left_join(audit_private::table)
        .filter(audit_events::leaf_index.is_not_null())
        .select(columns())
        .limit(max)
        .into_boxed();
    if let Some(from) = filter.from {
        query = query.filter(audit_events::at.ge(from.naive_utc()));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_events::at.lt(to.naive_utc()));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_private::actor_id.eq(actor));
    }
    if let Some(subject) = &filter.subject {
        query = query.filter(audit_events::subject.eq(subject));
    }
    match filter.kind.as_deref().map(|kind| (kind, kind.strip_suffix(".*"))) {
        // A dot sorts just before a slash, so the range holds exactly what begins with `prefix.`.
        Some((_, Some(prefix))) => {
            query = query
                .filter(audit_events::kind.ge(format!("{prefix}.")))
                .filter(audit_events::kind.lt(format!("{prefix}/")));
        }
        Some((kind, None)) => query = query.filter(audit_events::kind.eq(kind.to_owned())),
        None => {}
    }
    if let Some(below) = filter.below {
        query = query.filter(audit_events::leaf_index.lt(below));
    }
    query = match (filter.newest_first, filter.beyond) {
        (true, Some(beyond)) => query.filter(audit_events::leaf_index.lt(beyond)),
        (false, Some(beyond)) => query.filter(audit_events::leaf_index.gt(beyond)),
        (_, None) => query,
    };
    query = if filter.newest_first {
        query.order(audit_events::leaf_index.desc())
    } else {
        query.order(audit_events::leaf_index.asc())
    };
    Ok(query.load(conn)?)
}

/// Up to `max` events after an id, in the order of their ids, whether they have their places yet or not.
///
/// # Errors
/// A fault of the database.
pub fn events_after(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<EventRow>> {
    Ok(audit_events::table
        .left_join(audit_private::table)
        .filter(audit_events::id.gt(after))
        .order(audit_events::id)
        .limit(max)
        .select(columns())
        .load(conn)?)
}

/// One event, whether it has its place yet or not.
///
/// # Errors
/// A fault of the database.
pub fn event(conn: &mut Conn, id: &EventId) -> Answer<Option<EventRow>> {
    Ok(audit_events::table
        .left_join(audit_private::table)
        .filter(audit_events::id.eq(id))
        .select(columns())
        .first(conn)
        .optional()?)
}

/// Erases the private content of every event about `subject`, and who caused those that `person` caused. Their entries stay, and
/// the log still verifies; nobody can open them any more. What is erased already stays as it is. Tells how many events
/// there were to erase.
///
/// # Errors
/// A fault of the database.
pub fn erase_private(tx: &mut Tx<'_>, subject: &str, person: Option<&str>) -> Answer<usize> {
    let now = tx.now().naive_utc();
    let about: Vec<EventId> = audit_events::table
        .filter(audit_events::subject.eq(subject))
        .select(audit_events::id)
        .load(tx.conn())?;
    let mut erased = 0;
    for id in &about {
        let row: Option<(Option<String>, Option<String>, Option<chrono::NaiveDateTime>)> =
            audit_private::table
                .find(id)
                .select((
                    audit_private::actor_id,
                    audit_private::content,
                    audit_private::erased_at,
                ))
                .first(tx.conn())
                .optional()?;
        let Some((actor_id, content, erased_at)) = row else {
            continue;
        };
        let by_person = actor_id.is_some() && actor_id.as_deref() == person;
        if content.is_none() && !by_person {
            continue;
        }
        let at = audit_private::erased_at.eq(erased_at.unwrap_or(now));
        let no_content = (
            audit_private::salt.eq(None::<Vec<u8>>),
            audit_private::content.eq(None::<String>),
        );
        let row = diesel::update(audit_private::table.find(id));
        erased += if by_person {
            let nobody = (
                audit_private::actor_salt.eq(None::<Vec<u8>>),
                audit_private::actor_id.eq(None::<String>),
            );
            row.set((at, no_content, nobody)).execute(tx.conn())?
        } else {
            row.set((at, no_content)).execute(tx.conn())?
        };
    }
    Ok(erased)
}
