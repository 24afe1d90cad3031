//! What is published as tables by year, and the feed of changes, over HTTP. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Stop};
use crate::publish::acts::parsed;
use crate::publish::http::{AtPublisher, allowed};
use crate::publish::rules_publisher::Publisher;
use crate::publish::rules_tables::{Suppliers, Table, rows};
use crate::publish::store::{self, Head};
use crate::web::actor::{Actor, Shared};
use crate::web::format::csv_lines;
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Question, bad_cursor};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Processes that are read at a time for a table.
const PROCESSES_AT_ONCE: i64 = 20;

/// Those of the API.
pub fn operations(config: &mut impl Operations) {
    config.service(list_changes);
}

/// Those beside it.
pub fn operations_beside(config: &mut impl Operations) {
    config.service(read_table);
}

/// Download a table of a year
///
/// As CSV, of what is public now: books and their lots by the year of their publication, awards by that of their notices, contracts by that of the second signature,
/// periods by that of their last day, payments by that of the payment, and what suppliers were awarded, signed for and were paid. Years and instants are UTC, amounts yuan.
#[utoipa::path(
    operation_id = "download_published_table",
    tag = "publication",
    params(
        ("table" = String, Path, pattern = "^(books|lots|awards|contracts|periods|payments|suppliers)$", description = "Which table", example = "contracts"),
        ("file" = String, Path, pattern = "^[0-9]{4}\\.csv$", description = "The year", example = "2026.csv"),
    ),
    responses(
        (status = 200, description = "The table, with a line that names the columns", body = String, content_type = "text/csv", example = "ocid,contract_id\r\n"),
        (status = 404, description = "There is no such table or year, or nothing is published here as open data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/tables/{table}/{file}")]
async fn read_table(
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let (table, file) = path.into_inner();
    let table = Table::named(&table).ok_or_else(|| NOT_FOUND.refuse())?;
    let year = file.strip_suffix(".csv").unwrap_or_default().to_owned();
    if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_FOUND.refuse().into());
    }
    let name = format!("attachment; filename=\"{}-{year}.csv\"", table.name());
    let lines = stream::try_unfold(
        Some(Writing {
            context,
            table,
            year,
            after: String::new(),
            is_first: true,
            suppliers: Suppliers::default(),
        }),
        more,
    );
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .streaming(lines))
}

/// A table that is being written.
struct Writing {
    context: Shared,
    table: Table,
    year: String,
    after: String,
    is_first: bool,
    suppliers: Suppliers,
}

async fn more(writing: Option<Writing>) -> Result<Option<(web::Bytes, Option<Writing>)>, Stop> {
    let Some(mut at) = writing else { return Ok(None) };
    let after = at.after.clone();
    let last = at
        .context
        .db
        .read(move |conn| store::last_releases(conn, &after, PROCESSES_AT_ONCE))
        .await?;
    let mut found = Vec::new();
    if at.is_first {
        found.push(at.table.columns().iter().map(|name| (*name).to_owned()).collect());
        at.is_first = false;
    }
    let is_full = i64::try_from(last.len()) == Ok(PROCESSES_AT_ONCE);
    for (ocid, content) in last {
        let release = parsed(&content)?;
        found.extend(rows(at.table, &at.year, &release));
        if at.table == Table::Suppliers {
            at.suppliers.add(&at.year, &release);
        }
        at.after = ocid;
    }
    if !is_full {
        found.extend(std::mem::take(&mut at.suppliers).rows());
    }
    let lines = csv_lines(found)?;
    Ok(Some((web::Bytes::from(lines), is_full.then_some(at))))
}

/// That a process has changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublishedChange, example = json!({
    "sequence": 17, "at": "2026-03-02T00:00:00.000000Z", "tags": ["tenderUpdate"], "subject_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax",
    "ocid": "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax", "release_id": "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-2",
    "url": "https://ward.example/ocds/releases/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-2"
}))]
pub struct ChangeView {
    /// Counts the changes, from 1, without a gap.
    pub sequence: i64,
    /// When it became public here, UTC.
    pub at: String,
    /// What is new of it, in the words of the standard.
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// The book, or the notice of what is planned.
    pub subject_id: String,
    /// The process.
    pub ocid: String,
    /// The release that says what is public of it since.
    pub release_id: String,
    /// Where that is.
    pub url: String,
}

impl ChangeView {
    fn of(head: Head, publisher: &Publisher) -> Self {
        Self {
            sequence: head.sequence,
            at: rfc3339(head.released_at.and_utc()),
            tags: head.tags.split(' ').map(str::to_owned).collect(),
            subject_id: head.subject_id,
            url: publisher.url(&format!("/ocds/releases/{}/{}", head.ocid, head.release_id)),
            ocid: head.ocid,
            release_id: head.release_id,
        }
    }
}

/// Some of the changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublishedChanges)]
pub struct ChangesView {
    /// The oldest first.
    #[schema(max_items = 200)]
    pub items: Vec<ChangeView>,
    /// What to ask with next, now or once there is more: whoever does misses nothing.
    #[schema(example = "eyJvZiI6IjVjMGQ3ZTk0MTJhYiIsImFmdGVyIjpbIjE3Il19")]
    pub cursor: String,
    /// Whether there is more already.
    #[schema(example = false)]
    pub has_more: bool,
}

/// Follow what changes
///
/// That something of a process has become public, the oldest first. Keep `cursor` and ask with it again: nothing is skipped, in whatever order things were written,
/// because a change gets its number when everything before it has one.
#[utoipa::path(
    operation_id = "list_changes",
    tag = "publication",
    params(
        ("cursor" = Option<String>, Query, description = "`cursor` of the answer before; without it, from the beginning"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Changes in one answer, 50 by default"),
    ),
    responses(
        (status = 200, description = "Some of the changes", body = ChangesView),
        (status = 404, description = "Nothing is published here as open data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/changes")]
async fn list_changes(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["changes"]);
    let after: i64 = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([sequence]) => sequence.parse().map_err(|_| bad_cursor())?,
        _ => 0,
    };
    let mut heads = context
        .db
        .read(move |conn| store::heads(conn, after, i64::from(limit).saturating_add(1)))
        .await?;
    let has_more = heads.len() > usize::from(limit);
    heads.truncate(usize::from(limit));
    let end = heads.last().map_or(after, |head| head.sequence);
    let items = heads.into_iter().map(|head| ChangeView::of(head, &publisher));
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .json(ChangesView {
            items: items.collect(),
            cursor: question.cursor(vec![end.to_string()]),
            has_more,
        }))
}
