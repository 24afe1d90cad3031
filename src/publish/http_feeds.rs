//! What is new as Atom feeds, over HTTP. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get};

use crate::books::store::{self as books, Head, PublicFilter};
use crate::books::store_intentions;
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::publish::acts;
use crate::publish::http::{AtPublisher, allowed, own};
use crate::publish::rules_feeds::{Entry, atom};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_publisher::Publisher;
use crate::publish::store::{self, Row};
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::query::Query;

/// Entries of a feed.
const ENTRIES_MAX: i64 = 50;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(feed_books)
        .service(feed_awards)
        .service(feed_contracts);
}

fn sent(feed: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/atom+xml; charset=utf-8")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(feed)
}

/// Follow books as a feed
///
/// The fifty that were published last, by category and area. Atom.
#[utoipa::path(
    operation_id = "feed_books",
    tag = "publication",
    params(
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category of services"),
        ("area_id" = Option<AreaId>, Query, description = "Of this area, or one within it or around it"),
    ),
    responses(
        (status = 200, description = "A feed", body = String, content_type = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>"),
        (status = 404, description = "Nothing is published here as open data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/feeds/books.atom")]
async fn feed_books(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let mut query = Query::of(&request);
    let area = query.parsed::<AreaId>("area_id");
    let category = query.text("category");
    query.finish()?;
    let heads = context
        .db
        .read(move |conn: &mut Conn| {
            let mut filter = PublicFilter {
                category,
                ..PublicFilter::default()
            };
            if let Some(id) = area {
                let around = store_intentions::ids_above(conn, &id)?;
                filter.areas = Some((around, store_intentions::ids_within(conn, &id)?));
            }
            books::public(conn, &filter, ENTRIES_MAX)
        })
        .await?;
    let entries: Vec<Entry> = heads
        .iter()
        .filter_map(|head| of_book(head, &publisher))
        .collect();
    let title = Text::fixed("项目承包责任书", "Contract books");
    let uri = own(&publisher, &request);
    Ok(sent(atom(
        &publisher,
        (&uri, &title),
        &entries,
        context.clock.now(),
    )))
}

fn of_book(head: &Head, publisher: &Publisher) -> Option<Entry> {
    let until = head.bid_deadline.map(|at| rfc3339(at.and_utc()));
    Some(Entry {
        url: publisher.url(&format!("/api/v1/contract-books/{}", head.id)),
        title: format!("{} · {}", head.title_zh, head.title_en),
        summary: until.map_or_else(String::new, |until| format!("投标截止 Bids until {until}")),
        at: head.published_at?.and_utc(),
    })
}

/// Follow awards as a feed
///
/// The fifty releases in which an award was noticed last. Atom.
#[utoipa::path(
    operation_id = "feed_awards",
    tag = "publication",
    responses(
        (status = 200, description = "A feed", body = String, content_type = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>"),
        (status = 404, description = "Nothing is published here as open data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/feeds/awards.atom")]
async fn feed_awards(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    let title = Text::fixed("中标公告", "Awards");
    tagged(
        (&request, &context, &publisher, &actor),
        ("award", "awards"),
        &title,
    )
    .await
}

/// Follow contracts as a feed
///
/// The fifty releases with which a contract became public last. Atom.
#[utoipa::path(
    operation_id = "feed_contracts",
    tag = "publication",
    responses(
        (status = 200, description = "A feed", body = String, content_type = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>"),
        (status = 404, description = "Nothing is published here as open data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/feeds/contracts.atom")]
async fn feed_contracts(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    let title = Text::fixed("合同", "Contracts");
    tagged(
        (&request, &context, &publisher, &actor),
        ("contract", "contracts"),
        &title,
    )
    .await
}

/// The feed of the releases with a tag, each with what it says of a section.
async fn tagged(
    (request, context, publisher, actor): (&HttpRequest, &Shared, &AtPublisher, &Actor),
    (tag, section): (&'static str, &'static str),
    title: &Text,
) -> Answer<HttpResponse> {
    allowed(actor, publisher)?;
    let rows = context
        .db
        .read(move |conn| store::tagged(conn, tag, ENTRIES_MAX))
        .await?;
    let entries: Result<Vec<Entry>, Fault> = rows
        .iter()
        .map(|row| of_release(row, section, publisher))
        .collect();
    let uri = own(publisher, request);
    Ok(sent(atom(
        publisher,
        (&uri, title),
        &entries?,
        context.clock.now(),
    )))
}

fn of_release(row: &Row, section: &str, publisher: &Publisher) -> Result<Entry, Fault> {
    let release = acts::parsed(&row.content)?;
    let tender = release.get("tender").and_then(Json::as_object);
    let words = |name: &str| {
        tender
            .and_then(|tender| tender.text(name))
            .unwrap_or_default()
            .to_owned()
    };
    let told: Vec<String> = release.objects(section).map(summary).collect();
    Ok(Entry {
        url: publisher.url(&format!("/ocds/releases/{}/{}", row.ocid, row.release_id)),
        title: format!("{} · {}", words("title"), words("title_en")),
        summary: told.join("；"),
        at: row.released_at.and_utc(),
    })
}

/// Who, for how much.
fn summary(one: &Object) -> String {
    let suppliers: Vec<&str> = one
        .objects("suppliers")
        .filter_map(|supplier| supplier.text("name"))
        .collect();
    let amount = one
        .get("value")
        .and_then(Json::as_object)
        .and_then(|value| value.get("amount"));
    let amount = amount.map_or_else(String::new, |amount| format!("{} CNY", amount.written()));
    format!("{} {amount}", suppliers.join("、"))
}
