//! What banks say of payments, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};

use crate::budget::desk::{after, one_more, parsed};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::payments::acts_bank_statements::{self as acts, Incoming as Bank};
use crate::payments::rules_bank_results::{BYTES_MAX, BankStatementId};
use crate::payments::view_bank_statements::{StatementView, SummaryView};
use crate::payments::{rules_bank_table, rules_bank_xml, store_bank_statements as store};
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, claimed_type};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::{Query, required};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(take).service(list).service(read);
}

/// Read in what a bank says
///
/// By a finance officer of the buyer: ISO 20022 `pain.002` (what became of a file of payments), `camt.053` (the statement of an account), or a table as CSV with the columns
/// `claim_id` or `end_to_end_id`, `status` (`paid`, `failed`, `pending`), `amount`, and if there are such `reference`, `booked_on`, `reason`. What was paid is confirmed by the
/// bank's reference; of what was rejected or came back the money is held for its contract again, even after it was confirmed. Amounts and accounts have to be the same. What is
/// anything else is reported with its place and changes nothing, and so does the same file once more. At most 4 MiB and 5,000 entries. With `dry_run` nothing is done.
#[utoipa::path(
    operation_id = "read_in_bank_statement",
    tag = "payments",
    params(
        ("buyer_id" = OrganisationId, Query, description = "Of whose payments"),
        ("dry_run" = Option<bool>, Query, description = "`true`: say what would come of it, and do nothing"),
    ),
    request_body(content(
        (String = "application/xml", example = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">…</Document>"),
        (String = "text/csv", example = "end_to_end_id,status,amount,reference,booked_on,reason\r\n01jd3n8f5teqkrzvq1c0m6h2ax,paid,188868.30,2026061500012345,2026-06-15,\r\n")
    )),
    responses(
        (status = 200, description = "What came of each entry, or would", body = StatementView),
        (status = 400, description = "`bank_statement_unreadable`"),
        (status = 413, description = "`body_too_large`"),
    ),
    extensions(("x-action" = json!("ConfirmPayment"))),
)]
#[post("/bank-statements")]
async fn take(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmPayment)?;
    let mut query = Query::of(&request);
    let buyer = query.parsed::<OrganisationId>("buyer_id");
    let words = [("true", true), ("false", false)];
    let is_trial = query.one_of("dry_run", &words).unwrap_or(false);
    query.finish()?;
    let buyer_id = required(buyer, "buyer_id")?;
    policy::allow(&actor, Action::ConfirmPayment, Matter::of_organisation(&buyer_id))?;
    let is_table = claimed_type(&request) == "text/csv";
    let body = incoming
        .bytes(&["application/xml", "text/xml", "text/csv"], BYTES_MAX)
        .await?;
    let digest = body.digest;
    let bank = Bank {
        buyer_id,
        reading: if is_table {
            rules_bank_table::read(&body.bytes)?
        } else {
            rules_bank_xml::read(&body.bytes)?
        },
        bytes: body.bytes,
    };
    if is_trial {
        let view = context
            .db
            .read(move |conn| {
                let came = acts::tried(conn, &actor, &bank)?;
                Ok(StatementView::of(&bank, came, digest, true))
            })
            .await?;
        return Ok(HttpResponse::Ok().json(view));
    }
    context
        .act_once(actor, once, digest, move |tx, by| {
            let came = acts::read(tx, by, &bank)?;
            Ok(Reply::json(200, &StatementView::of(&bank, came, digest, false))?)
        })
        .await
}

/// List what banks said of a buyer's payments
///
/// Newest first, for its finance officers and auditors.
#[utoipa::path(
    operation_id = "list_bank_statements",
    tag = "payments",
    params(
        ("buyer_id" = OrganisationId, Query, description = "The buyer"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<SummaryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
    ),
    extensions(("x-action" = json!("ReadPaymentBatches"))),
)]
#[get("/bank-statements")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadPaymentBatches)?;
    let mut query = Query::of(&request);
    let buyer = query.parsed::<OrganisationId>("buyer_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let buyer = required(buyer, "buyer_id")?;
    policy::allow(
        &actor,
        Action::ReadPaymentBatches,
        Matter::of_organisation(&buyer),
    )?;
    let question = Question::of(&["bank statements", buyer.as_str()]);
    let before = after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| store::page(conn, &buyer, before.as_deref(), one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(SummaryView::from);
    Ok(page.answer(&request))
}

/// Read what a bank said
///
/// With what came of each entry, for the buyer's finance officers and auditors.
#[utoipa::path(
    operation_id = "read_bank_statement",
    tag = "payments",
    params(("id" = BankStatementId, Path, description = "The statement")),
    responses(
        (status = 200, description = "What it said", body = StatementView),
        (status = 404, description = "There is no such statement, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadPaymentBatches"))),
)]
#[get("/bank-statements/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadPaymentBatches)?;
    let id = parsed::<BankStatementId>(&id)?;
    let one = context.db.read(move |conn| acts::seen(conn, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(StatementView::try_from(one)?))
}
