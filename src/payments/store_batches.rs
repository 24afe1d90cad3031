//! The tables of payment batches. All but how far a batch has come is added and never changed.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::db::conn::Conn;
use crate::db::schema::{contracts, payment_batch_claims, payment_batches, payment_claims};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_bank_names::Names;
use crate::payments::rules_batches::{Batch, Item, PaymentBatchId, State};
use crate::payments::rules_claims::{ClaimId, Done, State as ClaimState};
use crate::registry::rules_bank_accounts::BankAccountChangeId;

/// All of a batch but the bytes of its file.
#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_batches)]
struct BatchRow {
    id: PaymentBatchId,
    buyer_id: OrganisationId,
    bank_account_id: BankAccountChangeId,
    execution_on: NaiveDate,
    names: String,
    total_fen: i64,
    content_sha256: Vec<u8>,
    made_by: AccountId,
    made_at: NaiveDateTime,
    state: String,
    decided_by: Option<AccountId>,
    decided_at: Option<NaiveDateTime>,
    revision: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_batch_claims)]
struct ItemRow {
    batch_id: PaymentBatchId,
    claim_id: ClaimId,
    amount_fen: i64,
}

fn money(fen: i64) -> Result<Money, Fault> {
    Money::from_fen(fen).map_err(|error| Fault::caused("read the amount of a batch", error))
}

fn done((by, at): (AccountId, NaiveDateTime)) -> Done {
    Done { by, at: at.and_utc() }
}

impl BatchRow {
    fn batch(self, items: Vec<Item>) -> Result<Batch, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: its {what} is none", self.id));
        let sha256 = <[u8; 32]>::try_from(self.content_sha256.as_slice());
        Ok(Batch {
            names: Names::named(&self.names).ok_or_else(|| broken("writing"))?,
            state: State::named(&self.state).ok_or_else(|| broken("state"))?,
            sha256: sha256.map_err(|_| broken("hash"))?,
            total: money(self.total_fen)?,
            id: self.id,
            buyer_id: self.buyer_id,
            account_id: self.bank_account_id,
            execution_on: self.execution_on,
            items,
            made: done((self.made_by, self.made_at)),
            decided: self.decided_by.zip(self.decided_at).map(done),
            revision: self.revision,
        })
    }
}

fn whole(conn: &mut Conn, rows: Vec<BatchRow>) -> Answer<Vec<Batch>> {
    let ids: Vec<&PaymentBatchId> = rows.iter().map(|row| &row.id).collect();
    let found: Vec<ItemRow> = payment_batch_claims::table
        .filter(payment_batch_claims::batch_id.eq_any(ids))
        .order((payment_batch_claims::batch_id, payment_batch_claims::position))
        .select(ItemRow::as_select())
        .load(conn)?;
    let mut items: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for row in found {
        items.entry(row.batch_id.to_string()).or_default().push(Item {
            claim_id: row.claim_id,
            amount: money(row.amount_fen)?,
        });
    }
    let mut batches = Vec::with_capacity(rows.len());
    for row in rows {
        let own = items.remove(row.id.as_str()).unwrap_or_default();
        batches.push(row.batch(own)?);
    }
    Ok(batches)
}

/// The batch of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn batch(conn: &mut Conn, id: &PaymentBatchId) -> Answer<Option<Batch>> {
    let row: Option<BatchRow> = payment_batches::table
        .find(id)
        .select(BatchRow::as_select())
        .first(conn)
        .optional()?;
    Ok(whole(conn, row.into_iter().collect())?.pop())
}

/// Up to `max` batches of a buyer, in a state if one is named, newest first, before an id.
///
/// # Errors
/// A fault of the database.
pub fn page(
    conn: &mut Conn,
    buyer: &OrganisationId,
    (state, before): (Option<State>, Option<&str>),
    max: i64,
) -> Answer<Vec<Batch>> {
    // Every id of a batch sorts before a tilde.
    let mut query = payment_batches::table
        .filter(payment_batches::buyer_id.eq(buyer))
        .filter(payment_batches::id.lt(before.unwrap_or("~").to_owned()))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(payment_batches::state.eq(state.name()));
    }
    let rows: Vec<BatchRow> = query
        .order(payment_batches::id.desc())
        .limit(max)
        .select(BatchRow::as_select())
        .load(conn)?;
    whole(conn, rows)
}

/// The bytes of the file of a batch.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn content(conn: &mut Conn, id: &PaymentBatchId) -> Answer<String> {
    let (content, hash): (String, Vec<u8>) = payment_batches::table
        .find(id)
        .select((payment_batches::content, payment_batches::content_sha256))
        .first(conn)?;
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hash != sha256 {
        return Err(Fault::broken(format!("{id}: its bytes are not what was hashed")).into());
    }
    Ok(content)
}

/// The batch that a claim waits in, if it waits in one.
///
/// # Errors
/// A fault of the database.
pub fn waiting_in(conn: &mut Conn, claim: &ClaimId) -> Answer<Option<PaymentBatchId>> {
    Ok(payment_batch_claims::table
        .inner_join(payment_batches::table)
        .filter(payment_batch_claims::claim_id.eq(claim))
        .filter(payment_batches::state.eq(State::Made.name()))
        .select(payment_batches::id)
        .first(conn)
        .optional()?)
}

/// The batch with which a claim was paid, if it was paid with one.
///
/// # Errors
/// A fault of the database.
pub fn paid_with(conn: &mut Conn, claim: &ClaimId) -> Answer<Option<Batch>> {
    let row: Option<BatchRow> = payment_batches::table
        .inner_join(payment_batch_claims::table)
        .filter(payment_batch_claims::claim_id.eq(claim))
        .filter(payment_batches::state.eq(State::Executed.name()))
        .select(BatchRow::as_select())
        .first(conn)
        .optional()?;
    Ok(whole(conn, row.into_iter().collect())?.pop())
}

/// Up to `max` approved claims of a buyer that wait in no batch, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn approved(conn: &mut Conn, buyer: &OrganisationId, max: i64) -> Answer<Vec<ClaimId>> {
    let waiting = payment_batch_claims::table
        .inner_join(payment_batches::table)
        .filter(payment_batches::state.eq(State::Made.name()))
        .select(payment_batch_claims::claim_id);
    Ok(payment_claims::table
        .inner_join(contracts::table)
        .filter(contracts::buyer_id.eq(buyer))
        .filter(payment_claims::state.eq(ClaimState::Approved.name()))
        .filter(payment_claims::id.ne_all(waiting))
        .order(payment_claims::id)
        .limit(max)
        .select(payment_claims::id)
        .load(conn)?)
}

/// Adds a batch with the bytes of its file.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, one: &Batch, content: &str) -> Answer<()> {
    let number = |count: usize| {
        i64::try_from(count).map_err(|error| Fault::caused("count the claims of a batch", error))
    };
    diesel::insert_into(payment_batches::table)
        .values((
            payment_batches::id.eq(&one.id),
            payment_batches::buyer_id.eq(&one.buyer_id),
            payment_batches::bank_account_id.eq(&one.account_id),
            payment_batches::execution_on.eq(one.execution_on),
            payment_batches::names.eq(one.names.name()),
            payment_batches::count.eq(number(one.items.len())?),
            payment_batches::total_fen.eq(one.total.fen()),
            payment_batches::content.eq(content),
            payment_batches::content_sha256.eq(one.sha256.as_slice()),
            payment_batches::made_by.eq(&one.made.by),
            payment_batches::made_at.eq(one.made.at.naive_utc()),
            payment_batches::state.eq(one.state.name()),
            payment_batches::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    for (index, item) in one.items.iter().enumerate() {
        diesel::insert_into(payment_batch_claims::table)
            .values((
                payment_batch_claims::batch_id.eq(&one.id),
                payment_batch_claims::position.eq(number(index.saturating_add(1))?),
                payment_batch_claims::claim_id.eq(&item.claim_id),
                payment_batch_claims::amount_fen.eq(item.amount.fen()),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Saves how far a batch has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, one: &Batch) -> Answer<()> {
    let before = payment_batches::table
        .find(&one.id)
        .filter(payment_batches::revision.eq(one.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            payment_batches::state.eq(one.state.name()),
            payment_batches::decided_by.eq(one.decided.as_ref().map(|done| &done.by)),
            payment_batches::decided_at.eq(one.decided.as_ref().map(|done| done.at.naive_utc())),
            payment_batches::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} batches changed instead of one")).into())
    }
}
