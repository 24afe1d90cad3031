//! The table of debarments.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{debarments, organisations};
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_debarments::{Debarment, DebarmentId, Decision, Lifting};

#[derive(Queryable, Selectable)]
#[diesel(table_name = debarments)]
struct DebarmentRow {
    id: DebarmentId,
    organisation_id: OrganisationId,
    from_date: NaiveDate,
    until_date: NaiveDate,
    reason_zh: String,
    reason_en: String,
    decision: String,
    recorded_by: String,
    recorded_at: NaiveDateTime,
    lifted_on: Option<NaiveDate>,
    lift_reason_zh: Option<String>,
    lift_reason_en: Option<String>,
    lifted_by: Option<String>,
    lifted_at: Option<NaiveDateTime>,
}

/// Whom a debarment is about, as everyone knows it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organisations)]
pub struct Debarred {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unified social credit code.
    pub credit_code: Option<String>,
}

impl From<DebarmentRow> for Debarment {
    fn from(row: DebarmentRow) -> Self {
        let lifting = match (row.lifted_on, row.lifted_by, row.lifted_at) {
            (Some(on), Some(by), Some(at)) => Some(Lifting {
                on,
                reason_zh: row.lift_reason_zh.unwrap_or_default(),
                reason_en: row.lift_reason_en.unwrap_or_default(),
                by,
                at: at.and_utc(),
            }),
            _ => None,
        };
        Self {
            id: row.id,
            organisation_id: row.organisation_id,
            decision: Decision {
                from: row.from_date,
                until: row.until_date,
                reason_zh: row.reason_zh,
                reason_en: row.reason_en,
                document: row.decision,
            },
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at.and_utc(),
            lifting,
        }
    }
}

/// A debarment, and whom it is about.
pub type Record = (Debarment, Debarred);

/// The debarment of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn debarment(conn: &mut Conn, id: &DebarmentId) -> Answer<Option<Record>> {
    let row: Option<(DebarmentRow, Debarred)> = debarments::table
        .inner_join(organisations::table.on(organisations::id.eq(debarments::organisation_id)))
        .filter(debarments::id.eq(id))
        .select((DebarmentRow::as_select(), Debarred::as_select()))
        .first(conn)
        .optional()?;
    Ok(row.map(|(debarment, of)| (debarment.into(), of)))
}

/// Which debarments are listed.
#[derive(Clone, Debug, Default)]
pub struct DebarmentFilter {
    /// Of this organisation.
    pub organisation: Option<OrganisationId>,
    /// That hold on this day.
    pub in_force_on: Option<NaiveDate>,
    /// The first day and id of the last one on the page before.
    pub after: Option<(NaiveDate, String)>,
}

/// Up to `max` debarments, those that began last first.
///
/// # Errors
/// A fault of the database.
pub fn debarments(conn: &mut Conn, filter: &DebarmentFilter, max: i64) -> Answer<Vec<Record>> {
    let rows: Vec<(DebarmentRow, Debarred)> = both!(conn, c => {
        let mut query = debarments::table
            .inner_join(organisations::table.on(organisations::id.eq(debarments::organisation_id)))
            .select((DebarmentRow::as_select(), Debarred::as_select()))
            .order((debarments::from_date.desc(), debarments::id.desc()))
            .limit(max)
            .into_boxed();
        if let Some(organisation) = &filter.organisation {
            query = query.filter(debarments::organisation_id.eq(organisation));
        }
        if let Some(day) = filter.in_force_on {
            query = query
                .filter(debarments::from_date.le(day).and(debarments::until_date.ge(day)))
                .filter(debarments::lifted_on.is_null().or(debarments::lifted_on.gt(day)));
        }
        if let Some((day, id)) = &filter.after {
            query = query.filter(
                debarments::from_date.lt(day).or(debarments::from_date.eq(day).and(debarments::id.lt(id))),
            );
        }
        query.load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(|(debarment, of)| (debarment.into(), of))
        .collect())
}

/// Adds a debarment.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, debarment: &Debarment) -> Answer<()> {
    let decision = &debarment.decision;
    diesel::insert_into(debarments::table)
        .values((
            debarments::id.eq(&debarment.id),
            debarments::organisation_id.eq(&debarment.organisation_id),
            debarments::from_date.eq(decision.from),
            debarments::until_date.eq(decision.until),
            debarments::reason_zh.eq(&decision.reason_zh),
            debarments::reason_en.eq(&decision.reason_en),
            debarments::decision.eq(&decision.document),
            debarments::recorded_by.eq(&debarment.recorded_by),
            debarments::recorded_at.eq(debarment.recorded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that a debarment was lifted.
///
/// # Errors
/// A fault of the database, or if it was lifted already.
pub fn lift(tx: &mut Tx<'_>, debarment: &Debarment) -> Answer<()> {
    let lifting = debarment.lifting.as_ref();
    let changed = diesel::update(
        debarments::table
            .find(&debarment.id)
            .filter(debarments::lifted_at.is_null()),
    )
    .set((
        debarments::lifted_on.eq(lifting.map(|lifting| lifting.on)),
        debarments::lift_reason_zh.eq(lifting.map(|lifting| &lifting.reason_zh)),
        debarments::lift_reason_en.eq(lifting.map(|lifting| &lifting.reason_en)),
        debarments::lifted_by.eq(lifting.map(|lifting| &lifting.by)),
        debarments::lifted_at.eq(lifting.map(|lifting| lifting.at.naive_utc())),
    ))
    .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} debarments lifted instead of one")).into())
    }
}
