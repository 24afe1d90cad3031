//! The tables of delegations and of assessments of duties.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_delegations::{
    Assessment, AssessmentId, Delegation, DelegationId, DelegationState, Terms,
};
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::{delegations, duty_assessments};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;

#[derive(Queryable, Selectable)]
#[diesel(table_name = delegations)]
struct DelegationRow {
    id: DelegationId,
    from_organisation_id: OrganisationId,
    to_organisation_id: OrganisationId,
    scope_zh: Option<String>,
    scope_en: Option<String>,
    document_number: Option<String>,
    document_date: Option<NaiveDate>,
    amount_fen: Option<i64>,
    from_line_id: Option<BudgetLineId>,
    to_line_id: Option<BudgetLineId>,
    state: String,
    version: i64,
    drafted_by: String,
    drafted_at: NaiveDateTime,
    effective_by: Option<String>,
    effective_at: Option<NaiveDateTime>,
    ended_by: Option<String>,
    ended_at: Option<NaiveDateTime>,
    end_reason: Option<String>,
}

impl TryFrom<DelegationRow> for Delegation {
    type Error = Fault;

    fn try_from(row: DelegationRow) -> Result<Self, Fault> {
        let state = DelegationState::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("a delegation that is {}", row.state)))?;
        let amount = row
            .amount_fen
            .map(Money::from_fen)
            .transpose()
            .map_err(|error| Fault::caused("read a delegation's amount", error))?;
        Ok(Self {
            state,
            terms: Terms {
                scope: row.scope_zh.zip(row.scope_en).map(|(zh, en)| Text::made(zh, en)),
                document: row.document_number.zip(row.document_date),
                amount,
                from_line_id: row.from_line_id,
                to_line_id: row.to_line_id,
            },
            id: row.id,
            from_organisation_id: row.from_organisation_id,
            to_organisation_id: row.to_organisation_id,
            version: row.version,
            drafted_by: row.drafted_by,
            drafted_at: row.drafted_at.and_utc(),
            effective: row.effective_by.zip(row.effective_at.map(|at| at.and_utc())),
            ended: row.ended_by.zip(row.ended_at.map(|at| at.and_utc())),
            end_reason: row.end_reason,
        })
    }
}

/// The delegation of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn delegation(conn: &mut Conn, id: &DelegationId) -> Answer<Option<Delegation>> {
    let row: Option<DelegationRow> = delegations::table
        .find(id)
        .select(DelegationRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Delegation::try_from).transpose()?)
}

/// Which delegations are listed.
#[derive(Clone, Debug, Default)]
pub struct DelegationFilter {
    /// By this organisation.
    pub from: Option<OrganisationId>,
    /// To this organisation.
    pub to: Option<OrganisationId>,
    /// In this state.
    pub state: Option<DelegationState>,
    /// Drafts, and what was discarded, only of these organisations; all if it is left out.
    pub drafts_of: Option<Vec<OrganisationId>>,
    /// The id of the last one on the page before.
    pub before: Option<String>,
}

/// Up to `max` delegations, newest first.
///
/// # Errors
/// A fault of the database.
pub fn delegations(conn: &mut Conn, filter: &DelegationFilter, max: i64) -> Answer<Vec<Delegation>> {
    let rows: Vec<DelegationRow> = both!(conn, c => {
        let mut query = delegations::table
            .order(delegations::id.desc())
            .limit(max)
            .select(DelegationRow::as_select())
            .into_boxed();
        if let Some(from) = &filter.from {
            query = query.filter(delegations::from_organisation_id.eq(from));
        }
        if let Some(to) = &filter.to {
            query = query.filter(delegations::to_organisation_id.eq(to));
        }
        if let Some(state) = filter.state {
            query = query.filter(delegations::state.eq(state.name()));
        }
        if let Some(own) = &filter.drafts_of {
            query = query.filter(
                delegations::effective_at.is_not_null().or(delegations::from_organisation_id.eq_any(own)),
            );
        }
        if let Some(before) = &filter.before {
            query = query.filter(delegations::id.lt(before));
        }
        query.load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(Delegation::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a draft.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, delegation: &Delegation) -> Answer<()> {
    let terms = &delegation.terms;
    diesel::insert_into(delegations::table)
        .values((
            delegations::id.eq(&delegation.id),
            delegations::from_organisation_id.eq(&delegation.from_organisation_id),
            delegations::to_organisation_id.eq(&delegation.to_organisation_id),
            delegations::scope_zh.eq(terms.scope.as_ref().map(Text::zh)),
            delegations::scope_en.eq(terms.scope.as_ref().map(Text::en)),
            delegations::document_number.eq(terms.document.as_ref().map(|(number, _)| number)),
            delegations::document_date.eq(terms.document.as_ref().map(|(_, date)| *date)),
            delegations::amount_fen.eq(terms.amount.map(Money::fen)),
            delegations::from_line_id.eq(&terms.from_line_id),
            delegations::to_line_id.eq(&terms.to_line_id),
            delegations::state.eq(delegation.state.name()),
            delegations::version.eq(delegation.version),
            delegations::drafted_by.eq(&delegation.drafted_by),
            delegations::drafted_at.eq(delegation.drafted_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves other terms of a draft over its version before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update_terms(tx: &mut Tx<'_>, delegation: &Delegation) -> Answer<()> {
    let terms = &delegation.terms;
    let before = delegations::table
        .find(&delegation.id)
        .filter(delegations::version.eq(delegation.version.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            delegations::scope_zh.eq(terms.scope.as_ref().map(Text::zh)),
            delegations::scope_en.eq(terms.scope.as_ref().map(Text::en)),
            delegations::document_number.eq(terms.document.as_ref().map(|(number, _)| number)),
            delegations::document_date.eq(terms.document.as_ref().map(|(_, date)| *date)),
            delegations::amount_fen.eq(terms.amount.map(Money::fen)),
            delegations::from_line_id.eq(&terms.from_line_id),
            delegations::to_line_id.eq(&terms.to_line_id),
            delegations::version.eq(delegation.version),
        ))
        .execute(tx.conn())?;
    one(changed, "delegations")
}

/// Saves how far a delegation has come over its version before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update_state(tx: &mut Tx<'_>, delegation: &Delegation) -> Answer<()> {
    let (effective, ended) = (delegation.effective.as_ref(), delegation.ended.as_ref());
    let before = delegations::table
        .find(&delegation.id)
        .filter(delegations::version.eq(delegation.version.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            delegations::state.eq(delegation.state.name()),
            delegations::version.eq(delegation.version),
            delegations::effective_by.eq(effective.map(|(by, _)| by)),
            delegations::effective_at.eq(effective.map(|(_, at)| at.naive_utc())),
            delegations::ended_by.eq(ended.map(|(by, _)| by)),
            delegations::ended_at.eq(ended.map(|(_, at)| at.naive_utc())),
            delegations::end_reason.eq(&delegation.end_reason),
        ))
        .execute(tx.conn())?;
    one(changed, "delegations")
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = duty_assessments)]
struct AssessmentRow {
    id: AssessmentId,
    by_organisation_id: OrganisationId,
    of_organisation_id: OrganisationId,
    duty_zh: String,
    duty_en: String,
    delegation_id: Option<DelegationId>,
    assessed_on: NaiveDate,
    flagged: bool,
    statute_id: String,
    recorded_by: String,
    recorded_at: NaiveDateTime,
}

impl From<AssessmentRow> for Assessment {
    fn from(row: AssessmentRow) -> Self {
        Self {
            id: row.id,
            by_organisation_id: row.by_organisation_id,
            of_organisation_id: row.of_organisation_id,
            duty: Text::made(row.duty_zh, row.duty_en),
            delegation_id: row.delegation_id,
            assessed_on: row.assessed_on,
            flagged: row.flagged,
            statute_id: row.statute_id,
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at.and_utc(),
        }
    }
}

/// Which assessments are listed.
#[derive(Clone, Debug, Default)]
pub struct AssessmentFilter {
    /// Of this organisation.
    pub of: Option<OrganisationId>,
    /// Those that were flagged, or those that were not.
    pub flagged: Option<bool>,
    /// By or of one of these organisations; all if it is left out.
    pub organisations: Option<Vec<OrganisationId>>,
    /// The id of the last one on the page before.
    pub before: Option<String>,
}

/// Up to `max` assessments, newest first.
///
/// # Errors
/// A fault of the database.
pub fn assessments(conn: &mut Conn, filter: &AssessmentFilter, max: i64) -> Answer<Vec<Assessment>> {
    let rows: Vec<AssessmentRow> = both!(conn, c => {
        let mut query = duty_assessments::table
            .order(duty_assessments::id.desc())
            .limit(max)
            .select(AssessmentRow::as_select())
            .into_boxed();
        if let Some(of) = &filter.of {
            query = query.filter(duty_assessments::of_organisation_id.eq(of));
        }
        if let Some(flagged) = filter.flagged {
            query = query.filter(duty_assessments::flagged.eq(flagged));
        }
        if let Some(own) = &filter.organisations {
            query = query.filter(
                duty_assessments::of_organisation_id.eq_any(own)
                    .or(duty_assessments::by_organisation_id.eq_any(own)),
            );
        }
        if let Some(before) = &filter.before {
            query = query.filter(duty_assessments::id.lt(before));
        }
        query.load(c)
    })?;
    Ok(rows.into_iter().map(Assessment::from).collect())
}

/// Adds an assessment.
///
/// # Errors
/// A fault of the database.
pub fn insert_assessment(tx: &mut Tx<'_>, assessment: &Assessment) -> Answer<()> {
    diesel::insert_into(duty_assessments::table)
        .values((
            duty_assessments::id.eq(&assessment.id),
            duty_assessments::by_organisation_id.eq(&assessment.by_organisation_id),
            duty_assessments::of_organisation_id.eq(&assessment.of_organisation_id),
            duty_assessments::duty_zh.eq(assessment.duty.zh()),
            duty_assessments::duty_en.eq(assessment.duty.en()),
            duty_assessments::delegation_id.eq(&assessment.delegation_id),
            duty_assessments::assessed_on.eq(assessment.assessed_on),
            duty_assessments::flagged.eq(assessment.flagged),
            duty_assessments::statute_id.eq(&assessment.statute_id),
            duty_assessments::recorded_by.eq(&assessment.recorded_by),
            duty_assessments::recorded_at.eq(assessment.recorded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
