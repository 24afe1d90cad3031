//! The tables of consultation records. Once a record is concluded, triggers on both databases refuse every change of it.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::books::rules_consultations::{Conclusion, Consultation, ConsultationId, Content, Review, State};
use crate::both;
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::{consultation_reviews, consultations};
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;

#[derive(Queryable, Selectable)]
#[diesel(table_name = consultations)]
struct ConsultationRow {
    id: ConsultationId,
    organisation_id: OrganisationId,
    category: String,
    title_zh: String,
    title_en: String,
    need_zh: String,
    need_en: String,
    conclusion_zh: Option<String>,
    conclusion_en: Option<String>,
    consulted: String,
    outsiders: String,
    concluded_on: Option<NaiveDate>,
    revision: i64,
    drafted_by: String,
    drafted_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    concluded_by: Option<String>,
    concluded_at: Option<NaiveDateTime>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = consultation_reviews)]
struct ReviewRow {
    consultation_id: ConsultationId,
    account_id: String,
    opinion_zh: String,
    opinion_en: String,
    reviewed_at: NaiveDateTime,
}

impl ConsultationRow {
    fn with(self, reviews: Vec<Review>) -> Result<Consultation, Fault> {
        let said = self.conclusion_zh.zip(self.conclusion_en);
        let done = self.concluded_by.zip(self.concluded_at).zip(self.concluded_on);
        let conclusion = said.zip(done).map(|((zh, en), ((by, at), on))| Conclusion {
            said: Text::made(zh, en),
            on,
            by,
            at: at.and_utc(),
        });
        Ok(Consultation {
            id: self.id,
            organisation_id: self.organisation_id,
            content: Content {
                category: self.category,
                title: Text::made(self.title_zh, self.title_en),
                need: Text::made(self.need_zh, self.need_en),
                consulted: read(&self.consulted)?,
                outsiders: read(&self.outsiders)?,
            },
            reviews,
            conclusion,
            revision: self.revision,
            drafted_by: self.drafted_by,
            drafted_at: self.drafted_at.and_utc(),
            updated_at: self.updated_at.and_utc(),
        })
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::caused("read a record of consultation", error))
}

fn written<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::caused("write a record of consultation", error))
}

fn whole(conn: &mut Conn, rows: Vec<ConsultationRow>) -> Answer<Vec<Consultation>> {
    let ids: Vec<&ConsultationId> = rows.iter().map(|row| &row.id).collect();
    let reviews: Vec<ReviewRow> = consultation_reviews::table
        .filter(consultation_reviews::consultation_id.eq_any(ids))
        .order((
            consultation_reviews::reviewed_at,
            consultation_reviews::account_id,
        ))
        .select(ReviewRow::as_select())
        .load(conn)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let own = reviews.iter().filter(|review| review.consultation_id == row.id);
        let own = own.map(|review| Review {
            account_id: review.account_id.clone(),
            opinion: Text::made(review.opinion_zh.clone(), review.opinion_en.clone()),
            at: review.reviewed_at.and_utc(),
        });
        let own = own.collect();
        found.push(row.with(own)?);
    }
    Ok(found)
}

/// The record of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn consultation(conn: &mut Conn, id: &ConsultationId) -> Answer<Option<Consultation>> {
    let row: Option<ConsultationRow> = consultations::table
        .find(id)
        .select(ConsultationRow::as_select())
        .first(conn)
        .optional()?;
    Ok(whole(conn, row.into_iter().collect())?.into_iter().next())
}

/// Which records are listed.
#[derive(Clone, Debug, Default)]
pub struct ConsultationFilter {
    /// By this organisation.
    pub organisation: Option<OrganisationId>,
    /// Of this category of services.
    pub category: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Of one of these organisations; of all if it is left out.
    pub organisations: Option<Vec<OrganisationId>>,
    /// The id of the last one on the page before.
    pub before: Option<String>,
}

/// Up to `max` records, newest first.
///
/// # Errors
/// A fault of the database.
pub fn consultations(conn: &mut Conn, filter: &ConsultationFilter, max: i64) -> Answer<Vec<Consultation>> {
    let rows: Vec<ConsultationRow> = both!(conn, c => {
        let mut query = consultations::table
            .order(consultations::id.desc())
            .limit(max)
            .select(ConsultationRow::as_select())
            .into_boxed();
        if let Some(organisation) = &filter.organisation {
            query = query.filter(consultations::organisation_id.eq(organisation));
        }
        if let Some(category) = &filter.category {
            query = query.filter(consultations::category.eq(category));
        }
        if let Some(state) = filter.state {
            query = query.filter(consultations::state.eq(state.name()));
        }
        if let Some(own) = &filter.organisations {
            query = query.filter(consultations::organisation_id.eq_any(own));
        }
        if let Some(before) = &filter.before {
            query = query.filter(consultations::id.lt(before));
        }
        query.load(c)
    })?;
    whole(conn, rows)
}

/// Adds a record.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, consultation: &Consultation) -> Answer<()> {
    let content = &consultation.content;
    diesel::insert_into(consultations::table)
        .values((
            consultations::id.eq(&consultation.id),
            consultations::organisation_id.eq(&consultation.organisation_id),
            consultations::category.eq(&content.category),
            consultations::state.eq(consultation.state().name()),
            consultations::title_zh.eq(content.title.zh()),
            consultations::title_en.eq(content.title.en()),
            consultations::need_zh.eq(content.need.zh()),
            consultations::need_en.eq(content.need.en()),
            consultations::consulted.eq(written(&content.consulted)?),
            consultations::outsiders.eq(written(&content.outsiders)?),
            consultations::revision.eq(consultation.revision),
            consultations::drafted_by.eq(&consultation.drafted_by),
            consultations::drafted_at.eq(consultation.drafted_at.naive_utc()),
            consultations::updated_at.eq(consultation.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a record over its revision before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update(tx: &mut Tx<'_>, consultation: &Consultation) -> Answer<()> {
    let (content, done) = (&consultation.content, consultation.conclusion.as_ref());
    let before = consultations::table
        .find(&consultation.id)
        .filter(consultations::revision.eq(consultation.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            consultations::category.eq(&content.category),
            consultations::state.eq(consultation.state().name()),
            consultations::title_zh.eq(content.title.zh()),
            consultations::title_en.eq(content.title.en()),
            consultations::need_zh.eq(content.need.zh()),
            consultations::need_en.eq(content.need.en()),
            consultations::conclusion_zh.eq(done.map(|done| done.said.zh())),
            consultations::conclusion_en.eq(done.map(|done| done.said.en())),
            consultations::consulted.eq(written(&content.consulted)?),
            consultations::outsiders.eq(written(&content.outsiders)?),
            consultations::concluded_on.eq(done.map(|done| done.on)),
            consultations::concluded_by.eq(done.map(|done| &done.by)),
            consultations::concluded_at.eq(done.map(|done| done.at.naive_utc())),
            consultations::revision.eq(consultation.revision),
            consultations::updated_at.eq(consultation.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed, "records of consultation")
}

/// Adds what a reviewer said.
///
/// # Errors
/// A fault of the database.
pub fn insert_review(tx: &mut Tx<'_>, id: &ConsultationId, review: &Review) -> Answer<()> {
    diesel::insert_into(consultation_reviews::table)
        .values((
            consultation_reviews::consultation_id.eq(id),
            consultation_reviews::account_id.eq(&review.account_id),
            consultation_reviews::opinion_zh.eq(review.opinion.zh()),
            consultation_reviews::opinion_en.eq(review.opinion.en()),
            consultation_reviews::reviewed_at.eq(review.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
