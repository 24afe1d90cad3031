//! Assessments of duties over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts::own_organisations;
use crate::budget::acts_delegations as acts;
use crate::budget::desk;
use crate::budget::http_delegations::place;
use crate::budget::rules_delegations::{Assessment, AssessmentId, DelegationId, NewAssessment};
use crate::budget::store_delegations::{self as store, AssessmentFilter};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list_assessments).service(assess);
}

/// An assessment of a body on a duty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyAssessment, example = json!({
    "id": "assessment_01jd3n8f5teqkrzvq1c0m6h2ax", "by_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "of_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ay", "duty_zh": "垃圾分类宣传", "duty_en": "Waste sorting campaign",
    "delegation_id": null, "assessed_on": "2026-03-02", "flagged": true, "statute_id": "statute_01jd3n8f5teqkrzvq1c0m6h2ax",
    "recorded_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "recorded_at": "2026-03-02T01:00:00.000000Z"
}))]
pub struct AssessmentView {
    /// Its id.
    pub id: AssessmentId,
    /// Who assessed.
    pub by_organisation_id: OrganisationId,
    /// Who was assessed.
    pub of_organisation_id: OrganisationId,
    /// On which duty, in Chinese.
    pub duty_zh: String,
    /// On which duty, in English.
    pub duty_en: String,
    /// By which delegation it is theirs.
    #[schema(required = true)]
    pub delegation_id: Option<DelegationId>,
    /// On which day.
    pub assessed_on: String,
    /// True if they had got no money for it.
    pub flagged: bool,
    /// The version of the rules that it was judged by.
    pub statute_id: String,
    /// Which account recorded it.
    pub recorded_by: String,
    /// When, UTC.
    pub recorded_at: String,
}

impl From<Assessment> for AssessmentView {
    fn from(assessment: Assessment) -> Self {
        Self {
            id: assessment.id,
            by_organisation_id: assessment.by_organisation_id,
            of_organisation_id: assessment.of_organisation_id,
            duty_zh: assessment.duty.zh().to_owned(),
            duty_en: assessment.duty.en().to_owned(),
            delegation_id: assessment.delegation_id,
            assessed_on: assessment.assessed_on.to_string(),
            flagged: assessment.flagged,
            statute_id: assessment.statute_id,
            recorded_by: assessment.recorded_by,
            recorded_at: rfc3339(assessment.recorded_at),
        }
    }
}

/// An assessment to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDutyAssessment, example = json!({
    "by_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "of_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ay",
    "duty_zh": "垃圾分类宣传", "duty_en": "Waste sorting campaign", "assessed_on": "2026-03-02"
}))]
pub struct AssessmentBody {
    /// Who assesses.
    by_organisation_id: OrganisationId,
    /// Who is assessed.
    of_organisation_id: OrganisationId,
    /// On which duty, in Chinese.
    #[schema(min_length = 1, max_length = 500)]
    duty_zh: String,
    /// On which duty, in English.
    #[schema(min_length = 1, max_length = 500)]
    duty_en: String,
    /// By which delegation it is theirs; without one the assessment is flagged.
    #[serde(default)]
    delegation_id: Option<DelegationId>,
    /// On which day, today at the latest.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    assessed_on: String,
}

/// List assessments of duties
///
/// Newest first: to auditors and the regulator all, to others those by or of their organisations.
#[utoipa::path(
    operation_id = "list_duty_assessments",
    tag = "budget",
    params(
        ("of_organisation_id" = Option<OrganisationId>, Query, description = "Of this organisation"),
        ("flagged" = Option<bool>, Query, description = "Those on duties without money, or the others"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<AssessmentView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListBudget"))),
)]
#[get("/duty-assessments")]
async fn list_assessments(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListBudget, Matter::default())?;
    let mut query = Query::of(&request);
    let of = query.parsed::<OrganisationId>("of_organisation_id");
    let flagged = query.one_of("flagged", &[("true", true), ("false", false)]);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "duty assessments",
        of.as_ref().map_or("", OrganisationId::as_str),
        &flagged.map(|flagged| flagged.to_string()).unwrap_or_default(),
    ]);
    let filter = AssessmentFilter {
        of,
        flagged,
        organisations: own_organisations(&actor, Action::ReadBudget),
        before: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .glance(move |conn| store::assessments(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(AssessmentView::from);
    Ok(page.answer(&request))
}

/// Record an assessment of a duty
///
/// By an officer of the body that assesses. It is flagged if those who are assessed had got no money for the duty.
#[utoipa::path(
    operation_id = "record_duty_assessment",
    tag = "budget",
    request_body = AssessmentBody,
    responses(
        (status = 201, description = "The assessment", body = AssessmentView),
        (status = 404, description = "There is no such delegation"),
        (status = 409, description = "`no_statute_in_force`"),
    ),
    extensions(("x-action" = json!("RecordAssessment"))),
)]
#[post("/duty-assessments")]
async fn assess(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::RecordAssessment)?;
    let body = incoming.json::<AssessmentBody>().await?;
    let value = body.value;
    let new = NewAssessment {
        by_organisation_id: value.by_organisation_id,
        of_organisation_id: value.of_organisation_id,
        duty_zh: value.duty_zh,
        duty_en: value.duty_en,
        delegation_id: value.delegation_id,
        assessed_on: value.assessed_on,
    };
    let place = place(&context);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let assessment = acts::assess(tx, by, &new, &place)?;
            Ok(Reply::json(201, &AssessmentView::from(assessment))?)
        })
        .await
}
