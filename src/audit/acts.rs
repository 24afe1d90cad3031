//! What is done to the log itself.

use serde_json::{Value, json};

use crate::audit::entry::Event;
use crate::audit::store::{self, LogRow};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::web::actor::Actor;

/// Starts the log of a new database with an entry that names its key. In a database that has one, does nothing and
/// answers with the log that is there.
///
/// # Errors
/// A fault of the database.
pub fn start_log(tx: &mut Tx<'_>, wanted: &LogRow) -> Answer<LogRow> {
    if let Some(known) = store::log(tx.conn())? {
        tx.nothing_to_change();
        return Ok(known);
    }
    store::insert_log(tx, wanted)?;
    let event = Event {
        kind: "log.started",
        subject: "log".to_owned(),
        data: json!({ "origin": wanted.origin, "key": wanted.verifier_key }),
        private: Value::Null,
    };
    store::append(tx, &Actor::system(), &event)?;
    Ok(wanted.clone())
}
