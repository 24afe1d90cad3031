//! Which of the ward's own an imported process names: its area, and of contracts that are running, its buyer and suppliers.

use crate::db::conn::Conn;
use crate::imports::rules::Kind;
use crate::imports::rules_process::{Process, Reference};
use crate::imports::rules_understood::{Joined, suppliers};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::rules_credit_code::CreditCode;
use crate::registry::store::areas_of_codes;
use crate::registry::store_named;

/// What of a process is the ward's own. Organisations are joined of contracts from tables only: those are the ward's, while what others publish may name anybody.
///
/// # Errors
/// A fault of the database.
pub fn joined(conn: &mut Conn, kind: Kind, process: &Process) -> Answer<Joined> {
    let area_id = match process.area.as_deref() {
        Some(code) => areas_of_codes(conn, &[code])?
            .into_iter()
            .next()
            .map(|area| area.id),
        None => None,
    };
    let mut joined = Joined {
        area_id,
        ..Joined::default()
    };
    if kind == Kind::Contracts {
        for one in process.buyer.iter().chain(suppliers(process)) {
            if !joined.organisations.contains_key(&one.id)
                && let Some(own) = own(conn, one)?
            {
                joined.organisations.insert(one.id.clone(), own);
            }
        }
    }
    Ok(joined)
}

/// The ward's organisation that is meant: the one of the credit code, if there is a code; else the only one of exactly that name.
fn own(conn: &mut Conn, one: &Reference) -> Answer<Option<OrganisationId>> {
    if one.id.parse::<CreditCode>().is_ok() {
        return store_named::of_code(conn, &one.id);
    }
    match store_named::of_name(conn, &one.name, false)?.as_slice() {
        [only] => Ok(Some(only.clone())),
        _ => Ok(None),
    }
}
