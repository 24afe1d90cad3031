//! Reports of defects over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::{after, one_more, parsed};
use crate::contracts::acts_defect_reports as acts;
use crate::contracts::desk_defects::{self as desk, Seen};
use crate::contracts::http_defect_forms::{Counter, ReceiptView, file};
use crate::contracts::http_defect_views::{DefectView, ReportView, report_view, shown_one};
use crate::contracts::reception::AtReception;
use crate::contracts::rules_defect_reports::{DefectReportId, Reader, Visibility};
use crate::contracts::rules_defects::{DefectId, State};
use crate::contracts::{store_defect_reports as store, store_defects};
use crate::files::desk::Desk;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::envelope::{RequestInfo, client_network};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(take_report)
        .service(list_own)
        .service(follow)
        .service(list_of_defect)
        .service(moderate);
}

/// A report, as a form with photos.
#[derive(ToSchema)]
#[schema(as = NewDefectReport, example = json!({"place": "7ZQK2-M4V9X", "category": "rain_water", "text": "公厕门前积水"}))]
#[expect(
    dead_code,
    reason = "it is read part by part; this is what the document says of it"
)]
pub struct ReportForm {
    /// The code that is put up at the place; with an account, its id will do.
    #[schema(max_length = 60)]
    place: String,
    /// One of the place's categories.
    #[schema(max_length = 40)]
    category: String,
    /// What is wrong.
    #[schema(min_length = 1, max_length = 1000)]
    text: String,
    /// When it happened, RFC 3339: from the buyer's officers only.
    #[schema(max_length = 40, example = "2026-05-06T03:00:00Z")]
    occurred_at: Option<String>,
    /// Without an account: a mail address at which you want to hear what came of it. It is shown to nobody and forgotten a month after the end.
    #[schema(max_length = 254, example = "wang.xiaomei@mail.example")]
    contact: Option<String>,
    /// JPEG, PNG or WebP, up to 10 MiB each.
    #[schema(value_type = Vec<String>, required = false, max_items = 4, content_media_type = "application/octet-stream")]
    photos: Option<Vec<String>>,
}

/// Who may see a report.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectReportModeration, example = json!({"visibility": "released", "reason": null}))]
pub struct ModerationBody {
    /// `released`: everybody; `hidden`: the buyer's people and auditors only.
    #[schema(pattern = "^(released|hidden)$", value_type = String)]
    visibility: Visibility,
    /// Why it is hidden; for the buyer's people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// The kept reports of a defect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectReports, example = json!({"items": []}))]
pub struct ReportsView {
    /// The first ones; more than twenty are only counted.
    #[schema(max_items = 20)]
    pub items: Vec<ReportView>,
}

/// The language that the caller reads.
fn language_of(request: &HttpRequest) -> Language {
    let extensions = request.extensions();
    let info = extensions.get::<RequestInfo>();
    info.map(|info| info.language).unwrap_or_default()
}

/// Report a defect
///
/// By anybody, in one form (`multipart/form-data`) with up to four photos: with an account, or without one by the code that is put up at the place. The same as
/// somebody has reported and is not put right yet joins that: one defect with a count. What officers and residents report goes to the contractor at once, and so
/// does what has to be put right within a day; anything else waits for the buyer's officer. Words and photos are public once an officer has released them. From one
/// network or account so many reports are taken in an hour, and of one place so many in a day; beyond those a report is only counted. A phone that has lost the
/// answer sends the same form with the same `Idempotency-Key` again, which without an account has to be one that nobody else can think of.
#[utoipa::path(
    operation_id = "report_defect",
    tag = "defects",
    request_body(content = ReportForm, content_type = "multipart/form-data", description = "The form; its photos under the name `photos`, each"),
    responses(
        (status = 201, description = "What became of it", body = ReceiptView),
        (status = 202, description = "It was only counted: the place has had many reports today", body = ReceiptView),
        (status = 404, description = "No place has this code, or it was renewed or retired"),
        (status = 409, description = "`defect_code_needed`, `defect_not_served`, `attachment_quota_of_day`, `attachment_quota_of_unattached`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 429, description = "Too many reports; `uploads_at_once`"),
        (status = 503, description = "`defect_reports_busy`, `uploads_busy`, `scanner_unavailable`, `file_store_unavailable`"),
    ),
    extensions(("x-action" = json!("ReportDefect"))),
)]
#[post("/defect-reports")]
async fn take_report(
    (request, context, files, reception): (HttpRequest, Shared, Desk, AtReception),
    actor: Actor,
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReportDefect, Matter::default())?;
    let counter = Counter {
        context: &context,
        files: &files,
        reception: &reception,
        actor: &actor,
        network: client_network(&request, &context),
        now: context.clock.now(),
    };
    let received = counter.receive(incoming, &[]).await?;
    let language = language_of(&request);
    let (reply, _) = file(&counter, (&context, &files, &reception), once, received, language).await?;
    reply.into_response()
}

/// List your own reports
///
/// What you have reported with your account and was kept, the last first.
#[utoipa::path(
    operation_id = "list_own_defect_reports",
    tag = "defects",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<ReportView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadOwnDefectReports"))),
)]
#[get("/me/defect-reports")]
async fn list_own(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnDefectReports, Matter::default())?;
    let account = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?.to_owned();
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["own-defect-reports", &account]);
    let before = after(&question, cursor.as_deref())?;
    let views = context
        .db
        .read(move |conn| {
            let mut views = Vec::new();
            for one in store::by_account(conn, &account, before.as_deref(), one_more(limit))? {
                views.push(report_view(
                    conn,
                    &actor,
                    one,
                    (Reader::Author, State::Dispatched),
                )?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ReportView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read what came of a report
///
/// For those without an account, by the token that they got with their report.
#[utoipa::path(
    operation_id = "follow_defect_report",
    tag = "defects",
    params(("token" = String, Path, max_length = 100, description = "The token", example = "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax.CwQ2lI5oJ7hUMnA0yWb0Og")),
    responses(
        (status = 200, description = "The defect", body = DefectView),
        (status = 404, description = "There is no such report"),
    ),
    extensions(("x-action" = json!("FollowDefect"))),
)]
#[get("/followed-defect-reports/{token}")]
async fn follow(
    context: Shared,
    reception: AtReception,
    actor: Actor,
    token: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::FollowDefect, Matter::default())?;
    let id = reception.key.report(&token)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let now = context.clock.now();
    let view = context
        .db
        .read(move |conn| {
            let report = store::report(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let defect = store_defects::defect(conn, &report.defect_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let mut view = shown_one(conn, &actor, defect.as_of(now), now)?;
            // What they have said themself they may read.
            view.text = view.text.or(Some(report.words));
            Ok(view)
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// List the reports of a defect
///
/// For everybody who may see the defect: in which capacity and when each was made, never by whom. Words and photos are shown as far as you may see them.
#[utoipa::path(
    operation_id = "list_defect_reports",
    tag = "defects",
    params(("id" = DefectId, Path, description = "The defect")),
    responses(
        (status = 200, description = "Those that were kept", body = ReportsView),
        (status = 404, description = "There is no such defect, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadDefects"))),
)]
#[get("/defects/{id}/reports")]
async fn list_of_defect(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDefects, Matter::default())?;
    let (id, now) = (parsed::<DefectId>(&id)?, context.clock.now());
    let view = context
        .db
        .read(move |conn| {
            let Seen { defect, reader, .. } = desk::seen(conn, &actor, &id, now)?;
            let mut items = Vec::new();
            for one in store::of_defects(conn, &[&defect.id])? {
                items.push(report_view(conn, &actor, one, (reader, defect.state))?);
            }
            Ok(ReportsView { items })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Show or hide a report
///
/// By the buyer's officer: its words and photos are for everybody from now on, or for nobody outside the office but auditors. Needs `If-Match` with the `ETag` of the
/// revision you mean.
#[utoipa::path(
    operation_id = "moderate_defect_report",
    tag = "defects",
    params(
        ("id" = DefectReportId, Path, description = "The report"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ModerationBody,
    responses(
        (status = 200, description = "The report as it is now", body = ReportView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such report"),
        (status = 409, description = "`defect_report_moderated_so`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideDefects"))),
)]
#[post("/defect-reports/{id}/moderation")]
async fn moderate(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideDefects)?;
    let body = incoming.json::<ModerationBody>().await?;
    let (id, expected) = (parsed::<DefectReportId>(&id)?, Expected::of(&request)?);
    let said = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let to = (said.visibility, said.reason.as_deref());
            let moderated = acts::moderate(tx, by, (&id, expected), to)?;
            let etag = conditional::etag(moderated.revision);
            let view = report_view(tx.conn(), by, moderated, (Reader::Buyer, State::Dispatched))?;
            Ok(Reply::json(200, &view)?.etag(etag))
        })
        .await
}
