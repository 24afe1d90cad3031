//! The accounts' table. Passwords are in a table of their own, so that whoever lists accounts never
//! has one in hand.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{accounts, passwords};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::people::rules::{Account, AccountId, Email, State};

#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub(super) struct AccountRow {
    id: AccountId,
    email: Option<String>,
    display_name: Option<String>,
    language: String,
    state: String,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<AccountRow> for Account {
    type Error = Fault;

    fn try_from(row: AccountRow) -> Result<Self, Fault> {
        let state = State::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("an account that is {}", row.state)))?;
        let language = [Language::Chinese, Language::English]
            .into_iter()
            .find(|language| language.tag() == row.language)
            .ok_or_else(|| Fault::broken(format!("an account that reads {}", row.language)))?;
        let email = row
            .email
            .map(|email| email.parse::<Email>())
            .transpose()
            .map_err(|_| Fault::broken(format!("the stored address of {}", row.id)))?;
        Ok(Self {
            id: row.id,
            email,
            display_name: row.display_name,
            language,
            state,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

/// The account of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn account(conn: &mut Conn, id: &AccountId) -> Answer<Option<Account>> {
    let row = accounts::table
        .find(id)
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Account::try_from).transpose()?)
}

/// The account of that address, if there is one, and the hash of its password, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn account_of_email(conn: &mut Conn, email: &Email) -> Answer<Option<(Account, Option<String>)>> {
    let row: Option<(AccountRow, Option<String>)> = accounts::table
        .left_join(passwords::table)
        .filter(accounts::email.eq(email.whole()))
        .select((AccountRow::as_select(), passwords::hash.nullable()))
        .first(conn)
        .optional()?;
    Ok(match row {
        Some((account, hash)) => Some((account.try_into()?, hash)),
        None => None,
    })
}

/// Which accounts are listed.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// In this state.
    pub state: Option<State>,
    /// Older than this one, which was the last on the page before.
    pub before: Option<AccountId>,
}

/// Up to `max` accounts, newest first.
///
/// # Errors
/// A fault of the database.
pub fn accounts(conn: &mut Conn, filter: &AccountFilter, max: i64) -> Answer<Vec<Account>> {
    let mut query = accounts::table
        .select(AccountRow::as_select())
        .order(accounts::id.desc())
        .limit(max)
        .into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(accounts::state.eq(state.name()));
    }
    if let Some(before) = &filter.before {
        query = query.filter(accounts::id.lt(before));
    }
    let rows: Vec<AccountRow> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(Account::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds an account.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, account: &Account) -> Answer<()> {
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(&account.id),
            accounts::email.eq(account.email.as_ref().map(Email::whole)),
            accounts::display_name.eq(&account.display_name),
            accounts::language.eq(account.language.tag()),
            accounts::state.eq(account.state.name()),
            accounts::version.eq(account.version),
            accounts::created_at.eq(account.created_at.naive_utc()),
            accounts::updated_at.eq(account.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a changed account over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update(tx: &mut Tx<'_>, account: &Account) -> Answer<()> {
    let before = account.version.saturating_sub(1);
    let changed = diesel::update(
        accounts::table
            .find(&account.id)
            .filter(accounts::version.eq(before)),
    )
    .set((
        accounts::email.eq(account.email.as_ref().map(Email::whole)),
        accounts::display_name.eq(&account.display_name),
        accounts::language.eq(account.language.tag()),
        accounts::state.eq(account.state.name()),
        accounts::version.eq(account.version),
        accounts::updated_at.eq(account.updated_at.naive_utc()),
    ))
    .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} accounts updated instead of one")).into())
    }
}

/// The hash of an account's password, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn password(conn: &mut Conn, id: &AccountId) -> Answer<Option<String>> {
    Ok(passwords::table
        .find(id)
        .select(passwords::hash)
        .first(conn)
        .optional()?)
}

/// Gives an account this password instead of the one it had.
///
/// # Errors
/// A fault of the database.
pub fn set_password(tx: &mut Tx<'_>, id: &AccountId, hash: &str) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::delete(passwords::table.find(id)).execute(tx.conn())?;
    diesel::insert_into(passwords::table)
        .values((
            passwords::account_id.eq(id),
            passwords::hash.eq(hash),
            passwords::changed_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}
