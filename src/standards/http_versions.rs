//! Versions of standards over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::kernel::refusal::Answer;
use crate::registry::http_roll_import::charset;
use crate::registry::import_roll::decode;
use crate::standards::acts::{self, ImportIndicators, Named};
use crate::standards::http::{parsed, visible};
use crate::standards::rules::{StandardId, State, Version};
use crate::standards::rules_documents::ContentDocument;
use crate::standards::table::{self, Table};
use crate::standards::view::{HeadView, ImportView, VersionView};
use crate::standards::{store, store_versions};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::format::Format;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(draft)
        .service(read)
        .service(rewrite)
        .service(import_table)
        .service(discard)
        .service(publish)
        .service(withdraw);
}

/// What the next version begins as.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStandardVersion {
    /// The number of the version that it begins as a copy of; the newest that is public if it is left out.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 9999, example = 1)]
    copy_of: Option<i64>,
}

/// Why a version is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandardWithdrawal {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 500, example = "由第 2 版取代")]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 500, example = "Version 2 takes its place")]
    reason_en: String,
}

/// List a standard's versions
///
/// Newest first, without what they demand: those that were published; to whoever keeps standards the draft as well.
#[utoipa::path(
    operation_id = "list_standard_versions",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<HeadView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such standard, or nothing of it is published"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/standards/{id}/versions")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let id = parsed(&id)?;
    let (seen, states) = (visible(&actor, None), visible(&actor, state));
    let question = Question::of(&["standard_versions", id.as_str(), &format!("{states:?}")]);
    let before = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([number]) => Some(number.parse::<i64>().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let found = context
        .db
        .glance(move |conn| {
            if !store::has_version(conn, &id, &seen)? {
                return Err(NOT_FOUND.refuse().into());
            }
            let max = i64::from(limit).saturating_add(1);
            store_versions::versions(conn, &id, &states, before, max)
        })
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.number.to_string()])
        .map(|one| HeadView::from(&one));
    Ok(page.answer(&request))
}

/// Begin a version
///
/// As a draft that is a copy of another version. A standard has one draft at a time.
#[utoipa::path(
    operation_id = "draft_standard_version",
    tag = "standards",
    params(("id" = StandardId, Path, description = "The standard")),
    request_body = NewStandardVersion,
    responses(
        (status = 201, description = "The draft", body = VersionView, headers(("ETag" = String, description = "The revision, for `If-Match`"), ("Location" = String, description = "Where the draft is"))),
        (status = 404, description = "There is no such standard, or no version to copy"),
        (status = 409, description = "`standard_draft_open`, `standard_versions_too_many`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[post("/standards/{id}/versions")]
async fn draft(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let body = incoming.json::<NewStandardVersion>().await?;
    let (id, copy_of) = (parsed(&id)?, body.value.copy_of);
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let draft = acts::draft(tx, &by, &id, copy_of)?;
            let location = format!(
                "/api/v1/standards/{}/versions/{}",
                draft.standard_id, draft.number
            );
            Ok(reply(201, &draft)?.location(location))
        })
        .await
}

/// Read a version of a standard
///
/// Whole, in both languages. As CSV with `Accept: text/csv`: one indicator a line, each grade a column; the same table can be
/// imported into a draft.
#[utoipa::path(
    operation_id = "read_standard_version",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the version", example = "1"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The version", content(
            (VersionView = "application/json"),
            (String = "text/csv", example = "code,name_zh,name_en,text_zh,text_en,unit,operator,threshold,threshold:class_1,threshold:class_2,method_zh,method_en,frequency,counts_from,points,loss,source_zh,source_en\r\n")
        ), headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/standards/{id}/versions/{number}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let version = seen(&context, &actor, named(path.into_inner())?).await?;
    let etag = match format {
        Format::Csv => format!("\"v{}.csv\"", version.revision),
        _ => conditional::etag(version.revision),
    };
    let current = conditional::is_current(&request, &etag);
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
        Format::Csv => {
            response.insert_header((
                CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"indicators.csv\""),
            ));
            Ok(response
                .content_type("text/csv; charset=utf-8")
                .body(table::written(&version.content)?))
        }
        _ => Ok(response.json(VersionView::from(&version))),
    }
}

/// The version, if the actor may see it.
pub(super) async fn seen(context: &Shared, actor: &Actor, named: Named) -> Answer<Version> {
    let states = visible(actor, None);
    let found = context
        .db
        .glance(move |conn| store_versions::version(conn, &named.standard_id, named.number))
        .await?
        .filter(|version| states.contains(&version.state));
    Ok(found.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Write a draft
///
/// The whole of what it says takes the place of what it said. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "rewrite_standard_version",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the draft", example = "1"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ContentDocument,
    responses(
        (status = 200, description = "The draft as it is now", body = VersionView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "`standard_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[put("/standards/{id}/versions/{number}")]
async fn rewrite(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let body = incoming.json::<ContentDocument>().await?;
    let (named, expected) = (named(path.into_inner())?, Expected::of(&request)?);
    let version = context
        .db
        .write(move |tx| acts::rewrite(tx, &actor, &named, expected, &body.value))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(version.revision)))
        .json(VersionView::from(&version)))
}

/// Import indicators into a draft
///
/// A table (CSV, first line the names of the columns) of at most 200 rows, as the version is exported: `code`, `name_zh`, `name_en`,
/// `text_zh`, `text_en`, `unit`, `operator`, `method_zh`, `method_en`, and, where there is something to say, `threshold` for all places or
/// `threshold:` and the code of a grade for places of that grade (`–` where nothing is demanded), `frequency` (`4/month`), `counts_from`,
/// `points`, `loss` (`per_excess 0.5 per 1`), `source_zh`, `source_en`. In UTF-8 or GB18030: say which with a `charset` in `Content-Type`,
/// or leave it to the service. Its indicators take the place of all that the draft has; its grades are set with the draft itself.
///
/// First with `dry_run=true`: the answer says what would differ, or is a report of every fault by row and column. Then, with the
/// `preview` of that answer, the same table again: everything is done, or nothing. If the table or the draft has changed since, it is
/// refused.
#[utoipa::path(
    operation_id = "import_indicators",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the draft", example = "1"),
        ("dry_run" = Option<bool>, Query, description = "`true`: judge everything, do nothing"),
        ("preview" = Option<String>, Query, max_length = 64, description = "The `preview` of the trial", example = "9f86d081884c7d659a2feaa0c55ad015"),
    ),
    request_body(content = String, content_type = "text/csv",
        example = "code,name_zh,name_en,text_zh,text_en,unit,operator,threshold,method_zh,method_en\nrain_water,雨后积水,Rain water,雨后积水清除时限,How soon standing water is cleared,hour,at_most,4,现场检查,Looked at on site\n"),
    responses(
        (status = 200, description = "What was done, or would be", body = ImportView),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "`standard_wrong_state`, `preview_stale`"),
        (status = 428, description = "`preview_missing`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[post("/standards/{id}/versions/{number}/import")]
async fn import_table(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let mut query = Query::of(&request);
    let dry_run = query
        .one_of("dry_run", &[("true", true), ("false", false)])
        .unwrap_or(false);
    let preview = query.text("preview");
    query.finish()?;
    let into = named(path.into_inner())?;
    let body = incoming
        .bytes(&["text/csv"], context.settings.import_bytes_max)
        .await?;
    let text = decode(&body.bytes, charset(&request).as_deref())?;
    let command = ImportIndicators {
        draft: into,
        table: Table::read(&text)?,
        digest: body.digest,
        preview,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let imported = if dry_run {
                acts::preview(tx, &by, &command)?
            } else {
                acts::import(tx, &by, &command)?
            };
            Ok(Reply::json(200, &ImportView::of(imported, dry_run))?)
        })
        .await
}

/// Give a draft up
///
/// It is gone, and another may be begun; its number is not given again. The answer is the draft as it was. Needs `If-Match` with the `ETag` of the
/// revision you mean.
#[utoipa::path(
    operation_id = "discard_standard_version",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the draft", example = "1"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The draft as it was", body = VersionView),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "`standard_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[post("/standards/{id}/versions/{number}/discarding")]
async fn discard(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let (named, expected) = (named(path.into_inner())?, Expected::of(&request)?);
    let by = actor.clone();
    context
        .write_once(&actor, once, [0; 32], move |tx| {
            reply(200, &acts::discard(tx, &by, &named, expected)?)
        })
        .await
}

/// Publish a draft
///
/// From then on it is public, never changes again, and books may take it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "publish_standard_version",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the draft", example = "1"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The version as it is now", body = VersionView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "`standard_wrong_state`, `standard_without_indicators`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishStandard"))),
)]
#[post("/standards/{id}/versions/{number}/publication")]
async fn publish(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::PublishStandard, Matter::default())?;
    let (named, expected) = (named(path.into_inner())?, Expected::of(&request)?);
    let by = actor.clone();
    context
        .write_once(&actor, once, [0; 32], move |tx| {
            reply(200, &acts::publish(tx, &by, &named, expected)?)
        })
        .await
}

/// Withdraw a version
///
/// No new book may take it from then on. It stays public, and whoever uses it keeps it.
#[utoipa::path(
    operation_id = "withdraw_standard_version",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the version", example = "1"),
    ),
    request_body = StandardWithdrawal,
    responses(
        (status = 200, description = "The version as it is now", body = VersionView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "`standard_wrong_state`"),
    ),
    extensions(("x-action" = json!("WithdrawStandard"))),
)]
#[post("/standards/{id}/versions/{number}/withdrawal")]
async fn withdraw(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::WithdrawStandard, Matter::default())?;
    let body = incoming.json::<StandardWithdrawal>().await?;
    let named = named(path.into_inner())?;
    let reason = (body.value.reason_zh, body.value.reason_en);
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(200, &acts::withdraw(tx, &by, &named, &reason)?)
        })
        .await
}

/// What is no id and number names no version.
pub(super) fn named((id, number): (String, String)) -> Answer<Named> {
    let standard_id = parsed(&id)?;
    let shaped = (1..=4).contains(&number.len())
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = shaped.then(|| number.parse::<i64>().ok()).flatten();
    Ok(Named {
        standard_id,
        number: number.ok_or_else(|| NOT_FOUND.refuse())?,
    })
}

fn reply(status: u16, version: &Version) -> Answer<Reply> {
    let reply = Reply::json(status, &VersionView::from(version))?;
    Ok(reply.etag(conditional::etag(version.revision)))
}
