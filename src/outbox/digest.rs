//! The digest: what people wanted to have once a day, put together in the transaction in which its parts are marked as
//! collected, so that nothing is told twice and nothing is left out.

use std::collections::BTreeSet;

use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox::content::{Content, Digest, DigestItem};
use crate::outbox::letter::Letterhead;
use crate::outbox::notice::Notice;
use crate::outbox::rules::{Category, DIGEST_ITEMS_MAX, Failure, State};
use crate::outbox::store::{self, Parcel};
use crate::outbox::wording::{Block, Both};

/// Held mails that one round looks at.
const LOOKED_AT_MAX: i64 = 200;

/// Queues a digest for each of the accounts whose held mail is due, some at a time. Tells how many there were.
///
/// # Errors
/// A fault of the database.
pub fn collect(conn: &mut Conn, head: &Letterhead, now: Instant) -> Answer<usize> {
    let due = store::due(conn, State::Held, now, LOOKED_AT_MAX)?;
    let accounts: BTreeSet<String> = due.into_iter().filter_map(|mail| mail.to.account_id).collect();
    let items_max = i64::try_from(DIGEST_ITEMS_MAX).unwrap_or(i64::MAX);
    for account_id in &accounts {
        let held = store::held_of(conn, account_id, now, items_max)?;
        collect_one(conn, &held, head, now)?;
    }
    Ok(accounts.len())
}

fn collect_one(conn: &mut Conn, held: &[Parcel], head: &Letterhead, now: Instant) -> Answer<()> {
    let (Some(first), Some(last)) = (held.first(), held.last()) else {
        return Ok(());
    };
    let items: Vec<DigestItem> = held.iter().filter_map(|mail| item(mail, head)).collect();
    if items.is_empty() {
        for mail in held {
            store::dropped(conn, mail, State::Held, Some(Failure::Unsendable), now)?;
        }
        return Ok(());
    }
    let digest = Digest {
        date: local_date(now, head.zone),
        items,
    };
    // To the address that the newest of them would have gone to.
    let notice = Notice::new(format!("digest:{}", first.id), last.to.clone(), digest);
    let id = store::insert(conn, &notice, now)?
        .ok_or_else(|| Fault::broken("a held mail was part of a digest before"))?;
    for mail in held {
        store::collected(conn, mail, &id, now)?;
    }
    Ok(())
}

/// One line of the digest: what the mail would have had for a subject, and where it would have led.
fn item(mail: &Parcel, head: &Letterhead) -> Option<DigestItem> {
    let wording = mail
        .content
        .as_ref()
        .map(|content: &Content| content.wording(head))?;
    let subject = |language| wording.subject.in_language(language).to_owned();
    Some(DigestItem {
        subject: Both::new(subject(Language::Chinese), subject(Language::English)),
        path: wording.blocks.iter().find_map(|block| match block {
            Block::Button { path, .. } => Some(path.clone()),
            _ => None,
        }),
        news: mail.category == Category::News,
    })
}
