//! Imports over HTTP, for administrators and auditors: parse, ask the policy, call one act, render. No SQL and no rule.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use tempfile::NamedTempFile;
use tokio::sync::OwnedSemaphorePermit;

use crate::budget::desk::{after, one_more, parsed};
use crate::imports::desk::AtImports;
use crate::imports::rules::ImportId;
use crate::imports::rules_findings::Code;
use crate::imports::view::{FindingView, ImportView};
use crate::imports::{acts, runs, store};
use crate::kernel::refusal::Answer;
use crate::publish::http::AtPublisher;
use crate::publish::rules_publisher::Prefix;
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, claimed_type};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::UNSUPPORTED_CONTENT;
use crate::web::query::Query;

/// How long a file may take to arrive.
const RECEIVE_WITHIN: Duration = Duration::from_secs(3_600);
/// How often it is written down that a file still waits for its turn.
const SAID_EVERY: Duration = Duration::from_secs(60);
/// What a file may say it is; what it is, its bytes say.
const KINDS: [&str; 5] = [
    "application/json",
    "application/x-ndjson",
    "application/jsonl",
    "application/gzip",
    "application/octet-stream",
];

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(take).service(list).service(read).service(findings);
}

/// Read in open contracting data
///
/// By an administrator: a release package or a record package of the Open Contracting Data Standard, an array of any of them, or releases one after the other on lines; packed
/// with gzip or not, which its bytes decide. The file is received whole and then read in the background; `GET` the import to see how far it has come. Releases of one
/// process are merged by the rules of the standard, with those that were imported before. One file is read at a time: another one waits, which its state says. What is not as it should be is repaired where there is one way to, left out
/// where there is none, and told with its place. Processes of the ward's own, by their prefix, are passed over and told: they are counted already. `application/json` is taken as well; what the file is, its bytes say. The same file once more changes nothing: the answer is 200 with the import that read it.
#[utoipa::path(
    operation_id = "import_open_data",
    tag = "imports",
    params(
        ("name" = Option<String>, Query, max_length = 200, description = "The file's name", example = "releases-2025.jsonl.gz"),
    ),
    request_body(description = "The file, without `Content-Encoding`", content(
        (String = "application/x-ndjson", example = "{\"ocid\":\"ocds-213czf-1\",\"id\":\"1\",\"date\":\"2025-01-01T00:00:00Z\",\"tag\":[\"tender\"]}\n"),
        (String = "application/jsonl", example = "{\"ocid\":\"ocds-213czf-1\",\"id\":\"1\",\"date\":\"2025-01-01T00:00:00Z\",\"tag\":[\"tender\"]}\n"),
        (String = "application/gzip", example = "the bytes of the packed file"),
        (String = "application/octet-stream", example = "the bytes of the file"),
    )),
    responses(
        (status = 200, description = "The same bytes were read in before; nothing was done", body = ImportView),
        (status = 202, description = "It is being read in, or waits for its turn", body = ImportView, headers(("Location" = String, description = "Where the import is"))),
        (status = 413, description = "The file is larger than the maximum"),
        (status = 503, description = "`imports_busy`"),
    ),
    extensions(("x-action" = json!("ImportHistory"))),
)]
#[post("/imports")]
async fn take(
    (request, context, imports, publisher): (HttpRequest, Shared, AtImports, AtPublisher),
    (actor, once): (Actor, Once),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ImportHistory, Matter::default())?;
    let mut query = Query::of(&request);
    let name = query.text("name");
    query.finish()?;
    if !KINDS.contains(&claimed_type(&request).as_str()) {
        return Err(UNSUPPORTED_CONTENT.refuse().into());
    }
    let place = imports.place()?;
    let body = incoming.stream(imports.bytes_max, RECEIVE_WITHIN)?;
    let (file, new) = imports.receive(body, name.as_deref().unwrap_or("ocds")).await?;
    let begun = Arc::new(Mutex::new(None));
    let (slot, by, digest) = (begun.clone(), actor.clone(), new.sha256);
    let reply = context
        .reply_once(actor.id(), once, digest, move |tx| {
            let (import, is_new) = acts::begin(tx, &by, &new)?;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = is_new.then(|| import.id.clone());
            let location = format!("/api/v1/imports/{}", import.id);
            let status = if is_new { 202 } else { 200 };
            Ok(Reply::json(status, &ImportView::of(import, tx.now()))?.location(location))
        })
        .await?;
    let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(id) = begun {
        actix_web::rt::spawn(read_in((context, imports, publisher), actor, (id, file), place));
    }
    reply.into_response()
}

/// Reads a file in when it is its turn. Whoever sent it has their answer; how it went is written down with the import.
async fn read_in(
    (context, imports, publisher): (Shared, AtImports, AtPublisher),
    actor: Actor,
    (id, file): (ImportId, NamedTempFile),
    _place: OwnedSemaphorePermit,
) {
    let Some(_turn) = waited(&context, &imports, &id).await else {
        return;
    };
    let which = id.clone();
    let done = web::block(move || {
        let (by, started) = (actor.clone(), id.clone());
        context
            .db
            .write_and_wait(move |tx| acts::start(tx, &by, &started))?;
        let source = runs::Source {
            id: &id,
            path: file.path(),
            own_prefix: publisher.prefix.as_ref().map(Prefix::as_str),
        };
        runs::run(&context.db, &actor, source, &mut runs::Nobody)
    });
    match done.await {
        Ok(Ok(import)) => {
            tracing::info!(import = %import.id, releases = import.counts.releases, "imported a file")
        }
        Ok(Err(stop)) => tracing::warn!(import = %which, %stop, "an import was given up"),
        Err(error) => tracing::warn!(import = %which, %error, "an import was given up"),
    }
}

/// Waits until it is the turn of an import, and says from time to time that it still waits. None when the service ends.
async fn waited(context: &Shared, imports: &AtImports, id: &ImportId) -> Option<OwnedSemaphorePermit> {
    let mut turn = pin!(imports.turn());
    loop {
        match tokio::time::timeout(SAID_EVERY, turn.as_mut()).await {
            Ok(turn) => return turn.ok(),
            Err(_) => {
                let which = id.clone();
                let said = context.db.upkeep(move |tx| store::still_waits(tx, &which));
                if let Err(stop) = said.await {
                    tracing::warn!(import = %id, %stop, "could not say that an import still waits");
                }
            }
        }
    }
}

/// List imports
///
/// Newest first, for administrators and auditors.
#[utoipa::path(
    operation_id = "list_imports",
    tag = "imports",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<ImportView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
    ),
    extensions(("x-action" = json!("ReadImports"))),
)]
#[get("/imports")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadImports, Matter::default())?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["imports"]);
    let before = after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| store::page(conn, before.as_deref(), one_more(limit)))
        .await?;
    let now = context.clock.now();
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]);
    Ok(page.map(|one| ImportView::of(one, now)).answer(&request))
}

/// Read an import
///
/// How far it has come, and what was counted, for administrators and auditors.
#[utoipa::path(
    operation_id = "read_import",
    tag = "imports",
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 200, description = "The import", body = ImportView),
        (status = 404, description = "There is no such import"),
    ),
    extensions(("x-action" = json!("ReadImports"))),
)]
#[get("/imports/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadImports, Matter::default())?;
    let id = parsed::<ImportId>(&id)?;
    let now = context.clock.now();
    let one = context.db.read(move |conn| acts::seen(conn, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(ImportView::of(one, now)))
}

/// List what an import found
///
/// Each repair, rejection and note with its place, in the order in which they were found; for administrators and auditors.
#[utoipa::path(
    operation_id = "list_import_findings",
    tag = "imports",
    params(
        ("id" = ImportId, Path, description = "The import"),
        ("code" = Option<String>, Query, max_length = 60, description = "Of this code only", example = "amount_as_text"),
        ("ocid" = Option<String>, Query, max_length = 200, description = "Of this process only", example = "ocds-213czf-2025-001"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<FindingView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such import"),
    ),
    extensions(("x-action" = json!("ReadImports"))),
)]
#[get("/imports/{id}/findings")]
async fn findings(
    (request, context, actor): (HttpRequest, Shared, Actor),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadImports, Matter::default())?;
    let id = parsed::<ImportId>(&id)?;
    let mut query = Query::of(&request);
    let words: Vec<(&str, Code)> = Code::ALL.iter().map(|code| (code.name(), *code)).collect();
    let code = query.one_of("code", &words).map(Code::name);
    let ocid = query.text("ocid");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "import findings",
        id.as_str(),
        code.unwrap_or_default(),
        ocid.as_deref().unwrap_or_default(),
    ]);
    let after = match after(&question, cursor.as_deref())? {
        Some(number) => number.parse::<i64>().map_err(|_| bad_cursor())?,
        None => 0,
    };
    let found = context
        .db
        .read(move |conn| {
            acts::seen(conn, &actor, &id)?;
            store::findings(conn, &id, (code, ocid.as_deref()), after, one_more(limit))
        })
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.number.to_string()]);
    Ok(page.map(FindingView::from).answer(&request))
}
