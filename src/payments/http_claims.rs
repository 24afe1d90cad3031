//! Claims over HTTP: making, reading and listing them; parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::{one_more, page_or_table, parsed};
use crate::contracts::desk;
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::payments::acts_claims as acts;
use crate::payments::desk_claims::{Seen, seen};
use crate::payments::rules_claims::{ClaimId, Entered, Kind, State};
use crate::payments::rules_pay::Derivation;
use crate::payments::store_claims as store;
use crate::payments::view_claims::{ClaimView, shown};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional;
use crate::web::context::WardCalendar;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(make)
        .service(list)
        .service(read)
        .service(read_derivation);
}

/// What a contractor claims.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentClaim, example = json!({
    "kind": "period", "period": 1, "amount": {"amount": "191550.00", "currency": "CNY"}, "invoice_number": "24312000000012345678",
    "invoice_on": "2026-06-01", "attachment_ids": []
}))]
pub struct ClaimBody {
    /// What is claimed.
    kind: Kind,
    /// The number of the period, of a claim for one.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 120)]
    period: Option<i64>,
    /// How much.
    amount: Money,
    /// The number of the invoice, of which a supplier uses each once; for the parties and auditors.
    #[schema(min_length = 1, max_length = 40)]
    invoice_number: String,
    /// The day of the invoice.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    invoice_on: NaiveDate,
    /// The invoice, and what else shows the claim: PDF, PNG, JPEG or WebP; for the parties and auditors.
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// The answer to an act on a claim.
pub(super) fn replied(
    (conn, actor): (&mut Conn, &Actor),
    status: u16,
    seen: &Seen,
    at: (&WardCalendar, Instant),
) -> Answer<Reply> {
    let view = shown(conn, actor, (&seen.signed, &seen.claim), at)?;
    Ok(Reply::json(status, &view)?.etag(conditional::etag(view.revision)))
}

/// Claim a payment
///
/// By the contractor: for a period once its last day is over, for the advance, for what was retained, for the settlement of a contract that was terminated, or for interest
/// once what was late is paid. It is paid to the bank account of the supplier that is confirmed at that moment. The number of an invoice is used once, unless its claim was returned or failed.
#[utoipa::path(
    operation_id = "make_claim",
    tag = "payments",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = ClaimBody,
    responses(
        (status = 201, description = "The claim", body = ClaimView, headers(("ETag" = String, description = "The revision"), ("Location" = String, description = "Where it is"))),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_without_periods`, `claim_contract_settled`, `claim_no_such_part`, `claim_period_not_over`, `claim_not_terminated`, `claim_no_interest`, `claim_beyond_price`, `claim_too_many`, `invoice_duplicate`, `claim_account_missing`, and those of attachments"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("MakeClaim"))),
)]
#[post("/contracts/{id}/claims")]
async fn make(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::MakeClaim)?;
    let body = incoming.json::<ClaimBody>().await?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let said = body.value;
    let entered = Entered {
        kind: said.kind,
        period: said.period,
        invoice_number: said.invoice_number,
        invoice_on: said.invoice_on,
        amount: said.amount,
    };
    let files = said.attachment_ids;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts::claim(tx, by, &id, (entered.clone(), &files), &asked.calendar)?;
            let (location, now) = (format!("/api/v1/claims/{}", seen.claim.id), tx.now());
            Ok(replied((tx.conn(), by), 201, &seen, (&asked.calendar, now))?.location(location))
        })
        .await
}

/// List the claims of a contract
///
/// By number. They are public. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_claims",
    tag = "payments",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (Page<ClaimView> = "application/json"),
            (String = "text/csv", example = "id,contract_id,number,kind,period,state,claimed,certified,deducted,due_on,days_late,interest,claimed_at,executed_at,confirmed_at\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/claims")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["claims", id.as_str(), state.map_or("", State::name)]);
    let after = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([number]) => Some(number.parse::<i64>().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            let signed = desk::signed(conn, &id)?;
            let at = (&asked.calendar, asked.clock.now());
            let claims = store::page(conn, &id, (state, after), one_more(limit))?;
            let mut views = Vec::with_capacity(claims.len());
            for one in &claims {
                views.push(shown(conn, &actor, (&signed, one), at)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ClaimView| {
        vec![one.number.to_string()]
    });
    page_or_table(&request, page, format, ("claims.csv", table))
}

fn table(items: &[ClaimView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "contract_id",
        "number",
        "kind",
        "period",
        "state",
        "claimed",
        "certified",
        "deducted",
        "due_on",
        "days_late",
        "interest",
        "claimed_at",
        "executed_at",
        "confirmed_at",
    ];
    let cell = |text: Option<String>| text.unwrap_or_default();
    let rows: Vec<[String; 15]> = items
        .iter()
        .map(|item| {
            let certified = item.certified.as_ref();
            [
                item.id.to_string(),
                item.contract_id.to_string(),
                item.number.to_string(),
                item.kind.name().to_owned(),
                cell(item.period.map(|period| period.to_string())),
                item.state.name().to_owned(),
                item.amount.to_string(),
                cell(certified.map(|certified| certified.amount.to_string())),
                cell(certified.map(|certified| certified.deducted.to_string())),
                cell(item.due_on.map(|day| day.to_string())),
                item.days_late.to_string(),
                item.interest.to_string(),
                item.claimed_at.clone(),
                cell(item.executed_at.clone()),
                cell(item.confirmed_at.clone()),
            ]
        })
        .collect();
    Ok(csv_table(
        &columns,
        rows.iter().map(|row| row.each_ref().map(String::as_str)),
    )?)
}

/// Read a claim
///
/// Everybody may; the invoice, the bank account, who did what and why something was sent back, the parties and auditors.
#[utoipa::path(
    operation_id = "read_claim",
    tag = "payments",
    params(("id" = ClaimId, Path, description = "The claim")),
    responses(
        (status = 200, description = "The claim", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such claim"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/claims/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<ClaimId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let Seen { signed, claim } = seen(conn, &id)?;
            shown(
                conn,
                &actor,
                (&signed, &claim),
                (&asked.calendar, asked.clock.now()),
            )
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Read how the sum of a period follows
///
/// The derivation that a claim was certified by: the bytes whose hash the log has, which `wardbook recompute payment` checks. Everybody may.
#[utoipa::path(
    operation_id = "read_claim_derivation",
    tag = "payments",
    params(("id" = ClaimId, Path, description = "The claim")),
    responses(
        (status = 200, description = "The derivation", body = Derivation, example = json!({
            "format": "wardbook/period-pay/v1", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1,
            "input": {"fee": "191550.00", "without_score": "redistributed", "sources": [], "tables": [], "penalties": []}, "steps": [],
            "result": {"score": null, "deductions": [], "deducted": "0.00", "recovered": "0.00", "payable": "191550.00"}
        })),
        (status = 404, description = "There is no such claim, or it is not certified, or of no period"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/claims/{id}/derivation")]
async fn read_derivation(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ClaimId>(&id)?;
    let content = context
        .db
        .read(move |conn| Ok(store::content(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?))
        .await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(content))
}
