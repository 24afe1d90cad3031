//! The area tree over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Answer;
use crate::registry::acts::{self, CreateArea, MoveArea, RenameArea};
use crate::registry::import;
use crate::registry::rules::{Area, AreaId, Level};
use crate::registry::store::{self, AreaFilter, Sort, SortKey};
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, given};
use crate::web::conditional::{self, Expected};
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this slice.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(create)
        .service(import_table)
        .service(read)
        .service(rename)
        .service(move_area);
}

/// An area.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Area)]
pub struct AreaView {
    /// Its id.
    pub id: AreaId,
    /// The area it hangs under; `null` for a city.
    #[schema(required = true)]
    pub parent_id: Option<AreaId>,
    /// How deep in the tree it lies.
    pub level: Level,
    /// Statistical division code: 4 digits for a city, 6 for a district, 9 for a street, 12 for a community.
    #[schema(required = true, example = "310101001")]
    pub code: Option<String>,
    /// Chinese name.
    #[schema(example = "梧桐街道")]
    pub name_zh: String,
    /// English name.
    #[schema(example = "Wutong Street")]
    pub name_en: String,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was added, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it was last changed, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub updated_at: String,
}

impl From<Area> for AreaView {
    fn from(area: Area) -> Self {
        Self {
            id: area.id,
            parent_id: area.parent_id,
            level: area.level,
            code: area.designation.code,
            name_zh: area.designation.name_zh,
            name_en: area.designation.name_en,
            version: area.version,
            created_at: rfc3339(area.created_at),
            updated_at: rfc3339(area.updated_at),
        }
    }
}

/// An area to add. Its level follows from its parent's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewArea {
    /// The area it is to hang under; leave it out for a city.
    #[serde(default)]
    parent_id: Option<AreaId>,
    /// Chinese name, unique under its parent. Without invisible characters, and not beginning with `=`, `+`, `-` or `@`,
    /// which spreadsheets would take for a formula; the same holds for the English one.
    #[schema(min_length = 1, max_length = 100, example = "梧桐街道")]
    name_zh: String,
    /// English name.
    #[schema(min_length = 1, max_length = 100, example = "Wutong Street")]
    name_en: String,
    /// Statistical division code: 4, 6, 9 or 12 digits by level; unique.
    #[serde(default)]
    #[schema(pattern = "^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$", example = "310101001")]
    code: Option<String>,
}

/// Another name or code; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AreaNames {
    /// Chinese name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "梧桐里街道")]
    name_zh: Option<String>,
    /// English name.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "Wutongli Street"
    )]
    name_en: Option<String>,
    /// Statistical division code; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$", example = "310101002")]
    code: Option<Option<String>>,
}

/// Where an area is to hang.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewParent {
    /// The area it is to hang under, of the level above.
    parent_id: AreaId,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// True if nothing was done.
    #[schema(example = false)]
    pub dry_run: bool,
    /// Rows in the table, all of them good.
    #[schema(example = 1)]
    pub rows: usize,
    /// The areas added, parents first; with `dry_run` their ids are not those they will get.
    pub areas: Vec<AreaView>,
}

/// List areas
///
/// All areas, or those that fit the filters. As CSV with `Accept: text/csv`: the same page as a table.
#[utoipa::path(
    operation_id = "list_areas",
    tag = "areas",
    params(
        ("parent_id" = Option<AreaId>, Query, description = "Directly under this area"),
        ("within" = Option<AreaId>, Query, description = "Under this area at any depth, itself not counted"),
        ("level" = Option<Level>, Query, description = "Of this level"),
        ("q" = Option<String>, Query, description = "With this text in a name; Latin letters in either case", example = "梧桐"),
        ("sort" = Option<Sort>, Query, description = "The order, `name` by default; with `-` the other way round"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<AreaView> = "application/json"),
        (String = "text/csv", example = "id,parent_id,level,code,name_zh,name_en\r\narea_01jd3n8f5teqkrzvq1c0m6h2ax,,city,9901,凤城市,Fengcheng City\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadAreas"))),
)]
#[get("/areas")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAreas, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let (filter, limit, question) = asked(&request)?;
    let sort = filter.sort;
    let areas = context
        .db
        .glance(move |conn| store::areas(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(areas, limit, &question, |area| key(area, sort)).map(AreaView::from);
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let rows = page.items.iter().map(|area| {
        [
            area.id.as_str(),
            area.parent_id.as_ref().map_or("", AreaId::as_str),
            area.level.name(),
            area.code.as_deref().unwrap_or_default(),
            &area.name_zh,
            &area.name_en,
        ]
    });
    let table = csv_table(&["id", "parent_id", "level", "code", "name_zh", "name_en"], rows)?;
    response.insert_header((
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"areas.csv\""),
    ));
    Ok(response.content_type("text/csv; charset=utf-8").body(table))
}

/// The filter, the page's length and the question of a listing.
fn asked(request: &HttpRequest) -> Answer<(AreaFilter, u16, Question)> {
    let mut query = Query::of(request);
    let (parent, within) = (
        query.parsed::<AreaId>("parent_id"),
        query.parsed::<AreaId>("within"),
    );
    let level = query.one_of("level", &Level::ALL.map(|level| (level.name(), level)));
    let text = query.text("q");
    let sorts = [
        ("name", Sort::Name),
        ("-name", Sort::NameDown),
        ("created_at", Sort::Created),
        ("-created_at", Sort::CreatedDown),
    ];
    let sort = query.one_of("sort", &sorts).unwrap_or(Sort::Name);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        parent.as_ref().map_or("", AreaId::as_str),
        within.as_ref().map_or("", AreaId::as_str),
        level.map_or("", Level::name),
        text.as_deref().unwrap_or_default(),
        &format!("{sort:?}"),
    ]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([at, id]) => Some((sort_key(sort, at).ok_or_else(bad_cursor)?, id.clone())),
        _ => None,
    };
    Ok((
        AreaFilter {
            parent_id: parent,
            within,
            level,
            text,
            sort,
            after,
        },
        limit,
        question,
    ))
}

fn key(area: &Area, sort: Sort) -> Vec<String> {
    let at = match sort {
        Sort::Name | Sort::NameDown => area.designation.name_zh.clone(),
        Sort::Created | Sort::CreatedDown => area.created_at.timestamp_micros().to_string(),
    };
    vec![at, area.id.to_string()]
}

fn sort_key(sort: Sort, at: &str) -> Option<SortKey> {
    match sort {
        Sort::Name | Sort::NameDown => Some(SortKey::Name(at.to_owned())),
        Sort::Created | Sort::CreatedDown => {
            let at = chrono::DateTime::from_timestamp_micros(at.parse().ok()?)?;
            Some(SortKey::At(at.naive_utc()))
        }
    }
}

/// Add an area
///
/// Under a parent, or as a city. The level follows from the parent's.
#[utoipa::path(
    operation_id = "create_area",
    tag = "areas",
    request_body = NewArea,
    responses(
        (status = 201, description = "The new area", body = AreaView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the area is"))),
        (status = 409, description = "`area_parent_unknown`, `area_wrong_level`, `area_name_taken`, `area_code_taken`"),
    ),
    extensions(("x-action" = json!("CreateArea"))),
)]
#[post("/areas")]
async fn create(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CreateArea, Matter::default())?;
    let body = incoming.json::<NewArea>().await?;
    let NewArea {
        parent_id,
        name_zh,
        name_en,
        code,
    } = body.value;
    let command = CreateArea {
        parent_id,
        name_zh,
        name_en,
        code,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(201, acts::create(tx, &by, &command)?)
        })
        .await
}

/// Import areas
///
/// A table (UTF-8 CSV, first line the columns `code`, `parent_code`, `name_zh`, `name_en`; at most 5,000 rows, in any order).
/// Rows refer to their parents by code. Everything is added, or nothing: one fault anywhere, and the answer is a report
/// of all of them by row and column.
#[utoipa::path(
    operation_id = "import_areas",
    tag = "areas",
    params(("dry_run" = Option<bool>, Query, description = "`true`: judge everything, do nothing")),
    request_body(content = String, content_type = "text/csv",
        example = "code,parent_code,name_zh,name_en\n3101,,凤城市,Fengcheng\n310101,3101,凤鸣区,Fengming\n"),
    responses((status = 200, description = "What was added", body = ImportReport)),
    extensions(("x-action" = json!("ImportAreas"))),
)]
#[post("/areas/import")]
async fn import_table(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ImportAreas, Matter::default())?;
    let mut query = Query::of(&request);
    let dry_run = query
        .one_of("dry_run", &[("true", true), ("false", false)])
        .unwrap_or(false);
    query.finish()?;
    let body = incoming
        .bytes(&["text/csv"], context.settings.import_bytes_max)
        .await?;
    let rows = import::read(&body.bytes)?;
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let areas = acts::import(tx, &by, &rows, dry_run)?;
            let report = ImportReport {
                dry_run,
                rows: rows.len(),
                areas: areas.into_iter().map(AreaView::from).collect(),
            };
            Ok(Reply::json(200, &report)?)
        })
        .await
}

/// Read an area
#[utoipa::path(
    operation_id = "read_area",
    tag = "areas",
    params(
        ("id" = AreaId, Path, description = "The area"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The area", body = AreaView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such area"),
    ),
    extensions(("x-action" = json!("ReadAreas"))),
)]
#[get("/areas/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAreas, Matter::default())?;
    let id: AreaId = parsed(&id)?;
    let area = context
        .db
        .glance(move |conn| store::area(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    let etag = conditional::etag(area.version);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    Ok(if current {
        response.finish()
    } else {
        response.json(AreaView::from(area))
    })
}

/// Rename an area
///
/// Gives it another name or code. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "rename_area",
    tag = "areas",
    params(("id" = AreaId, Path, description = "The area"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = AreaNames,
    responses(
        (status = 200, description = "The area as it is now", body = AreaView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such area"),
        (status = 409, description = "`area_name_taken`, `area_code_taken`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("RenameArea"))),
)]
#[patch("/areas/{id}")]
async fn rename(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RenameArea, Matter::default())?;
    let body = incoming.json::<AreaNames>().await?;
    let AreaNames {
        name_zh,
        name_en,
        code,
    } = body.value;
    let command = RenameArea {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        name_zh,
        name_en,
        code,
    };
    let area = context
        .db
        .write(move |tx| acts::rename(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(area.version)))
        .json(AreaView::from(area)))
}

/// Move an area
///
/// Hangs it, with everything below it, under another area of the level above. Needs `If-Match`.
#[utoipa::path(
    operation_id = "move_area",
    tag = "areas",
    params(("id" = AreaId, Path, description = "The area"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = NewParent,
    responses(
        (status = 200, description = "The area as it is now", body = AreaView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such area"),
        (status = 409, description = "`area_parent_unknown`, `area_wrong_level`, `area_name_taken`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("MoveArea"))),
)]
#[post("/areas/{id}/move")]
async fn move_area(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::MoveArea, Matter::default())?;
    let body = incoming.json::<NewParent>().await?;
    let command = MoveArea {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        parent_id: body.value.parent_id,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(200, acts::move_area(tx, &by, &command)?)
        })
        .await
}

/// What is not an id of an area names no area.
fn parsed(id: &str) -> Answer<AreaId> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

fn reply(status: u16, area: Area) -> Answer<Reply> {
    let (etag, location) = (
        conditional::etag(area.version),
        format!("/api/v1/areas/{}", area.id),
    );
    let reply = Reply::json(status, &AreaView::from(area))?.etag(etag);
    Ok(if status == 201 {
        reply.location(location)
    } else {
        reply
    })
}
