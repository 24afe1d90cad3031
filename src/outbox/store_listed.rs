//! Mail as administrators see it: lists of it without what it says.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::outbox;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox::address::Address;
use crate::outbox::content::{BallotLetterReplaced, BallotOpened};
use crate::outbox::rules::{Category, Failure, MailId, State};
use crate::outbox::store::{category, day_of};

/// Mail to voters.
pub(super) const TO_VOTERS: [&str; 2] = [BallotOpened::KIND, BallotLetterReplaced::KIND];

/// A mail as administrators see it: not what it says, and of the address only what tells mails apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: MailId,
    /// What it is about.
    pub kind: String,
    /// Why it is sent.
    pub category: Category,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_failure: Option<Failure>,
    /// The address, masked; none once it was forgotten, and none of a mail to voters, of which the day alone is told: who is reminded has not voted.
    pub address: Option<String>,
    /// When it was queued.
    pub created_at: Instant,
    /// When it is tried, or told in a digest.
    pub next_at: Option<Instant>,
    /// When it was sent, collected, dropped or given up.
    pub ended_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct ListedRow {
    id: MailId,
    kind: String,
    category: String,
    state: String,
    attempts: i64,
    last_failure: Option<String>,
    address: Option<String>,
    created_at: NaiveDateTime,
    next_at: Option<NaiveDateTime>,
    ended_at: Option<NaiveDateTime>,
}

impl TryFrom<ListedRow> for Listed {
    type Error = Fault;

    fn try_from(row: ListedRow) -> Result<Self, Fault> {
        let state =
            State::named(&row.state).ok_or_else(|| Fault::broken(format!("a mail that is {}", row.state)))?;
        // Of mail to voters neither to whom nor when: who is reminded has not voted.
        let is_of_ballot = TO_VOTERS.contains(&row.kind.as_str());
        let shown = |at: NaiveDateTime| {
            if is_of_ballot {
                day_of(at.and_utc())
            } else {
                at.and_utc()
            }
        };
        Ok(Self {
            id: row.id,
            kind: row.kind,
            category: category(&row.category)?,
            state,
            attempts: row.attempts,
            last_failure: row.last_failure.as_deref().and_then(Failure::named),
            address: row
                .address
                .filter(|_| !is_of_ballot)
                .and_then(|address| Some(address.parse::<Address>().ok()?.masked())),
            created_at: shown(row.created_at),
            next_at: row.next_at.map(shown),
            ended_at: row.ended_at.map(shown),
        })
    }
}

/// The mail of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn listed(conn: &mut Conn, id: &MailId) -> Answer<Option<Listed>> {
    let row = outbox::table
        .find(id)
        .select(ListedRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Listed::try_from).transpose()?)
}

/// Up to `max` mails in a state, newest first; only those older than `before`, where it is given. Mail to voters is not among them, unless it was given up, and then in no order: whoever
/// counts what is sent while a ballot is open learns how many have not voted yet.
///
/// # Errors
/// A fault of the database.
pub fn list(conn: &mut Conn, state: State, before: Option<&str>, max: i64) -> Answer<Vec<Listed>> {
    let mut query = outbox::table
        .filter(outbox::state.eq(state.name()))
        .order(outbox::id.desc())
        .select(ListedRow::as_select())
        .limit(max)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(outbox::id.lt(before));
    }
    if state != State::Dead {
        for kind in TO_VOTERS {
            query = query.filter(outbox::kind.ne(kind));
        }
    }
    let rows: Vec<ListedRow> = query.load(conn)?;
    Ok(rows.into_iter().map(Listed::try_from).collect::<Result<_, _>>()?)
}
