//! The table of qualifications.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::qualifications;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_qualifications::{Licence, Qualification, QualificationId, State};

#[derive(Queryable, Selectable)]
#[diesel(table_name = qualifications)]
struct QualificationRow {
    id: QualificationId,
    organisation_id: OrganisationId,
    kind: String,
    issuer: String,
    number: String,
    grade: Option<String>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    state: String,
    note: Option<String>,
    version: i64,
    claimed_by: String,
    claimed_at: NaiveDateTime,
    decided_by: Option<String>,
    decided_at: Option<NaiveDateTime>,
}

impl TryFrom<QualificationRow> for Qualification {
    type Error = Fault;

    fn try_from(row: QualificationRow) -> Result<Self, Fault> {
        let state = State::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("a qualification that is {}", row.state)))?;
        Ok(Self {
            id: row.id,
            organisation_id: row.organisation_id,
            licence: Licence {
                kind: row.kind,
                issuer: row.issuer,
                number: row.number,
                grade: row.grade,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
            },
            state,
            note: row.note,
            version: row.version,
            claimed_by: row.claimed_by,
            claimed_at: row.claimed_at.and_utc(),
            decided: row.decided_by.zip(row.decided_at.map(|at| at.and_utc())),
        })
    }
}

fn read(rows: Vec<QualificationRow>) -> Answer<Vec<Qualification>> {
    Ok(rows
        .into_iter()
        .map(Qualification::try_from)
        .collect::<Result<_, _>>()?)
}

/// The qualification of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn qualification(conn: &mut Conn, id: &QualificationId) -> Answer<Option<Qualification>> {
    let row: Option<QualificationRow> = qualifications::table
        .find(id)
        .select(QualificationRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Qualification::try_from).transpose()?)
}

/// Up to `max` qualifications of an organisation in one of these states, older than `before`, newest first.
///
/// # Errors
/// A fault of the database.
pub fn qualifications(
    conn: &mut Conn,
    organisation: &OrganisationId,
    states: &[State],
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<Qualification>> {
    let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
    // Every id of a qualification sorts before a tilde.
    let rows: Vec<QualificationRow> = qualifications::table
        .filter(qualifications::organisation_id.eq(organisation))
        .filter(qualifications::state.eq_any(states))
        .filter(qualifications::id.lt(before.unwrap_or("~")))
        .order(qualifications::id.desc())
        .limit(max)
        .select(QualificationRow::as_select())
        .load(conn)?;
    read(rows)
}

/// How many qualifications of an organisation are claimed or verified.
///
/// # Errors
/// A fault of the database.
pub fn count(conn: &mut Conn, organisation: &OrganisationId) -> Answer<i64> {
    Ok(qualifications::table
        .filter(qualifications::organisation_id.eq(organisation))
        .filter(qualifications::state.eq_any([State::Claimed.name(), State::Verified.name()]))
        .count()
        .get_result(conn)?)
}

/// Up to `max` verified qualifications whose last day is from `first` to `last`, by that day and id, beyond `after`.
///
/// # Errors
/// A fault of the database.
pub fn ending(
    conn: &mut Conn,
    first: NaiveDate,
    last: NaiveDate,
    after: Option<(NaiveDate, &QualificationId)>,
    max: i64,
) -> Answer<Vec<Qualification>> {
    let (day, id) = after.map_or((first, ""), |(day, id)| (day, id.as_str()));
    let rows: Vec<QualificationRow> = qualifications::table
        .filter(qualifications::state.eq(State::Verified.name()))
        .filter(
            qualifications::valid_to
                .ge(first)
                .and(qualifications::valid_to.le(last)),
        )
        .filter(
            qualifications::valid_to
                .gt(day)
                .or(qualifications::valid_to.eq(day).and(qualifications::id.gt(id))),
        )
        .order((qualifications::valid_to.asc(), qualifications::id.asc()))
        .limit(max)
        .select(QualificationRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a claimed qualification.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, qualification: &Qualification) -> Answer<()> {
    let licence = &qualification.licence;
    diesel::insert_into(qualifications::table)
        .values((
            qualifications::id.eq(&qualification.id),
            qualifications::organisation_id.eq(&qualification.organisation_id),
            qualifications::kind.eq(&licence.kind),
            qualifications::issuer.eq(&licence.issuer),
            qualifications::number.eq(&licence.number),
            qualifications::grade.eq(&licence.grade),
            qualifications::valid_from.eq(licence.valid_from),
            qualifications::valid_to.eq(licence.valid_to),
            qualifications::state.eq(qualification.state.name()),
            qualifications::version.eq(qualification.version),
            qualifications::claimed_by.eq(&qualification.claimed_by),
            qualifications::claimed_at.eq(qualification.claimed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a decided qualification over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn decide(tx: &mut Tx<'_>, qualification: &Qualification) -> Answer<()> {
    let before = qualification.version.saturating_sub(1);
    let (by, at) = qualification.decided.clone().unzip();
    let changed = diesel::update(
        qualifications::table
            .find(&qualification.id)
            .filter(qualifications::version.eq(before)),
    )
    .set((
        qualifications::state.eq(qualification.state.name()),
        qualifications::note.eq(&qualification.note),
        qualifications::version.eq(qualification.version),
        qualifications::decided_by.eq(by),
        qualifications::decided_at.eq(at.map(|at| at.naive_utc())),
    ))
    .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} qualifications decided instead of one")).into())
    }
}
