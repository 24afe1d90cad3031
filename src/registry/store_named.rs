//! Organisations by what others call them: by their credit code, or by their name. Only those that everybody knows of: who has just registered under a name is nobody's
//! supplier yet. Only SQL.

use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{organisation_versions, organisations};
use crate::kernel::party::{OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Answer, Fault};

/// The organisation that has this credit code.
///
/// # Errors
/// A fault of the database.
pub fn of_code(conn: &mut Conn, code: &str) -> Answer<Option<OrganisationId>> {
    Ok(organisations::table
        .filter(organisations::credit_code.eq(code))
        .filter(organisations::public_at.is_not_null())
        .select(organisations::id)
        .order(organisations::id)
        .first(conn)
        .optional()?)
}

/// Up to two organisations of exactly this Chinese or English name, in whichever order; of public bodies alone, if only these are wanted.
///
/// # Errors
/// A fault of the database, or of a kind that is none.
pub fn of_name(conn: &mut Conn, name: &str, only_public_bodies: bool) -> Answer<Vec<OrganisationId>> {
    let rows: Vec<(OrganisationId, String)> = organisations::table
        .filter(
            organisations::name_zh
                .eq(name)
                .or(organisations::name_en.eq(name)),
        )
        .filter(organisations::public_at.is_not_null())
        .select((organisations::id, organisations::kind))
        .order(organisations::id)
        .limit(200)
        .load(conn)?;
    let mut found = Vec::new();
    for (id, kind) in rows {
        let kind = OrganisationKind::named(&kind)
            .ok_or_else(|| Fault::broken(format!("{id} is of a kind that is none")))?;
        if !only_public_bodies || kind.is_public_body() {
            found.push(id);
        }
    }
    found.truncate(2);
    Ok(found)
}

/// Whether an organisation has, or once had, one of these codes or names.
///
/// # Errors
/// A fault of the database.
pub fn was_called(conn: &mut Conn, id: &str, called: &[String]) -> Answer<bool> {
    let found: Vec<i64> = both!(conn, c => organisation_versions::table
        .filter(organisation_versions::organisation_id.eq(id))
        .filter(
            organisation_versions::name_zh.eq_any(called)
                .or(organisation_versions::name_en.eq_any(called))
                .or(organisation_versions::credit_code.eq_any(called).assume_not_null()),
        )
        .select(organisation_versions::version)
        .limit(1)
        .load(c))?;
    Ok(!found.is_empty())
}
