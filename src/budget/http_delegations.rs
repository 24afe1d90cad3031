//! Delegations over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts::own_organisations;
use crate::budget::acts_delegations::{self as acts, DraftDelegation, Place};
use crate::budget::desk::{self, parsed};
use crate::budget::http_movements::ReasonBody;
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_delegations::{Delegation, DelegationId, DelegationState, EnteredTerms};
use crate::budget::store_delegations::{self as store, DelegationFilter};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, given};
use crate::web::conditional::{Expected, etag};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(draft)
        .service(read)
        .service(change)
        .service(commence)
        .service(end);
}

/// A duty handed to a street office or community, with the money for it (费随事转).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delegation, example = json!({
    "id": "delegation_01jd3n8f5teqkrzvq1c0m6h2ax", "from_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "to_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ay", "scope_zh": "公厕与社区绿地自管", "scope_en": "Toilets and community greens",
    "document_number": "凤办发〔2026〕8号", "document_date": "2026-02-01", "amount": {"amount": "96000.00", "currency": "CNY"},
    "from_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ay", "state": "draft",
    "version": 1, "drafted_at": "2026-03-02T01:00:00.000000Z", "effective_at": null, "ended_at": null, "end_reason": null
}))]
pub struct DelegationView {
    /// Its id.
    pub id: DelegationId,
    /// Who hands the duty on.
    pub from_organisation_id: OrganisationId,
    /// Who gets it.
    pub to_organisation_id: OrganisationId,
    /// Which duty, in Chinese.
    #[schema(required = true)]
    pub scope_zh: Option<String>,
    /// Which duty, in English.
    #[schema(required = true)]
    pub scope_en: Option<String>,
    /// The number of the document that authorises it.
    #[schema(required = true)]
    pub document_number: Option<String>,
    /// The document's date.
    #[schema(required = true)]
    pub document_date: Option<String>,
    /// How much money goes with it.
    #[schema(required = true)]
    pub amount: Option<Money>,
    /// From which line.
    #[schema(required = true)]
    pub from_line_id: Option<BudgetLineId>,
    /// To which line.
    #[schema(required = true)]
    pub to_line_id: Option<BudgetLineId>,
    /// How far it has come.
    pub state: DelegationState,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was begun, UTC.
    pub drafted_at: String,
    /// Since when it is in effect, UTC.
    #[schema(required = true)]
    pub effective_at: Option<String>,
    /// When it ended or was discarded, UTC.
    #[schema(required = true)]
    pub ended_at: Option<String>,
    /// Why.
    #[schema(required = true)]
    pub end_reason: Option<String>,
}

impl From<Delegation> for DelegationView {
    fn from(delegation: Delegation) -> Self {
        let terms = delegation.terms;
        let (document_number, document_date) = terms.document.unzip();
        Self {
            id: delegation.id,
            from_organisation_id: delegation.from_organisation_id,
            to_organisation_id: delegation.to_organisation_id,
            scope_zh: terms.scope.as_ref().map(|scope| scope.zh().to_owned()),
            scope_en: terms.scope.as_ref().map(|scope| scope.en().to_owned()),
            document_number,
            document_date: document_date.map(|date| date.to_string()),
            amount: terms.amount,
            from_line_id: terms.from_line_id,
            to_line_id: terms.to_line_id,
            state: delegation.state,
            version: delegation.version,
            drafted_at: rfc3339(delegation.drafted_at),
            effective_at: delegation.effective.map(|(_, at)| rfc3339(at)),
            ended_at: delegation.ended.map(|(_, at)| rfc3339(at)),
            end_reason: delegation.end_reason,
        }
    }
}

/// A delegation to begin; what is not known yet may be left out until it is to take effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDelegation, example = json!({
    "from_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "to_organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ay",
    "scope_zh": "公厕与社区绿地自管", "scope_en": "Toilets and community greens"
}))]
pub struct DelegationBody {
    /// Who hands the duty on.
    from_organisation_id: OrganisationId,
    /// Which street office or community gets it.
    to_organisation_id: OrganisationId,
    /// Which duty, in Chinese; together with `scope_en`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    scope_zh: Option<String>,
    /// Which duty, in English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    scope_en: Option<String>,
    /// The number of the document that authorises it; together with `document_date`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    document_number: Option<String>,
    /// The document's date.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    document_date: Option<String>,
    /// How much money goes with it, more than zero.
    #[serde(default)]
    amount: Option<Money>,
    /// From which of the giver's lines.
    #[serde(default)]
    from_line_id: Option<BudgetLineId>,
    /// To which of the recipient's lines.
    #[serde(default)]
    to_line_id: Option<BudgetLineId>,
}

/// Other terms of a draft; what is left out stays as it is, and `null` takes it away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DelegationChange, example = json!({"document_number": "凤办发〔2026〕8号", "document_date": "2026-02-01"}))]
pub struct DelegationChangeBody {
    /// Which duty, in Chinese.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    scope_zh: Option<Option<String>>,
    /// Which duty, in English.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    scope_en: Option<Option<String>>,
    /// The number of the document that authorises it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    document_number: Option<Option<String>>,
    /// The document's date.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    document_date: Option<Option<String>>,
    /// How much money goes with it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Money>)]
    amount: Option<Option<Money>>,
    /// From which of the giver's lines.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<BudgetLineId>)]
    from_line_id: Option<Option<BudgetLineId>>,
    /// To which of the recipient's lines.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<BudgetLineId>)]
    to_line_id: Option<Option<BudgetLineId>>,
}

/// List delegations
///
/// Newest first: to everyone those that took effect, to the body that wrote them, auditors and the regulator drafts as well.
#[utoipa::path(
    operation_id = "list_delegations",
    tag = "budget",
    params(
        ("from_organisation_id" = Option<OrganisationId>, Query, description = "By this organisation"),
        ("to_organisation_id" = Option<OrganisationId>, Query, description = "To this organisation"),
        ("state" = Option<DelegationState>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<DelegationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadFunds"))),
)]
#[get("/delegations")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadFunds, Matter::default())?;
    let mut query = Query::of(&request);
    let from = query.parsed::<OrganisationId>("from_organisation_id");
    let to = query.parsed::<OrganisationId>("to_organisation_id");
    let states = DelegationState::ALL.map(|state| (state.name(), state));
    let state = query.one_of("state", &states);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "delegations",
        from.as_ref().map_or("", OrganisationId::as_str),
        to.as_ref().map_or("", OrganisationId::as_str),
        state.map_or("", DelegationState::name),
    ]);
    let filter = DelegationFilter {
        from,
        to,
        state,
        drafts_of: own_organisations(&actor, Action::ReadBudget),
        before: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .glance(move |conn| store::delegations(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(DelegationView::from);
    Ok(page.answer(&request))
}

/// Begin a delegation
///
/// By an officer of the body that hands the duty on.
#[utoipa::path(
    operation_id = "draft_delegation",
    tag = "budget",
    request_body = DelegationBody,
    responses((status = 201, description = "The draft", body = DelegationView, headers(("ETag" = String, description = "The version, for `If-Match`")))),
    extensions(("x-action" = json!("DraftDelegation"))),
)]
#[post("/delegations")]
async fn draft(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftDelegation)?;
    let body = incoming.json::<DelegationBody>().await?;
    let value = body.value;
    let command = DraftDelegation {
        from_organisation_id: value.from_organisation_id,
        to_organisation_id: value.to_organisation_id,
        terms: EnteredTerms {
            scope_zh: Some(value.scope_zh),
            scope_en: Some(value.scope_en),
            document_number: Some(value.document_number),
            document_date: Some(value.document_date),
            amount: Some(value.amount),
            from_line_id: Some(value.from_line_id),
            to_line_id: Some(value.to_line_id),
        },
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(201, acts::draft(tx, by, &command)?)
        })
        .await
}

/// Read a delegation
#[utoipa::path(
    operation_id = "read_delegation",
    tag = "budget",
    params(("id" = DelegationId, Path, description = "The delegation")),
    responses(
        (status = 200, description = "The delegation", body = DelegationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such delegation, or it never took effect and is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadFunds"))),
)]
#[get("/delegations/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadFunds, Matter::default())?;
    let id: DelegationId = parsed(&id)?;
    let delegation = context
        .db
        .glance(move |conn| acts::known(conn, &actor, &id))
        .await?;
    Ok(shown(delegation))
}

/// Change a draft
///
/// By an officer of the body that hands the duty on. Needs `If-Match`.
#[utoipa::path(
    operation_id = "change_delegation",
    tag = "budget",
    params(("id" = DelegationId, Path, description = "The delegation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = DelegationChangeBody,
    responses(
        (status = 200, description = "The draft as it is now", body = DelegationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such delegation, or it is not your organisation's"),
        (status = 409, description = "`delegation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftDelegation"))),
)]
#[patch("/delegations/{id}")]
async fn change(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftDelegation)?;
    let id: DelegationId = parsed(&id)?;
    let value = incoming.json::<DelegationChangeBody>().await?.value;
    let expected = Expected::of(&request)?;
    let entered = EnteredTerms {
        scope_zh: value.scope_zh,
        scope_en: value.scope_en,
        document_number: value.document_number,
        document_date: value.document_date,
        amount: value.amount,
        from_line_id: value.from_line_id,
        to_line_id: value.to_line_id,
    };
    let delegation = context
        .db
        .write(move |tx| acts::change(tx, &actor, &id, expected, &entered))
        .await?;
    Ok(shown(delegation))
}

/// Put a delegation into effect
///
/// By another person than who drafted it. Refused, with everything that is missing, until scope, authorisation and money are there; the
/// money goes from the giver's line to the recipient's in the same transaction. Needs `If-Match`.
#[utoipa::path(
    operation_id = "commence_delegation",
    tag = "budget",
    params(("id" = DelegationId, Path, description = "The delegation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    responses(
        (status = 200, description = "The delegation as it is now", body = DelegationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such delegation, or it is not your organisation's"),
        (status = 409, description = "`delegation_wrong_state`, `delegation_incomplete`, `ledger_would_overdraw`, `no_statute_in_force`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("EffectDelegation"))),
)]
#[post("/delegations/{id}/commencement")]
async fn commence(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::EffectDelegation)?;
    let id: DelegationId = parsed(&id)?;
    let expected = Expected::of(&request)?;
    let place = place(&context);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::put_into_effect(tx, by, &id, expected, &place)?)
        })
        .await
}

/// End a delegation
///
/// The duty is not theirs any more; a draft is discarded. Money that went with it is not taken back by that: what is left goes back by
/// a budget movement. Needs `If-Match`.
#[utoipa::path(
    operation_id = "end_delegation",
    tag = "budget",
    params(("id" = DelegationId, Path, description = "The delegation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The delegation as it is now", body = DelegationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such delegation, or it is not your organisation's"),
        (status = 409, description = "`delegation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("EffectDelegation"))),
)]
#[post("/delegations/{id}/termination")]
async fn end(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::EffectDelegation)?;
    let id: DelegationId = parsed(&id)?;
    let body = incoming.json::<ReasonBody>().await?;
    let expected = Expected::of(&request)?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::end(tx, by, &id, expected, &body.value.reason)?)
        })
        .await
}

/// Whose rules apply here.
pub(super) fn place(context: &Shared) -> Place {
    Place {
        jurisdiction: context.settings.jurisdiction.clone(),
        zone: context.calendar.zone,
    }
}

fn shown(delegation: Delegation) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(delegation.version)))
        .json(DelegationView::from(delegation))
}

fn reply(status: u16, delegation: Delegation) -> Answer<Reply> {
    let (version, place) = (
        delegation.version,
        format!("/api/v1/delegations/{}", delegation.id),
    );
    let reply = Reply::json(status, &DelegationView::from(delegation))?.etag(etag(version));
    Ok(if status == 201 {
        reply.location(place)
    } else {
        reply
    })
}
