//! What is done to attachments: each function is one transaction's worth of work, permission first, event last. The bytes lie
//! in the store before an act makes them an attachment, and leave it after an act has ended that.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::files::media::MediaType;
use crate::files::rules::{self, ATTACHMENT_UNKNOWN, Attachment, AttachmentId, Limits, Use};
use crate::files::store::{self, Content};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::NOT_FOUND;

/// Attachments removed in one transaction by [`remove_orphans`].
const ORPHANS_AT_ONCE: i64 = 100;

/// A file whose bytes lie in the store.
#[derive(Clone, Debug)]
pub struct Upload {
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// How many.
    pub bytes: u64,
    /// What they are.
    pub media_type: MediaType,
    /// The file's name, cleaned.
    pub name: String,
    /// True if it is a picture whose metadata was removed.
    pub metadata_removed: bool,
    /// Where they lie.
    pub place: String,
}

/// What became of an upload.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The attachment.
    pub attachment: Attachment,
    /// True if the bytes at the upload's place are those that will be read; false if the same ones lay in the store already.
    pub place_is_used: bool,
}

/// Makes a stored file an attachment of the actor's that hangs on nothing.
///
/// # Errors
/// Permission; those of [`rules::admit`].
pub fn upload(tx: &mut Tx<'_>, actor: &Actor, command: &Upload, limits: &Limits) -> Answer<Uploaded> {
    policy::allow(actor, Action::UploadAttachment, Matter::default())?;
    let account = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?;
    let day = local_date(tx.now(), limits.zone);
    let usage = store::usage(tx.conn(), account, day)?;
    rules::admit(command.bytes, usage, limits)?;
    let content = Content {
        sha256: command.sha256.clone(),
        bytes: i64::try_from(command.bytes).map_err(|error| Fault::caused("a file's size", error))?,
        place: command.place.clone(),
    };
    let place_is_used = store::use_content(tx, &content)?;
    let attachment = Attachment {
        id: AttachmentId::mint(tx.now()),
        sha256: command.sha256.clone(),
        bytes: command.bytes,
        media_type: command.media_type,
        name: command.name.clone(),
        metadata_removed: command.metadata_removed,
        uploaded_by: account.to_owned(),
        uploaded_at: tx.now(),
        hanging: None,
    };
    store::insert(tx, &attachment)?;
    store::add_usage(tx, account, day, command.bytes)?;
    let event = Event {
        private: json!({ "name": attachment.name }),
        ..event("attachment.uploaded", &attachment, facts(&attachment))
    };
    audit::store::append(tx, actor, &event)?;
    Ok(Uploaded {
        attachment,
        place_is_used,
    })
}

/// Records that the virus scanner has refused a file. Nothing of the file is kept.
///
/// # Errors
/// Permission; a fault of the database.
pub fn record_infection(tx: &mut Tx<'_>, actor: &Actor, command: &Upload, finding: &str) -> Answer<()> {
    policy::allow(actor, Action::UploadAttachment, Matter::default())?;
    let event = Event {
        kind: "attachment.infected",
        subject: AttachmentId::mint(tx.now()).to_string(),
        data: json!({
            "sha256": command.sha256,
            "bytes": command.bytes,
            "media_type": command.media_type.essence(),
            "finding": finding,
        }),
        private: json!({ "name": command.name }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Hangs an attachment of the actor's on a matter, for good. Called by the act of the slice that the matter belongs to, in
/// that act's transaction, after it has asked the policy about the matter: here it is only asked about the attachment.
///
/// # Errors
/// Those of [`rules::attach`].
pub fn attach(tx: &mut Tx<'_>, actor: &Actor, id: &AttachmentId, to: Use<'_>) -> Answer<Attachment> {
    let attachment =
        store::attachment(tx.conn(), id)?.ok_or_else(|| ATTACHMENT_UNKNOWN.refuse().at(to.pointer))?;
    let attachment = rules::attach(attachment, actor.id(), to, tx.now())?;
    let Some(hanging) = &attachment.hanging else {
        return Err(Fault::broken("an attachment was hung on nothing").into());
    };
    store::hang(tx, id, hanging)?;
    let mut data = facts(&attachment);
    if let Value::Object(members) = &mut data {
        members.insert("matter".to_owned(), json!(hanging.matter_id));
        members.insert("visibility".to_owned(), json!(hanging.visibility.name()));
    }
    audit::store::append(tx, actor, &event("attachment.attached", &attachment, data))?;
    Ok(attachment)
}

/// Removes an attachment of the actor's that hangs on nothing.
///
/// # Errors
/// Permission; not found, also for somebody else's; [`rules::ALREADY_ATTACHED`].
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, id: &AttachmentId) -> Answer<Attachment> {
    policy::allow(actor, Action::RemoveAttachment, Matter::default())?;
    let attachment = store::attachment(tx.conn(), id)?
        .filter(|attachment| actor.id() == Some(&attachment.uploaded_by))
        .ok_or_else(|| NOT_FOUND.refuse())?;
    take_away(tx, actor, &attachment, "by its uploader")?;
    Ok(attachment)
}

/// Removes some of the attachments that have hung on nothing for too long, and tells how many. Done by the service itself.
///
/// # Errors
/// Permission; a fault of the database.
pub fn remove_orphans(tx: &mut Tx<'_>, limits: &Limits) -> Answer<usize> {
    let actor = Actor::system();
    policy::allow(&actor, Action::RemoveAttachment, Matter::default())?;
    let before = limits.orphaned_before(tx.now());
    let orphans = store::orphans(tx.conn(), before, ORPHANS_AT_ONCE)?;
    for orphan in &orphans {
        take_away(tx, &actor, orphan, "attached to nothing for too long")?;
    }
    if orphans.is_empty() {
        tx.nothing_to_change();
    }
    Ok(orphans.len())
}

fn take_away(tx: &mut Tx<'_>, actor: &Actor, attachment: &Attachment, why: &str) -> Answer<()> {
    rules::remove(attachment)?;
    store::delete(tx, &attachment.id)?;
    store::leave_content(tx, &attachment.sha256)?;
    let data = json!({ "sha256": attachment.sha256, "why": why });
    audit::store::append(tx, actor, &event("attachment.removed", attachment, data))?;
    Ok(())
}

/// What everybody may know of an attachment for ever. Its name may hold a person's.
fn facts(attachment: &Attachment) -> Value {
    json!({
        "sha256": attachment.sha256,
        "bytes": attachment.bytes,
        "media_type": attachment.media_type.essence(),
    })
}

fn event(kind: &'static str, attachment: &Attachment, data: Value) -> Event {
    Event {
        kind,
        subject: attachment.id.to_string(),
        data,
        private: Value::Null,
    }
}
