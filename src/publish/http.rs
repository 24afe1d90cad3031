//! Open contracting data over HTTP: releases and records, page by page or one by one. No SQL and no rule; nobody signs in for it.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::{Answer, Fault};
use crate::publish::acts::parsed;
use crate::publish::rules_json::Object;
use crate::publish::rules_package::{self as package, Links};
use crate::publish::rules_publisher::Publisher;
use crate::publish::store::{self, Row};
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Who publishes, for handlers.
pub type AtPublisher = web::Data<Publisher>;

/// Records on a page if the caller does not say.
const RECORDS_USUAL: u16 = 10;
/// Records on a page at most.
const RECORDS_MAX: u16 = 20;
/// Releases of one record: more than any process has.
const RELEASES_MAX: i64 = 20_000;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_releases)
        .service(list_records)
        .service(read_release)
        .service(read_record);
}

/// Nothing is there where nothing is published.
pub(super) fn allowed(actor: &Actor, publisher: &Publisher) -> Answer<()> {
    policy::allow(actor, Action::ReadPublication, Matter::default())?;
    match publisher.prefix {
        Some(_) => Ok(()),
        None => Err(NOT_FOUND.refuse().into()),
    }
}

/// What a page is asked for.
struct Asked {
    limit: u16,
    after: Option<i64>,
    since: Option<Instant>,
}

impl Asked {
    fn of(request: &HttpRequest, question: &Question, (usual, max): (u16, u16)) -> Answer<Self> {
        let mut query = Query::of(request);
        let limit = query.limit(usual, max);
        let cursor = query.text("cursor");
        let since = query.instant("since");
        query.finish()?;
        let after = match question.after(cursor.as_deref(), 1)?.as_deref() {
            Some([sequence]) => Some(sequence.parse().map_err(|_| bad_cursor())?),
            _ => None,
        };
        Ok(Self { limit, after, since })
    }

    /// The sequence beyond which the page begins: that of the cursor, and none that was made before the instant.
    fn start(&self, conn: &mut Conn) -> Answer<i64> {
        let since = match self.since {
            Some(since) => store::before(conn, since)?,
            None => 0,
        };
        Ok(self.after.unwrap_or_default().max(since))
    }
}

/// Where a page of another part of the list is.
fn link(publisher: &Publisher, path: &str, question: &Question, (after, limit): (i64, u16)) -> String {
    let cursor = question.cursor(vec![after.to_string()]);
    publisher.url(&format!("{path}?cursor={cursor}&limit={limit}"))
}

/// The address of what is answered.
pub(super) fn own(publisher: &Publisher, request: &HttpRequest) -> String {
    let asked = request.uri().path_and_query();
    publisher.url(asked.map_or("", |asked| asked.as_str()))
}

pub(super) fn json(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(body)
}

/// When what is on a page was made last; of an empty page when anything was, or now.
fn newest(conn: &mut Conn, rows: impl Iterator<Item = Instant>, now: Instant) -> Answer<String> {
    let newest = match rows.max() {
        Some(at) => at,
        None => store::last_at(conn)?.unwrap_or(now),
    };
    Ok(rfc3339(newest))
}

/// List releases
///
/// A release package of the Open Contracting Data Standard 1.1: what was published, the oldest first, page by page until there is no `links.next`. A release
/// is never changed; the sequence has no gap, whatever was written at the same time.
#[utoipa::path(
    operation_id = "list_ocds_releases",
    tag = "publication",
    params(
        ("cursor" = Option<String>, Query, description = "From `links.next` or `links.prev`"),
        ("since" = Option<String>, Query, format = DateTime, description = "Only releases of then or later"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Releases on a page, 50 by default"),
    ),
    responses(
        (status = 200, description = "A release package, of no releases if there are none", body = Object,
            example = json!({"uri": "https://ward.example/ocds/releases", "version": "1.1", "publishedDate": "2026-03-02T00:00:00.000000Z", "releases": []})),
        (status = 404, description = "Nothing is published here as open contracting data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/releases")]
async fn list_releases(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let question = Question::of(&["ocds_releases"]);
    let asked = Asked::of(&request, &question, (LIMIT_USUAL, LIMIT_MAX))?;
    let (limit, now) = (asked.limit, context.clock.now());
    let (start, rows, published, last) = context
        .db
        .read(move |conn| {
            let start = asked.start(conn)?;
            let rows = store::releases(conn, start, i64::from(limit))?;
            let published = newest(conn, rows.iter().map(|row| row.released_at.and_utc()), now)?;
            Ok((start, rows, published, store::progress(conn)?.last_sequence))
        })
        .await?;
    let path = "/ocds/releases";
    let end = rows.last().map(|row| row.sequence);
    let before = (start > 0).then(|| start.saturating_sub(i64::from(limit)).max(0));
    let links = Links {
        next: end
            .filter(|end| *end < last)
            .map(|end| link(&publisher, path, &question, (end, limit))),
        prev: before.map(|before| link(&publisher, path, &question, (before, limit))),
    };
    let uri = own(&publisher, &request);
    let contents = rows.iter().map(|row| row.content.as_str());
    Ok(json(package::releases(
        &publisher,
        (&uri, &published),
        links,
        contents,
    )))
}

/// The releases of processes, with when the newest of them was made.
fn of_processes(conn: &mut Conn, ocids: &[String]) -> Answer<(Vec<Vec<Object>>, Vec<Instant>)> {
    let (mut processes, mut newest) = (Vec::new(), Vec::new());
    for ocid in ocids {
        let rows = store::of_process(conn, ocid, RELEASES_MAX)?;
        newest.extend(rows.iter().map(|row| row.released_at.and_utc()).max());
        let releases: Result<Vec<Object>, Fault> = rows.iter().map(|row| parsed(&row.content)).collect();
        processes.push(releases?);
    }
    Ok((processes, newest))
}

/// List records
///
/// A record package: of each process all its releases, with what they say together as a compiled and as a versioned release. By when a process last changed, the
/// one that has not changed for longest first; a process that changes while you read comes again.
#[utoipa::path(
    operation_id = "list_ocds_records",
    tag = "publication",
    params(
        ("cursor" = Option<String>, Query, description = "From `links.next` or `links.prev`"),
        ("since" = Option<String>, Query, format = DateTime, description = "Only processes that changed then or later"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 20, description = "Records on a page, 10 by default"),
    ),
    responses(
        (status = 200, description = "A record package, of no records if there are none", body = Object,
            example = json!({"uri": "https://ward.example/ocds/records", "version": "1.1", "publishedDate": "2026-03-02T00:00:00.000000Z", "records": []})),
        (status = 404, description = "Nothing is published here as open contracting data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/records")]
async fn list_records(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let question = Question::of(&["ocds_records"]);
    let asked = Asked::of(&request, &question, (RECORDS_USUAL, RECORDS_MAX))?;
    let (limit, now) = (asked.limit, context.clock.now());
    let path = "/ocds/records";
    let uri = own(&publisher, &request);
    let body = context
        .db
        .read(move |conn| {
            let start = asked.start(conn)?;
            let found = store::processes(conn, start, i64::from(limit).saturating_add(1), false)?;
            let mut page = found;
            let has_more = page.len() > usize::from(limit);
            page.truncate(usize::from(limit));
            let first = page.first().map_or(start.saturating_add(1), |(_, last)| *last);
            let before = store::processes(conn, first, i64::from(limit), true)?;
            let prev = before.last().map(|(_, last)| last.saturating_sub(1));
            let end = page.last().map(|(_, last)| *last).filter(|_| has_more);
            let links = Links {
                next: end.map(|end| link(&publisher, path, &question, (end, limit))),
                prev: prev.map(|prev| link(&publisher, path, &question, (prev, limit))),
            };
            let ocids: Vec<String> = page.into_iter().map(|(ocid, _)| ocid).collect();
            let (processes, dates) = of_processes(conn, &ocids)?;
            let published = newest(conn, dates.into_iter(), now)?;
            Ok(package::records(
                &publisher,
                (&uri, &published),
                links,
                &processes,
            )?)
        })
        .await?;
    Ok(json(body))
}

/// Read a release
///
/// A package of the one release. It never changes.
#[utoipa::path(
    operation_id = "read_ocds_release",
    tag = "publication",
    params(
        ("ocid" = String, Path, max_length = 60, description = "The id of the process", example = "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax"),
        ("id" = String, Path, max_length = 80, description = "The id of the release", example = "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-1"),
    ),
    responses(
        (status = 200, description = "A release package", body = Object,
            example = json!({"uri": "https://ward.example/ocds/releases/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-1", "version": "1.1", "publishedDate": "2026-03-02T00:00:00.000000Z", "releases": []})),
        (status = 404, description = "There is no such release"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/releases/{ocid}/{id}")]
async fn read_release(
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let (ocid, id) = path.into_inner();
    let row: Option<Row> = context
        .db
        .glance(move |conn| store::release(conn, &ocid, &id))
        .await?;
    let row = row.ok_or_else(|| NOT_FOUND.refuse())?;
    let uri = publisher.url(&format!("/ocds/releases/{}/{}", row.ocid, row.release_id));
    let at = rfc3339(row.released_at.and_utc());
    let contents = std::iter::once(row.content.as_str());
    Ok(json(package::releases(
        &publisher,
        (&uri, &at),
        Links::default(),
        contents,
    )))
}

/// Read a record
///
/// A package of the one record: all releases of the process, and what they say together.
#[utoipa::path(
    operation_id = "read_ocds_record",
    tag = "publication",
    params(("ocid" = String, Path, max_length = 60, description = "The id of the process", example = "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax")),
    responses(
        (status = 200, description = "A record package", body = Object,
            example = json!({"uri": "https://ward.example/ocds/records/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax", "version": "1.1", "publishedDate": "2026-03-02T00:00:00.000000Z", "records": []})),
        (status = 404, description = "There is no such process"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/records/{ocid}")]
async fn read_record(
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    ocid: web::Path<String>,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let ocid = ocid.into_inner();
    let body = context
        .db
        .read(move |conn| {
            let (processes, dates) = of_processes(conn, std::slice::from_ref(&ocid))?;
            let Some(at) = dates.into_iter().max() else {
                return Err(NOT_FOUND.refuse().into());
            };
            let uri = publisher.url(&format!("/ocds/records/{ocid}"));
            let place = (uri.as_str(), rfc3339(at));
            Ok(package::records(
                &publisher,
                (place.0, &place.1),
                Links::default(),
                &processes,
            )?)
        })
        .await?;
    Ok(json(body))
}
