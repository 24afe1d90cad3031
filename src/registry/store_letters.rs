//! The table of invitation letters, and the grants by which an account is a resident.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{accounts, households, invitation_letters, residents, role_grants};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::Answer;
use crate::registry::rules_letters::Presented;
use crate::registry::rules_person::{ADULT_AT_YEARS, born_by};
use crate::registry::rules_roll::{Resident, ResidentId, State};
use crate::web::actor::Actor;
use crate::web::policy::Role;

crate::ids! {
    /// That an account may act in some capacity.
    GrantId "grant"
}

/// A letter that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = invitation_letters)]
pub struct Letter {
    /// For whom.
    pub resident_id: ResidentId,
    /// Hash of the link's code.
    pub link_hash: Vec<u8>,
    /// Hash of the typed code.
    pub code_hash: Vec<u8>,
    /// The account that had it printed.
    pub printed_by: String,
    /// When, UTC.
    pub printed_at: NaiveDateTime,
    /// Until when it can be used, UTC.
    pub expires_at: NaiveDateTime,
}

/// Keeps letters. An older one of the same resident becomes void, and with it an account that is being opened with it.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, letters: &[Letter]) -> Answer<()> {
    for some in letters.chunks(500) {
        let ids: Vec<&ResidentId> = some.iter().map(|letter| &letter.resident_id).collect();
        diesel::delete(invitation_letters::table.filter(invitation_letters::resident_id.eq_any(ids)))
            .execute(tx.conn())?;
        both!(tx.conn(), c => diesel::insert_into(invitation_letters::table).values(some).execute(c))?;
    }
    Ok(())
}

/// Makes the letter of a resident void, if they have one, and the link with which an account is being opened on its strength: the
/// database takes what hangs on a letter away with it.
///
/// # Errors
/// A fault of the database.
pub fn void(tx: &mut Tx<'_>, resident_id: &ResidentId) -> Answer<()> {
    diesel::delete(invitation_letters::table.find(resident_id)).execute(tx.conn())?;
    Ok(())
}

/// The letter that has this code.
///
/// # Errors
/// A fault of the database.
pub fn letter(conn: &mut Conn, code: &Presented) -> Answer<Option<Letter>> {
    let found = match code {
        Presented::Link(hash) => invitation_letters::table
            .filter(invitation_letters::link_hash.eq(hash.as_slice()))
            .select(Letter::as_select())
            .first(conn)
            .optional()?,
        Presented::Typed(hash) => invitation_letters::table
            .filter(invitation_letters::code_hash.eq(hash.as_slice()))
            .select(Letter::as_select())
            .first(conn)
            .optional()?,
    };
    Ok(found)
}

/// The letter of a resident, if they have one.
///
/// # Errors
/// A fault of the database.
pub fn letter_of(conn: &mut Conn, resident_id: &ResidentId) -> Answer<Option<Letter>> {
    Ok(invitation_letters::table
        .find(resident_id)
        .select(Letter::as_select())
        .first(conn)
        .optional()?)
}

/// Adults on a roll who have neither an account nor a letter that can still be used, by household: up to `max` of them, and how many
/// there are.
///
/// # Errors
/// A fault of the database.
pub fn uninvited(
    conn: &mut Conn,
    area_id: &AreaId,
    today: NaiveDate,
    now: Instant,
    max: i64,
) -> Answer<(Vec<ResidentId>, i64)> {
    // One definition of who they are, said twice because a query is consumed by running it.
    macro_rules! uninvited {
        () => {
            residents::table
                .inner_join(households::table)
                .left_join(invitation_letters::table)
                .filter(residents::area_id.eq(area_id))
                .filter(residents::state.eq(State::Active.name()))
                .filter(residents::account_id.is_null())
                .filter(residents::birth_date.le(born_by(today, ADULT_AT_YEARS)))
                .filter(
                    invitation_letters::expires_at
                        .nullable()
                        .is_null()
                        .or(invitation_letters::expires_at
                            .nullable()
                            .le(now.naive_utc())),
                )
        };
    }
    let ids = uninvited!()
        .order((households::code, residents::id))
        .select(residents::id)
        .limit(max)
        .load(conn)?;
    let all = uninvited!().count().get_result(conn)?;
    Ok((ids, all))
}

/// Whether there is such an account, and a person uses it.
///
/// # Errors
/// A fault of the database.
pub fn is_account(conn: &mut Conn, account_id: &AccountId) -> Answer<bool> {
    let state: Option<String> = accounts::table
        .find(account_id)
        .select(accounts::state)
        .first(conn)
        .optional()?;
    Ok(state.as_deref() == Some("active"))
}

/// Lets an account act as a resident of a community, unless it may already.
///
/// # Errors
/// A fault of the database.
pub fn grant(tx: &mut Tx<'_>, account_id: &AccountId, area_id: &AreaId, granted_by: &str) -> Answer<()> {
    let known: Vec<GrantId> = role_grants::table
        .filter(role_grants::account_id.eq(account_id))
        .filter(role_grants::role.eq(Role::Resident.name()))
        .filter(role_grants::area_id.eq(area_id))
        .filter(role_grants::ended_at.is_null())
        .select(role_grants::id)
        .load(tx.conn())?;
    if !known.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    diesel::insert_into(role_grants::table)
        .values((
            role_grants::id.eq(GrantId::mint(now)),
            role_grants::account_id.eq(account_id),
            role_grants::role.eq(Role::Resident.name()),
            role_grants::area_id.eq(Some(area_id)),
            role_grants::granted_by.eq(granted_by),
            role_grants::granted_at.eq(now.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Ends it for the account of a resident, if they have one. The row stays: who could do what when stays known.
///
/// # Errors
/// A fault of the database.
pub fn end_grant(tx: &mut Tx<'_>, actor: &Actor, resident: &Resident) -> Answer<()> {
    let Some(account_id) = &resident.account_id else {
        return Ok(());
    };
    let now = tx.now().naive_utc();
    diesel::update(
        role_grants::table
            .filter(role_grants::account_id.eq(account_id))
            .filter(role_grants::role.eq(Role::Resident.name()))
            .filter(role_grants::area_id.eq(&resident.area_id))
            .filter(role_grants::ended_at.is_null()),
    )
    .set((
        role_grants::ended_by.eq(actor.id().unwrap_or("public")),
        role_grants::ended_at.eq(now),
    ))
    .execute(tx.conn())?;
    Ok(())
}
