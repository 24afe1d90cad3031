//! The table of served places.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_places::{PlaceCode, PlaceRef, ServedPlace, ServedPlaceId};
use crate::db::conn::Conn;
use crate::db::schema::served_places;
use crate::db::writer::Tx;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = served_places)]
struct PlaceRow {
    id: ServedPlaceId,
    contract_id: ContractId,
    number: i64,
    name_zh: String,
    name_en: String,
    grade: Option<String>,
    area_id: Option<AreaId>,
    code: Option<String>,
    revision: i64,
    made_at: NaiveDateTime,
    changed_at: NaiveDateTime,
}

impl TryFrom<PlaceRow> for ServedPlace {
    type Error = Fault;

    fn try_from(row: PlaceRow) -> Result<Self, Fault> {
        let code = row.code.map(|code| code.parse::<PlaceCode>()).transpose();
        Ok(Self {
            code: code.map_err(|()| Fault::broken(format!("{}: its code is none", row.id)))?,
            id: row.id,
            contract_id: row.contract_id,
            number: row.number,
            name_zh: row.name_zh,
            name_en: row.name_en,
            grade: row.grade,
            area_id: row.area_id,
            revision: row.revision,
            made_at: row.made_at.and_utc(),
            changed_at: row.changed_at.and_utc(),
        })
    }
}

fn read(rows: Vec<PlaceRow>) -> Answer<Vec<ServedPlace>> {
    let all: Result<Vec<ServedPlace>, Fault> = rows.into_iter().map(ServedPlace::try_from).collect();
    Ok(all?)
}

/// The place of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn place(conn: &mut Conn, id: &ServedPlaceId) -> Answer<Option<ServedPlace>> {
    let row: Option<PlaceRow> = served_places::table
        .find(id)
        .select(PlaceRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(ServedPlace::try_from).transpose()?)
}

/// The place that is meant, if there is one that has a code.
///
/// # Errors
/// A fault of the database.
pub fn in_use(conn: &mut Conn, meant: &PlaceRef) -> Answer<Option<ServedPlace>> {
    match meant {
        PlaceRef::Id(id) => Ok(place(conn, id)?.filter(|place| place.code.is_some())),
        PlaceRef::Code(code) => {
            let row: Option<PlaceRow> = served_places::table
                .filter(served_places::code.eq(code.as_str()))
                .select(PlaceRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(ServedPlace::try_from).transpose()?)
        }
    }
}

/// The places of a contract, in the order of its lot: as many as the lot has at most.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<ServedPlace>> {
    let rows: Vec<PlaceRow> = served_places::table
        .filter(served_places::contract_id.eq(contract))
        .order(served_places::number)
        .select(PlaceRow::as_select())
        .load(conn)?;
    read(rows)
}

/// The places of these ids.
///
/// # Errors
/// A fault of the database.
pub fn of_ids(conn: &mut Conn, ids: &[&ServedPlaceId]) -> Answer<Vec<ServedPlace>> {
    let rows: Vec<PlaceRow> = served_places::table
        .filter(served_places::id.eq_any(ids))
        .select(PlaceRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a place.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, place: &ServedPlace) -> Answer<()> {
    diesel::insert_into(served_places::table)
        .values((
            served_places::id.eq(&place.id),
            served_places::contract_id.eq(&place.contract_id),
            served_places::number.eq(place.number),
            served_places::name_zh.eq(&place.name_zh),
            served_places::name_en.eq(&place.name_en),
            served_places::grade.eq(&place.grade),
            served_places::area_id.eq(&place.area_id),
            served_places::code.eq(place.code.as_ref().map(PlaceCode::as_str)),
            served_places::revision.eq(place.revision),
            served_places::made_at.eq(place.made_at.naive_utc()),
            served_places::changed_at.eq(place.changed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves what became of a place over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, place: &ServedPlace) -> Answer<()> {
    let before = served_places::table
        .find(&place.id)
        .filter(served_places::revision.eq(place.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            served_places::grade.eq(&place.grade),
            served_places::area_id.eq(&place.area_id),
            served_places::code.eq(place.code.as_ref().map(PlaceCode::as_str)),
            served_places::revision.eq(place.revision),
            served_places::changed_at.eq(place.changed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} served places changed instead of one")).into())
    }
}
