//! Organisations over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};

use crate::kernel::local_day::local_date;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{self as acts, ChangeOrganisation, RegisterOrganisation};
use crate::registry::http_organisation_views::{NewOrganisation, OrganisationChange, OrganisationView};
use crate::registry::rules_organisations::{Organisation, OrganisationKind, Size, State};
use crate::registry::store_organisations::{self as store, Audience, OrganisationFilter, Sort, SortKey};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::format::{Format, csv_table};
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
        .service(register)
        .service(read)
        .service(change)
        .service(list_versions)
        .service(read_version);
}

/// List organisations
///
/// Those that are public, and to an account also those that it registered itself; whoever verifies sees all. As CSV with
/// `Accept: text/csv`: the same page as a table. `private` is always `null` here.
#[utoipa::path(
    operation_id = "list_organisations",
    tag = "organisations",
    params(
        ("kind" = Option<OrganisationKind>, Query, description = "Of this kind"),
        ("within" = Option<AreaId>, Query, description = "At home in this area or one below it"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("debarred" = Option<bool>, Query, description = "Whether it is debarred today"),
        ("q" = Option<String>, Query, description = "With this text in a name, Latin letters in either case, or with this credit code", example = "洁城"),
        ("sort" = Option<Sort>, Query, description = "The order, `name` by default; with `-` the other way round"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<OrganisationView> = "application/json"),
        (String = "text/csv", example = "id,kind,state,name_zh,name_en,credit_code,area_id,size_class\r\norg_01jd3n8f5teqkrzvq1c0m6h2ax,company,verified,梧桐洁城环境服务有限公司,Wutong Clean City,914403001922038216,,small\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/organisations")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let today = local_date(context.clock.now(), context.calendar.zone);
    let (filter, limit, question) = asked(&request, audience(&actor), today)?;
    let sort = filter.sort;
    let found = context
        .db
        .glance(move |conn| store::organisations(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let nobody = Actor::public();
    let page = Page::cut(found, limit, &question, |organisation| key(organisation, sort))
        .map(|organisation| OrganisationView::of(&organisation, &nobody));
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let rows = page.items.iter().map(|organisation| {
        [
            organisation.id.as_str(),
            organisation.kind.name(),
            organisation.state.name(),
            &organisation.name_zh,
            &organisation.name_en,
            organisation.credit_code.as_deref().unwrap_or_default(),
            organisation.area_id.as_ref().map_or("", AreaId::as_str),
            organisation.size_class.map_or("", |class| class.name()),
        ]
    });
    let columns = [
        "id",
        "kind",
        "state",
        "name_zh",
        "name_en",
        "credit_code",
        "area_id",
        "size_class",
    ];
    let table = csv_table(&columns, rows)?;
    response.insert_header((
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"organisations.csv\""),
    ));
    Ok(response.content_type("text/csv; charset=utf-8").body(table))
}

/// Whose list it is.
fn audience(actor: &Actor) -> Audience {
    if policy::allows(actor, Action::OpenOrganisation, Matter::default()) {
        return Audience::Platform;
    }
    match actor.id() {
        Some(id) => Audience::Account(id.to_owned()),
        None => Audience::Everyone,
    }
}

/// The filter, the page's length and the question of a listing.
fn asked(
    request: &HttpRequest,
    audience: Audience,
    today: chrono::NaiveDate,
) -> Answer<(OrganisationFilter, u16, Question)> {
    let mut query = Query::of(request);
    let kind = query.one_of("kind", &OrganisationKind::ALL.map(|kind| (kind.name(), kind)));
    let within = query.parsed::<AreaId>("within");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let debarred = query.one_of("debarred", &[("true", true), ("false", false)]);
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
        kind.map_or("", OrganisationKind::name),
        within.as_ref().map_or("", AreaId::as_str),
        state.map_or("", State::name),
        debarred.map_or("", |debarred| if debarred { "true" } else { "false" }),
        text.as_deref().unwrap_or_default(),
        &format!("{sort:?} of organisations"),
    ]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([at, id]) => Some((sort_key(sort, at).ok_or_else(bad_cursor)?, id.clone())),
        _ => None,
    };
    let filter = OrganisationFilter {
        audience,
        kind,
        within,
        state,
        text,
        debarred: debarred.map(|debarred| (debarred, today)),
        sort,
        after,
    };
    Ok((filter, limit, question))
}

fn key(organisation: &Organisation, sort: Sort) -> Vec<String> {
    let at = match sort {
        Sort::Name | Sort::NameDown => organisation.current.particulars.name_zh.clone(),
        Sort::Created | Sort::CreatedDown => organisation.created_at.timestamp_micros().to_string(),
    };
    vec![at, organisation.id.to_string()]
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

/// Register an organisation
///
/// A company, a social organisation or a residents' group registers itself through any account, is known to that account and the
/// platform only until it is verified, and then has that account as its first administrator. Public bodies are entered by the
/// platform's administrator and public at once. At most ten registrations of an account may wait or be refused.
#[utoipa::path(
    operation_id = "register_organisation",
    tag = "organisations",
    request_body = NewOrganisation,
    responses(
        (status = 201, description = "The new organisation", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the organisation is"))),
        (status = 403, description = "`forbidden`: public bodies are entered by the platform"),
        (status = 409, description = "`organisation_area_unknown`, `organisation_area_wrong_level`, `organisation_credit_code_taken`, `organisation_registrations_too_many`"),
    ),
    extensions(("x-action" = json!("RegisterOrganisation"))),
)]
#[post("/organisations")]
async fn register(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RegisterOrganisation, Matter::default())?;
    let body = incoming.json::<NewOrganisation>().await?;
    let command = RegisterOrganisation {
        kind: body.value.kind,
        entered: body.value.into(),
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(201, &by, &acts::register(tx, &by, &command)?)
        })
        .await
}

/// Read an organisation
///
/// What everyone may know of it; to its own people, the platform and auditors also what is `private`. The two have different
/// `ETag`s, and only the latter is good for `If-Match`.
#[utoipa::path(
    operation_id = "read_organisation",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The organisation"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The organisation", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such organisation, or it is not public"),
    ),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/organisations/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let id = parsed(&id)?;
    let by = actor.clone();
    let organisation = context.db.glance(move |conn| acts::known(conn, &by, &id)).await?;
    let view = OrganisationView::of(&organisation, &actor);
    let etag = view.etag();
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    // What one account sees is nothing for a cache that others share.
    let keeping = match view.private {
        Some(_) => "private, no-cache",
        None => "no-cache",
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(keeping)));
    Ok(if current {
        response.finish()
    } else {
        response.json(view)
    })
}

/// Change an organisation
///
/// By its own administrator, the platform's, or, as long as it is not public, whoever registered it. Another name, credit code or
/// legal representative needs another verification: the organisation is `registered` again. So it is if what was refused is
/// sent again, corrected or not. Needs `If-Match`.
#[utoipa::path(
    operation_id = "change_organisation",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = OrganisationChange,
    responses(
        (status = 200, description = "The organisation as it is now", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
        (status = 409, description = "`organisation_area_unknown`, `organisation_area_wrong_level`, `organisation_credit_code_taken`, `organisation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeOrganisation"))),
)]
#[patch("/organisations/{id}")]
async fn change(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ChangeOrganisation)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::ChangeOrganisation, id.clone()).await?;
    let value = incoming.json::<OrganisationChange>().await?.value;
    let command = ChangeOrganisation {
        id,
        expected: Expected::of(&request)?,
        name_zh: value.name_zh,
        name_en: value.name_en,
        credit_code: value.credit_code,
        area_id: value.area_id,
        legal_representative: value.legal_representative,
        contact_name: value.contact_name,
        phone: value.phone,
        mail: value.mail,
        address: value.address,
        member_count: value.member_count,
        size: value.size.map(|size| size.map_or(Size::Undeclared, Size::from)),
    };
    let by = actor.clone();
    let organisation = context
        .db
        .write(move |tx| acts::change(tx, &by, &command))
        .await?;
    let view = OrganisationView::of(&organisation, &actor);
    Ok(HttpResponse::Ok().insert_header((ETAG, view.etag())).json(view))
}

/// List an organisation's versions
///
/// Newest first, each with everything that held from then on.
#[utoipa::path(
    operation_id = "list_organisation_versions",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The organisation"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<OrganisationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/versions")]
async fn list_versions(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenOrganisation)?;
    let id = parsed(&id)?;
    let organisation = may(&context, &actor, Action::OpenOrganisation, id.clone()).await?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["versions", id.as_str()]);
    let before = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([version]) => Some(version.parse::<i64>().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let found = context
        .db
        .glance(move |conn| store::versions(conn, &id, before, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(found, limit, &question, |version| {
        vec![version.version.to_string()]
    })
    .map(|version| OrganisationView::of_version(&organisation, &version));
    Ok(page.answer(&request))
}

/// Read one version of an organisation
///
/// As it was; a version never changes.
#[utoipa::path(
    operation_id = "read_organisation_version",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The organisation"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,8}$", description = "The version, counted from 1", example = "1"),
    ),
    responses(
        (status = 200, description = "The organisation as it was", body = OrganisationView),
        (status = 404, description = "There is no such organisation or version, or it is not public"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/versions/{number}")]
async fn read_version(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenOrganisation)?;
    let (id, number) = path.into_inner();
    let id = parsed(&id)?;
    let organisation = may(&context, &actor, Action::OpenOrganisation, id.clone()).await?;
    let number: i64 = number.parse().map_err(|_| NOT_FOUND.refuse())?;
    let version = context
        .db
        .glance(move |conn| store::version(conn, &id, number))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(OrganisationView::of_version(&organisation, &version)))
}

/// The organisation, if the actor may know of it and do this with it: asked before a body is read, so that whoever may not
/// learns nothing from how it is judged.
pub(super) async fn may(
    context: &Shared,
    actor: &Actor,
    action: Action,
    id: OrganisationId,
) -> Answer<Organisation> {
    let by = actor.clone();
    let organisation = context.db.glance(move |conn| acts::known(conn, &by, &id)).await?;
    policy::allow(actor, action, acts::matter(&organisation))?;
    Ok(organisation)
}

/// What is not an id of an organisation names none.
pub(super) fn parsed(id: &str) -> Answer<OrganisationId> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

pub(super) fn reply(status: u16, actor: &Actor, organisation: &Organisation) -> Answer<Reply> {
    let view = OrganisationView::of(organisation, actor);
    let reply = Reply::json(status, &view)?.etag(view.etag());
    Ok(if status == 201 {
        reply.location(format!("/api/v1/organisations/{}", organisation.id))
    } else {
        reply
    })
}
