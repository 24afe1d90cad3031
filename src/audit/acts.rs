//! What is done to the log itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::audit::entry::Event;
use crate::audit::note::Checkpoint;
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

/// A backup that was restored although the log had been signed further than it goes.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The newest checkpoint known to have been signed.
    pub lost: Checkpoint,
    /// Where the log of the backup stands.
    pub kept: Checkpoint,
    /// When the backup was made, RFC 3339.
    pub made_at: String,
}

/// Records in the log itself that entries of it are gone, so that everybody can see it who reads the log from here on.
/// It heals nothing: whoever holds a checkpoint beyond the backup, an auditor or a witness, will see a rollback, and a
/// fork as soon as the log has grown past that checkpoint. They are right. This event says why, and which checkpoint it is
/// about, and the ward has to explain the rest.
///
/// # Errors
/// A fault of the database.
pub fn record_loss(tx: &mut Tx<'_>, loss: &Loss) -> Answer<()> {
    let place = |at: &Checkpoint| json!({ "size": at.size, "root": BASE64.encode(at.root) });
    let event = Event {
        kind: "log.restored",
        subject: "log".to_owned(),
        data: json!({ "lost": place(&loss.lost), "kept": place(&loss.kept), "backup_made_at": loss.made_at }),
        private: Value::Null,
    };
    store::append(tx, &Actor::system(), &event)?;
    Ok(())
}
