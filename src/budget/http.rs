//! Funds over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts;
use crate::budget::desk::{self, attached, parsed};
use crate::budget::rules::{Fund, FundChange, FundId, FundKind, NewFund, State};
use crate::budget::store::{self, FundFilter};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{Expected, etag};
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_funds)
        .service(create_fund)
        .service(read_fund)
        .service(change_fund)
        .service(close_fund);
}

/// A fund.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fund, example = json!({
    "id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "WT-FW", "kind": "special_fund", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "name_zh": "社区公共服务专项", "name_en": "Community services", "basis": "凤财预〔2026〕3号", "state": "open", "version": 1,
    "created_at": "2026-01-05T01:00:00.000000Z", "updated_at": "2026-01-05T01:00:00.000000Z"
}))]
pub struct FundView {
    /// Its id.
    pub id: FundId,
    /// Its code.
    pub code: String,
    /// What sort of fund it is.
    pub kind: FundKind,
    /// Which body keeps it.
    pub organisation_id: OrganisationId,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// The document that it stands on.
    pub basis: String,
    /// Whether it is in use.
    pub state: State,
    /// Counts the changes, from 1.
    pub version: i64,
    /// Since when there is this fund, UTC.
    pub created_at: String,
    /// When it was changed last, UTC.
    pub updated_at: String,
}

impl From<Fund> for FundView {
    fn from(fund: Fund) -> Self {
        Self {
            id: fund.id,
            code: fund.code,
            kind: fund.kind,
            organisation_id: fund.organisation_id,
            name_zh: fund.name_zh,
            name_en: fund.name_en,
            basis: fund.basis,
            state: fund.state,
            version: fund.version,
            created_at: rfc3339(fund.created_at),
            updated_at: rfc3339(fund.updated_at),
        }
    }
}

/// A fund to make. Texts are without invisible characters, and do not begin with `=`, `+`, `-` or `@`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFund, example = json!({
    "code": "WT-FW", "kind": "special_fund", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "name_zh": "社区公共服务专项", "name_en": "Community services", "basis": "凤财预〔2026〕3号"
}))]
pub struct FundBody {
    /// Its code: capital letters, digits and hyphens. It never changes.
    #[schema(min_length = 2, max_length = 20, pattern = "^[A-Z0-9]([A-Z0-9-]*[A-Z0-9])?$")]
    code: String,
    /// What sort of fund it is.
    kind: FundKind,
    /// Which public body keeps it.
    organisation_id: OrganisationId,
    /// Its Chinese name.
    #[schema(min_length = 1, max_length = 100)]
    name_zh: String,
    /// Its English name.
    #[schema(min_length = 1, max_length = 100)]
    name_en: String,
    /// The document that it stands on.
    #[schema(min_length = 1, max_length = 200)]
    basis: String,
}

/// Another name or basis of a fund; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FundChange, example = json!({"basis": "凤财预〔2026〕18号"}))]
pub struct FundChangeBody {
    /// Its Chinese name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    name_zh: Option<String>,
    /// Its English name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    name_en: Option<String>,
    /// The document that it stands on.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    basis: Option<String>,
}

/// List funds
///
/// By code, for everyone. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_funds",
    tag = "budget",
    params(
        ("organisation_id" = Option<OrganisationId>, Query, description = "Kept by this organisation"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<FundView> = "application/json"),
        (String = "text/csv", example = "id,code,kind,organisation_id,name_zh,name_en,basis,state\r\nfund_01jd3n8f5teqkrzvq1c0m6h2ax,WT-FW,special_fund,org_01jd3n8f5teqkrzvq1c0m6h2ax,社区公共服务专项,Community services,凤财预〔2026〕3号,open\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadFunds"))),
)]
#[get("/funds")]
async fn list_funds(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadFunds, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let organisation = query.parsed::<OrganisationId>("organisation_id");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "funds",
        organisation.as_ref().map_or("", OrganisationId::as_str),
        state.map_or("", State::name),
    ]);
    let filter = FundFilter {
        organisation,
        state,
        after: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .glance(move |conn| store::funds(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |fund| vec![fund.code.clone()]).map(FundView::from);
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let rows = page.items.iter().map(|fund| {
        [
            fund.id.as_str(),
            &fund.code,
            fund.kind.name(),
            fund.organisation_id.as_str(),
            &fund.name_zh,
            &fund.name_en,
            &fund.basis,
            fund.state.name(),
        ]
    });
    let columns = [
        "id",
        "code",
        "kind",
        "organisation_id",
        "name_zh",
        "name_en",
        "basis",
        "state",
    ];
    Ok(attached(response, "funds.csv", csv_table(&columns, rows)?))
}

/// Make a fund
///
/// By a finance officer of the body that keeps it. It is empty until an appropriation is confirmed.
#[utoipa::path(
    operation_id = "create_fund",
    tag = "budget",
    request_body = FundBody,
    responses(
        (status = 201, description = "The fund", body = FundView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 409, description = "`budget_code_taken`"),
    ),
    extensions(("x-action" = json!("ManageFund"))),
)]
#[post("/funds")]
async fn create_fund(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageFund)?;
    let body = incoming.json::<FundBody>().await?;
    let value = body.value;
    let new = NewFund {
        code: value.code,
        kind: value.kind,
        organisation_id: value.organisation_id,
        name_zh: value.name_zh,
        name_en: value.name_en,
        basis: value.basis,
    };
    policy::allow(
        &actor,
        Action::ManageFund,
        Matter::of_organisation(&new.organisation_id),
    )?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            fund_reply(201, acts::create_fund(tx, by, &new)?)
        })
        .await
}

/// Read a fund
#[utoipa::path(
    operation_id = "read_fund",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund")),
    responses(
        (status = 200, description = "The fund", body = FundView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such fund"),
    ),
    extensions(("x-action" = json!("ReadFunds"))),
)]
#[get("/funds/{id}")]
async fn read_fund(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadFunds, Matter::default())?;
    let id: FundId = parsed(&id)?;
    let fund = context
        .db
        .glance(move |conn| store::fund(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag(fund.version)))
        .json(FundView::from(fund)))
}

/// Change a fund
///
/// By a finance officer of the body that keeps it. Needs `If-Match`.
#[utoipa::path(
    operation_id = "change_fund",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = FundChangeBody,
    responses(
        (status = 200, description = "The fund as it is now", body = FundView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such fund"),
        (status = 409, description = "`fund_closed`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ManageFund"))),
)]
#[patch("/funds/{id}")]
async fn change_fund(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageFund)?;
    let id: FundId = parsed(&id)?;
    let value = incoming.json::<FundChangeBody>().await?.value;
    let expected = Expected::of(&request)?;
    let change = FundChange {
        name_zh: value.name_zh,
        name_en: value.name_en,
        basis: value.basis,
    };
    let fund = context
        .db
        .write(move |tx| acts::change_fund(tx, &actor, &id, expected, &change))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag(fund.version)))
        .json(FundView::from(fund)))
}

/// Close a fund
///
/// When nothing of it is left to spend. Needs `If-Match`.
#[utoipa::path(
    operation_id = "close_fund",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    responses(
        (status = 200, description = "The fund as it is now", body = FundView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such fund"),
        (status = 409, description = "`fund_closed`, `budget_not_empty`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ManageFund"))),
)]
#[post("/funds/{id}/closure")]
async fn close_fund(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageFund)?;
    let id: FundId = parsed(&id)?;
    let expected = Expected::of(&request)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            fund_reply(200, acts::close_fund(tx, by, &id, expected)?)
        })
        .await
}

fn fund_reply(status: u16, fund: Fund) -> Answer<Reply> {
    let (version, place) = (fund.version, format!("/api/v1/funds/{}", fund.id));
    let reply = Reply::json(status, &FundView::from(fund))?.etag(etag(version));
    Ok(if status == 201 {
        reply.location(place)
    } else {
        reply
    })
}
