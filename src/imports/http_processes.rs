//! Imported processes over HTTP, for everybody: parse, query, render. No SQL and no rule. What is shown is who bought what from whom for how much; contact details
//! that publishers left in their releases are not.

use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::budget::desk::{after, one_more};
use crate::imports::store_processes::{self as store, Filter};
use crate::imports::view::{ProcessSummary, ProcessView};
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(read);
}

/// List imported processes
///
/// What others have published and an administrator has imported, by the ids of the processes. None of it is this ward's own purchasing.
#[utoipa::path(
    operation_id = "list_imported_processes",
    tag = "imports",
    params(
        ("buyer" = Option<String>, Query, max_length = 300, description = "The buyer's id, or its name just as it is written", example = "Municipio de Lagoa"),
        ("supplier" = Option<String>, Query, max_length = 300, description = "The id of somebody who got an award or contract, or their name just as it is written", example = "DO-RPE-81285"),
        ("year" = Option<i64>, Query, minimum = 1900, maximum = 2199, description = "The year of the first award, or of what comes next to it", example = 2022),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<ProcessSummary>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
    ),
    extensions(("x-action" = json!("ReadImported"))),
)]
#[get("/imported-processes")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadImported, Matter::default())?;
    let mut query = Query::of(&request);
    let filter = Filter {
        buyer: query.text("buyer"),
        supplier: query.text("supplier"),
        year: query.parsed("year"),
    };
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let year = filter.year.map(|year| year.to_string()).unwrap_or_default();
    let question = Question::of(&[
        "imported processes",
        filter.buyer.as_deref().unwrap_or_default(),
        filter.supplier.as_deref().unwrap_or_default(),
        &year,
    ]);
    let after = after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| store::page(conn, &filter, after.as_deref(), one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.ocid.clone()]);
    Ok(page.map(ProcessSummary::from).answer(&request))
}

/// Read an imported process
///
/// With those who took part, awards, contracts and payments, as its releases tell of it together.
#[utoipa::path(
    operation_id = "read_imported_process",
    tag = "imports",
    params(("ocid" = String, Path, max_length = 200, description = "The process", example = "ocds-6550wx-MMUJER-UC-CD-2022-0042")),
    responses(
        (status = 200, description = "The process", body = ProcessView),
        (status = 404, description = "No such process was imported"),
    ),
    extensions(("x-action" = json!("ReadImported"))),
)]
#[get("/imported-processes/{ocid}")]
async fn read(context: Shared, actor: Actor, ocid: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadImported, Matter::default())?;
    let ocid = ocid.into_inner();
    if ocid.contains('\0') {
        return Err(NOT_FOUND.refuse().into());
    }
    let found = context
        .db
        .read(move |conn| {
            let head = store::head(conn, &ocid)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let parts = store::parts(conn, &ocid)?;
            Ok(ProcessView::of(head, parts))
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}
