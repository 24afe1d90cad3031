//! What is done to the log itself.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::audit::entry::Event;
use crate::audit::note::Checkpoint;
use crate::audit::store::{self, LogRow};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::{Action, Role};

crate::ids! {
    /// That an auditor was shown something.
    LookId "look"
}

/// Characters of what was asked for that are kept.
const ASKED_LENGTH_MAX: usize = 2_000;

/// What an auditor asked for.
#[derive(Clone, Debug)]
pub struct Look {
    /// The path of the request and its query.
    pub asked: String,
    /// What of it they might see as an auditor alone.
    pub actions: BTreeSet<Action>,
}

/// Records that an auditor was shown what not everybody is. The public learns that, not by whom and not what; auditors, and who it was, do.
///
/// # Errors
/// Whoever is no auditor has nothing to record: a fault. A fault of the database.
pub fn record_look(tx: &mut Tx<'_>, actor: &Actor, look: &Look) -> Answer<()> {
    if !actor.has(Role::Auditor) || look.actions.is_empty() {
        return Err(Fault::broken("what was no auditor's look was to be recorded as one").into());
    }
    let asked: String = look.asked.chars().take(ASKED_LENGTH_MAX).collect();
    let actions: Vec<String> = look.actions.iter().map(|action| format!("{action:?}")).collect();
    let event = Event {
        kind: "auditor.looked",
        subject: LookId::mint(tx.now()).to_string(),
        data: json!({}),
        private: json!({ "asked": asked, "as_auditor": actions }),
    };
    store::append(tx, actor, &event)?;
    Ok(())
}

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
