//! Who did what on which matter.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::duties;
use crate::db::writer::Tx;
use crate::duties::rules::{self, Duty};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::Role;

/// In which capacity a duty is done: decides for whom a deputy acts.
#[derive(Clone, Copy, Debug)]
pub struct Capacity<'a> {
    /// The role.
    pub role: Role,
    /// The organisation in whose name; none if the role is held in none.
    pub organisation: Option<&'a OrganisationId>,
}

/// A duty that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What.
    pub duty: Duty,
    /// Whose doing it counts as.
    pub person: String,
    /// Who did it: the same, or their deputy.
    pub done_by: String,
    /// When, UTC.
    pub done_at: NaiveDateTime,
}

/// Records that the actor does a duty on a matter, unless they, or somebody they are deputy of, did one that it is to be kept
/// apart from. In the transaction of the act that the duty consists of; two such acts at once cannot both be done, because
/// writers are serialisable.
///
/// # Errors
/// [`rules::SEPARATION_OF_DUTIES`]; a fault of the database, or if nobody in particular acts.
pub fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    capacity: Capacity<'_>,
    duty: Duty,
    matter: &str,
) -> Answer<()> {
    let done_by = actor
        .id()
        .ok_or_else(|| Fault::broken("a duty is done by somebody"))?
        .to_owned();
    let persons = persons(actor, &done_by, capacity);
    rules::may_undertake(duty, &done_of(tx.conn(), matter, &persons)?)?;
    let done_at = tx.now().naive_utc();
    for person in persons {
        both!(tx.conn(), c => diesel::insert_into(duties::table)
            .values((
                duties::matter.eq(matter),
                duties::duty.eq(duty.name()),
                duties::person.eq(person),
                duties::done_by.eq(&done_by),
                duties::done_at.eq(done_at),
            ))
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// Whether the actor, or somebody they are deputy of, may do a duty on a matter beside what they have done on it. Nothing is recorded: for a matter on which
/// what is done counts only against what somebody else has recorded there.
///
/// # Errors
/// [`rules::SEPARATION_OF_DUTIES`]; a fault of the database, or if nobody in particular acts.
pub fn keep_apart(
    conn: &mut Conn,
    actor: &Actor,
    capacity: Capacity<'_>,
    duty: Duty,
    matter: &str,
) -> Answer<()> {
    let done_by = actor
        .id()
        .ok_or_else(|| Fault::broken("a duty is done by somebody"))?;
    let persons = persons(actor, done_by, capacity);
    Ok(rules::may_undertake(duty, &done_of(conn, matter, &persons)?)?)
}

/// Whose doing it is: the actor's, and, if the role is held only as a deputy, that of whoever they are deputy of.
fn persons(actor: &Actor, done_by: &str, capacity: Capacity<'_>) -> Vec<String> {
    let grants = actor
        .grants()
        .iter()
        .filter(|grant| grant.role == capacity.role && grant.organisation.as_ref() == capacity.organisation);
    let mut persons = vec![done_by.to_owned()];
    let principals: Vec<Option<String>> = grants.map(|grant| grant.deputy_of.clone()).collect();
    if principals.iter().all(Option::is_some) {
        persons.extend(principals.into_iter().flatten());
    }
    persons.sort();
    persons.dedup();
    persons
}

fn done_of(conn: &mut Conn, matter: &str, persons: &[String]) -> Answer<Vec<Duty>> {
    let names: Vec<String> = duties::table
        .filter(duties::matter.eq(matter).and(duties::person.eq_any(persons)))
        .select(duties::duty)
        .load(conn)?;
    names.iter().map(|name| known(name)).collect()
}

fn known(name: &str) -> Answer<Duty> {
    Ok(Duty::named(name).ok_or_else(|| Fault::broken(format!("a duty named {name}")))?)
}

/// All that was done on a matter, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn done_on(conn: &mut Conn, matter: &str) -> Answer<Vec<Done>> {
    let rows: Vec<(String, String, String, NaiveDateTime)> = duties::table
        .filter(duties::matter.eq(matter))
        .order((duties::done_at, duties::duty, duties::person))
        .select((duties::duty, duties::person, duties::done_by, duties::done_at))
        .load(conn)?;
    rows.into_iter()
        .map(|(duty, person, done_by, done_at)| {
            Ok(Done {
                duty: known(&duty)?,
                person,
                done_by,
                done_at,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::actor::Grant;

    #[test]
    fn a_deputy_acts_for_another_only_where_they_have_no_right_of_their_own() {
        let organisation = OrganisationId::mint(crate::kernel::clock::Clock::system().now());
        let capacity = |role| Capacity {
            role,
            organisation: Some(&organisation),
        };
        let grant = |role| Grant::of(role).in_organisation(organisation.clone());
        let grants = vec![
            grant(Role::BuyerApprover).as_deputy_of("user_principal"),
            grant(Role::BuyerOfficer).as_deputy_of("user_principal"),
            grant(Role::BuyerOfficer),
        ];
        let actor = Actor::in_session("user_deputy".into(), "session_1".into(), grants);
        assert_eq!(
            persons(&actor, "user_deputy", capacity(Role::BuyerApprover)),
            ["user_deputy", "user_principal"]
        );
        assert_eq!(
            persons(&actor, "user_deputy", capacity(Role::BuyerOfficer)),
            ["user_deputy"]
        );
        assert_eq!(
            persons(&actor, "user_deputy", capacity(Role::FinanceOfficer)),
            ["user_deputy"]
        );
    }
}
