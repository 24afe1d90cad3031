//! What is done to the area tree: each function is one transaction's worth of work, permission first, event last.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::import::{self, Row};
use crate::registry::rules::{self, Area, AreaId, Designation, PARENT_UNKNOWN};
use crate::registry::store;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// An area to add.
#[derive(Clone, Debug)]
pub struct CreateArea {
    /// What it hangs under; none for a city.
    pub parent_id: Option<AreaId>,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Statistical division code.
    pub code: Option<String>,
}

/// Another name or code for an area; what is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct RenameArea {
    /// Which area.
    pub id: AreaId,
    /// Which version of it.
    pub expected: Expected,
    /// Chinese name.
    pub name_zh: Option<String>,
    /// English name.
    pub name_en: Option<String>,
    /// Statistical division code; `Some(None)` takes it away.
    pub code: Option<Option<String>>,
}

/// Another parent for an area.
#[derive(Clone, Debug)]
pub struct MoveArea {
    /// Which area.
    pub id: AreaId,
    /// Which version of it.
    pub expected: Expected,
    /// What it is to hang under.
    pub parent_id: AreaId,
}

/// Adds an area.
///
/// # Errors
/// Permission; [`PARENT_UNKNOWN`]; those of the rules, in the order level, names and code, taken name, taken code.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, command: &CreateArea) -> Answer<Area> {
    policy::allow(actor, Action::CreateArea, Matter::default())?;
    let parent = match &command.parent_id {
        Some(id) => Some(parent(tx, id)?),
        None => None,
    };
    let level = rules::level_under(parent.as_ref())?;
    let designation = rules::designation(level, &command.name_zh, &command.name_en, command.code.as_deref())?;
    let place = store::place(tx.conn(), command.parent_id.as_ref(), &designation, None)?;
    let area = rules::create(
        AreaId::mint(tx.now()),
        parent.as_ref(),
        level,
        designation,
        place,
        tx.now(),
    )?;
    store::insert(tx, &area)?;
    audit::store::append(tx, actor, &created(&area))?;
    Ok(area)
}

/// Gives an area another name or code. Naming it as it is named changes nothing and records nothing.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn rename(tx: &mut Tx<'_>, actor: &Actor, command: &RenameArea) -> Answer<Area> {
    policy::allow(actor, Action::RenameArea, Matter::default())?;
    let area = expected(tx, &command.id, command.expected)?;
    let before = area.designation.clone();
    let designation = rules::designation(
        area.level,
        command.name_zh.as_deref().unwrap_or(&before.name_zh),
        command.name_en.as_deref().unwrap_or(&before.name_en),
        command.code.as_ref().unwrap_or(&before.code).as_deref(),
    )?;
    let place = store::place(tx.conn(), area.parent_id.as_ref(), &designation, Some(&area.id))?;
    let Some(renamed) = rules::rename(area.clone(), designation, place, tx.now())? else {
        tx.nothing_to_change();
        return Ok(area);
    };
    store::update(tx, &renamed)?;
    let data = json!({ "before": names(&before), "after": names(&renamed.designation) });
    audit::store::append(tx, actor, &event("area.renamed", &renamed, data))?;
    Ok(renamed)
}

/// Hangs an area, with all below it, under another parent. Where it hangs already, nothing changes.
///
/// # Errors
/// Permission; not found; a stale version; [`PARENT_UNKNOWN`]; those of the rules.
pub fn move_area(tx: &mut Tx<'_>, actor: &Actor, command: &MoveArea) -> Answer<Area> {
    policy::allow(actor, Action::MoveArea, Matter::default())?;
    let area = expected(tx, &command.id, command.expected)?;
    let parent = parent(tx, &command.parent_id)?;
    let place = store::place(tx.conn(), Some(&parent.id), &area.designation, Some(&area.id))?;
    let Some(moved) = rules::move_under(area.clone(), &parent, place, tx.now())? else {
        tx.nothing_to_change();
        return Ok(area);
    };
    store::update(tx, &moved)?;
    let carried = store::carry_subtree(tx, &area.path, &moved.path)?;
    let data = json!({ "from": area.parent_id, "to": moved.parent_id, "areas_below": carried });
    audit::store::append(tx, actor, &event("area.moved", &moved, data))?;
    Ok(moved)
}

/// Adds all areas of a table, or none. With `dry_run` everything is judged and nothing done.
///
/// # Errors
/// Permission; [`crate::web::problem::INVALID`] with every fault of every row.
pub fn import(tx: &mut Tx<'_>, actor: &Actor, rows: &[Row], dry_run: bool) -> Answer<Vec<Area>> {
    policy::allow(actor, Action::ImportAreas, Matter::default())?;
    let mut codes: Vec<&str> = rows
        .iter()
        .flat_map(|row| [row.code.as_str(), row.parent_code.as_str()])
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let known: HashMap<String, Area> = store::areas_of_codes(tx.conn(), &codes)?
        .into_iter()
        .filter_map(|area| area.designation.code.clone().map(|code| (code, area)))
        .collect();
    let names = names_taken(tx, rows, &known)?;
    let planned = import::plan(rows, &known, &names)?;
    let mut by_code = known;
    let mut added = Vec::new();
    for plan in planned {
        let parent = match &plan.parent_code {
            Some(code) => Some(
                by_code
                    .get(code)
                    .ok_or_else(|| Fault::broken("a planned area without its parent"))?,
            ),
            None => None,
        };
        let place = rules::Place::default();
        let area = rules::create(
            AreaId::mint(tx.now()),
            parent,
            plan.level,
            plan.designation,
            place,
            tx.now(),
        )?;
        if !dry_run {
            store::insert(tx, &area)?;
            audit::store::append(tx, actor, &created(&area))?;
        }
        if let Some(code) = &area.designation.code {
            by_code.insert(code.clone(), area.clone());
        }
        added.push(area);
    }
    if dry_run {
        tx.nothing_to_change();
    }
    Ok(added)
}

/// Which of the table's names are already there, under which parent's code.
fn names_taken(
    tx: &mut Tx<'_>,
    rows: &[Row],
    known: &HashMap<String, Area>,
) -> Answer<HashSet<(Option<String>, String)>> {
    let mut taken = HashSet::new();
    for row in rows {
        let parent_id = match known.get(&row.parent_code) {
            Some(parent) => Some(&parent.id),
            None if row.parent_code.is_empty() => None,
            None => continue,
        };
        let designation = Designation {
            // As the rules will store it: a wide space, for one, is not trimmed by the reading of the table.
            name_zh: row.name_zh.trim().to_owned(),
            name_en: String::new(),
            code: None,
        };
        if store::place(tx.conn(), parent_id, &designation, None)?.name_taken {
            let parent_code = (!row.parent_code.is_empty()).then(|| row.parent_code.clone());
            taken.insert((parent_code, designation.name_zh));
        }
    }
    Ok(taken)
}

fn parent(tx: &mut Tx<'_>, id: &AreaId) -> Answer<Area> {
    let found = store::area(tx.conn(), id)?;
    Ok(found.ok_or_else(|| PARENT_UNKNOWN.refuse().at("/parent_id"))?)
}

fn expected(tx: &mut Tx<'_>, id: &AreaId, version: Expected) -> Answer<Area> {
    let area = store::area(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    version.check(area.version)?;
    Ok(area)
}

fn names(designation: &Designation) -> Value {
    json!({ "name_zh": designation.name_zh, "name_en": designation.name_en, "code": designation.code })
}

fn created(area: &Area) -> Event {
    let mut data = names(&area.designation);
    if let Value::Object(members) = &mut data {
        members.insert("parent_id".to_owned(), json!(area.parent_id));
        members.insert("level".to_owned(), json!(area.level));
    }
    event("area.created", area, data)
}

fn event(kind: &'static str, area: &Area, data: Value) -> Event {
    Event {
        kind,
        subject: area.id.to_string(),
        data,
        private: Value::Null,
    }
}
