//! The table of decisions on what bidders want to be kept from the public. Rows are added and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::bids::acts_opened::NamedBid;
use crate::bids::rules::BidId;
use crate::bids::rules_confidentiality::Decision;
use crate::db::conn::Conn;
use crate::db::schema::bid_confidentiality_decisions as decisions;
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};

type Row = (
    i64,
    i64,
    bool,
    String,
    AccountId,
    NaiveDateTime,
    Option<NaiveDateTime>,
);

/// Every decision on marks of a bid, the first ones first.
///
/// # Errors
/// A fault of the database.
pub fn of_bid(conn: &mut Conn, bid: &BidId) -> Answer<Vec<Decision>> {
    let rows: Vec<Row> = decisions::table
        .filter(decisions::bid_id.eq(bid))
        .order((decisions::mark, decisions::ordinal))
        .select((
            decisions::mark,
            decisions::ordinal,
            decisions::is_accepted,
            decisions::reason,
            decisions::decided_by,
            decisions::decided_at,
            decisions::public_from,
        ))
        .load(conn)?;
    let counted = |number: i64| {
        u32::try_from(number).map_err(|error| Fault::caused(format!("a decision on a mark of {bid}"), error))
    };
    let read = |(mark, ordinal, is_accepted, reason, decided_by, decided_at, public_from): Row| {
        Ok(Decision {
            mark: counted(mark)?,
            ordinal: counted(ordinal)?,
            is_accepted,
            reason,
            decided_by,
            decided_at: decided_at.and_utc(),
            public_from: public_from.map(|at| at.and_utc()),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Adds a decision.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, of: &NamedBid, decision: &Decision) -> Answer<()> {
    diesel::insert_into(decisions::table)
        .values((
            decisions::bid_id.eq(&of.bid),
            decisions::mark.eq(i64::from(decision.mark)),
            decisions::ordinal.eq(i64::from(decision.ordinal)),
            decisions::lot_id.eq(&of.lot),
            decisions::is_accepted.eq(decision.is_accepted),
            decisions::reason.eq(&decision.reason),
            decisions::decided_by.eq(&decision.decided_by),
            decisions::decided_at.eq(decision.decided_at.naive_utc()),
            decisions::public_from.eq(decision.public_from.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    Ok(())
}
