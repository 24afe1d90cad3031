//! The tables of attachments. What the bytes are and where they lie; never the bytes.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{attachment_usage, attachments, file_objects};
use crate::db::writer::Tx;
use crate::files::media::MediaType;
use crate::files::rules::{Attachment, AttachmentId, Hanging, UNATTACHED_MAX, Usage, Visibility};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = attachments)]
struct AttachmentRow {
    id: AttachmentId,
    sha256: String,
    bytes: i64,
    media_type: String,
    name: String,
    metadata_removed: bool,
    uploaded_by: String,
    uploaded_at: NaiveDateTime,
    matter_kind: Option<String>,
    matter_id: Option<String>,
    visibility: Option<String>,
    attached_at: Option<NaiveDateTime>,
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = Fault;

    fn try_from(row: AttachmentRow) -> Result<Self, Fault> {
        let media_type = MediaType::of_essence(&row.media_type)
            .ok_or_else(|| Fault::broken(format!("an attachment of type {}", row.media_type)))?;
        let hanging = match (row.matter_kind, row.matter_id, row.visibility, row.attached_at) {
            (Some(matter_kind), Some(matter_id), Some(visibility), Some(attached_at)) => Some(Hanging {
                matter_kind,
                matter_id,
                visibility: Visibility::named(&visibility)
                    .ok_or_else(|| Fault::broken(format!("an attachment visible to {visibility}")))?,
                attached_at: attached_at.and_utc(),
            }),
            _ => None,
        };
        Ok(Self {
            id: row.id,
            sha256: row.sha256,
            bytes: unsigned(row.bytes)?,
            media_type,
            name: row.name,
            metadata_removed: row.metadata_removed,
            uploaded_by: row.uploaded_by,
            uploaded_at: row.uploaded_at.and_utc(),
            hanging,
        })
    }
}

/// The content of some attachments, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = file_objects)]
pub struct Content {
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: i64,
    /// Where it lies in the store of files.
    pub place: String,
}

fn unsigned(bytes: i64) -> Result<u64, Fault> {
    u64::try_from(bytes).map_err(|error| Fault::caused("a stored number of bytes", error))
}

fn signed(bytes: u64) -> Result<i64, Fault> {
    i64::try_from(bytes).map_err(|error| Fault::caused("a number of bytes", error))
}

/// The attachment of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn attachment(conn: &mut Conn, id: &AttachmentId) -> Answer<Option<Attachment>> {
    let row = attachments::table
        .find(id)
        .select(AttachmentRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Attachment::try_from).transpose()?)
}

/// Up to `max` attachments of an account that hang on nothing, oldest first, after the one of id `after`.
///
/// # Errors
/// A fault of the database.
pub fn unattached(conn: &mut Conn, account: &str, after: &str, max: i64) -> Answer<Vec<Attachment>> {
    let rows: Vec<AttachmentRow> = attachments::table
        .filter(attachments::uploaded_by.eq(account))
        .filter(attachments::matter_id.is_null())
        .filter(attachments::id.gt(after))
        .order(attachments::id)
        .select(AttachmentRow::as_select())
        .limit(max)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Attachment::try_from)
        .collect::<Result<_, _>>()?)
}

/// What hangs on a matter, in the order of upload.
///
/// # Errors
/// A fault of the database.
pub fn attached_to(conn: &mut Conn, matter_id: &str) -> Answer<Vec<Attachment>> {
    let rows: Vec<AttachmentRow> = attachments::table
        .filter(attachments::matter_id.eq(matter_id))
        .order(attachments::id)
        .select(AttachmentRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Attachment::try_from)
        .collect::<Result<_, _>>()?)
}

/// Up to `max` attachments of any account that hang on nothing and were uploaded before `before`, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn orphans(conn: &mut Conn, before: Instant, max: i64) -> Answer<Vec<Attachment>> {
    let rows: Vec<AttachmentRow> = attachments::table
        .filter(attachments::matter_id.is_null())
        .filter(attachments::uploaded_at.lt(before.naive_utc()))
        .order((attachments::uploaded_at, attachments::id))
        .select(AttachmentRow::as_select())
        .limit(max)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Attachment::try_from)
        .collect::<Result<_, _>>()?)
}

/// What an account has uploaded on a day, and what of all it has uploaded hangs on nothing.
///
/// # Errors
/// A fault of the database.
pub fn usage(conn: &mut Conn, account: &str, day: NaiveDate) -> Answer<Usage> {
    let day_bytes: Option<i64> = attachment_usage::table
        .find((account, day))
        .select(attachment_usage::bytes)
        .first(conn)
        .optional()?;
    let sizes: Vec<i64> = attachments::table
        .filter(attachments::uploaded_by.eq(account))
        .filter(attachments::matter_id.is_null())
        .select(attachments::bytes)
        .limit(i64::try_from(UNATTACHED_MAX).unwrap_or(i64::MAX))
        .load(conn)?;
    let unattached_bytes = sizes.iter().fold(0, |sum: i64, bytes| sum.saturating_add(*bytes));
    Ok(Usage {
        day_bytes: unsigned(day_bytes.unwrap_or_default())?,
        unattached: sizes.len(),
        unattached_bytes: unsigned(unattached_bytes)?,
    })
}

/// Counts what an account has uploaded on a day.
///
/// # Errors
/// A fault of the database.
pub fn add_usage(tx: &mut Tx<'_>, account: &str, day: NaiveDate, bytes: u64) -> Answer<()> {
    let bytes = signed(bytes)?;
    let row = (
        attachment_usage::account.eq(account),
        attachment_usage::day.eq(day),
        attachment_usage::bytes.eq(bytes),
    );
    both!(tx.conn(), c => diesel::insert_into(attachment_usage::table)
        .values(row)
        .on_conflict((attachment_usage::account, attachment_usage::day))
        .do_update()
        .set(attachment_usage::bytes.eq(attachment_usage::bytes + bytes))
        .execute(c))?;
    Ok(())
}

/// True if something is known of uploads before a day.
///
/// # Errors
/// A fault of the database.
pub fn has_usage_before(conn: &mut Conn, before: NaiveDate) -> Answer<bool> {
    let old = attachment_usage::table
        .filter(attachment_usage::day.lt(before))
        .select(attachment_usage::day);
    Ok(old.first::<NaiveDate>(conn).optional()?.is_some())
}

/// True if there is a content that has not been used since an instant.
///
/// # Errors
/// A fault of the database.
pub fn has_contents_unused_since(conn: &mut Conn, before: Instant) -> Answer<bool> {
    let unused = file_objects::table
        .filter(file_objects::unused_since.lt(before.naive_utc()))
        .select(file_objects::sha256);
    Ok(unused.first::<String>(conn).optional()?.is_some())
}

/// Forgets what was uploaded before a day; upkeep.
///
/// # Errors
/// A fault of the database.
pub fn forget_usage(tx: &mut Tx<'_>, before: NaiveDate) -> Answer<usize> {
    let old = attachment_usage::table.filter(attachment_usage::day.lt(before));
    Ok(diesel::delete(old).execute(tx.conn())?)
}

/// The content of that hash, if it lies in the store.
///
/// # Errors
/// A fault of the database.
pub fn content(conn: &mut Conn, sha256: &str) -> Answer<Option<Content>> {
    Ok(file_objects::table
        .find(sha256)
        .select(Content::as_select())
        .first(conn)
        .optional()?)
}

/// Up to `max` contents in the order of their hashes, after `after`.
///
/// # Errors
/// A fault of the database.
pub fn contents(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<Content>> {
    Ok(file_objects::table
        .filter(file_objects::sha256.gt(after))
        .order(file_objects::sha256)
        .select(Content::as_select())
        .limit(max)
        .load(conn)?)
}

/// Those of these places at which a content lies.
///
/// # Errors
/// A fault of the database.
pub fn known_places(conn: &mut Conn, places: &[String]) -> Answer<HashSet<String>> {
    let found: Vec<String> = file_objects::table
        .filter(file_objects::place.eq_any(places))
        .select(file_objects::place)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Makes the content one that is used: the one that lies in the store already, or that of `new`. Tells whether it was `new`.
///
/// # Errors
/// A fault of the database.
pub fn use_content(tx: &mut Tx<'_>, new: &Content) -> Answer<bool> {
    let now = tx.now().naive_utc();
    if content(tx.conn(), &new.sha256)?.is_some() {
        diesel::update(file_objects::table.find(&new.sha256))
            .set(file_objects::unused_since.eq(None::<NaiveDateTime>))
            .execute(tx.conn())?;
        return Ok(false);
    }
    diesel::insert_into(file_objects::table)
        .values((
            file_objects::sha256.eq(&new.sha256),
            file_objects::bytes.eq(new.bytes),
            file_objects::place.eq(&new.place),
            file_objects::stored_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

/// Notes that a content is not used any more, if no attachment has it.
///
/// # Errors
/// A fault of the database.
pub fn leave_content(tx: &mut Tx<'_>, sha256: &str) -> Answer<()> {
    let now = tx.now().naive_utc();
    let other: Option<AttachmentId> = attachments::table
        .filter(attachments::sha256.eq(sha256))
        .select(attachments::id)
        .first(tx.conn())
        .optional()?;
    if other.is_none() {
        diesel::update(file_objects::table.find(sha256))
            .set(file_objects::unused_since.eq(now))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Forgets up to `max` contents that have not been used since before `before`, and tells where they lie; upkeep. Whoever
/// uploads the same bytes afterwards puts them somewhere else.
///
/// # Errors
/// A fault of the database.
pub fn forget_contents(tx: &mut Tx<'_>, before: Instant, max: i64) -> Answer<Vec<String>> {
    let unused: Vec<(String, String)> = file_objects::table
        .filter(file_objects::unused_since.lt(before.naive_utc()))
        .order(file_objects::unused_since)
        .select((file_objects::sha256, file_objects::place))
        .limit(max)
        .load(tx.conn())?;
    for (sha256, _) in &unused {
        diesel::delete(file_objects::table.find(sha256)).execute(tx.conn())?;
    }
    Ok(unused.into_iter().map(|(_, place)| place).collect())
}

/// Adds an attachment that hangs on nothing.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, attachment: &Attachment) -> Answer<()> {
    diesel::insert_into(attachments::table)
        .values((
            attachments::id.eq(&attachment.id),
            attachments::sha256.eq(&attachment.sha256),
            attachments::bytes.eq(signed(attachment.bytes)?),
            attachments::media_type.eq(attachment.media_type.essence()),
            attachments::name.eq(&attachment.name),
            attachments::metadata_removed.eq(attachment.metadata_removed),
            attachments::uploaded_by.eq(&attachment.uploaded_by),
            attachments::uploaded_at.eq(attachment.uploaded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that an attachment, which hung on nothing, hangs on a matter now.
///
/// # Errors
/// A fault of the database, or if it hung on something already.
pub fn hang(tx: &mut Tx<'_>, id: &AttachmentId, on: &Hanging) -> Answer<()> {
    let free = attachments::table
        .find(id)
        .filter(attachments::matter_id.is_null());
    let changed = diesel::update(free)
        .set((
            attachments::matter_kind.eq(&on.matter_kind),
            attachments::matter_id.eq(&on.matter_id),
            attachments::visibility.eq(on.visibility.name()),
            attachments::attached_at.eq(on.attached_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Deletes an attachment that hangs on nothing.
///
/// # Errors
/// A fault of the database, or if it hangs on something.
pub fn delete(tx: &mut Tx<'_>, id: &AttachmentId) -> Answer<()> {
    let free = attachments::table
        .find(id)
        .filter(attachments::matter_id.is_null());
    let deleted = diesel::delete(free).execute(tx.conn())?;
    one(deleted)
}

fn one(rows: usize) -> Answer<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{rows} attachments changed instead of one")).into())
    }
}
