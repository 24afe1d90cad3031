//! The tables of claims, of what was certified and counted, of payments and their confirmations. All but a claim's state is added and never changed.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::db::conn::Conn;
use crate::db::schema::{
    claim_certifications, claim_confirmations, claim_executions, claim_penalties, payment_claims,
};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::weight::Weight;
use crate::payments::rules_claims::{
    CLAIMS_MAX, Certified, Claim, ClaimId, Confirmed, Counted, Done, Ended, Entered, Executed, Kind, State,
};
use crate::payments::store_closings;
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_claims)]
struct ClaimRow {
    id: ClaimId,
    contract_id: ContractId,
    number: i64,
    supplier_id: OrganisationId,
    kind: String,
    period: Option<i64>,
    invoice_number: String,
    invoice_on: NaiveDate,
    amount_fen: i64,
    bank_account_id: BankAccountChangeId,
    claimed_by: AccountId,
    claimed_at: NaiveDateTime,
    state: String,
    approved_by: Option<AccountId>,
    approved_at: Option<NaiveDateTime>,
    ended_zh: Option<String>,
    ended_en: Option<String>,
    ended_by: Option<AccountId>,
    ended_at: Option<NaiveDateTime>,
    revision: i64,
}

/// All of a certification but the bytes of its derivation.
#[derive(Queryable, Selectable)]
#[diesel(table_name = claim_certifications)]
struct CertificationRow {
    claim_id: ClaimId,
    acceptance_id: Option<AcceptanceId>,
    payable_fen: i64,
    deducted_fen: i64,
    undisputed: i64,
    before_fen: i64,
    amount_fen: i64,
    is_settled: bool,
    less_zh: Option<String>,
    less_en: Option<String>,
    since_at: NaiveDateTime,
    due_on: NaiveDate,
    content_sha256: Option<Vec<u8>>,
    certified_by: AccountId,
    certified_at: NaiveDateTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = claim_penalties)]
struct PenaltyRow {
    claim_id: ClaimId,
    penalty: i64,
    count: i64,
    reason_zh: String,
    reason_en: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = claim_executions)]
struct ExecutionRow {
    claim_id: ClaimId,
    retained_fen: i64,
    released_fen: i64,
    from_retained_fen: i64,
    executed_by: AccountId,
    executed_at: NaiveDateTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = claim_confirmations)]
struct ConfirmationRow {
    claim_id: ClaimId,
    bank_reference: String,
    confirmed_by: AccountId,
    confirmed_at: NaiveDateTime,
}

fn money(fen: i64) -> Result<Money, Fault> {
    Money::from_fen(fen).map_err(|error| Fault::caused("read the amount of a claim", error))
}

fn done(by: AccountId, at: NaiveDateTime) -> Done {
    Done { by, at: at.and_utc() }
}

/// Percent in units of 0.0001, as they are stored.
fn stored(part: Weight) -> i64 {
    i64::try_from(part.ten_thousandths()).unwrap_or(i64::MAX)
}

impl ClaimRow {
    fn claim(self) -> Result<Claim, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: its {what} is none", self.id));
        let kind = Kind::named(&self.kind).ok_or_else(|| broken("kind"))?;
        let state = State::named(&self.state).ok_or_else(|| broken("state"))?;
        let reason = self.ended_zh.zip(self.ended_en).map(|(zh, en)| Line { zh, en });
        let ended = reason.zip(self.ended_by.zip(self.ended_at));
        Ok(Claim {
            entered: Entered {
                kind,
                period: self.period,
                invoice_number: self.invoice_number,
                invoice_on: self.invoice_on,
                amount: money(self.amount_fen)?,
            },
            id: self.id,
            contract_id: self.contract_id,
            number: self.number,
            supplier_id: self.supplier_id,
            account_id: self.bank_account_id,
            claimed: done(self.claimed_by, self.claimed_at),
            state,
            certified: None,
            approved: self
                .approved_by
                .zip(self.approved_at)
                .map(|(by, at)| done(by, at)),
            executed: None,
            confirmed: None,
            ended: ended.map(|(reason, (by, at))| Ended {
                reason,
                done: done(by, at),
            }),
            revision: self.revision,
        })
    }
}

impl CertificationRow {
    fn certified(self, penalties: Vec<Counted>, recovered: Money) -> Result<Certified, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", self.claim_id));
        let undisputed = Weight::new(Decimal::new(self.undisputed, 4).normalize());
        let sha256 = self.content_sha256.map(TryInto::try_into).transpose();
        Ok(Certified {
            acceptance_id: self.acceptance_id,
            payable: money(self.payable_fen)?,
            deducted: money(self.deducted_fen)?,
            recovered,
            undisputed: undisputed.map_err(|error| Fault::caused("what is undisputed", error))?,
            before: money(self.before_fen)?,
            amount: money(self.amount_fen)?,
            is_settled: self.is_settled,
            less: self.less_zh.zip(self.less_en).map(|(zh, en)| Line { zh, en }),
            since: self.since_at.and_utc(),
            due_on: self.due_on,
            penalties,
            sha256: sha256.map_err(|_| broken("its hash is none"))?,
            done: done(self.certified_by, self.certified_at),
        })
    }
}

impl PenaltyRow {
    fn counted(self) -> Result<Counted, Fault> {
        let count = u32::try_from(self.count);
        Ok(Counted {
            penalty: self.penalty,
            count: count.map_err(|error| Fault::caused("read the count of a penalty", error))?,
            reason: Line {
                zh: self.reason_zh,
                en: self.reason_en,
            },
        })
    }
}

/// Claims with all that was done to them, in the order of the rows.
fn whole(conn: &mut Conn, rows: Vec<ClaimRow>) -> Answer<Vec<Claim>> {
    let ids: Vec<ClaimId> = rows.iter().map(|row| row.id.clone()).collect();
    let certifications: Vec<CertificationRow> = claim_certifications::table
        .filter(claim_certifications::claim_id.eq_any(&ids))
        .select(CertificationRow::as_select())
        .load(conn)?;
    let penalties: Vec<PenaltyRow> = claim_penalties::table
        .filter(claim_penalties::claim_id.eq_any(&ids))
        .order((claim_penalties::claim_id, claim_penalties::penalty))
        .select(PenaltyRow::as_select())
        .load(conn)?;
    let executions: Vec<ExecutionRow> = claim_executions::table
        .filter(claim_executions::claim_id.eq_any(&ids))
        .select(ExecutionRow::as_select())
        .load(conn)?;
    let confirmations: Vec<ConfirmationRow> = claim_confirmations::table
        .filter(claim_confirmations::claim_id.eq_any(&ids))
        .select(ConfirmationRow::as_select())
        .load(conn)?;
    let mut counted: BTreeMap<String, Vec<Counted>> = BTreeMap::new();
    for row in penalties {
        let claim = row.claim_id.to_string();
        counted.entry(claim).or_default().push(row.counted()?);
    }
    let mut recovered = store_closings::recovered(conn, &ids)?;
    let mut certified = BTreeMap::new();
    for row in certifications {
        let claim = row.claim_id.to_string();
        let penalties = counted.remove(&claim).unwrap_or_default();
        let recovered = recovered.remove(&claim).unwrap_or(Money::ZERO);
        certified.insert(claim, row.certified(penalties, recovered)?);
    }
    let mut executed = BTreeMap::new();
    for row in executions {
        let payment = Executed {
            retained: money(row.retained_fen)?,
            released: money(row.released_fen)?,
            from_retained: money(row.from_retained_fen)?,
            done: done(row.executed_by, row.executed_at),
        };
        executed.insert(row.claim_id.to_string(), payment);
    }
    let confirmed = confirmations.into_iter().map(|row| {
        let confirmed = Confirmed {
            reference: row.bank_reference,
            done: done(row.confirmed_by, row.confirmed_at),
        };
        (row.claim_id.to_string(), confirmed)
    });
    let mut confirmed: BTreeMap<String, Confirmed> = confirmed.collect();
    let mut claims = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id.to_string();
        claims.push(Claim {
            certified: certified.remove(&id),
            executed: executed.remove(&id),
            confirmed: confirmed.remove(&id),
            ..row.claim()?
        });
    }
    Ok(claims)
}

/// The claim of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn claim(conn: &mut Conn, id: &ClaimId) -> Answer<Option<Claim>> {
    let row: Option<ClaimRow> = payment_claims::table
        .find(id)
        .select(ClaimRow::as_select())
        .first(conn)
        .optional()?;
    Ok(whole(conn, row.into_iter().collect())?.pop())
}

/// How far these claims have come, by their ids.
///
/// # Errors
/// A fault of the database.
pub fn states(conn: &mut Conn, ids: &[ClaimId]) -> Answer<BTreeMap<String, State>> {
    let rows: Vec<(String, String)> = payment_claims::table
        .filter(payment_claims::id.eq_any(ids))
        .select((payment_claims::id, payment_claims::state))
        .load(conn)?;
    let read = |(id, state): (String, String)| {
        let broken = || Fault::broken(format!("{id}: its state is none"));
        Ok::<_, Fault>((id.clone(), State::named(&state).ok_or_else(broken)?))
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// All claims of a contract, by number.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<Claim>> {
    let max = i64::try_from(CLAIMS_MAX).unwrap_or(i64::MAX);
    page(conn, contract, (None, None), max)
}

/// Up to `max` claims of a contract, of a state if one is named, after a number.
///
/// # Errors
/// A fault of the database.
pub fn page(
    conn: &mut Conn,
    contract: &ContractId,
    (state, after): (Option<State>, Option<i64>),
    max: i64,
) -> Answer<Vec<Claim>> {
    let mut query = payment_claims::table
        .filter(payment_claims::contract_id.eq(contract))
        .filter(payment_claims::number.gt(after.unwrap_or(0)))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(payment_claims::state.eq(state.name()));
    }
    let rows: Vec<ClaimRow> = query
        .order(payment_claims::number)
        .limit(max)
        .select(ClaimRow::as_select())
        .load(conn)?;
    whole(conn, rows)
}

/// Whether a supplier has used the number of an invoice in a claim that was neither returned nor failed.
///
/// # Errors
/// A fault of the database.
pub fn is_invoiced(conn: &mut Conn, supplier: &OrganisationId, invoice: &str) -> Answer<bool> {
    let ended = [State::Returned.name(), State::Failed.name()];
    let found: i64 = payment_claims::table
        .filter(payment_claims::supplier_id.eq(supplier))
        .filter(payment_claims::invoice_number.eq(invoice))
        .filter(payment_claims::state.ne_all(ended))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// Adds a claim.
///
/// # Errors
/// A fault of the database, or if its contract has one of that number.
pub fn insert(tx: &mut Tx<'_>, one: &Claim) -> Answer<()> {
    diesel::insert_into(payment_claims::table)
        .values((
            payment_claims::id.eq(&one.id),
            payment_claims::contract_id.eq(&one.contract_id),
            payment_claims::number.eq(one.number),
            payment_claims::supplier_id.eq(&one.supplier_id),
            payment_claims::kind.eq(one.entered.kind.name()),
            payment_claims::period.eq(one.entered.period),
            payment_claims::invoice_number.eq(&one.entered.invoice_number),
            payment_claims::invoice_on.eq(one.entered.invoice_on),
            payment_claims::amount_fen.eq(one.entered.amount.fen()),
            payment_claims::bank_account_id.eq(&one.account_id),
            payment_claims::claimed_by.eq(&one.claimed.by),
            payment_claims::claimed_at.eq(one.claimed.at.naive_utc()),
            payment_claims::state.eq(one.state.name()),
            payment_claims::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a claim has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, one: &Claim) -> Answer<()> {
    let (approved, ended) = (one.approved.as_ref(), one.ended.as_ref());
    let before = payment_claims::table
        .find(&one.id)
        .filter(payment_claims::revision.eq(one.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            payment_claims::state.eq(one.state.name()),
            payment_claims::approved_by.eq(approved.map(|done| &done.by)),
            payment_claims::approved_at.eq(approved.map(|done| done.at.naive_utc())),
            payment_claims::ended_zh.eq(ended.map(|ended| &ended.reason.zh)),
            payment_claims::ended_en.eq(ended.map(|ended| &ended.reason.en)),
            payment_claims::ended_by.eq(ended.map(|ended| &ended.done.by)),
            payment_claims::ended_at.eq(ended.map(|ended| ended.done.at.naive_utc())),
            payment_claims::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} claims changed instead of one")).into())
    }
}

/// Adds what was certified of a claim, with the bytes of the derivation that it rests on, if it rests on one.
///
/// # Errors
/// A fault of the database, or if it was certified before.
pub fn certify(tx: &mut Tx<'_>, claim: &ClaimId, one: &Certified, content: Option<&str>) -> Answer<()> {
    let less = one.less.as_ref();
    diesel::insert_into(claim_certifications::table)
        .values((
            claim_certifications::claim_id.eq(claim),
            claim_certifications::acceptance_id.eq(&one.acceptance_id),
            claim_certifications::payable_fen.eq(one.payable.fen()),
            claim_certifications::deducted_fen.eq(one.deducted.fen()),
            claim_certifications::undisputed.eq(stored(one.undisputed)),
            claim_certifications::before_fen.eq(one.before.fen()),
            claim_certifications::amount_fen.eq(one.amount.fen()),
            claim_certifications::is_settled.eq(one.is_settled),
            claim_certifications::less_zh.eq(less.map(|line| &line.zh)),
            claim_certifications::less_en.eq(less.map(|line| &line.en)),
            claim_certifications::since_at.eq(one.since.naive_utc()),
            claim_certifications::due_on.eq(one.due_on),
            claim_certifications::content.eq(content),
            claim_certifications::content_sha256.eq(one.sha256.as_ref().map(|hash| hash.as_slice())),
            claim_certifications::certified_by.eq(&one.done.by),
            claim_certifications::certified_at.eq(one.done.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    for penalty in &one.penalties {
        diesel::insert_into(claim_penalties::table)
            .values((
                claim_penalties::claim_id.eq(claim),
                claim_penalties::penalty.eq(penalty.penalty),
                claim_penalties::count.eq(i64::from(penalty.count)),
                claim_penalties::reason_zh.eq(&penalty.reason.zh),
                claim_penalties::reason_en.eq(&penalty.reason.en),
            ))
            .execute(tx.conn())?;
    }
    if one.recovered.is_zero() {
        return Ok(());
    }
    store_closings::recover(tx, claim, one.recovered)
}

/// The bytes of the derivation of a claim, if it rests on one.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn content(conn: &mut Conn, claim: &ClaimId) -> Answer<Option<String>> {
    let row: Option<(Option<String>, Option<Vec<u8>>)> = claim_certifications::table
        .find(claim)
        .select((
            claim_certifications::content,
            claim_certifications::content_sha256,
        ))
        .first(conn)
        .optional()?;
    let Some((Some(content), hash)) = row else {
        return Ok(None);
    };
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hash.as_deref() != Some(sha256.as_slice()) {
        return Err(Fault::broken(format!("{claim}: its bytes are not what was hashed")).into());
    }
    Ok(Some(content))
}

/// Adds that a claim was paid.
///
/// # Errors
/// A fault of the database, or if it was paid before.
pub fn execute(tx: &mut Tx<'_>, claim: &ClaimId, one: &Executed) -> Answer<()> {
    diesel::insert_into(claim_executions::table)
        .values((
            claim_executions::claim_id.eq(claim),
            claim_executions::retained_fen.eq(one.retained.fen()),
            claim_executions::released_fen.eq(one.released.fen()),
            claim_executions::from_retained_fen.eq(one.from_retained.fen()),
            claim_executions::executed_by.eq(&one.done.by),
            claim_executions::executed_at.eq(one.done.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds that the bank has paid a claim.
///
/// # Errors
/// A fault of the database, or if that is there already.
pub fn confirm(tx: &mut Tx<'_>, claim: &ClaimId, one: &Confirmed) -> Answer<()> {
    diesel::insert_into(claim_confirmations::table)
        .values((
            claim_confirmations::claim_id.eq(claim),
            claim_confirmations::bank_reference.eq(&one.reference),
            claim_confirmations::confirmed_by.eq(&one.done.by),
            claim_confirmations::confirmed_at.eq(one.done.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
