//! What the log itself says, for rules that must not believe a table: read from the bytes of entries, which whoever changes them is found out by, and not from the
//! columns beside them.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::audit::entry::{EventId, commitment};
use crate::audit::tree::leaf_hash;
use crate::db::conn::Conn;
use crate::db::schema::{audit_events, audit_private};
use crate::kernel::refusal::Answer;

/// Entries of one kind about one thing that are read at most.
const RECORDED_MAX: i64 = 100;

/// An entry, as far as its bytes say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The public facts; nothing if the bytes are not those of an entry of this kind about this thing.
    pub data: Value,
    /// Who did it, if the entry commits to them; nobody once that is erased.
    pub actor_id: Option<String>,
}

#[derive(Deserialize)]
struct Read {
    r#type: String,
    subject: String,
    actor: String,
    data: Value,
}

type Row = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<String>);

/// An entry as it stands in its table, to be compared with the log.
pub struct Standing {
    /// Its id.
    pub id: EventId,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Whether it has its place in the log.
    pub is_placed: bool,
    /// What its bytes say; nothing if they are not those of an entry of this kind about this thing.
    pub said: Recorded,
}

/// The entries of one kind about one thing, in the order of their ids, whether they have their places yet or not. One that is not what its row says it is
/// stands among them with nothing in it. That they are those of the log is for the caller to see.
///
/// # Errors
/// A fault of the database.
pub fn standing(conn: &mut Conn, kind: &str, subject: &str) -> Answer<Vec<Standing>> {
    let rows: Vec<(EventId, Option<i64>, Row)> = audit_events::table
        .left_join(audit_private::table)
        .filter(audit_events::subject.eq(subject))
        .filter(audit_events::kind.eq(kind))
        .order(audit_events::id)
        .limit(RECORDED_MAX)
        .select((
            audit_events::id,
            audit_events::leaf_index,
            (
                audit_events::entry,
                audit_events::leaf_hash,
                audit_private::actor_salt.nullable(),
                audit_private::actor_id.nullable(),
            ),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, place, row)| Standing {
            id,
            entry: row.0.clone(),
            is_placed: place.is_some(),
            said: read(row, kind, subject).unwrap_or_default(),
        })
        .collect())
}

fn read((entry, hash, salt, actor): Row, kind: &str, subject: &str) -> Option<Recorded> {
    if leaf_hash(&entry).as_slice() != hash {
        return None;
    }
    let read: Read = serde_json::from_slice(&entry).ok()?;
    if read.r#type != kind || read.subject != subject {
        return None;
    }
    let committed = |salt: Vec<u8>, actor: String| (commitment(&salt, &actor) == read.actor).then_some(actor);
    Some(Recorded {
        data: read.data,
        actor_id: salt.zip(actor).and_then(|(salt, actor)| committed(salt, actor)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::entry::{Event, Salts, write};
    use chrono::TimeZone;
    use serde_json::json;

    #[test]
    fn an_entry_says_what_its_bytes_say_and_nothing_that_stands_beside_them() {
        let event = Event {
            kind: "residence.claimed",
            subject: "resident_1".to_owned(),
            data: json!({"area_id": "area_1"}),
            private: Value::Null,
        };
        let salts = Salts {
            actor: [1; 32],
            content: [2; 32],
        };
        let at = chrono::Utc.timestamp_micros(1_790_000_000_000_000).unwrap();
        let id = "event_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap();
        let entry = write(&event, "user_1", id, at, &salts).unwrap();
        let row = |actor: &str| -> Row {
            (
                entry.bytes.clone(),
                entry.leaf_hash.to_vec(),
                Some(vec![1; 32]),
                Some(actor.to_owned()),
            )
        };
        let said = |row: Row| read(row, "residence.claimed", "resident_1");
        assert_eq!(said(row("user_1")).unwrap().actor_id.as_deref(), Some("user_1"));
        assert_eq!(said(row("user_1")).unwrap().data, json!({"area_id": "area_1"}));
        assert_eq!(said(row("user_2")).unwrap().actor_id, None);
        assert_eq!(read(row("user_1"), "residence.claimed", "resident_2"), None);
        assert_eq!(read(row("user_1"), "ballot.called", "resident_1"), None);
        let (bytes, _, salt, actor) = row("user_1");
        assert_eq!(said((bytes.clone(), vec![0; 32], salt, actor)), None);
        let erased = said((bytes, entry.leaf_hash.to_vec(), None, None)).unwrap();
        assert_eq!(erased.actor_id, None);
    }
}
