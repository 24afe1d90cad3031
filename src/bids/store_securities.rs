//! The table of what was lodged with bids.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::bids::rules_securities::{Kind, Lodged, Security, SecurityId, State};
use crate::books::rules::LotId;
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{bid_securities, bid_security_returns};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = bid_securities)]
struct SecurityRow {
    id: SecurityId,
    lot_id: LotId,
    supplier_id: OrganisationId,
    state: String,
    kind: String,
    amount_fen: i64,
    issuer: String,
    reference: String,
    lodged_on: NaiveDate,
    expires_on: Option<NaiveDate>,
    revision: i64,
    recorded_at: NaiveDateTime,
    decided_at: Option<NaiveDateTime>,
    decision: Option<String>,
    returned_on: Option<NaiveDate>,
    return_reference: Option<String>,
}

impl TryFrom<SecurityRow> for Security {
    type Error = Fault;

    fn try_from(row: SecurityRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("the bid security {}: {what}", row.id));
        Ok(Self {
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            lodged: Lodged {
                kind: Kind::named(&row.kind).ok_or_else(|| broken("its kind is none"))?,
                amount: Money::from_fen(row.amount_fen).map_err(|_| broken("its amount is none"))?,
                issuer: row.issuer,
                reference: row.reference,
                lodged_on: row.lodged_on,
                expires_on: row.expires_on,
            },
            id: row.id,
            lot_id: row.lot_id,
            supplier_id: row.supplier_id,
            revision: row.revision,
            recorded_at: row.recorded_at.and_utc(),
            decided: row.decided_at.map(|at| at.and_utc()).zip(row.decision),
            returned: row.returned_on.zip(row.return_reference),
        })
    }
}

/// The security of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn security(conn: &mut Conn, id: &SecurityId) -> Answer<Option<Security>> {
    let row: Option<SecurityRow> = bid_securities::table
        .find(id)
        .select(SecurityRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Security::try_from).transpose()?)
}

/// Up to `max` securities for a lot beyond `after`, of these suppliers or, without them, of all; the oldest first.
///
/// # Errors
/// A fault of the database.
pub fn securities(
    conn: &mut Conn,
    lot: &LotId,
    suppliers: Option<&[OrganisationId]>,
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<Security>> {
    let mut query = bid_securities::table
        .filter(bid_securities::lot_id.eq(lot))
        .filter(bid_securities::id.gt(after.unwrap_or_default().to_owned()))
        .into_boxed();
    if let Some(suppliers) = suppliers {
        query = query.filter(bid_securities::supplier_id.eq_any(suppliers));
    }
    let rows: Vec<SecurityRow> = query
        .order(bid_securities::id)
        .limit(max)
        .select(SecurityRow::as_select())
        .load(conn)?;
    let read: Result<Vec<_>, Fault> = rows.into_iter().map(Security::try_from).collect();
    Ok(read?)
}

/// How many securities a supplier has recorded for a lot.
///
/// # Errors
/// A fault of the database.
pub fn count(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<i64> {
    Ok(bid_securities::table
        .filter(bid_securities::lot_id.eq(lot))
        .filter(bid_securities::supplier_id.eq(supplier))
        .count()
        .get_result(conn)?)
}

/// Whether a supplier has recorded this for a lot already, under the same number of the same issuer, and it is not known to be missing.
///
/// # Errors
/// A fault of the database.
pub fn is_recorded(
    conn: &mut Conn,
    (lot, supplier): (&LotId, &OrganisationId),
    lodged: &Lodged,
) -> Answer<bool> {
    let known: Option<SecurityId> = bid_securities::table
        .filter(bid_securities::lot_id.eq(lot))
        .filter(bid_securities::supplier_id.eq(supplier))
        .filter(bid_securities::kind.eq(lodged.kind.name()))
        .filter(bid_securities::issuer.eq(&lodged.issuer))
        .filter(bid_securities::reference.eq(&lodged.reference))
        .filter(bid_securities::state.ne(State::NotFound.name()))
        .select(bid_securities::id)
        .first(conn)
        .optional()?;
    Ok(known.is_some())
}

/// What a supplier has recorded for a lot, without what was not found and what went back.
///
/// # Errors
/// A fault of the database, or of a sum beyond all bounds.
pub fn live(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<Money> {
    let amounts: Vec<i64> = bid_securities::table
        .filter(bid_securities::lot_id.eq(lot))
        .filter(bid_securities::supplier_id.eq(supplier))
        .filter(bid_securities::state.eq_any([State::Lodged.name(), State::Confirmed.name()]))
        .select(bid_securities::amount_fen)
        .load(conn)?;
    let beyond = |error| Fault::caused("add bid securities up", error);
    let amounts: Result<Vec<Money>, _> = amounts.into_iter().map(Money::from_fen).collect();
    Ok(Money::sum(amounts.map_err(beyond)?).map_err(beyond)?)
}

/// Adds a security.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, security: &Security) -> Answer<()> {
    let lodged = &security.lodged;
    diesel::insert_into(bid_securities::table)
        .values((
            bid_securities::id.eq(&security.id),
            bid_securities::lot_id.eq(&security.lot_id),
            bid_securities::supplier_id.eq(&security.supplier_id),
            bid_securities::state.eq(security.state.name()),
            bid_securities::kind.eq(lodged.kind.name()),
            bid_securities::amount_fen.eq(lodged.amount.fen()),
            bid_securities::issuer.eq(&lodged.issuer),
            bid_securities::reference.eq(&lodged.reference),
            bid_securities::lodged_on.eq(lodged.lodged_on),
            bid_securities::expires_on.eq(lodged.expires_on),
            bid_securities::revision.eq(security.revision),
            bid_securities::recorded_at.eq(security.recorded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a security has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, security: &Security) -> Answer<()> {
    let (decided_at, decision) = security.decided.clone().unzip();
    let (returned_on, return_reference) = security.returned.clone().unzip();
    let before = bid_securities::table
        .find(&security.id)
        .filter(bid_securities::revision.eq(security.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            bid_securities::state.eq(security.state.name()),
            bid_securities::revision.eq(security.revision),
            bid_securities::decided_at.eq(decided_at.map(|at| at.naive_utc())),
            bid_securities::decision.eq(decision),
            bid_securities::returned_on.eq(returned_on),
            bid_securities::return_reference.eq(return_reference),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} bid securities changed instead of one")).into())
    }
}

/// Notes from when on a bidder's security for a lot has to go back; the first time counts.
///
/// # Errors
/// A fault of the database.
pub fn count_return_from(
    tx: &mut Tx<'_>,
    lot: &LotId,
    supplier: &OrganisationId,
    from: Instant,
) -> Answer<()> {
    both!(tx.conn(), c => diesel::insert_into(bid_security_returns::table)
        .values((
            bid_security_returns::lot_id.eq(lot),
            bid_security_returns::supplier_id.eq(supplier),
            bid_security_returns::counts_from.eq(from.naive_utc()),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// From when on a bidder's security for a lot has to go back, if that is known from its award, its contract or its end.
///
/// # Errors
/// A fault of the database.
pub fn return_counts_from(
    conn: &mut Conn,
    lot: &LotId,
    supplier: &OrganisationId,
) -> Answer<Option<Instant>> {
    let from: Option<NaiveDateTime> = bid_security_returns::table
        .find((lot, supplier))
        .select(bid_security_returns::counts_from)
        .first(conn)
        .optional()?;
    Ok(from.map(|at| at.and_utc()))
}
