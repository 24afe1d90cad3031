//! What is written into the log: an entry of public facts, and a commitment to what is private. Pure: ids, time and
//! randomness arrive as values. An entry is stored as the bytes made here and never written out a second time.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::audit::tree::{Hash, leaf_hash};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::Fault;

crate::ids! {
    /// One event of the log.
    EventId "event"
}

/// Bytes of one entry at most: its length must fit in the two bytes that C2SP tlog-tiles gives it.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Something that happened, as the act that did it tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened: noun and past participle, `area.renamed`.
    pub kind: &'static str,
    /// The id of the thing that it happened to.
    pub subject: String,
    /// Facts that anyone may read for ever.
    pub data: Value,
    /// What only some may read, and what may have to be erased one day. `Null` if there is nothing.
    pub private: Value,
}

/// Salts of one event: without them a commitment to a short text could be guessed.
#[derive(Clone, Copy, Debug)]
pub struct Salts {
    /// For who did it.
    pub actor: [u8; 32],
    /// For the private content.
    pub content: [u8; 32],
}

/// An event ready to be stored.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The event's id.
    pub id: EventId,
    /// The bytes of the entry.
    pub bytes: Vec<u8>,
    /// Their leaf hash.
    pub leaf_hash: Hash,
    /// The private content that the entry commits to, as JSON text.
    pub content: String,
}

/// An entry as it stands in the log, its members in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = LogEntry)]
pub struct Written<'a> {
    /// The version of this form.
    #[schema(example = 1)]
    v: u8,
    /// The event's id.
    id: &'a EventId,
    /// What happened.
    #[schema(example = "area.moved")]
    r#type: &'a str,
    /// When, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    at: String,
    /// Commitment to who did it: hexadecimal SHA-256(salt ‖ account).
    #[schema(example = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9")]
    actor: String,
    /// The id of what it happened to.
    #[schema(example = "area_01jd3n8f5teqkrzvq1c0m6h2ax")]
    subject: &'a str,
    /// The public facts, by type of event.
    #[schema(value_type = Object)]
    data: &'a Value,
    /// Commitment to the private content: hexadecimal SHA-256(salt ‖ JSON text).
    #[schema(example = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")]
    commit: String,
}

/// The commitments inside an entry.
#[derive(Debug, Deserialize)]
pub struct Commitments {
    /// To who did it: hex SHA-256(salt ‖ actor id).
    pub actor: String,
    /// To the private content: hex SHA-256(salt ‖ JSON text).
    pub commit: String,
}

/// Writes an event as an entry of the log.
///
/// # Errors
/// A fault if it is longer than [`ENTRY_BYTES_MAX`]: acts must bound what they publish.
pub fn write(event: &Event, actor_id: &str, id: EventId, at: Instant, salts: &Salts) -> Result<Entry, Fault> {
    let content = event.private.to_string();
    let bytes = serde_json::to_vec(&Written {
        v: 1,
        id: &id,
        r#type: event.kind,
        at: rfc3339(at),
        actor: commitment(&salts.actor, actor_id),
        subject: &event.subject,
        data: &event.data,
        commit: commitment(&salts.content, &content),
    })
    .map_err(|error| Fault::caused("write an entry", error))?;
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err(Fault::broken(format!(
            "an entry of {} bytes for {}",
            bytes.len(),
            event.kind
        )));
    }
    Ok(Entry {
        id,
        leaf_hash: leaf_hash(&bytes),
        bytes,
        content,
    })
}

/// The commitment to a text: hex SHA-256(salt ‖ text).
pub fn commitment(salt: &[u8], text: &str) -> String {
    hex::encode(
        Sha256::new()
            .chain_update(salt)
            .chain_update(text.as_bytes())
            .finalize(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tree;
    use chrono::TimeZone;
    use serde_json::json;

    fn written(private: Value) -> Entry {
        let at = chrono::Utc.timestamp_micros(1_790_000_000_000_000).unwrap();
        let event = Event {
            kind: "area.created",
            subject: "area_x".into(),
            data: json!({"name": "梧桐"}),
            private,
        };
        let id = "event_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap();
        write(
            &event,
            "user_1",
            id,
            at,
            &Salts {
                actor: [1; 32],
                content: [2; 32],
            },
        )
        .unwrap()
    }

    #[test]
    fn an_entry_has_its_members_in_the_order_of_the_specification() {
        let entry = written(json!({"phone": "13800000000"}));
        let text = String::from_utf8(entry.bytes.clone()).unwrap();
        let places: Vec<usize> = [
            "{\"v\":1,",
            "\"id\":",
            "\"type\":",
            "\"at\":",
            "\"actor\":",
            "\"subject\":",
            "\"data\":",
            "\"commit\":",
        ]
        .iter()
        .map(|member| text.find(member).unwrap())
        .collect();
        assert!(places.is_sorted());
        assert_eq!(entry.leaf_hash, tree::leaf_hash(&entry.bytes));
    }

    #[test]
    fn what_is_private_is_only_committed_to_and_can_be_opened() {
        let entry = written(json!({"phone": "13800000000"}));
        let text = String::from_utf8(entry.bytes.clone()).unwrap();
        assert!(!text.contains("13800000000") && !text.contains("user_1"));
        let commitments: Commitments = serde_json::from_slice(&entry.bytes).unwrap();
        assert_eq!(commitments.commit, commitment(&[2; 32], &entry.content));
        assert_eq!(commitments.actor, commitment(&[1; 32], "user_1"));
        assert_ne!(commitments.commit, commitment(&[3; 32], &entry.content));
    }

    #[test]
    fn an_entry_that_would_not_fit_is_a_fault() {
        let event = Event {
            kind: "x",
            subject: String::new(),
            data: json!("字".repeat(30_000)),
            private: Value::Null,
        };
        let at = chrono::Utc.timestamp_micros(0).unwrap();
        let salts = Salts {
            actor: [0; 32],
            content: [0; 32],
        };
        assert!(write(&event, "a", EventId::mint(at), at, &salts).is_err());
    }
}
