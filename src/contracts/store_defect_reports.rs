//! The tables of what people have reported, where they want to hear of it, and how much came for a place on a day.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_defect_reports::{
    Contact, Day, DefectReport, DefectReportId, Reporter, Visibility,
};
use crate::contracts::rules_defects::DefectId;
use crate::contracts::rules_places::ServedPlaceId;
use crate::db::conn::Conn;
use crate::db::schema::{defect_contacts, defect_report_days, defect_reports, defects, served_places};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;

/// What a place has had on a day: taken, joined, only counted, refused, hidden.
type Counts = (i64, i64, i64, i64, i64);
type CountsRow = (ServedPlaceId, NaiveDate, Counts);

#[derive(Queryable, Selectable)]
#[diesel(table_name = defect_reports)]
struct ReportRow {
    id: DefectReportId,
    defect_id: DefectId,
    number: i64,
    reporter: String,
    account_id: Option<String>,
    words: String,
    visibility: String,
    reason: Option<String>,
    revision: i64,
    reported_at: NaiveDateTime,
    reported_on: NaiveDate,
}

impl TryFrom<ReportRow> for DefectReport {
    type Error = Fault;

    fn try_from(row: ReportRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        Ok(Self {
            reporter: Reporter::named(&row.reporter).ok_or_else(|| broken("its reporter is none"))?,
            visibility: Visibility::named(&row.visibility).ok_or_else(|| broken("its visibility is none"))?,
            id: row.id,
            defect_id: row.defect_id,
            number: row.number,
            account_id: row.account_id,
            words: row.words,
            reason: row.reason,
            revision: row.revision,
            reported_at: row.reported_at.and_utc(),
            reported_on: row.reported_on,
        })
    }
}

/// The report of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn report(conn: &mut Conn, id: &DefectReportId) -> Answer<Option<DefectReport>> {
    let row: Option<ReportRow> = defect_reports::table
        .find(id)
        .select(ReportRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(DefectReport::try_from).transpose()?)
}

/// What was reported of these defects and kept, in its order.
///
/// # Errors
/// A fault of the database.
pub fn of_defects(conn: &mut Conn, of: &[&DefectId]) -> Answer<Vec<DefectReport>> {
    let rows: Vec<ReportRow> = defect_reports::table
        .filter(defect_reports::defect_id.eq_any(of))
        .order((defect_reports::defect_id, defect_reports::number))
        .select(ReportRow::as_select())
        .load(conn)?;
    let all: Result<Vec<DefectReport>, Fault> = rows.into_iter().map(DefectReport::try_from).collect();
    Ok(all?)
}

/// The ids of what an account has reported and was kept, the last first, `max` at most.
///
/// # Errors
/// A fault of the database.
pub fn by_account(
    conn: &mut Conn,
    account: &str,
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<DefectReport>> {
    let mut query = defect_reports::table
        .filter(defect_reports::account_id.eq(account))
        .order(defect_reports::id.desc())
        .limit(max)
        .select(ReportRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(defect_reports::id.lt(before));
    }
    let rows: Vec<ReportRow> = query.load(conn)?;
    let all: Result<Vec<DefectReport>, Fault> = rows.into_iter().map(DefectReport::try_from).collect();
    Ok(all?)
}

/// How many reports of a defect are kept.
///
/// # Errors
/// A fault of the database.
pub fn kept(conn: &mut Conn, defect: &DefectId) -> Answer<i64> {
    Ok(defect_reports::table
        .filter(defect_reports::defect_id.eq(defect))
        .count()
        .get_result(conn)?)
}

/// Adds a report.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, report: &DefectReport) -> Answer<()> {
    diesel::insert_into(defect_reports::table)
        .values((
            defect_reports::id.eq(&report.id),
            defect_reports::defect_id.eq(&report.defect_id),
            defect_reports::number.eq(report.number),
            defect_reports::reporter.eq(report.reporter.name()),
            defect_reports::account_id.eq(&report.account_id),
            defect_reports::words.eq(&report.words),
            defect_reports::visibility.eq(report.visibility.name()),
            defect_reports::revision.eq(report.revision),
            defect_reports::reported_at.eq(report.reported_at.naive_utc()),
            defect_reports::reported_on.eq(report.reported_on),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves who may see a report over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn moderate(tx: &mut Tx<'_>, report: &DefectReport) -> Answer<()> {
    let before = defect_reports::table
        .find(&report.id)
        .filter(defect_reports::revision.eq(report.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            defect_reports::visibility.eq(report.visibility.name()),
            defect_reports::reason.eq(&report.reason),
            defect_reports::revision.eq(report.revision),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} reports changed instead of one")).into())
    }
}

/// Keeps where somebody wants to hear of it.
///
/// # Errors
/// A fault of the database.
pub fn keep_contact(tx: &mut Tx<'_>, report: &DefectReportId, contact: &Contact) -> Answer<()> {
    diesel::insert_into(defect_contacts::table)
        .values((
            defect_contacts::report_id.eq(report),
            defect_contacts::email.eq(contact.address.whole()),
            defect_contacts::language.eq(contact.language.tag()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Where those without an account want to hear of a defect.
///
/// # Errors
/// A fault of the database.
pub fn contacts(conn: &mut Conn, defect: &DefectId) -> Answer<Vec<(DefectReportId, Contact)>> {
    let rows: Vec<(DefectReportId, String, String)> = defect_contacts::table
        .inner_join(defect_reports::table.on(defect_reports::id.eq(defect_contacts::report_id)))
        .filter(defect_reports::defect_id.eq(defect))
        .order(defect_reports::number)
        .select((
            defect_contacts::report_id,
            defect_contacts::email,
            defect_contacts::language,
        ))
        .load(conn)?;
    let read = |(report, email, tag): (DefectReportId, String, String)| {
        let address = email
            .parse()
            .map_err(|_| Fault::broken(format!("{report}: its address is none")))?;
        let language = [Language::Chinese, Language::English]
            .into_iter()
            .find(|language| language.tag() == tag);
        let language = language.unwrap_or_default();
        Ok((report, Contact { address, language }))
    };
    rows.into_iter().map(read).collect()
}

/// Forgets where people wanted to hear of what has ended before an instant; upkeep.
///
/// # Errors
/// A fault of the database.
pub fn forget_contacts(tx: &mut Tx<'_>, before: Instant) -> Answer<usize> {
    let over = defect_reports::table
        .inner_join(defects::table.on(defects::id.eq(defect_reports::defect_id)))
        .filter(defects::closed_at.lt(before.naive_utc()))
        .select(defect_reports::id);
    let old = defect_contacts::table.filter(defect_contacts::report_id.eq_any(over));
    Ok(diesel::delete(old).execute(tx.conn())?)
}

/// What came for a place on a day.
///
/// # Errors
/// A fault of the database.
pub fn day(conn: &mut Conn, place: &ServedPlaceId, day: NaiveDate) -> Answer<Day> {
    let row: Option<Counts> = defect_report_days::table
        .find((place, day))
        .select((
            defect_report_days::taken,
            defect_report_days::joined,
            defect_report_days::only_counted,
            defect_report_days::refused,
            defect_report_days::hidden,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(read_day).unwrap_or_default())
}

fn read_day((taken, joined, only_counted, refused, hidden): Counts) -> Day {
    Day {
        taken,
        joined,
        only_counted,
        refused,
        hidden,
    }
}

/// Adds to what came for a place on a day.
///
/// # Errors
/// A fault of the database.
pub fn add_to_day(tx: &mut Tx<'_>, place: &ServedPlaceId, day: NaiveDate, more: Day) -> Answer<()> {
    let row = (
        defect_report_days::place_id.eq(place),
        defect_report_days::day.eq(day),
        defect_report_days::taken.eq(more.taken),
        defect_report_days::joined.eq(more.joined),
        defect_report_days::only_counted.eq(more.only_counted),
        defect_report_days::refused.eq(more.refused),
        defect_report_days::hidden.eq(more.hidden),
    );
    both!(tx.conn(), c => diesel::insert_into(defect_report_days::table)
        .values(row)
        .on_conflict((defect_report_days::place_id, defect_report_days::day))
        .do_update()
        .set((
            defect_report_days::taken.eq(defect_report_days::taken + more.taken),
            defect_report_days::joined.eq(defect_report_days::joined + more.joined),
            defect_report_days::only_counted.eq(defect_report_days::only_counted + more.only_counted),
            defect_report_days::refused.eq(defect_report_days::refused + more.refused),
            defect_report_days::hidden.eq(defect_report_days::hidden + more.hidden),
        ))
        .execute(c))?;
    Ok(())
}

/// What came for the places of a contract day by day, the last day first, `max` at most, beyond a day and a place.
///
/// # Errors
/// A fault of the database.
pub fn days(
    conn: &mut Conn,
    contract: &ContractId,
    after: Option<&(NaiveDate, ServedPlaceId)>,
    max: i64,
) -> Answer<Vec<(ServedPlaceId, NaiveDate, Day)>> {
    let mut query = defect_report_days::table
        .inner_join(served_places::table.on(served_places::id.eq(defect_report_days::place_id)))
        .filter(served_places::contract_id.eq(contract))
        .order((defect_report_days::day.desc(), defect_report_days::place_id))
        .limit(max)
        .select((
            defect_report_days::place_id,
            defect_report_days::day,
            (
                defect_report_days::taken,
                defect_report_days::joined,
                defect_report_days::only_counted,
                defect_report_days::refused,
                defect_report_days::hidden,
            ),
        ))
        .into_boxed();
    if let Some((day, place)) = after {
        query = query.filter(
            defect_report_days::day.lt(day).or(defect_report_days::day
                .eq(day)
                .and(defect_report_days::place_id.gt(place))),
        );
    }
    let rows: Vec<CountsRow> = query.load(conn)?;
    let read = |(place, day, counts)| (place, day, read_day(counts));
    Ok(rows.into_iter().map(read).collect())
}
