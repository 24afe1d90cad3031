//! Who of an organisation is written to, and under which name. Reads accounts; what is done to those is the business of the slice
//! beside this one.

use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{accounts, role_grants};
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox::address::Address;
use crate::outbox::notice::Recipient;
use crate::web::policy::Role;

/// People of one organisation who are written to, at most.
const CONTACTS_MAX: i64 = 100;

#[derive(Queryable)]
struct ContactRow {
    id: String,
    email: Option<String>,
    display_name: Option<String>,
    language: String,
}

impl ContactRow {
    /// As a reader of mail; `None` for whoever has no address.
    fn recipient(self) -> Result<Option<Recipient>, Fault> {
        let Some(email) = self.email else {
            return Ok(None);
        };
        let address: Address = email
            .parse()
            .map_err(|_| Fault::broken("a mail address that the outbox does not know as one"))?;
        let language = [Language::Chinese, Language::English]
            .into_iter()
            .find(|language| language.tag() == self.language)
            .unwrap_or_default();
        let name = self.display_name.unwrap_or_default();
        Ok(Some(Recipient::account(&self.id, address, &name, language)))
    }
}

/// The administrators of an organisation who can be written to, by account.
///
/// # Errors
/// A fault of the database.
pub fn administrators(conn: &mut Conn, organisation: &OrganisationId) -> Answer<Vec<Recipient>> {
    people(conn, organisation, Role::OrganisationAdmin)
}

/// Those who act for a supplier and can be written to: its administrators, and its agents. Whoever is both is among them twice; what was queued
/// for an account under a key is not queued again.
///
/// # Errors
/// A fault of the database.
pub fn acting_for(conn: &mut Conn, supplier: &OrganisationId) -> Answer<Vec<Recipient>> {
    let mut readers = administrators(conn, supplier)?;
    readers.extend(people(conn, supplier, Role::SupplierAgent)?);
    Ok(readers)
}

/// Those who hold a role in an organisation and can be written to, by account.
///
/// # Errors
/// A fault of the database.
pub fn people(conn: &mut Conn, organisation: &OrganisationId, role: Role) -> Answer<Vec<Recipient>> {
    let rows: Vec<ContactRow> = accounts::table
        .inner_join(role_grants::table)
        .filter(role_grants::organisation_id.eq(organisation))
        .filter(role_grants::role.eq(role.name()))
        .filter(role_grants::ended_at.is_null())
        .filter(accounts::state.eq("active"))
        .order(accounts::id.asc())
        .limit(CONTACTS_MAX)
        .select((
            accounts::id,
            accounts::email,
            accounts::display_name,
            accounts::language,
        ))
        .load(conn)?;
    let mut recipients = Vec::new();
    for row in rows {
        recipients.extend(row.recipient()?);
    }
    Ok(recipients)
}

/// Those who hold a role, in whatever organisation or in none, and can be written to, by account.
///
/// # Errors
/// A fault of the database.
pub fn holders(conn: &mut Conn, role: Role) -> Answer<Vec<Recipient>> {
    let rows: Vec<ContactRow> = accounts::table
        .inner_join(role_grants::table)
        .filter(role_grants::role.eq(role.name()))
        .filter(role_grants::ended_at.is_null())
        .filter(accounts::state.eq("active"))
        .order(accounts::id.asc())
        .limit(CONTACTS_MAX)
        .select((
            accounts::id,
            accounts::email,
            accounts::display_name,
            accounts::language,
        ))
        .load(conn)?;
    let mut recipients = Vec::new();
    for row in rows {
        recipients.extend(row.recipient()?);
    }
    Ok(recipients)
}

/// One account in use, if it can be written to.
///
/// # Errors
/// A fault of the database.
pub fn account(conn: &mut Conn, id: &str) -> Answer<Option<Recipient>> {
    let row: Option<ContactRow> = accounts::table
        .find(id)
        .filter(accounts::state.eq("active"))
        .select((
            accounts::id,
            accounts::email,
            accounts::display_name,
            accounts::language,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(ContactRow::recipient).transpose()?.flatten())
}

/// The name of an account's person, if it is known.
///
/// # Errors
/// A fault of the database.
pub fn name(conn: &mut Conn, id: &str) -> Answer<Option<String>> {
    let name: Option<Option<String>> = accounts::table
        .find(id)
        .select(accounts::display_name)
        .first(conn)
        .optional()?;
    Ok(name.flatten())
}

/// Whether an account in use holds a role in an organisation.
///
/// # Errors
/// A fault of the database.
pub fn holds(
    conn: &mut Conn,
    account: &AccountId,
    organisation: &OrganisationId,
    role: Role,
) -> Answer<bool> {
    let held: i64 = accounts::table
        .inner_join(role_grants::table)
        .filter(accounts::id.eq(account))
        .filter(accounts::state.eq("active"))
        .filter(role_grants::organisation_id.eq(organisation))
        .filter(role_grants::role.eq(role.name()))
        .filter(role_grants::ended_at.is_null())
        .count()
        .get_result(conn)?;
    Ok(held > 0)
}
