//! What is published beside releases and records: all releases of a year as one file, our own extension of the standard, and how this is published.

use std::io::Write;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, HeaderValue, HttpDate, LAST_MODIFIED,
};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Datelike, NaiveDate};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::publish::http::{AtPublisher, allowed, json};
use crate::publish::rules_publisher::{OWN_EXTENSION, OWN_RELEASE_SCHEMA};
use crate::publish::store;
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::problem::NOT_FOUND;

/// Releases that are read at a time for a file.
const RELEASES_AT_ONCE: i64 = 50;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read_year)
        .service(read_extension)
        .service(read_extension_schema)
        .service(read_policy);
}

/// The first and the last but one instant of a year, UTC; the years in which releases can be.
fn year_of(file: &str) -> Option<(Instant, Instant)> {
    let digits = file.strip_suffix(".jsonl.gz")?;
    let is_year = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year: i32 = digits.parse().ok().filter(|_| is_year)?;
    let begins = |year: i32| {
        let day = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(day.and_hms_opt(0, 0, 0)?.and_utc())
    };
    Some((begins(year)?, begins(year.checked_add(1)?)?))
}

/// Download the releases of a year
///
/// A line for each release that was made in that year (UTC), the oldest first, compressed. `Last-Modified` is when the last of them was made.
#[utoipa::path(
    operation_id = "download_ocds_year",
    tag = "publication",
    params(("file" = String, Path, pattern = "^[0-9]{4}\\.jsonl\\.gz$", description = "The year", example = "2026.jsonl.gz")),
    responses(
        (status = 200, description = "JSON lines, compressed with gzip; of no lines if nothing was published that year", content(
            (String = "application/gzip", example = "(compressed lines of JSON)")
        ), headers(("Last-Modified" = String, description = "When the last release of the year was made"))),
        (status = 404, description = "That is no year, or nothing is published here as open contracting data"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/bulk/{file}")]
async fn read_year(
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    file: web::Path<String>,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let (from, until) = year_of(&file).ok_or_else(|| NOT_FOUND.refuse())?;
    let found = context
        .db
        .read(move |conn| store::between(conn, from, until))
        .await?;
    let (after, last, at) = match found {
        Some((first, last, at)) => (first.saturating_sub(1), last, Some(at)),
        None => (0, 0, None),
    };
    let lines = stream::try_unfold(
        Some(Writing {
            context,
            after,
            last,
            out: GzEncoder::new(Vec::new(), Compression::default()),
        }),
        more,
    );
    let mut response = HttpResponse::Ok();
    if let Some(at) = at {
        response.insert_header((LAST_MODIFIED, modified(at)));
    }
    let name = format!("attachment; filename=\"ocds-{}.jsonl.gz\"", from.year());
    Ok(response
        .content_type("application/gzip")
        .insert_header((CONTENT_ENCODING, HeaderValue::from_static("identity")))
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .streaming(lines))
}

/// The whole second at or after an instant: what a header can say without saying too early.
fn modified(at: Instant) -> HttpDate {
    let seconds = at
        .timestamp()
        .saturating_add(i64::from(at.timestamp_subsec_nanos() > 0));
    let whole = DateTime::from_timestamp(seconds, 0).unwrap_or(at);
    HttpDate::from(std::time::SystemTime::from(whole))
}

/// A file that is being written.
struct Writing {
    context: Shared,
    after: i64,
    last: i64,
    out: GzEncoder<Vec<u8>>,
}

async fn more(writing: Option<Writing>) -> Result<Option<(web::Bytes, Option<Writing>)>, Stop> {
    let Some(mut at) = writing else { return Ok(None) };
    let failed = |error| Fault::caused("compress what is published", error);
    let (after, last) = (at.after, at.last);
    let rows = at
        .context
        .db
        .read(move |conn| store::releases(conn, after, RELEASES_AT_ONCE))
        .await?;
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.sequence <= last).collect();
    let end = rows.last().map_or(last, |row| row.sequence);
    for row in rows.drain(..) {
        at.out.write_all(row.content.as_bytes()).map_err(failed)?;
        at.out.write_all(b"\n").map_err(failed)?;
    }
    at.after = end;
    if end >= last {
        let rest = at.out.finish().map_err(failed)?;
        return Ok(Some((web::Bytes::from(rest), None)));
    }
    at.out.flush().map_err(failed)?;
    let part = std::mem::take(at.out.get_mut());
    Ok(Some((web::Bytes::from(part), Some(at))))
}

/// Read our extension of the standard
///
/// It describes the points of bids, for which the standard has no field. Packages name it.
#[utoipa::path(
    operation_id = "read_ocds_extension",
    tag = "publication",
    responses((status = 200, description = "An extension's description", body = Object, example = json!({"name": {"en": "wardbook"}}))),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/extension/extension.json")]
async fn read_extension(publisher: AtPublisher, actor: Actor) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    Ok(json(OWN_EXTENSION.to_owned()))
}

/// Read what our extension adds to the schema
#[utoipa::path(
    operation_id = "read_ocds_extension_schema",
    tag = "publication",
    responses((status = 200, description = "A patch of the schema of releases", body = Object, example = json!({"definitions": {}}))),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/extension/release-schema.json")]
async fn read_extension_schema(publisher: AtPublisher, actor: Actor) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    Ok(json(OWN_RELEASE_SCHEMA.to_owned()))
}

/// How this is published, in Chinese and in English.
const POLICY: &str = include_str!("extension/policy.txt");

/// Read how this is published
///
/// What is published when, what never is, and how it may be used.
#[utoipa::path(
    operation_id = "read_ocds_policy",
    tag = "publication",
    responses((status = 200, description = "In Chinese and in English", body = String, content_type = "text/plain", example = "What is published, and when\n")),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/ocds/policy")]
async fn read_policy(publisher: AtPublisher, actor: Actor) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(format!("{POLICY}\n{}\n", publisher.license)))
}
