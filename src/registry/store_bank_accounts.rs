//! The table of organisations' bank accounts, as proposed and decided.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::bank_account_changes;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_bank_accounts::{
    BankAccount, BankAccountChange, BankAccountChangeId, ChangeState,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = bank_account_changes)]
struct ChangeRow {
    id: BankAccountChangeId,
    organisation_id: OrganisationId,
    holder: String,
    bank_name: String,
    bank_code: String,
    account_number: String,
    state: String,
    proposed_by: String,
    proposed_at: NaiveDateTime,
    decided_by: Option<String>,
    decided_at: Option<NaiveDateTime>,
}

impl TryFrom<ChangeRow> for BankAccountChange {
    type Error = Fault;

    fn try_from(row: ChangeRow) -> Result<Self, Fault> {
        let state = ChangeState::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("a change of a bank account that is {}", row.state)))?;
        Ok(Self {
            id: row.id,
            organisation_id: row.organisation_id,
            account: BankAccount {
                holder: row.holder,
                bank_name: row.bank_name,
                bank_code: row.bank_code,
                number: row.account_number,
            },
            state,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at.and_utc(),
            decided: row.decided_by.zip(row.decided_at.map(|at| at.and_utc())),
        })
    }
}

/// The change of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn change(conn: &mut Conn, id: &BankAccountChangeId) -> Answer<Option<BankAccountChange>> {
    let row: Option<ChangeRow> = bank_account_changes::table
        .find(id)
        .select(ChangeRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(BankAccountChange::try_from).transpose()?)
}

/// The newest change of an organisation's account in a state: the one that waits, or the one that holds. Only one waits at a
/// time, so the newest confirmed is the one confirmed last.
///
/// # Errors
/// A fault of the database.
pub fn newest(
    conn: &mut Conn,
    organisation: &OrganisationId,
    state: ChangeState,
) -> Answer<Option<BankAccountChange>> {
    let row: Option<ChangeRow> = bank_account_changes::table
        .filter(bank_account_changes::organisation_id.eq(organisation))
        .filter(bank_account_changes::state.eq(state.name()))
        .order(bank_account_changes::id.desc())
        .select(ChangeRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(BankAccountChange::try_from).transpose()?)
}

/// Up to `max` changes of an organisation's account older than `before`, newest first.
///
/// # Errors
/// A fault of the database.
pub fn changes(
    conn: &mut Conn,
    organisation: &OrganisationId,
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<BankAccountChange>> {
    // Every id of a change sorts before a tilde.
    let rows: Vec<ChangeRow> = bank_account_changes::table
        .filter(bank_account_changes::organisation_id.eq(organisation))
        .filter(bank_account_changes::id.lt(before.unwrap_or("~")))
        .order(bank_account_changes::id.desc())
        .limit(max)
        .select(ChangeRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(BankAccountChange::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a change that waits.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, change: &BankAccountChange) -> Answer<()> {
    diesel::insert_into(bank_account_changes::table)
        .values((
            bank_account_changes::id.eq(&change.id),
            bank_account_changes::organisation_id.eq(&change.organisation_id),
            bank_account_changes::holder.eq(&change.account.holder),
            bank_account_changes::bank_name.eq(&change.account.bank_name),
            bank_account_changes::bank_code.eq(&change.account.bank_code),
            bank_account_changes::account_number.eq(&change.account.number),
            bank_account_changes::state.eq(change.state.name()),
            bank_account_changes::proposed_by.eq(&change.proposed_by),
            bank_account_changes::proposed_at.eq(change.proposed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a decided change over the one that waited.
///
/// # Errors
/// A fault of the database, or if it does not wait any more.
pub fn decide(tx: &mut Tx<'_>, change: &BankAccountChange) -> Answer<()> {
    let waiting = bank_account_changes::table
        .find(&change.id)
        .filter(bank_account_changes::state.eq(ChangeState::Proposed.name()));
    let decided = change.decided.as_ref();
    let changed = diesel::update(waiting)
        .set((
            bank_account_changes::state.eq(change.state.name()),
            bank_account_changes::decided_by.eq(decided.map(|(by, _)| by)),
            bank_account_changes::decided_at.eq(decided.map(|(_, at)| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!(
            "{changed} changes of a bank account decided instead of one"
        ))
        .into())
    }
}
