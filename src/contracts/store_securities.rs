//! The table of what was lodged for contracts.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::bids::rules_securities::{Kind, Lodged, State};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_securities::{PerformanceSecurity, PerformanceSecurityId};
use crate::db::conn::Conn;
use crate::db::schema::performance_securities;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = performance_securities)]
struct SecurityRow {
    id: PerformanceSecurityId,
    contract_id: ContractId,
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

impl TryFrom<SecurityRow> for PerformanceSecurity {
    type Error = Fault;

    fn try_from(row: SecurityRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
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
            contract_id: row.contract_id,
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
pub fn security(conn: &mut Conn, id: &PerformanceSecurityId) -> Answer<Option<PerformanceSecurity>> {
    let row: Option<SecurityRow> = performance_securities::table
        .find(id)
        .select(SecurityRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(PerformanceSecurity::try_from).transpose()?)
}

/// What was lodged for a contract, the oldest first.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<PerformanceSecurity>> {
    let rows: Vec<SecurityRow> = performance_securities::table
        .filter(performance_securities::contract_id.eq(contract))
        .order(performance_securities::id)
        .select(SecurityRow::as_select())
        .load(conn)?;
    let all: Result<Vec<PerformanceSecurity>, Fault> =
        rows.into_iter().map(PerformanceSecurity::try_from).collect();
    Ok(all?)
}

/// Adds a security.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, security: &PerformanceSecurity) -> Answer<()> {
    let lodged = &security.lodged;
    diesel::insert_into(performance_securities::table)
        .values((
            performance_securities::id.eq(&security.id),
            performance_securities::contract_id.eq(&security.contract_id),
            performance_securities::state.eq(security.state.name()),
            performance_securities::kind.eq(lodged.kind.name()),
            performance_securities::amount_fen.eq(lodged.amount.fen()),
            performance_securities::issuer.eq(&lodged.issuer),
            performance_securities::reference.eq(&lodged.reference),
            performance_securities::lodged_on.eq(lodged.lodged_on),
            performance_securities::expires_on.eq(lodged.expires_on),
            performance_securities::revision.eq(security.revision),
            performance_securities::recorded_at.eq(security.recorded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a security has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, security: &PerformanceSecurity) -> Answer<()> {
    let (decided_at, decision) = security.decided.clone().unzip();
    let (returned_on, return_reference) = security.returned.clone().unzip();
    let before = performance_securities::table
        .find(&security.id)
        .filter(performance_securities::revision.eq(security.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            performance_securities::state.eq(security.state.name()),
            performance_securities::revision.eq(security.revision),
            performance_securities::decided_at.eq(decided_at.map(|at| at.naive_utc())),
            performance_securities::decision.eq(decision),
            performance_securities::returned_on.eq(returned_on),
            performance_securities::return_reference.eq(return_reference),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} performance securities changed instead of one")).into())
    }
}
