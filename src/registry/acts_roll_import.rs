//! Importing a community's roll: judged first, done only as it was previewed, all of it or nothing.

use chrono_tz::Tz;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason};
use crate::registry::acts_roll::community;
use crate::registry::import_roll::{self as import, Mode, Plan, Roll, Row};
use crate::registry::rules_roll::{self as rules, HouseholdId, Resident, ResidentId};
use crate::registry::{store_letters, store_roll};
use crate::web::actor::Actor;
use crate::web::policy::Action;

/// The import does not say which preview it follows.
pub static PREVIEW_MISSING: Reason = Reason::new(
    Kind::VersionMissing,
    "preview_missing",
    "请先以 dry_run=true 预览，再附上其 preview",
    "Preview it with dry_run=true first, and send its preview along",
);
/// The table, or what it is imported into, is not what was previewed.
pub static PREVIEW_STALE: Reason = Reason::new(
    Kind::Conflict,
    "preview_stale",
    "表格或其导入对象在预览之后已有变化，请重新预览",
    "The table, or what it is imported into, has changed since it was previewed; preview it again",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&PREVIEW_MISSING, &PREVIEW_STALE];

/// A table to import.
#[derive(Clone)]
pub struct ImportRoll {
    /// The community.
    pub area_id: AreaId,
    /// Its rows.
    pub rows: Vec<Row>,
    /// SHA-256 of the table's bytes.
    pub table_digest: [u8; 32],
    /// What becomes of residents who are not in it.
    pub mode: Mode,
    /// Whether it is done: `None` only judges, otherwise what the judgement answered.
    pub preview: Option<String>,
}

/// What an import did, or would do, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Rows in the table.
    pub rows: usize,
    /// Households added.
    pub households_added: usize,
    /// Households that got another dwelling area.
    pub households_changed: usize,
    /// Residents entered.
    pub entered: usize,
    /// Residents with other details.
    pub changed: usize,
    /// Residents in the table just as they are on the roll.
    pub unchanged: usize,
    /// Residents who left because they are not in the table.
    pub departed: usize,
    /// Residents who are not in the table and stay.
    pub absent: usize,
    /// What ties the doing to the judging: a digest of the table, the mode and the roll.
    pub preview: String,
}

/// Judges a table against the roll, and does nothing.
///
/// # Errors
/// Permission; not found; every fault of every row; `roll_full`.
pub fn preview(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &ImportRoll) -> Answer<Imported> {
    let (_, imported) = judged(tx, actor, zone, command)?;
    tx.nothing_to_change();
    Ok(imported)
}

/// Imports a table: everything in it, or nothing.
///
/// # Errors
/// Permission; not found; [`PREVIEW_MISSING`], [`PREVIEW_STALE`]; those of the judgement.
pub fn import(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &ImportRoll) -> Answer<Imported> {
    community(tx.conn(), actor, Action::ImportRoll, &command.area_id)?;
    let Some(seen) = &command.preview else {
        return Err(PREVIEW_MISSING.refuse().at("?preview").into());
    };
    let (plan, imported) = judged(tx, actor, zone, command)?;
    if *seen != imported.preview {
        return Err(PREVIEW_STALE.refuse().at("?preview").into());
    }
    let nothing = [
        imported.households_added,
        imported.households_changed,
        imported.entered,
        imported.changed,
        imported.departed,
    ]
    .iter()
    .all(|count| *count == 0);
    if nothing {
        tx.nothing_to_change();
        return Ok(imported);
    }
    carry_out(tx, actor, zone, &command.area_id, plan)?;
    let told = Event {
        kind: "roll.imported",
        subject: command.area_id.to_string(),
        data: json!({
            "mode": command.mode.name(),
            "rows": imported.rows,
            "households_added": imported.households_added,
            "households_changed": imported.households_changed,
            "entered": imported.entered,
            "changed": imported.changed,
            "unchanged": imported.unchanged,
            "departed": imported.departed,
            "absent": imported.absent,
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &told)?;
    Ok(imported)
}

fn judged(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &ImportRoll) -> Answer<(Plan, Imported)> {
    let area = community(tx.conn(), actor, Action::ImportRoll, &command.area_id)?;
    let roll = store_roll::roll(tx.conn(), &area.id)?;
    let today = local_date(tx.now(), zone);
    let plan = import::plan(&command.rows, &roll, command.mode, today, tx.now())?;
    let imported = Imported {
        rows: command.rows.len(),
        households_added: plan.households_added.len(),
        households_changed: plan.households_changed.len(),
        entered: plan.entered.len(),
        changed: plan.changed.len(),
        unchanged: plan.unchanged,
        departed: plan.departed.len(),
        absent: plan.absent,
        preview: digest(command, &roll),
    };
    Ok((plan, imported))
}

/// Of ids and versions only, which say of the roll whether it is the same, and nothing else. Half of the hash is enough: whoever
/// could make another table with the same digest is the one who imports it.
fn digest(command: &ImportRoll, roll: &Roll) -> String {
    let mut hash = Sha256::new();
    hash.update("wardbook roll preview\0");
    hash.update(command.table_digest);
    hash.update(format!("{} {}\n", command.area_id, command.mode.name()));
    for household in &roll.households {
        hash.update(format!("{} {}\n", household.id, household.version));
    }
    for resident in &roll.residents {
        hash.update(format!("{} {}\n", resident.id, resident.version));
    }
    hex::encode(hash.finalize().iter().take(16).copied().collect::<Vec<u8>>())
}

fn carry_out(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, area_id: &AreaId, plan: Plan) -> Answer<()> {
    let (now, today) = (tx.now(), local_date(tx.now(), zone));
    let added: Vec<_> = plan
        .households_added
        .into_iter()
        .map(|new| {
            rules::household(
                HouseholdId::mint(now),
                area_id.clone(),
                new.code,
                new.dwelling_area,
                now,
            )
        })
        .collect();
    store_roll::insert_households(tx, &added)?;
    for household in &plan.households_changed {
        store_roll::update_household(tx, household)?;
    }
    let ids = store_roll::household_ids(tx.conn(), area_id)?;
    let entered = plan
        .entered
        .into_iter()
        .map(|details| {
            let household = ids
                .get(&details.household)
                .cloned()
                .ok_or_else(|| Fault::broken("a planned resident without a household"))?;
            let person = details.person(household);
            Ok(rules::enter(
                ResidentId::mint(now),
                area_id.clone(),
                person,
                today,
                now,
            ))
        })
        .collect::<Answer<Vec<Resident>>>()?;
    store_roll::insert_residents(tx, &entered)?;
    for resident in plan.changed.iter().chain(&plan.departed) {
        store_roll::update_resident(tx, resident)?;
    }
    for gone in &plan.departed {
        store_letters::void(tx, &gone.id)?;
        store_letters::end_grant(tx, actor, gone)?;
    }
    Ok(())
}
