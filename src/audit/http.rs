//! Events for people: listed, filtered, opened for those who may, and exported. Everybody sees the public facts; who did
//! it and the private content open only to whom the policy says, event by event.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::audit::entry::{Commitments, EventId, Written, commitment};
use crate::audit::store::{self, EventFilter, EventRow};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Events read at once for an export.
const EXPORT_PAGE: i64 = 500;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(export).service(read);
}

/// An event of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// Its place in the log, from 0; `null` for the moment before it has one.
    #[schema(required = true, example = 17)]
    pub index: Option<i64>,
    /// The entry, byte for byte as it stands in the log.
    #[schema(value_type = Written<'static>)]
    pub entry: Box<RawValue>,
    /// What the entry only commits to; absent for those who may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
}

/// The private part of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Opened {
    /// Who did it; `null` once erased.
    #[schema(required = true, example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub actor: Option<String>,
    /// Salt of the commitment to the actor, hexadecimal: with it anyone can check `entry.actor`.
    #[schema(required = true, example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub actor_salt: Option<String>,
    /// The private content as the JSON text that was committed to; `null` once erased.
    #[schema(required = true, example = "null")]
    pub content: Option<String>,
    /// Salt of the commitment to the content, hexadecimal.
    #[schema(required = true, example = "60303ae22b998861bce3b28f33eec1be")]
    pub salt: Option<String>,
    /// True if everything that is shown here is what the entry commits to.
    #[schema(example = true)]
    pub matches: bool,
}

fn view(row: EventRow, actor: &Actor) -> Result<EventView, Fault> {
    let may_open = policy::allows(
        actor,
        Action::OpenEvent,
        Matter {
            caused_by: row.actor_id.as_deref(),
            ..Matter::default()
        },
    );
    let opened = if may_open { Some(open(&row)?) } else { None };
    let entry = String::from_utf8(row.entry)
        .map_err(|error| Fault::caused("a stored entry", error))
        .and_then(|text| {
            RawValue::from_string(text).map_err(|error| Fault::caused("a stored entry", error))
        })?;
    Ok(EventView {
        id: row.id,
        index: row.leaf_index,
        entry,
        opened,
    })
}

fn open(row: &EventRow) -> Result<Opened, Fault> {
    let promised: Commitments =
        serde_json::from_slice(&row.entry).map_err(|error| Fault::caused("a stored entry", error))?;
    let fits = |salt: &Option<Vec<u8>>, text: &Option<String>, promise: &str| match (salt, text) {
        (_, None) => true,
        (Some(salt), Some(text)) => commitment(salt, text) == promise,
        // Something is shown that nobody can check.
        (None, Some(_)) => false,
    };
    Ok(Opened {
        matches: fits(&row.actor_salt, &row.actor_id, &promised.actor)
            && fits(&row.salt, &row.content, &promised.commit),
        actor: row.actor_id.clone(),
        actor_salt: row.actor_salt.as_ref().map(hex::encode),
        content: row.content.clone(),
        salt: row.salt.as_ref().map(hex::encode),
    })
}

/// List events
///
/// In the order of the log. Filters add up. `actor` may be asked for by auditors, and by everyone for themselves.
#[utoipa::path(
    operation_id = "list_events",
    tag = "log",
    params(
        ("from" = Option<String>, Query, format = DateTime, description = "Not before this instant, RFC 3339"),
        ("to" = Option<String>, Query, format = DateTime, description = "Before this instant, RFC 3339"),
        ("actor" = Option<String>, Query, description = "Caused by this account", example = "user_01jd3n8f5teqkrzvq1c0m6h2ax"),
        ("subject" = Option<String>, Query, description = "About the thing with this id", example = "area_01jd3n8f5teqkrzvq1c0m6h2ax"),
        ("type" = Option<String>, Query, description = "`area.renamed`, or `area.*` for all that begin so"),
        ("sort" = Option<Order>, Query, description = "The order, `index` by default"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<EventView>,
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 403, description = "`forbidden`: the events of another person"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/events")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadLog, Matter::default())?;
    let mut query = Query::of(&request);
    let mut filter = filter_of(&mut query);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    may_ask(&actor, &filter)?;
    let question = question_of(&filter);
    filter.beyond = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([at]) => Some(at.parse().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let rows = context
        .db
        .read(move |conn| store::events(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(rows, limit, &question, |row| {
        vec![row.leaf_index.unwrap_or_default().to_string()]
    });
    let next_cursor = page.next_cursor.clone();
    let items = page
        .items
        .into_iter()
        .map(|row| view(row, &actor))
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page { items, next_cursor };
    Ok(page.answer(&request))
}

fn filter_of(query: &mut Query) -> EventFilter {
    EventFilter {
        from: query.instant("from"),
        to: query.instant("to"),
        actor: query.text("actor"),
        subject: query.text("subject"),
        kind: query.text("type"),
        newest_first: query
            .one_of(
                "sort",
                &[("index", Order::OldestFirst), ("-index", Order::NewestFirst)],
            )
            .is_some_and(|order| order == Order::NewestFirst),
        beyond: None,
        below: None,
    }
}

/// In which order events are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventSort)]
pub enum Order {
    /// In the order of the log.
    #[serde(rename = "index")]
    OldestFirst,
    /// The other way round.
    #[serde(rename = "-index")]
    NewestFirst,
}

fn may_ask(actor: &Actor, filter: &EventFilter) -> Answer<()> {
    match &filter.actor {
        Some(asked) => policy::allow(
            actor,
            Action::FindEventsByActor,
            Matter {
                caused_by: Some(asked),
                ..Matter::default()
            },
        ),
        None => Ok(()),
    }
}

fn question_of(filter: &EventFilter) -> Question {
    Question::of(&[&format!(
        "{:?} {:?} {:?} {:?} {:?} {}",
        filter.from, filter.to, filter.actor, filter.subject, filter.kind, filter.newest_first
    )])
}

/// Export events
///
/// All events that fit the filters, as one stream: JSON Lines (the default) or CSV by `Accept`. It ends where the log
/// ended when the export began.
#[utoipa::path(
    operation_id = "export_events",
    tag = "log",
    params(
        ("from" = Option<String>, Query, format = DateTime, description = "Not before this instant, RFC 3339"),
        ("to" = Option<String>, Query, format = DateTime, description = "Before this instant, RFC 3339"),
        ("actor" = Option<String>, Query, description = "Caused by this account", example = "user_01jd3n8f5teqkrzvq1c0m6h2ax"),
        ("subject" = Option<String>, Query, description = "About the thing with this id", example = "area_01jd3n8f5teqkrzvq1c0m6h2ax"),
        ("type" = Option<String>, Query, description = "`area.renamed`, or `area.*` for all that begin so"),
        ("sort" = Option<Order>, Query, description = "The order, `index` by default"),
    ),
    responses(
        (status = 200, description = "A line for each event", content(
            (String = "application/jsonl", example = "{\"id\":\"event_01jd3n8f5teqkrzvq1c0m6h2ax\",\"index\":17,\"entry\":{\"type\":\"area.created\"}}\n"),
            (String = "text/csv", example = "index,id,at,type,subject,data,actor,private\r\n")
        )),
        (status = 403, description = "`forbidden`: the events of another person"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/export")]
async fn export(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadLog, Matter::default())?;
    let format = Format::wanted(&request, &[Format::JsonLines, Format::Csv])?;
    let mut query = Query::of(&request);
    let mut filter = filter_of(&mut query);
    query.finish()?;
    may_ask(&actor, &filter)?;
    // Events are opened while the answer is on its way already. That an auditor may open all of them is asked here, where what they look at is still recorded.
    policy::allows(&actor, Action::OpenEvent, Matter::default());
    filter.below = context
        .db
        .glance(store::last_checkpoint)
        .await?
        .map(|last| last.size)
        .or(Some(0));
    let lines = stream::try_unfold(
        Some(Export {
            context,
            actor,
            filter,
            format,
            first: true,
        }),
        next_lines,
    );
    let disposition = match format {
        Format::Csv => HeaderValue::from_static("attachment; filename=\"events.csv\""),
        _ => HeaderValue::from_static("attachment; filename=\"events.jsonl\""),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format!("{}; charset=utf-8", format.media_type())))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .streaming(lines))
}

struct Export {
    context: Shared,
    actor: Actor,
    filter: EventFilter,
    format: Format,
    first: bool,
}

async fn next_lines(state: Option<Export>) -> Result<Option<(web::Bytes, Option<Export>)>, Stop> {
    let Some(mut at) = state else { return Ok(None) };
    let filter = at.filter.clone();
    let rows = at
        .context
        .db
        .read(move |conn| store::events(conn, &filter, EXPORT_PAGE))
        .await?;
    let last = rows.last().and_then(|row| row.leaf_index);
    let full = i64::try_from(rows.len()) == Ok(EXPORT_PAGE);
    let views = rows
        .into_iter()
        .map(|row| view(row, &at.actor))
        .collect::<Result<Vec<_>, _>>()?;
    let bytes = match at.format {
        Format::Csv => csv_lines(&views, at.first)?,
        _ => json_lines(&views)?,
    };
    at.first = false;
    at.filter.beyond = last;
    Ok(Some((web::Bytes::from(bytes), full.then_some(at))))
}

fn json_lines(views: &[EventView]) -> Result<Vec<u8>, Fault> {
    let mut lines = Vec::new();
    for view in views {
        serde_json::to_writer(&mut lines, view).map_err(|error| Fault::caused("write an event", error))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

const COLUMNS: [&str; 8] = ["index", "id", "at", "type", "subject", "data", "actor", "private"];

fn csv_lines(views: &[EventView], with_header: bool) -> Result<Vec<u8>, Fault> {
    let mut rows = Vec::new();
    for view in views {
        let entry: Value =
            serde_json::from_str(view.entry.get()).map_err(|error| Fault::caused("a stored entry", error))?;
        let text = |name: &str| {
            entry
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let opened = view.opened.as_ref();
        rows.push([
            view.index.map(|index| index.to_string()).unwrap_or_default(),
            view.id.to_string(),
            text("at"),
            text("type"),
            text("subject"),
            entry.get("data").map(Value::to_string).unwrap_or_default(),
            opened.and_then(|opened| opened.actor.clone()).unwrap_or_default(),
            opened
                .and_then(|opened| opened.content.clone())
                .filter(|content| content != "null")
                .unwrap_or_default(),
        ]);
    }
    let table = csv_table(&COLUMNS, rows)?;
    if with_header {
        return Ok(table);
    }
    let header = COLUMNS.join(",").len() + 2;
    Ok(table.get(header..).unwrap_or_default().to_vec())
}

/// Read an event
#[utoipa::path(
    operation_id = "read_event",
    tag = "log",
    params(("id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, description = "The event", body = EventView),
        (status = 404, description = "There is no such event"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/events/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadLog, Matter::default())?;
    let id: EventId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let row = context
        .db
        .glance(move |conn| store::event(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(view(row, &actor)?))
}
