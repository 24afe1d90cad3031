//! The public list of complainants without foundation over HTTP: parse, call one query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::award::rules_complaints::{ComplaintId, Listing, ListingId};
use crate::award::store_complaints as store;
use crate::budget::desk::{after, one_more, page_or_table};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Stop};
use crate::people::store_grants::organisation_name;
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(listed);
}

/// That a supplier's complaints were unfounded too often.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedComplainant, example = json!({
    "id": "listing_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "name_zh": "某公司", "name_en": "A company",
    "complaints": ["complaint_01jd3n8f5teqkrzvq1c0m6h2ax"], "months": 12, "listed_at": "2026-11-02T02:00:00.000000Z"
}))]
pub struct ListingView {
    /// Its id.
    pub id: ListingId,
    /// Who is listed.
    pub supplier_id: OrganisationId,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// The complaints.
    #[schema(max_items = 1000)]
    pub complaints: Vec<ComplaintId>,
    /// Within how many months.
    pub months: u32,
    /// When, UTC.
    pub listed_at: String,
}

/// List complainants whose complaints were unfounded too often
///
/// The public record, the newest first. As CSV with `Accept: text/csv`: the same page as a table.
#[utoipa::path(
    operation_id = "list_listed_complainants",
    tag = "disputes",
    params(
        ("supplier_id" = Option<OrganisationId>, Query, description = "Of this supplier"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<ListingView> = "application/json"),
        (String = "text/csv", example = "id,supplier_id,name_zh,name_en,complaints,months,listed_at\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/listed-complainants")]
async fn listed(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let supplier = query.parsed::<OrganisationId>("supplier_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let of = supplier.as_ref().map_or("", OrganisationId::as_str);
    let question = Question::of(&["listed complainants", of]);
    let before = after(&question, cursor.as_deref())?;
    let views = context
        .db
        .read(move |conn| {
            let found = store::listings(conn, supplier.as_ref(), before.as_deref(), one_more(limit))?;
            let views = found.into_iter().map(|listing: Listing| {
                let name = organisation_name(conn, &listing.supplier_id)?;
                let (name_zh, name_en) = name.unwrap_or_default();
                Ok(ListingView {
                    id: listing.id,
                    supplier_id: listing.supplier_id,
                    name_zh,
                    name_en,
                    complaints: listing.complaints,
                    months: listing.months,
                    listed_at: rfc3339(listing.listed_at),
                })
            });
            views.collect::<Result<Vec<_>, Stop>>()
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ListingView| {
        vec![one.id.to_string()]
    });
    page_or_table(&request, page, format, ("listed-complainants.csv", table))
}

fn table(items: &[ListingView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "supplier_id",
        "name_zh",
        "name_en",
        "complaints",
        "months",
        "listed_at",
    ];
    let rows: Vec<[String; 7]> = items
        .iter()
        .map(|item| {
            [
                item.id.to_string(),
                item.supplier_id.to_string(),
                item.name_zh.clone(),
                item.name_en.clone(),
                item.complaints.len().to_string(),
                item.months.to_string(),
                item.listed_at.clone(),
            ]
        })
        .collect();
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    Ok(csv_table(&columns, rows)?)
}
