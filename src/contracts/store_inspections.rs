//! The tables of inspections and of their annulments. Both are added to and never changed.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_inspections_document::InspectionDocument;
use crate::db::conn::Conn;
use crate::db::schema::{inspection_annulments, inspections};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;

/// That an inspection does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annulment {
    /// Why.
    pub reason: String,
    /// When, UTC.
    pub at: Instant,
}

/// An inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What was recorded.
    pub document: InspectionDocument,
    /// The bytes of it.
    pub content: String,
    /// SHA-256 of them, as the log has it.
    pub sha256: [u8; 32],
    /// Who inspected.
    pub inspector_id: AccountId,
    /// Why it does not count, if so.
    pub annulled: Option<Annulment>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = inspections)]
struct InspectionRow {
    id: InspectionId,
    inspector_id: AccountId,
    content: String,
    content_sha256: Vec<u8>,
}

impl InspectionRow {
    fn inspection(self, annulled: Option<(String, NaiveDateTime)>) -> Result<Inspection, Fault> {
        let sha256: [u8; 32] = Sha256::digest(self.content.as_bytes()).into();
        if self.content_sha256 != sha256 {
            return Err(Fault::broken(format!(
                "{}: its bytes are not what was hashed",
                self.id
            )));
        }
        Ok(Inspection {
            document: InspectionDocument::stored(&self.content)?,
            content: self.content,
            sha256,
            inspector_id: self.inspector_id,
            annulled: annulled.map(|(reason, at)| Annulment {
                reason,
                at: at.and_utc(),
            }),
        })
    }
}

fn annulment(conn: &mut Conn, id: &InspectionId) -> Answer<Option<(String, NaiveDateTime)>> {
    Ok(inspection_annulments::table
        .find(id)
        .select((inspection_annulments::reason, inspection_annulments::annulled_at))
        .first(conn)
        .optional()?)
}

/// The inspection of that id, if there is one.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn inspection(conn: &mut Conn, id: &InspectionId) -> Answer<Option<Inspection>> {
    let row: Option<InspectionRow> = inspections::table
        .find(id)
        .select(InspectionRow::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let annulled = annulment(conn, id)?;
    Ok(Some(row.inspection(annulled)?))
}

/// Which inspections of a contract are listed.
#[derive(Clone, Debug, Default)]
pub struct InspectionFilter {
    /// Of this period.
    pub period: Option<i64>,
    /// Of this source.
    pub source: Option<String>,
    /// Those that were annulled, or those that hold; all if it is not said.
    pub is_annulled: Option<bool>,
    /// With a lower id.
    pub before: Option<String>,
}

/// Up to `max` inspections of a contract, the one recorded last first.
///
/// # Errors
/// As [`inspection`].
pub fn of_contract(
    conn: &mut Conn,
    contract: &ContractId,
    filter: &InspectionFilter,
    max: i64,
) -> Answer<Vec<Inspection>> {
    let mut query = inspections::table
        .filter(inspections::contract_id.eq(contract))
        .into_boxed();
    if let Some(period) = filter.period {
        query = query.filter(inspections::period.eq(period));
    }
    if let Some(source) = &filter.source {
        query = query.filter(inspections::source.eq(source));
    }
    if let Some(before) = &filter.before {
        query = query.filter(inspections::id.lt(before));
    }
    let annulled =
        inspection_annulments::table.filter(inspection_annulments::inspection_id.eq(inspections::id));
    match filter.is_annulled {
        Some(true) => query = query.filter(exists(annulled)),
        Some(false) => query = query.filter(not(exists(annulled))),
        None => {}
    }
    let rows: Vec<InspectionRow> = query
        .order(inspections::id.desc())
        .limit(max)
        .select(InspectionRow::as_select())
        .load(conn)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let annulled = annulment(conn, &row.id)?;
        found.push(row.inspection(annulled)?);
    }
    Ok(found)
}

/// How many inspections a period has, those that were annulled among them.
///
/// # Errors
/// A fault of the database.
pub fn count_of_period(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<i64> {
    Ok(inspections::table
        .filter(inspections::contract_id.eq(contract))
        .filter(inspections::period.eq(period))
        .select(count_star())
        .first(conn)?)
}

/// What a period's scores need of an inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    /// Its id.
    pub id: InspectionId,
    /// The code of its source.
    pub source: String,
    /// What it scored when it was recorded.
    pub score: Option<Score>,
    /// The last day on which an item may be contested.
    pub contest_until: NaiveDate,
}

/// The inspections of a period that were not annulled.
///
/// # Errors
/// A fault of the database.
pub fn holding_of_period(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<Vec<Short>> {
    let annulled =
        inspection_annulments::table.filter(inspection_annulments::inspection_id.eq(inspections::id));
    let rows: Vec<(InspectionId, String, Option<String>, NaiveDate)> = inspections::table
        .filter(inspections::contract_id.eq(contract))
        .filter(inspections::period.eq(period))
        .filter(not(exists(annulled)))
        .order(inspections::id)
        .select((
            inspections::id,
            inspections::source,
            inspections::score,
            inspections::contest_until,
        ))
        .load(conn)?;
    let short = |(id, source, score, contest_until): (InspectionId, String, Option<String>, NaiveDate)| {
        let score = score.map(|score| score.parse()).transpose();
        Ok(Short {
            score: score.map_err(|error| Fault::caused(format!("the score of {id}"), error))?,
            id,
            source,
            contest_until,
        })
    };
    Ok(rows.into_iter().map(short).collect::<Result<_, Fault>>()?)
}

/// Adds an inspection.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, inspection: &Inspection) -> Answer<()> {
    let document = &inspection.document;
    let now = tx.now().naive_utc();
    diesel::insert_into(inspections::table)
        .values((
            inspections::id.eq(&document.inspection_id),
            inspections::contract_id.eq(&document.contract_id),
            inspections::period.eq(document.period),
            inspections::source.eq(&document.source),
            inspections::plan_id.eq(&document.plan_id),
            inspections::stop.eq(document.stop),
            inspections::inspector_id.eq(&inspection.inspector_id),
            inspections::inspected_on.eq(document.inspected_on),
            inspections::recorded_at.eq(now),
            inspections::contest_until.eq(document.contest_until),
            inspections::score.eq(document.score.map(|score| score.to_string())),
            inspections::content.eq(&inspection.content),
            inspections::content_sha256.eq(inspection.sha256.as_slice()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Annuls an inspection.
///
/// # Errors
/// A fault of the database, or if it was annulled before.
pub fn annul(tx: &mut Tx<'_>, id: &InspectionId, reason: &str, by: &AccountId) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(inspection_annulments::table)
        .values((
            inspection_annulments::inspection_id.eq(id),
            inspection_annulments::reason.eq(reason),
            inspection_annulments::annulled_by.eq(by),
            inspection_annulments::annulled_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}
