//! Keeps the store of files in order: what hangs on nothing for too long is removed, by an act; what no attachment has any more
//! is forgotten and taken away, a while later, so that a backup of the database still finds everything it names in a copy of the
//! store that was made after it; what was left by a crash goes too. Always the row before the file: a crash in between leaves
//! a file without a row, which harms nobody and is found the next time.

use chrono::Duration;
use futures_util::StreamExt;

use crate::db::database::Db;
use crate::files::acts;
use crate::files::desk::Files;
use crate::files::store;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;

/// How long a file is kept that no attachment has any more, or that never became one. Much longer than an upload or the
/// copying of the store can take.
pub const KEPT_UNUSED_FOR: Duration = Duration::hours(48);
/// How long it is known how much an account has uploaded on a day.
const USAGE_KEPT_FOR: Duration = Duration::days(7);
/// Contents forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 100;
/// Files looked up in one query.
const LOOKED_AT_ONCE: usize = 500;
/// Transactions in one round; the rest waits for the next.
const TRANSACTIONS_MAX: usize = 100;

/// What a round has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Attachments removed.
    pub orphans: usize,
    /// Files taken away that no attachment had any more.
    pub unused: usize,
}

/// Removes what hangs on nothing for too long, and takes away what has not been used for a while. Cheap when there is nothing.
///
/// # Errors
/// A fault of the database; that the store is not available.
pub async fn round(files: &Files, db: &Db, now: Instant) -> Answer<Swept> {
    let mut swept = Swept::default();
    let before = files.limits.orphaned_before(now);
    for _ in 0..TRANSACTIONS_MAX {
        // Asked first, because a write that does nothing is a write all the same.
        let any = db.read(move |conn| store::orphans(conn, before, 1)).await?;
        if any.is_empty() {
            break;
        }
        let limits = files.limits.clone();
        let removed = db.write(move |tx| acts::remove_orphans(tx, &limits)).await?;
        swept.orphans = swept.orphans.saturating_add(removed);
        if removed == 0 {
            // What was read is behind what is written to.
            break;
        }
    }
    for _ in 0..TRANSACTIONS_MAX {
        if !db
            .read(move |conn| store::has_contents_unused_since(conn, now - KEPT_UNUSED_FOR))
            .await?
        {
            break;
        }
        let places = db
            .upkeep(move |tx| store::forget_contents(tx, now - KEPT_UNUSED_FOR, FORGOTTEN_AT_ONCE))
            .await?;
        for place in &places {
            files.shelf.delete(place).await?;
        }
        swept.unused = swept.unused.saturating_add(places.len());
        if places.is_empty() {
            break;
        }
    }
    let day = local_date(now - USAGE_KEPT_FOR, files.limits.zone);
    if db.read(move |conn| store::has_usage_before(conn, day)).await? {
        db.upkeep(move |tx| store::forget_usage(tx, day)).await?;
    }
    Ok(swept)
}

/// Takes away what lies in the store without a row: left by a crash, or by an upload whose caller hung up at the last moment.
/// Looks at everything that lies there, so it is done seldom.
///
/// # Errors
/// As [`round`].
pub async fn strays(files: &Files, db: &Db, now: Instant) -> Answer<usize> {
    let before = now - KEPT_UNUSED_FOR;
    let mut taken = files.shelf.forget_begun(before)?;
    let mut everything = files.shelf.everything().chunks(LOOKED_AT_ONCE);
    while let Some(some) = everything.next().await {
        let mut old = Vec::new();
        for lying in some {
            let lying = lying?;
            // What has a name of another form was put there by somebody else and is theirs.
            if lying.since.is_some_and(|since| since < before) {
                old.push(lying.place);
            }
        }
        let asked = old.clone();
        let known = db.read(move |conn| store::known_places(conn, &asked)).await?;
        for place in old.iter().filter(|place| !known.contains(*place)) {
            files.shelf.delete(place).await?;
            taken = taken.saturating_add(1);
        }
    }
    Ok(taken)
}
