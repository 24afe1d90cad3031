//! Exporting a roll: that somebody took it away as a table is an event, because what lies on a registrar's disk is out of the ward's
//! hands.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll::community;
use crate::registry::export_roll::Encoding;
use crate::registry::rules_roll::{RESIDENTS_MAX, State};
use crate::registry::store_roll_reading::{self as reading, Listed, ResidentFilter, Sort};
use crate::web::actor::Actor;
use crate::web::policy::Action;

/// Everybody who is on the roll of a community, by household.
///
/// # Errors
/// Permission; not found.
pub fn whole(conn: &mut Conn, actor: &Actor, area_id: &AreaId) -> Answer<Vec<Listed>> {
    let area = community(conn, actor, Action::ExportRoll, area_id)?;
    let filter = ResidentFilter {
        area_id: area.id,
        household_id: None,
        state: State::Active,
        text: None,
        sort: Sort::Household,
        after: None,
    };
    reading::residents(conn, &filter, i64::try_from(RESIDENTS_MAX).unwrap_or(i64::MAX))
}

/// Records that the actor takes a roll of so many away. How many there are is in the private part: everybody reads only numbers of ten
/// and more.
///
/// # Errors
/// Permission; not found.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    area_id: &AreaId,
    residents: usize,
    encoding: Encoding,
) -> Answer<()> {
    let area = community(tx.conn(), actor, Action::ExportRoll, area_id)?;
    let event = Event {
        kind: "roll.exported",
        subject: area.id.to_string(),
        data: json!({ "encoding": encoding.name() }),
        private: json!({ "residents": residents }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
