//! The tables of panels: what was asked for, the draws, and who was called to which seat.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::award::rules_draw;
use crate::award::rules_panel::{Draw, Interest, Member, MemberKind, MemberState, Panel};
use crate::books::rules::BookId;
use crate::db::conn::Conn;
use crate::db::schema::{panel_draws, panel_members, panels};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};

/// Panels of one account that are shown.
const SEATS_SHOWN_MAX: i64 = 200;

#[derive(Queryable, Selectable)]
#[diesel(table_name = panels)]
struct PanelRow {
    book_id: BookId,
    size: i64,
    experts: i64,
    has_large_impact: bool,
    requested_at: NaiveDateTime,
    disclosed_at: Option<NaiveDateTime>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = panel_draws)]
struct DrawRow {
    number: i64,
    seed: Vec<u8>,
    candidates: String,
    candidates_sha256: Vec<u8>,
    drawn_at: NaiveDateTime,
}

impl TryFrom<DrawRow> for Draw {
    type Error = Fault;

    fn try_from(row: DrawRow) -> Result<Self, Fault> {
        let candidates: Vec<AccountId> = serde_json::from_str(&row.candidates)
            .map_err(|error| Fault::caused("the candidates of a draw", error))?;
        if row.candidates_sha256 != rules_draw::candidates_sha256(&candidates) {
            return Err(Fault::broken(
                "the candidates of a draw are not those that were hashed",
            ));
        }
        Ok(Self {
            number: row.number,
            seed: row
                .seed
                .as_slice()
                .try_into()
                .map_err(|error| Fault::caused("the seed of a draw", error))?,
            candidates,
            drawn_at: row.drawn_at.and_utc(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = panel_members)]
struct MemberRow {
    account_id: AccountId,
    seat: i64,
    kind: String,
    draw: Option<i64>,
    place: Option<i64>,
    state: String,
    called_at: NaiveDateTime,
    declared_at: Option<NaiveDateTime>,
    interests: Option<String>,
    ended_at: Option<NaiveDateTime>,
    reason: Option<String>,
    vote: Option<AccountId>,
    is_chair: bool,
}

impl TryFrom<MemberRow> for Member {
    type Error = Fault;

    fn try_from(row: MemberRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{what} of {} on a panel", row.account_id));
        let interests: Vec<Interest> = match &row.interests {
            Some(interests) => serde_json::from_str(interests)
                .map_err(|error| Fault::caused("the interests of a member", error))?,
            None => Vec::new(),
        };
        Ok(Self {
            kind: MemberKind::named(&row.kind).ok_or_else(|| broken("the kind"))?,
            state: MemberState::named(&row.state).ok_or_else(|| broken("the state"))?,
            account_id: row.account_id,
            seat: row.seat,
            drawn: row.draw.zip(row.place),
            called_at: row.called_at.and_utc(),
            declared_at: row.declared_at.map(|at| at.and_utc()),
            interests,
            ended_at: row.ended_at.map(|at| at.and_utc()),
            reason: row.reason,
            vote: row.vote,
            is_chair: row.is_chair,
        })
    }
}

/// The panel of a book, if one was drawn.
///
/// # Errors
/// A fault of the database.
pub fn of_book(conn: &mut Conn, book: &BookId) -> Answer<Option<Panel>> {
    let row: Option<PanelRow> = panels::table
        .find(book)
        .select(PanelRow::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let draws: Vec<DrawRow> = panel_draws::table
        .filter(panel_draws::book_id.eq(book))
        .order(panel_draws::number)
        .select(DrawRow::as_select())
        .load(conn)?;
    let members: Vec<MemberRow> = panel_members::table
        .filter(panel_members::book_id.eq(book))
        .order((
            panel_members::seat,
            panel_members::called_at,
            panel_members::draw,
            panel_members::place,
            panel_members::account_id,
        ))
        .select(MemberRow::as_select())
        .load(conn)?;
    Ok(Some(Panel {
        book_id: row.book_id,
        size: row.size,
        experts: row.experts,
        has_large_impact: row.has_large_impact,
        requested_at: row.requested_at.and_utc(),
        disclosed_at: row.disclosed_at.map(|at| at.and_utc()),
        draws: draws.into_iter().map(Draw::try_from).collect::<Result<_, _>>()?,
        members: members
            .into_iter()
            .map(Member::try_from)
            .collect::<Result<_, _>>()?,
    }))
}

/// The seats that an account holds: of which books, and how far it is; the last books first.
///
/// # Errors
/// A fault of the database.
pub fn seats_of(conn: &mut Conn, account: &str) -> Answer<Vec<(BookId, i64, MemberState)>> {
    let rows: Vec<(BookId, i64, String)> = panel_members::table
        .filter(panel_members::account_id.eq(account))
        .filter(panel_members::ended_at.is_null())
        .order(panel_members::book_id.desc())
        .limit(SEATS_SHOWN_MAX)
        .select((panel_members::book_id, panel_members::seat, panel_members::state))
        .load(conn)?;
    rows.into_iter()
        .map(|(book, seat, state)| {
            let state = MemberState::named(&state)
                .ok_or_else(|| Fault::broken(format!("the state {state} of a seat")))?;
            Ok((book, seat, state))
        })
        .collect()
}

/// Adds a panel, without draws and members.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, panel: &Panel) -> Answer<()> {
    diesel::insert_into(panels::table)
        .values((
            panels::book_id.eq(&panel.book_id),
            panels::size.eq(panel.size),
            panels::experts.eq(panel.experts),
            panels::has_large_impact.eq(panel.has_large_impact),
            panels::requested_at.eq(panel.requested_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds a draw.
///
/// # Errors
/// A fault of the database.
pub fn insert_draw(tx: &mut Tx<'_>, book: &BookId, draw: &Draw) -> Answer<()> {
    let candidates =
        serde_json::to_string(&draw.candidates).map_err(|error| Fault::caused("write candidates", error))?;
    diesel::insert_into(panel_draws::table)
        .values((
            panel_draws::book_id.eq(book),
            panel_draws::number.eq(draw.number),
            panel_draws::seed.eq(draw.seed.as_slice()),
            panel_draws::candidates.eq(candidates),
            panel_draws::candidates_sha256.eq(rules_draw::candidates_sha256(&draw.candidates).as_slice()),
            panel_draws::drawn_at.eq(draw.drawn_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds somebody who is called to a seat, or was passed over.
///
/// # Errors
/// A fault of the database.
pub fn insert_member(tx: &mut Tx<'_>, book: &BookId, member: &Member) -> Answer<()> {
    diesel::insert_into(panel_members::table)
        .values((
            panel_members::book_id.eq(book),
            panel_members::account_id.eq(&member.account_id),
            panel_members::seat.eq(member.seat),
            panel_members::kind.eq(member.kind.name()),
            panel_members::draw.eq(member.drawn.map(|(draw, _)| draw)),
            panel_members::place.eq(member.drawn.map(|(_, place)| place)),
            panel_members::state.eq(member.state.name()),
            panel_members::called_at.eq(member.called_at.naive_utc()),
            panel_members::ended_at.eq(member.ended_at.map(|at| at.naive_utc())),
            panel_members::reason.eq(&member.reason),
            panel_members::is_chair.eq(member.is_chair),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves what became of somebody who held a seat until now.
///
/// # Errors
/// A fault of the database, or if they do not hold it any more.
pub fn update_member(tx: &mut Tx<'_>, book: &BookId, member: &Member) -> Answer<()> {
    let interests = match member.declared_at {
        Some(_) => Some(
            serde_json::to_string(&member.interests)
                .map_err(|error| Fault::caused("write interests", error))?,
        ),
        None => None,
    };
    let holding = panel_members::table
        .find((book, &member.account_id))
        .filter(panel_members::ended_at.is_null());
    let changed = diesel::update(holding)
        .set((
            panel_members::state.eq(member.state.name()),
            panel_members::declared_at.eq(member.declared_at.map(|at| at.naive_utc())),
            panel_members::interests.eq(interests),
            panel_members::ended_at.eq(member.ended_at.map(|at| at.naive_utc())),
            panel_members::reason.eq(&member.reason),
            panel_members::vote.eq(&member.vote),
            panel_members::is_chair.eq(member.is_chair),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} members of a panel changed instead of one")).into())
    }
}

/// The record of a panel that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// The record as it was written.
    pub content: String,
    /// SHA-256 of it, as the log has it.
    pub sha256: [u8; 32],
    /// When, UTC.
    pub at: Instant,
}

/// The record of a book's panel, if it was published.
///
/// # Errors
/// A fault of the database, or of a record that is not what was hashed.
pub fn disclosed(conn: &mut Conn, book: &BookId) -> Answer<Option<Disclosed>> {
    type Columns = (Option<NaiveDateTime>, Option<String>, Option<Vec<u8>>);
    let row: Option<Columns> = panels::table
        .find(book)
        .select((panels::disclosed_at, panels::record, panels::record_sha256))
        .first(conn)
        .optional()?;
    let Some((Some(at), Some(content), Some(hashed))) = row else {
        return Ok(None);
    };
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hashed != sha256 {
        return Err(Fault::broken(format!(
            "the record of the panel of {book} is not what was hashed"
        ))
        .into());
    }
    Ok(Some(Disclosed {
        content,
        sha256,
        at: at.and_utc(),
    }))
}

/// Keeps the record with which a panel becomes public, and tells its hash.
///
/// # Errors
/// A fault of the database, or if it is public already.
pub fn disclose(tx: &mut Tx<'_>, book: &BookId, content: &str) -> Answer<[u8; 32]> {
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    let now = tx.now().naive_utc();
    let secret = panels::table.find(book).filter(panels::disclosed_at.is_null());
    let changed = diesel::update(secret)
        .set((
            panels::disclosed_at.eq(now),
            panels::record.eq(content),
            panels::record_sha256.eq(sha256.as_slice()),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(sha256)
    } else {
        Err(Fault::broken(format!("{changed} panels became public instead of one")).into())
    }
}
