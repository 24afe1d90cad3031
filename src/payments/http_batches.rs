//! Payment batches and their files over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::{after, one_more, parsed};
use crate::db::conn::Conn;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::payments::acts_batches as acts;
use crate::payments::rules_bank_names::Names;
use crate::payments::rules_batches::{Batch, CLAIMS_MAX, NewBatch, PaymentBatchId, State, reference};
use crate::payments::rules_claims::ClaimId;
use crate::payments::store_batches as store;
use crate::payments::view_batches::{BatchView, shown};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::{Query, required};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(make)
        .service(list)
        .service(read)
        .service(read_file)
        .service(execute)
        .service(withdraw);
}

/// Claims to pay together.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentBatch, example = json!({
    "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "claim_ids": ["claim_01jd3n8f5teqkrzvq1c0m6h2ax"], "execution_on": "2026-06-15", "names": "chinese"
}))]
pub struct BatchBody {
    /// Whose claims, and whose money.
    buyer_id: OrganisationId,
    /// Which claims; left out for the oldest that are approved and can be paid.
    #[serde(default)]
    #[schema(value_type = Vec<ClaimId>, required = false, min_items = 1, max_items = 200)]
    claim_ids: Option<Vec<ClaimId>>,
    /// How many at most, where none are named; 200 by default.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200)]
    claims_max: Option<u16>,
    /// On which day the bank is to pay: today, or one of the 60 days after it.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    execution_on: NaiveDate,
    /// In which letters names are in the file.
    names: Names,
}

fn replied(conn: &mut Conn, status: u16, batch: &Batch) -> Answer<Reply> {
    let view = shown(conn, batch)?;
    Ok(Reply::json(status, &view)?.etag(conditional::etag(view.revision)))
}

/// Put a payment batch together
///
/// By a finance officer of the buyer, of claims that are approved and wait in no other batch. It is paid from the bank account of the buyer that is confirmed at that moment.
/// The bytes of its file are made and hashed now; another finance officer executes it.
#[utoipa::path(
    operation_id = "make_payment_batch",
    tag = "payments",
    request_body = BatchBody,
    responses(
        (status = 201, description = "The batch", body = BatchView, headers(("ETag" = String, description = "The revision"), ("Location" = String, description = "Where it is"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 409, description = "`payment_batch_account_missing`, `payment_batch_blocked` with every claim that cannot be in it, `payment_batch_empty`, `payment_batch_name_unwritable`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("MakePaymentBatch"))),
)]
#[post("/payment-batches")]
async fn make(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::MakePaymentBatch)?;
    let body = incoming.json::<BatchBody>().await?;
    let (said, zone) = (body.value, context.calendar.zone);
    let new = NewBatch {
        buyer_id: said.buyer_id,
        claim_ids: said.claim_ids,
        claims_max: said.claims_max.map_or(CLAIMS_MAX, usize::from),
        execution_on: said.execution_on,
        names: said.names,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let batch = acts::make(tx, by, new.clone(), zone)?;
            let location = format!("/api/v1/payment-batches/{}", batch.id);
            Ok(replied(tx.conn(), 201, &batch)?.location(location))
        })
        .await
}

/// List the payment batches of a buyer
///
/// Newest first, for its finance officers and auditors.
#[utoipa::path(
    operation_id = "list_payment_batches",
    tag = "payments",
    params(
        ("buyer_id" = OrganisationId, Query, description = "The buyer"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<BatchView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
    ),
    extensions(("x-action" = json!("ReadPaymentBatches"))),
)]
#[get("/payment-batches")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadPaymentBatches)?;
    let mut query = Query::of(&request);
    let buyer = query.parsed::<OrganisationId>("buyer_id");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let buyer = required(buyer, "buyer_id")?;
    policy::allow(
        &actor,
        Action::ReadPaymentBatches,
        Matter::of_organisation(&buyer),
    )?;
    let question = Question::of(&["payment batches", buyer.as_str(), state.map_or("", State::name)]);
    let before = after(&question, cursor.as_deref())?;
    let views = context
        .db
        .read(move |conn| {
            let batches = store::page(conn, &buyer, (state, before.as_deref()), one_more(limit))?;
            let mut views = Vec::with_capacity(batches.len());
            for batch in &batches {
                views.push(shown(conn, batch)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &BatchView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read a payment batch
///
/// For the buyer's finance officers and auditors.
#[utoipa::path(
    operation_id = "read_payment_batch",
    tag = "payments",
    params(("id" = PaymentBatchId, Path, description = "The batch")),
    responses(
        (status = 200, description = "The batch", body = BatchView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such batch, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadPaymentBatches"))),
)]
#[get("/payment-batches/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadPaymentBatches)?;
    let id = parsed::<PaymentBatchId>(&id)?;
    let view = context
        .db
        .read(move |conn| {
            let batch = acts::seen(conn, &actor, &id)?;
            shown(conn, &batch)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Get the file of a payment batch for the bank
///
/// ISO 20022 `pain.001.001.09`, the bytes whose hash the log has, once the batch was executed. For the buyer's finance officers: account numbers are whole in it.
#[utoipa::path(
    operation_id = "read_payment_file",
    tag = "payments",
    params(("id" = PaymentBatchId, Path, description = "The batch")),
    responses(
        (status = 200, description = "The file", content(
            (String = "application/xml", example = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">…</Document>")
        )),
        (status = 404, description = "There is no such batch, or it is not your organisation's"),
        (status = 409, description = "`payment_batch_not_executed`"),
    ),
    extensions(("x-action" = json!("OpenPaymentFile"))),
)]
#[get("/payment-batches/{id}/file")]
async fn read_file(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenPaymentFile)?;
    let id = parsed::<PaymentBatchId>(&id)?;
    let (batch, content) = context.db.read(move |conn| acts::file(conn, &actor, &id)).await?;
    let name = reference(batch.id.as_str());
    let disposition = format!("attachment; filename=\"pain.001-{name}.xml\"");
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, disposition))
        .content_type("application/xml")
        .body(content))
}

/// Execute a payment batch
///
/// By another finance officer of the buyer than who has made it and who has approved its claims: every claim of it is paid, under the rules of a payment of its own, or none is.
/// Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "execute_payment_batch",
    tag = "payments",
    params(
        ("id" = PaymentBatchId, Path, description = "The batch"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The batch as it is now", body = BatchView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such batch, or it is not your organisation's"),
        (status = 409, description = "`payment_batch_wrong_state`, `payment_batch_day_over`, `payment_batch_account_changed`, `payment_batch_blocked` with what stands against each claim"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ExecuteClaim"))),
)]
#[post("/payment-batches/{id}/execution")]
async fn execute(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ExecuteClaim)?;
    let (id, expected) = (parsed::<PaymentBatchId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let batch = acts::execute(tx, by, (&id, expected), &asked.calendar)?;
            replied(tx.conn(), 200, &batch)
        })
        .await
}

/// Withdraw a payment batch
///
/// By a finance officer of the buyer, as long as it was not executed; its claims are free. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "withdraw_payment_batch",
    tag = "payments",
    params(
        ("id" = PaymentBatchId, Path, description = "The batch"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The batch as it is now", body = BatchView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such batch, or it is not your organisation's"),
        (status = 409, description = "`payment_batch_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("MakePaymentBatch"))),
)]
#[post("/payment-batches/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::MakePaymentBatch)?;
    let (id, expected) = (parsed::<PaymentBatchId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let batch = acts::withdraw(tx, by, (&id, expected))?;
            replied(tx.conn(), 200, &batch)
        })
        .await
}
