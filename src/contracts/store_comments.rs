//! The tables of comments on periods, and of who has said something.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ballots::rules::BallotId;
use crate::both;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_comments::{Comment, RatingCommentId, State, Verdict};
use crate::db::conn::Conn;
use crate::db::schema::{rating_commenters, rating_comments};
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = rating_comments)]
struct CommentRow {
    id: RatingCommentId,
    ballot_id: BallotId,
    contract_id: ContractId,
    period: i64,
    words: String,
    state: String,
    reason: Option<String>,
    decided_by: Option<AccountId>,
    decided_at: Option<NaiveDateTime>,
    reply: Option<String>,
    replied_by: Option<AccountId>,
    replied_at: Option<NaiveDateTime>,
}

impl TryFrom<CommentRow> for Comment {
    type Error = Fault;

    fn try_from(row: CommentRow) -> Result<Self, Fault> {
        let decided = row.decided_by.zip(row.decided_at.map(|at| at.and_utc()));
        let decided = match (State::named(&row.state), row.reason, decided) {
            (Some(State::Received), None, None) => None,
            (Some(State::Released), None, Some((by, at))) => Some((Verdict::Release, by, at)),
            (Some(State::Withheld), Some(reason), Some((by, at))) => {
                Some((Verdict::Withhold(reason), by, at))
            }
            _ => return Err(Fault::broken(format!("{}: its state is none", row.id))),
        };
        let replied = row.replied_by.zip(row.replied_at.map(|at| at.and_utc()));
        Ok(Self {
            id: row.id,
            ballot_id: row.ballot_id,
            contract_id: row.contract_id,
            period: row.period,
            words: row.words,
            decided,
            reply: row.reply.zip(replied).map(|(reply, (by, at))| (reply, by, at)),
        })
    }
}

/// The comment of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn comment(conn: &mut Conn, id: &RatingCommentId) -> Answer<Option<Comment>> {
    let row: Option<CommentRow> = rating_comments::table
        .find(id)
        .select(CommentRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Comment::try_from).transpose()?)
}

/// Up to `max` comments of a ballot with a lower id, of these states, by their ids, which are of chance.
///
/// # Errors
/// A fault of the database.
pub fn of_ballot(
    conn: &mut Conn,
    ballot: &BallotId,
    (states, before): (&[State], Option<&str>),
    max: i64,
) -> Answer<Vec<Comment>> {
    let names: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let mut query = rating_comments::table
        .filter(rating_comments::ballot_id.eq(ballot))
        .filter(rating_comments::state.eq_any(names))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(rating_comments::id.lt(before));
    }
    let rows: Vec<CommentRow> = query
        .order(rating_comments::id.desc())
        .limit(max)
        .select(CommentRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Comment::try_from)
        .collect::<Result<_, _>>()?)
}

/// How many comments of a ballot are in a state.
///
/// # Errors
/// A fault of the database.
pub fn count(conn: &mut Conn, ballot: &BallotId, state: State) -> Answer<i64> {
    Ok(rating_comments::table
        .filter(rating_comments::ballot_id.eq(ballot))
        .filter(rating_comments::state.eq(state.name()))
        .count()
        .get_result(conn)?)
}

/// Notes that a voter has said something. Tells whether they had not yet.
///
/// # Errors
/// A fault of the database.
pub fn note_commenter(tx: &mut Tx<'_>, ballot: &BallotId, number: i64) -> Answer<bool> {
    let noted = both!(tx.conn(), c => diesel::insert_into(rating_commenters::table)
        .values((
            rating_commenters::ballot_id.eq(ballot),
            rating_commenters::number.eq(number),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(noted == 1)
}

/// Adds a comment.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, comment: &Comment) -> Answer<()> {
    diesel::insert_into(rating_comments::table)
        .values((
            rating_comments::id.eq(&comment.id),
            rating_comments::ballot_id.eq(&comment.ballot_id),
            rating_comments::contract_id.eq(&comment.contract_id),
            rating_comments::period.eq(comment.period),
            rating_comments::words.eq(&comment.words),
            rating_comments::state.eq(comment.state().name()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes what was decided about a comment.
///
/// # Errors
/// A fault of the database, or if it was decided before.
pub fn decide(tx: &mut Tx<'_>, comment: &Comment) -> Answer<()> {
    let (reason, by, at) = match &comment.decided {
        Some((Verdict::Release, by, at)) => (None, by, at),
        Some((Verdict::Withhold(reason), by, at)) => (Some(reason), by, at),
        None => return Err(Fault::broken("nothing was decided about a comment").into()),
    };
    let waiting = rating_comments::table
        .find(&comment.id)
        .filter(rating_comments::state.eq(State::Received.name()));
    let changed = diesel::update(waiting)
        .set((
            rating_comments::state.eq(comment.state().name()),
            rating_comments::reason.eq(reason),
            rating_comments::decided_by.eq(by),
            rating_comments::decided_at.eq(at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Writes the reply to a comment.
///
/// # Errors
/// A fault of the database, or if there is one.
pub fn reply(tx: &mut Tx<'_>, comment: &Comment) -> Answer<()> {
    let Some((reply, by, at)) = &comment.reply else {
        return Err(Fault::broken("no reply to a comment").into());
    };
    let open = rating_comments::table
        .find(&comment.id)
        .filter(rating_comments::reply.is_null());
    let changed = diesel::update(open)
        .set((
            rating_comments::reply.eq(reply),
            rating_comments::replied_by.eq(by),
            rating_comments::replied_at.eq(at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} comments updated instead of one")).into())
    }
}
