//! The table of lots that came to nothing. Rows are added and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::award::rules_endings::{Cause, Ending};
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::lot_endings;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = lot_endings)]
struct EndingRow {
    lot_id: LotId,
    book_id: BookId,
    cause: String,
    reason_zh: String,
    reason_en: String,
    ended_at: NaiveDateTime,
}

impl TryFrom<EndingRow> for Ending {
    type Error = Fault;

    fn try_from(row: EndingRow) -> Result<Self, Fault> {
        let cause = Cause::named(&row.cause);
        Ok(Self {
            cause: cause
                .ok_or_else(|| Fault::broken(format!("the end of {}: its cause is none", row.lot_id)))?,
            lot_id: row.lot_id,
            book_id: row.book_id,
            reason: Line {
                zh: row.reason_zh,
                en: row.reason_en,
            },
            ended_at: row.ended_at.and_utc(),
        })
    }
}

/// How a lot came to nothing; `None` if it did not.
///
/// # Errors
/// A fault of the database.
pub fn of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Option<Ending>> {
    let row: Option<EndingRow> = lot_endings::table
        .find(lot)
        .select(EndingRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Ending::try_from).transpose()?)
}

/// Adds the end of a lot.
///
/// # Errors
/// A fault of the database, or if it has ended before.
pub fn insert(tx: &mut Tx<'_>, ending: &Ending) -> Answer<()> {
    diesel::insert_into(lot_endings::table)
        .values((
            lot_endings::lot_id.eq(&ending.lot_id),
            lot_endings::book_id.eq(&ending.book_id),
            lot_endings::cause.eq(ending.cause.name()),
            lot_endings::reason_zh.eq(&ending.reason.zh),
            lot_endings::reason_en.eq(&ending.reason.en),
            lot_endings::ended_at.eq(ending.ended_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
