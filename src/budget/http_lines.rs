//! Budget lines over HTTP: parse, call one act or query, render. No SQL and no rule.

use std::collections::HashMap;

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts;
use crate::budget::desk::{self, attached, parsed};
use crate::budget::rules::{BudgetLine, BudgetLineId, FundId, LineChange, NewLine, State};
use crate::budget::rules_ledger::{AccountCode, LedgerAccount};
use crate::budget::store::{self, LineFilter};
use crate::budget::store_ledger;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
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
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_lines)
        .service(create_line)
        .service(read_line)
        .service(change_line)
        .service(close_line);
}

/// How the money of a budget line stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = BudgetLineBalances)]
pub struct Balances {
    /// Nothing is planned with it.
    pub available: Money,
    /// Held until there is a contract.
    pub reserved: Money,
    /// Held for contracts.
    pub committed: Money,
    /// Held back from payments.
    pub retained: Money,
    /// Paid.
    pub spent: Money,
    /// Given back to the treasury.
    pub returned: Money,
}

impl Balances {
    /// The balances of a line's accounts.
    pub fn of(accounts: &[LedgerAccount]) -> Self {
        let balance = |code| {
            let account = accounts.iter().find(|account| account.code == code);
            account.map_or(Money::ZERO, |account| account.balance)
        };
        Self {
            available: balance(AccountCode::Available),
            reserved: balance(AccountCode::Reserved),
            committed: balance(AccountCode::Committed),
            retained: balance(AccountCode::Retained),
            spent: balance(AccountCode::Spent),
            returned: balance(AccountCode::Returned),
        }
    }
}

/// A budget line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BudgetLine, example = json!({
    "id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "fund_id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "fiscal_year": 2026, "code": "SAN-01",
    "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "category": "sanitation", "purpose_zh": "道路保洁", "purpose_en": "Street sanitation",
    "state": "open", "version": 1, "created_at": "2026-01-05T01:00:00.000000Z", "updated_at": "2026-01-05T01:00:00.000000Z",
    "balances": {
        "available": {"amount": "2400000.00", "currency": "CNY"}, "reserved": {"amount": "0.00", "currency": "CNY"},
        "committed": {"amount": "0.00", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"},
        "spent": {"amount": "0.00", "currency": "CNY"}, "returned": {"amount": "0.00", "currency": "CNY"}
    }
}))]
pub struct LineView {
    /// Its id.
    pub id: BudgetLineId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Its code within the fund's year.
    pub code: String,
    /// Who may spend it.
    pub organisation_id: OrganisationId,
    /// On which category of services.
    pub category: String,
    /// On what, in Chinese.
    pub purpose_zh: String,
    /// On what, in English.
    pub purpose_en: String,
    /// Whether it is in use.
    pub state: State,
    /// Counts the changes of these particulars, from 1.
    pub version: i64,
    /// Since when there is this line, UTC.
    pub created_at: String,
    /// When it was changed last, UTC.
    pub updated_at: String,
    /// How its money stands.
    pub balances: Balances,
}

impl LineView {
    /// A line with its accounts.
    pub fn of(line: BudgetLine, accounts: &[LedgerAccount]) -> Self {
        Self {
            id: line.id,
            fund_id: line.fund_id,
            fiscal_year: line.fiscal_year,
            code: line.code,
            organisation_id: line.organisation_id,
            category: line.category,
            purpose_zh: line.purpose_zh,
            purpose_en: line.purpose_en,
            state: line.state,
            version: line.version,
            created_at: rfc3339(line.created_at),
            updated_at: rfc3339(line.updated_at),
            balances: Balances::of(accounts),
        }
    }
}

/// A budget line to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBudgetLine, example = json!({
    "fiscal_year": 2026, "code": "SAN-01", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "category": "sanitation",
    "purpose_zh": "道路保洁", "purpose_en": "Street sanitation"
}))]
pub struct LineBody {
    /// Of which fiscal year, a calendar year.
    #[schema(minimum = 2000, maximum = 2199)]
    fiscal_year: i64,
    /// Its code within the fund's year: capital letters, digits and hyphens. It never changes.
    #[schema(min_length = 2, max_length = 20, pattern = "^[A-Z0-9]([A-Z0-9-]*[A-Z0-9])?$")]
    code: String,
    /// Which public body may spend it.
    organisation_id: OrganisationId,
    /// On which category of services.
    #[schema(pattern = "^[a-z0-9_]{2,40}$")]
    category: String,
    /// On what, in Chinese.
    #[schema(min_length = 1, max_length = 200)]
    purpose_zh: String,
    /// On what, in English.
    #[schema(min_length = 1, max_length = 200)]
    purpose_en: String,
}

/// Another wording of a line's purpose; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BudgetLineChange, example = json!({"purpose_zh": "道路保洁与冲洗"}))]
pub struct LineChangeBody {
    /// On what, in Chinese.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    purpose_zh: Option<String>,
    /// On what, in English.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    purpose_en: Option<String>,
}

/// List budget lines
///
/// In the order in which they were made: to auditors and the regulator all, to others those that their organisations may spend, or
/// that are of funds that those keep. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_budget_lines",
    tag = "budget",
    params(
        ("fund_id" = Option<FundId>, Query, description = "Of this fund"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Of this fiscal year"),
        ("organisation_id" = Option<OrganisationId>, Query, description = "Spent by this organisation"),
        ("category" = Option<String>, Query, description = "Of this category of services"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<LineView> = "application/json"),
        (String = "text/csv", example = "id,fund_id,fiscal_year,code,organisation_id,category,purpose_zh,purpose_en,state,available,reserved,committed,retained,spent,returned\r\nbudgetline_01jd3n8f5teqkrzvq1c0m6h2ax,fund_01jd3n8f5teqkrzvq1c0m6h2ax,2026,SAN-01,org_01jd3n8f5teqkrzvq1c0m6h2ax,sanitation,道路保洁,Street sanitation,open,2400000.00,0.00,0.00,0.00,0.00,0.00\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListBudget"))),
)]
#[get("/budget-lines")]
async fn list_lines(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListBudget, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let (filter, limit, question) = asked_lines(&request, &actor)?;
    let found = context
        .db
        .read(move |conn| {
            let lines = store::lines(conn, &filter, desk::one_more(limit))?;
            let ids: Vec<&BudgetLineId> = lines.iter().map(|line| &line.id).collect();
            let accounts = store_ledger::accounts_of_lines(conn, &ids)?;
            Ok((lines, accounts))
        })
        .await?;
    let (lines, accounts) = found;
    let mut of_lines: HashMap<BudgetLineId, Vec<LedgerAccount>> = HashMap::new();
    for account in accounts {
        if let Some(line) = account.line_id.clone() {
            of_lines.entry(line).or_default().push(account);
        }
    }
    let page = Page::cut(lines, limit, &question, |line| vec![line.id.to_string()]).map(|line| {
        let accounts = of_lines.remove(&line.id).unwrap_or_default();
        LineView::of(line, &accounts)
    });
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let table = csv_table(&LINE_COLUMNS, page.items.iter().map(line_row))?;
    Ok(attached(response, "budget-lines.csv", table))
}

const LINE_COLUMNS: [&str; 15] = [
    "id",
    "fund_id",
    "fiscal_year",
    "code",
    "organisation_id",
    "category",
    "purpose_zh",
    "purpose_en",
    "state",
    "available",
    "reserved",
    "committed",
    "retained",
    "spent",
    "returned",
];

fn line_row(line: &LineView) -> [String; 15] {
    let balances = &line.balances;
    [
        line.id.to_string(),
        line.fund_id.to_string(),
        line.fiscal_year.to_string(),
        line.code.clone(),
        line.organisation_id.to_string(),
        line.category.clone(),
        line.purpose_zh.clone(),
        line.purpose_en.clone(),
        line.state.name().to_owned(),
        balances.available.to_string(),
        balances.reserved.to_string(),
        balances.committed.to_string(),
        balances.retained.to_string(),
        balances.spent.to_string(),
        balances.returned.to_string(),
    ]
}

fn asked_lines(request: &HttpRequest, actor: &Actor) -> Answer<(LineFilter, u16, Question)> {
    let mut query = Query::of(request);
    let fund = query.parsed::<FundId>("fund_id");
    let fiscal_year = desk::fiscal_year(&mut query);
    let organisation = query.parsed::<OrganisationId>("organisation_id");
    let category = query.text("category");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "budget lines",
        fund.as_ref().map_or("", FundId::as_str),
        &fiscal_year.map(|year| year.to_string()).unwrap_or_default(),
        organisation.as_ref().map_or("", OrganisationId::as_str),
        category.as_deref().unwrap_or_default(),
        state.map_or("", State::name),
    ]);
    let filter = LineFilter {
        fund,
        fiscal_year,
        organisation,
        category,
        state,
        organisations: acts::own_organisations(actor, Action::ReadBudget),
        after: desk::after(&question, cursor.as_deref())?,
    };
    Ok((filter, limit, question))
}

/// Make a budget line
///
/// By a finance officer of the body that keeps the fund. It is empty until money is allocated to it.
#[utoipa::path(
    operation_id = "create_budget_line",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund")),
    request_body = LineBody,
    responses(
        (status = 201, description = "The line", body = LineView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such fund"),
        (status = 409, description = "`fund_closed`, `budget_code_taken`"),
    ),
    extensions(("x-action" = json!("ManageBudgetLine"))),
)]
#[post("/funds/{id}/budget-lines")]
async fn create_line(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageBudgetLine)?;
    let fund: FundId = parsed(&id)?;
    let body = incoming.json::<LineBody>().await?;
    let value = body.value;
    let new = NewLine {
        fiscal_year: value.fiscal_year,
        code: value.code,
        organisation_id: value.organisation_id,
        category: value.category,
        purpose_zh: value.purpose_zh,
        purpose_en: value.purpose_en,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            line_reply(201, acts::create_line(tx, by, &fund, &new)?, &[])
        })
        .await
}

/// Read a budget line
///
/// With the balances of its accounts, which change without another version of the line.
#[utoipa::path(
    operation_id = "read_budget_line",
    tag = "budget",
    params(("id" = BudgetLineId, Path, description = "The line")),
    responses(
        (status = 200, description = "The line", body = LineView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such line, or it is not your organisations'"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/budget-lines/{id}")]
async fn read_line(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: BudgetLineId = parsed(&id)?;
    let (line, accounts) = context
        .db
        .read(move |conn| {
            let (line, _) = acts::known_line(conn, &actor, &id)?;
            let accounts = store_ledger::accounts_of_line(conn, &id)?;
            Ok((line, accounts))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag(line.version)))
        .json(LineView::of(line, &accounts)))
}

/// Change a budget line
///
/// By a finance officer of the body that keeps the fund. Needs `If-Match`.
#[utoipa::path(
    operation_id = "change_budget_line",
    tag = "budget",
    params(("id" = BudgetLineId, Path, description = "The line"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = LineChangeBody,
    responses(
        (status = 200, description = "The line as it is now", body = LineView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such line, or it is not your organisations'"),
        (status = 409, description = "`budget_line_closed`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ManageBudgetLine"))),
)]
#[patch("/budget-lines/{id}")]
async fn change_line(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageBudgetLine)?;
    let id: BudgetLineId = parsed(&id)?;
    let value = incoming.json::<LineChangeBody>().await?.value;
    let expected = Expected::of(&request)?;
    let change = LineChange {
        purpose_zh: value.purpose_zh,
        purpose_en: value.purpose_en,
    };
    let (line, accounts) = context
        .db
        .write(move |tx| {
            let line = acts::change_line(tx, &actor, &id, expected, &change)?;
            let accounts = store_ledger::accounts_of_line(tx.conn(), &id)?;
            Ok((line, accounts))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag(line.version)))
        .json(LineView::of(line, &accounts)))
}

/// Close a budget line
///
/// When nothing of it is left to spend. Needs `If-Match`.
#[utoipa::path(
    operation_id = "close_budget_line",
    tag = "budget",
    params(("id" = BudgetLineId, Path, description = "The line"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    responses(
        (status = 200, description = "The line as it is now", body = LineView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such line, or it is not your organisations'"),
        (status = 409, description = "`budget_line_closed`, `budget_not_empty`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ManageBudgetLine"))),
)]
#[post("/budget-lines/{id}/closure")]
async fn close_line(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ManageBudgetLine)?;
    let id: BudgetLineId = parsed(&id)?;
    let expected = Expected::of(&request)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let line = acts::close_line(tx, by, &id, expected)?;
            let accounts = store_ledger::accounts_of_line(tx.conn(), &id)?;
            line_reply(200, line, &accounts)
        })
        .await
}

fn line_reply(status: u16, line: BudgetLine, accounts: &[LedgerAccount]) -> Answer<Reply> {
    let (version, place) = (line.version, format!("/api/v1/budget-lines/{}", line.id));
    let reply = Reply::json(status, &LineView::of(line, accounts))?.etag(etag(version));
    Ok(if status == 201 {
        reply.location(place)
    } else {
        reply
    })
}
