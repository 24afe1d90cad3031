//! The tables of what was taken back of advances, and of periods that were closed. All of it is added and never changed.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::db::conn::Conn;
use crate::db::schema::{advance_recoveries, period_closing_penalties, period_closings};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_claims::{ClaimId, Counted, Done};
use crate::payments::rules_closings::Closing;
use crate::standards::rules_indicators::Line;

/// All of a closing but the bytes of its derivation.
#[derive(Queryable, Selectable)]
#[diesel(table_name = period_closings)]
struct ClosingRow {
    contract_id: ContractId,
    period: i64,
    acceptance_id: AcceptanceId,
    recovered_fen: i64,
    released_fen: i64,
    content_sha256: Vec<u8>,
    closed_by: AccountId,
    closed_at: NaiveDateTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = period_closing_penalties)]
struct PenaltyRow {
    period: i64,
    penalty: i64,
    count: i64,
    reason_zh: String,
    reason_en: String,
}

fn money(fen: i64) -> Result<Money, Fault> {
    Money::from_fen(fen).map_err(|error| Fault::caused("read the amount of a closing", error))
}

impl ClosingRow {
    fn closing(self, penalties: Vec<Counted>) -> Result<Closing, Fault> {
        let sha256 = self.content_sha256.try_into();
        Ok(Closing {
            contract_id: self.contract_id,
            period: self.period,
            acceptance_id: self.acceptance_id,
            recovered: money(self.recovered_fen)?,
            released: money(self.released_fen)?,
            penalties,
            sha256: sha256.map_err(|_| Fault::broken("the hash of a closing is none"))?,
            done: Done {
                by: self.closed_by,
                at: self.closed_at.and_utc(),
            },
        })
    }
}

/// The periods of a contract that were closed, in their order.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<Closing>> {
    let rows: Vec<ClosingRow> = period_closings::table
        .filter(period_closings::contract_id.eq(contract))
        .order(period_closings::period)
        .select(ClosingRow::as_select())
        .load(conn)?;
    let penalties: Vec<PenaltyRow> = period_closing_penalties::table
        .filter(period_closing_penalties::contract_id.eq(contract))
        .order((
            period_closing_penalties::period,
            period_closing_penalties::penalty,
        ))
        .select(PenaltyRow::as_select())
        .load(conn)?;
    let mut counted: BTreeMap<i64, Vec<Counted>> = BTreeMap::new();
    for row in penalties {
        let count = u32::try_from(row.count);
        counted.entry(row.period).or_default().push(Counted {
            penalty: row.penalty,
            count: count.map_err(|error| Fault::caused("read the count of a penalty", error))?,
            reason: Line {
                zh: row.reason_zh,
                en: row.reason_en,
            },
        });
    }
    let mut closings = Vec::with_capacity(rows.len());
    for row in rows {
        let penalties = counted.remove(&row.period).unwrap_or_default();
        closings.push(row.closing(penalties)?);
    }
    Ok(closings)
}

/// Adds that a period was closed, with the bytes of the derivation that this rests on.
///
/// # Errors
/// A fault of the database, or if it was closed before.
pub fn insert(tx: &mut Tx<'_>, one: &Closing, content: &str) -> Answer<()> {
    diesel::insert_into(period_closings::table)
        .values((
            period_closings::contract_id.eq(&one.contract_id),
            period_closings::period.eq(one.period),
            period_closings::acceptance_id.eq(&one.acceptance_id),
            period_closings::recovered_fen.eq(one.recovered.fen()),
            period_closings::released_fen.eq(one.released.fen()),
            period_closings::content.eq(content),
            period_closings::content_sha256.eq(one.sha256.as_slice()),
            period_closings::closed_by.eq(&one.done.by),
            period_closings::closed_at.eq(one.done.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    for penalty in &one.penalties {
        diesel::insert_into(period_closing_penalties::table)
            .values((
                period_closing_penalties::contract_id.eq(&one.contract_id),
                period_closing_penalties::period.eq(one.period),
                period_closing_penalties::penalty.eq(penalty.penalty),
                period_closing_penalties::count.eq(i64::from(penalty.count)),
                period_closing_penalties::reason_zh.eq(&penalty.reason.zh),
                period_closing_penalties::reason_en.eq(&penalty.reason.en),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// The bytes of the derivation of a period that was closed.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn content(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<Option<String>> {
    let row: Option<(String, Vec<u8>)> = period_closings::table
        .find((contract, period))
        .select((period_closings::content, period_closings::content_sha256))
        .first(conn)
        .optional()?;
    let Some((content, hash)) = row else {
        return Ok(None);
    };
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hash != sha256 {
        let what = format!("period {period} of {contract}: its bytes are not what was hashed");
        return Err(Fault::broken(what).into());
    }
    Ok(Some(content))
}

/// Adds what was taken back of an advance with what was certified of a claim.
///
/// # Errors
/// A fault of the database, or if that is there already.
pub fn recover(tx: &mut Tx<'_>, claim: &ClaimId, amount: Money) -> Answer<()> {
    diesel::insert_into(advance_recoveries::table)
        .values((
            advance_recoveries::claim_id.eq(claim),
            advance_recoveries::amount_fen.eq(amount.fen()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// What was taken back of advances with what was certified of claims.
///
/// # Errors
/// A fault of the database.
pub fn recovered(conn: &mut Conn, claims: &[ClaimId]) -> Answer<BTreeMap<String, Money>> {
    let rows: Vec<(ClaimId, i64)> = advance_recoveries::table
        .filter(advance_recoveries::claim_id.eq_any(claims))
        .select((advance_recoveries::claim_id, advance_recoveries::amount_fen))
        .load(conn)?;
    let mut all = BTreeMap::new();
    for (claim, fen) in rows {
        all.insert(claim.to_string(), money(fen)?);
    }
    Ok(all)
}
