//! The statutes over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post, web};

use crate::kernel::calendar::local_date;
use crate::kernel::refusal::{Answer, Objection};
use crate::kernel::text::Text;
use crate::statutes::acts::{self, LoadStatute};
use crate::statutes::profile::{Day, Document, Jurisdiction};
use crate::statutes::rules::{self, Statute, StatuteId};
use crate::statutes::store::{self, StatuteFilter};
use crate::statutes::view::{self, ComparisonView, DifferenceView, HeadView, LoadedView, StatuteView};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional;
use crate::web::format::Format;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{MALFORMED, NOT_FOUND};
use crate::web::query::Query;

/// Every operation of this slice.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(load)
        .service(in_force)
        .service(read)
        .service(differences);
}

/// List statutes
///
/// Every version of the rules, by jurisdiction, first day and revision, without the rules. As CSV with `Accept: text/csv`: the
/// rules of the versions on the page, one a line, in both languages.
#[utoipa::path(
    operation_id = "list_statutes",
    tag = "statutes",
    params(
        ("jurisdiction" = Option<String>, Query, max_length = 40, pattern = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$", description = "Of this jurisdiction", example = "cn"),
        ("in_force_on" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "Of each jurisdiction only the version that applies on this day", example = "2026-03-01"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<HeadView> = "application/json"),
        (String = "text/csv", example = "statute_id,jurisdiction,statute_effective_from,revision,code,kind,value,effective_from,effective_to,standing,text_zh,text_en,citations_zh,citations_en\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadStatutes"))),
)]
#[get("/statutes")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStatutes, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let (filter, limit, question) = asked(&request)?;
    let statutes = context
        .db
        .read(move |conn| store::list(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(statutes, limit, &question, key);
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Csv {
        return table(&mut response, &page.items);
    }
    Ok(response.json(page.map(|statute| HeadView::from(&statute))))
}

/// The filter, the page's length and the question of a listing.
fn asked(request: &HttpRequest) -> Answer<(StatuteFilter, u16, Question)> {
    let mut query = Query::of(request);
    let jurisdiction = query.parsed::<Jurisdiction>("jurisdiction");
    let in_force_on = query.parsed::<Day>("in_force_on").map(|day| day.0);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let jurisdiction = jurisdiction.map(|one| one.as_str().to_owned());
    let question = Question::of(&[
        jurisdiction.as_deref().unwrap_or_default(),
        &in_force_on.map(|date| date.to_string()).unwrap_or_default(),
    ]);
    let after = match question.after(cursor.as_deref(), 3)?.as_deref() {
        Some([jurisdiction, date, revision]) => {
            let day: Day = date.parse().map_err(|_| bad_cursor())?;
            let revision = revision.parse().map_err(|_| bad_cursor())?;
            Some((jurisdiction.clone(), day.0, revision))
        }
        _ => None,
    };
    let filter = StatuteFilter {
        jurisdiction,
        in_force_on,
        after,
    };
    Ok((filter, limit, question))
}

fn key(statute: &Statute) -> Vec<String> {
    vec![
        statute.profile.jurisdiction.clone(),
        statute.profile.effective_from.to_string(),
        statute.revision.to_string(),
    ]
}

/// Read the statute in force
///
/// The rules that apply in a jurisdiction on a day, whole: by default those of this ward, today in its zone. As CSV with `Accept:
/// text/csv`: one rule a line.
#[utoipa::path(
    operation_id = "read_statute_in_force",
    tag = "statutes",
    params(
        ("jurisdiction" = Option<String>, Query, max_length = 40, pattern = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$", description = "Whose rules; those of the ward by default", example = "cn"),
        ("on" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "On which day; today by default", example = "2026-03-01"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"statute_01jd3n8f5teqkrzvq1c0m6h2ax\""),
    ),
    responses(
        (status = 200, description = "The version that applies", content(
            (StatuteView = "application/json"),
            (String = "text/csv", example = "statute_id,jurisdiction,statute_effective_from,revision,code,kind,value,effective_from,effective_to,standing,text_zh,text_en,citations_zh,citations_en\r\n")
        ), headers(("ETag" = String, description = "The id of the version that applies"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "No version applies on that day"),
    ),
    extensions(("x-action" = json!("ReadStatutes"))),
)]
#[get("/statutes/in-force")]
async fn in_force(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStatutes, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let jurisdiction = query.parsed::<Jurisdiction>("jurisdiction");
    let on = query.parsed::<Day>("on");
    query.finish()?;
    let jurisdiction = jurisdiction.map_or_else(
        || context.settings.jurisdiction.clone(),
        |given| given.as_str().to_owned(),
    );
    let date = on.map_or_else(
        || local_date(context.clock.now(), context.calendar.zone),
        |day| day.0,
    );
    let detail = rules::none_in_force(&jurisdiction, date);
    let statute = context
        .db
        .read(move |conn| store::in_force(conn, &jurisdiction, date))
        .await?
        .ok_or_else(|| NOT_FOUND.because(detail))?;
    shown(&request, &statute, format)
}

/// Read a statute
///
/// One version of the rules, whole, in both languages. As CSV with `Accept: text/csv`: one rule a line.
#[utoipa::path(
    operation_id = "read_statute",
    tag = "statutes",
    params(
        ("id" = StatuteId, Path, description = "The statute"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"statute_01jd3n8f5teqkrzvq1c0m6h2ax\""),
    ),
    responses(
        (status = 200, description = "The version", content(
            (StatuteView = "application/json"),
            (String = "text/csv", example = "statute_id,jurisdiction,statute_effective_from,revision,code,kind,value,effective_from,effective_to,standing,text_zh,text_en,citations_zh,citations_en\r\n")
        ), headers(("ETag" = String, description = "It never changes: a statute does not"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such statute"),
    ),
    extensions(("x-action" = json!("ReadStatutes"))),
)]
#[get("/statutes/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStatutes, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id = parsed(&id)?;
    let statute = context
        .db
        .read(move |conn| store::statute(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    shown(&request, &statute, format)
}

/// Compare two statutes
///
/// Rule by rule what differs in this version from another one, which may be of another jurisdiction.
#[utoipa::path(
    operation_id = "compare_statutes",
    tag = "statutes",
    params(
        ("id" = StatuteId, Path, description = "The version that is asked about"),
        ("from" = StatuteId, Query, description = "The version to compare with"),
    ),
    responses(
        (status = 200, description = "What differs", body = ComparisonView),
        (status = 404, description = "There is no such statute"),
    ),
    extensions(("x-action" = json!("ReadStatutes"))),
)]
#[get("/statutes/{id}/differences")]
async fn differences(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStatutes, Matter::default())?;
    let mut query = Query::of(&request);
    let from = query.parsed::<StatuteId>("from");
    query.finish()?;
    let from = from.ok_or_else(|| {
        MALFORMED.refuse().listing(vec![Objection {
            pointer: "?from".to_owned(),
            code: "required",
            detail: Text::fixed("必填", "is required"),
        }])
    })?;
    let id = parsed(&id)?;
    let (before, after) = context
        .db
        .read(move |conn| {
            let mut found = |id| -> Answer<Statute> {
                let statute = store::statute(conn, id)?;
                Ok(statute.ok_or_else(|| NOT_FOUND.refuse())?)
            };
            Ok((found(&from)?, found(&id)?))
        })
        .await?;
    let differences = rules::differences(&before.profile, &after.profile);
    Ok(HttpResponse::Ok().json(ComparisonView {
        from: (&before).into(),
        to: (&after).into(),
        differences: differences.iter().map(DifferenceView::from).collect(),
    }))
}

/// Load a statute
///
/// A version of a jurisdiction's rules that applies from a day to come, whole: begin with the version before and change what is to
/// differ. What was loaded is never changed. A version that does not apply yet can be corrected by another one of the same day, which
/// names it in `corrects`. With `dry_run` everything is judged and nothing done.
#[utoipa::path(
    operation_id = "load_statute",
    tag = "statutes",
    params(
        ("dry_run" = Option<bool>, Query, description = "`true`: judge everything, do nothing"),
        ("corrects" = Option<StatuteId>, Query, description = "The revision of the same day that this one takes the place of"),
    ),
    request_body = Document,
    responses(
        (status = 200, description = "A trial: what would be loaded", body = LoadedView),
        (status = 201, description = "What was loaded", body = LoadedView, headers(("Location" = String, description = "Where the statute is"))),
        (status = 409, description = "`statute_date_taken`, `statute_not_current`"),
    ),
    extensions(("x-action" = json!("LoadStatute"))),
)]
#[post("/statutes")]
async fn load(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::LoadStatute, Matter::default())?;
    let mut query = Query::of(&request);
    let dry_run = query
        .one_of("dry_run", &[("true", true), ("false", false)])
        .unwrap_or(false);
    let corrects = query.parsed::<StatuteId>("corrects");
    query.finish()?;
    let body = incoming.json::<Document>().await?;
    let command = LoadStatute {
        document: body.value,
        corrects,
        zone: context.calendar.zone,
        dry_run,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let loaded = acts::load(tx, &by, &command)?;
            let report = LoadedView::of(&loaded, dry_run);
            if dry_run {
                return Ok(Reply::json(200, &report)?);
            }
            let location = format!("/api/v1/statutes/{}", loaded.statute.id);
            Ok(Reply::json(201, &report)?.location(location))
        })
        .await
}

/// What is not an id of a statute names no statute.
fn parsed(id: &str) -> Answer<StatuteId> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

/// A statute as JSON or as a table, or that the caller's copy is the current one.
fn shown(request: &HttpRequest, statute: &Statute, format: Format) -> Answer<HttpResponse> {
    let etag = match format {
        Format::Csv => format!("\"{}.csv\"", statute.id),
        _ => format!("\"{}\"", statute.id),
    };
    let current = conditional::is_current(request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    match format {
        _ if current => Ok(response.finish()),
        Format::Csv => table(&mut response, std::slice::from_ref(statute)),
        _ => Ok(response.json(StatuteView::from(statute))),
    }
}

fn table(response: &mut HttpResponseBuilder, statutes: &[Statute]) -> Answer<HttpResponse> {
    response.insert_header((
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"statutes.csv\""),
    ));
    Ok(response
        .content_type("text/csv; charset=utf-8")
        .body(view::table(statutes)?))
}
