//! The table of awards. Rows are added, go forward from state to state, and are never taken away.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::award::rules_awards::{Award, AwardId, End, Ended, Notice, State};
use crate::award::rules_results::EvaluationId;
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::awards;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = awards)]
struct AwardRow {
    id: AwardId,
    lot_id: LotId,
    book_id: BookId,
    evaluation_id: EvaluationId,
    number: i64,
    place: i64,
    bid_id: BidId,
    supplier_id: OrganisationId,
    price_fen: i64,
    state: String,
    report: String,
    proposed_at: NaiveDateTime,
    decision: Option<String>,
    decided_at: Option<NaiveDateTime>,
    notice_sha256: Option<Vec<u8>>,
    noticed_at: Option<NaiveDateTime>,
    confirmed_at: Option<NaiveDateTime>,
    signed_at: Option<NaiveDateTime>,
    end_cause: Option<String>,
    end_zh: Option<String>,
    end_en: Option<String>,
    ended_at: Option<NaiveDateTime>,
    revision: i64,
}

impl TryFrom<AwardRow> for Award {
    type Error = Fault;

    fn try_from(row: AwardRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let notice = match row.noticed_at.zip(row.notice_sha256) {
            Some((at, sha256)) => Some(Notice {
                at: at.and_utc(),
                sha256: <[u8; 32]>::try_from(sha256.as_slice()).map_err(|_| broken("its hash is none"))?,
            }),
            None => None,
        };
        let ended = match (row.ended_at, row.end_cause, row.end_zh.zip(row.end_en)) {
            (Some(at), Some(cause), Some((zh, en))) => Some(Ended {
                at: at.and_utc(),
                cause: End::named(&cause).ok_or_else(|| broken("its end is none"))?,
                reason: Line { zh, en },
            }),
            _ => None,
        };
        Ok(Self {
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            price: Money::from_fen(row.price_fen).map_err(|_| broken("its price is none"))?,
            id: row.id,
            lot_id: row.lot_id,
            book_id: row.book_id,
            evaluation_id: row.evaluation_id,
            number: row.number,
            place: row.place,
            bid_id: row.bid_id,
            supplier_id: row.supplier_id,
            report: row.report,
            proposed_at: row.proposed_at.and_utc(),
            decided: row.decided_at.map(|at| at.and_utc()).zip(row.decision),
            notice,
            confirmed_at: row.confirmed_at.map(|at| at.and_utc()),
            signed_at: row.signed_at.map(|at| at.and_utc()),
            ended,
            revision: row.revision,
        })
    }
}

/// The award of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn award(conn: &mut Conn, id: &AwardId) -> Answer<Option<Award>> {
    let row: Option<AwardRow> = awards::table
        .find(id)
        .select(AwardRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Award::try_from).transpose()?)
}

/// The awards of a lot, the first one first.
///
/// # Errors
/// A fault of the database.
pub fn of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Award>> {
    let rows: Vec<AwardRow> = awards::table
        .filter(awards::lot_id.eq(lot))
        .order(awards::number)
        .select(AwardRow::as_select())
        .load(conn)?;
    let all: Result<Vec<Award>, Fault> = rows.into_iter().map(Award::try_from).collect();
    Ok(all?)
}

/// The one award of a lot that has not ended, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn standing_of(conn: &mut Conn, lot: &LotId) -> Answer<Option<Award>> {
    let row: Option<AwardRow> = awards::table
        .filter(awards::lot_id.eq(lot))
        .filter(awards::state.ne(State::Ended.name()))
        .select(AwardRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Award::try_from).transpose()?)
}

/// The notice of an award as its bytes, if it was published.
///
/// # Errors
/// A fault of the database, or if it is not what was hashed.
pub fn notice(conn: &mut Conn, id: &AwardId) -> Answer<Option<String>> {
    let row: Option<(Option<String>, Option<Vec<u8>>)> = awards::table
        .find(id)
        .select((awards::notice, awards::notice_sha256))
        .first(conn)
        .optional()?;
    let Some((Some(content), Some(hashed))) = row else {
        return Ok(None);
    };
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hashed != sha256 {
        return Err(Fault::broken(format!("the notice of {id} is not what was hashed")).into());
    }
    Ok(Some(content))
}

/// Adds a proposed award.
///
/// # Errors
/// A fault of the database, or if the lot has another that has not ended.
pub fn insert(tx: &mut Tx<'_>, award: &Award) -> Answer<()> {
    diesel::insert_into(awards::table)
        .values((
            awards::id.eq(&award.id),
            awards::lot_id.eq(&award.lot_id),
            awards::book_id.eq(&award.book_id),
            awards::evaluation_id.eq(&award.evaluation_id),
            awards::number.eq(award.number),
            awards::place.eq(award.place),
            awards::bid_id.eq(&award.bid_id),
            awards::supplier_id.eq(&award.supplier_id),
            awards::price_fen.eq(award.price.fen()),
            awards::state.eq(award.state.name()),
            awards::report.eq(&award.report),
            awards::proposed_at.eq(award.proposed_at.naive_utc()),
            awards::revision.eq(award.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far an award has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, award: &Award) -> Answer<()> {
    let (decided_at, decision) = award.decided.clone().unzip();
    let ended = award.ended.as_ref();
    let before = awards::table
        .find(&award.id)
        .filter(awards::revision.eq(award.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            awards::state.eq(award.state.name()),
            awards::revision.eq(award.revision),
            awards::decided_at.eq(decided_at.map(|at| at.naive_utc())),
            awards::decision.eq(decision),
            awards::confirmed_at.eq(award.confirmed_at.map(|at| at.naive_utc())),
            awards::signed_at.eq(award.signed_at.map(|at| at.naive_utc())),
            awards::ended_at.eq(ended.map(|ended| ended.at.naive_utc())),
            awards::end_cause.eq(ended.map(|ended| ended.cause.name())),
            awards::end_zh.eq(ended.map(|ended| &ended.reason.zh)),
            awards::end_en.eq(ended.map(|ended| &ended.reason.en)),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Saves that an award was noticed, with the bytes of the notice.
///
/// # Errors
/// As [`advance`]; a fault if it was not noticed.
pub fn publish(tx: &mut Tx<'_>, award: &Award, content: &str) -> Answer<()> {
    let notice = award.notice.as_ref();
    let notice = notice.ok_or_else(|| Fault::broken(format!("{} has no notice", award.id)))?;
    let before = awards::table
        .find(&award.id)
        .filter(awards::revision.eq(award.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            awards::state.eq(award.state.name()),
            awards::revision.eq(award.revision),
            awards::notice.eq(content),
            awards::notice_sha256.eq(notice.sha256.as_slice()),
            awards::noticed_at.eq(notice.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} awards changed instead of one")).into())
    }
}
