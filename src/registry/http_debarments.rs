//! Debarments and suppliers' public pages over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_debarments::{self as acts, LiftDebarment, RecordDebarment};
use crate::registry::http_organisation_views::OrganisationView;
use crate::registry::http_organisations::parsed;
use crate::registry::http_qualifications::{QualificationView, today};
use crate::registry::rules_debarments::{DebarmentId, Entered, Lifting};
use crate::registry::rules_qualifications::{QUALIFICATIONS_MAX, State};
use crate::registry::rules_text::{Day, day_of};
use crate::registry::store_debarments::{self as store, DebarmentFilter, Record};
use crate::registry::{store_organisations, store_qualifications};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Debarments on a supplier's page at most; all of them are listed at `/api/v1/debarments`.
const DEBARMENTS_SHOWN_MAX: i64 = 50;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(record_one)
        .service(read)
        .service(lift)
        .service(supplier);
}

/// A debarment: a supplier that may not take part in public purchases.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Debarment, example = json!({
    "id": "debarment_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "name_zh": "德润环境服务有限公司", "name_en": "Derun Environment Co., Ltd.", "credit_code": "9144030071526726XG",
    "from": "2026-03-02", "until": "2027-03-01", "reason_zh": "提供虚假材料谋取中标", "reason_en": "Won an award with false documents",
    "document": "凤财采罚 2026-3", "in_force": true, "recorded_at": "2026-03-02T08:00:00.000000Z", "lifted": null
}))]
pub struct DebarmentView {
    /// Its id.
    pub id: DebarmentId,
    /// Who is debarred.
    pub organisation_id: OrganisationId,
    /// The supplier's Chinese name.
    pub name_zh: String,
    /// The supplier's English name.
    pub name_en: String,
    /// The supplier's unified social credit code.
    #[schema(required = true)]
    pub credit_code: Option<String>,
    /// The first day, a date of the ward.
    pub from: String,
    /// The last day, counted in.
    pub until: String,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// The number of the document it is written in.
    pub document: String,
    /// True if it holds today.
    pub in_force: bool,
    /// When it was recorded, UTC.
    pub recorded_at: String,
    /// Whether it ended before its last day.
    #[schema(required = true)]
    pub lifted: Option<LiftingView>,
}

/// That a debarment ended before its last day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lifting)]
pub struct LiftingView {
    /// The first day on which it does not hold any more.
    #[schema(example = "2026-09-01")]
    pub on: String,
    /// Why, in Chinese.
    #[schema(example = "经行政复议撤销")]
    pub reason_zh: String,
    /// Why, in English.
    #[schema(example = "Quashed on review")]
    pub reason_en: String,
}

impl From<Lifting> for LiftingView {
    fn from(lifting: Lifting) -> Self {
        Self {
            on: lifting.on.to_string(),
            reason_zh: lifting.reason_zh,
            reason_en: lifting.reason_en,
        }
    }
}

impl DebarmentView {
    /// A debarment as it is on a day.
    pub fn of((debarment, of): Record, today: NaiveDate) -> Self {
        let in_force = debarment.holds_on(today);
        let decision = debarment.decision;
        Self {
            id: debarment.id,
            organisation_id: debarment.organisation_id,
            name_zh: of.name_zh,
            name_en: of.name_en,
            credit_code: of.credit_code,
            from: decision.from.to_string(),
            until: decision.until.to_string(),
            reason_zh: decision.reason_zh,
            reason_en: decision.reason_en,
            document: decision.document,
            in_force,
            recorded_at: rfc3339(debarment.recorded_at),
            lifted: debarment.lifting.map(LiftingView::from),
        }
    }
}

/// A debarment to record. Texts are public, without invisible characters, and do not begin with `=`, `+`, `-` or `@`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "from": "2026-03-02", "until": "2027-03-01", "reason_zh": "提供虚假材料谋取中标",
    "reason_en": "Won an award with false documents", "document": "凤财采罚 2026-3"
}))]
pub struct NewDebarment {
    /// Who is debarred: a public supplier.
    organisation_id: OrganisationId,
    /// The first day, within three years of today.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    from: String,
    /// The last day, counted in: one to three years later (政府采购法 art 77).
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    until: String,
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 1000)]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 1000)]
    reason_en: String,
    /// The number of the document it is written in.
    #[schema(min_length = 1, max_length = 100)]
    document: String,
}

/// Why a debarment ends before its last day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLifting {
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "经行政复议撤销")]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 1000, example = "Quashed on review")]
    reason_en: String,
}

/// What everyone may know of a supplier. What it has done under contracts will be added with the contracts.
#[derive(Debug, Serialize, ToSchema)]
pub struct SupplierPage {
    /// Who it is.
    pub organisation: OrganisationView,
    /// True if it may not take part in public purchases today.
    #[schema(example = false)]
    pub debarred: bool,
    /// Its verified qualifications, expired ones among them.
    pub qualifications: Vec<QualificationView>,
    /// Its debarments, past ones among them; those that began last first, up to 50.
    pub debarments: Vec<DebarmentView>,
}

/// List debarments
///
/// The public record: those that began last first. As CSV with `Accept: text/csv`: the same page as a table.
#[utoipa::path(
    operation_id = "list_debarments",
    tag = "organisations",
    params(
        ("organisation_id" = Option<OrganisationId>, Query, description = "Of this organisation"),
        ("in_force_on" = Option<String>, Query, description = "That hold on this day, a date of the ward", example = "2026-03-02"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<DebarmentView> = "application/json"),
        (String = "text/csv", example = "id,organisation_id,name_zh,name_en,credit_code,from,until,reason_zh,reason_en,document,in_force,lifted_on,lift_reason_zh,lift_reason_en\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/debarments")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let organisation = query.parsed::<OrganisationId>("organisation_id");
    let in_force_on = query.parsed::<Day>("in_force_on").map(|Day(day)| day);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "debarments",
        organisation.as_ref().map_or("", OrganisationId::as_str),
        &in_force_on.map(|day| day.to_string()).unwrap_or_default(),
    ]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([day, id]) => Some((day_of(day).ok_or_else(bad_cursor)?, id.clone())),
        _ => None,
    };
    let filter = DebarmentFilter {
        organisation,
        in_force_on,
        after,
    };
    let found = context
        .db
        .glance(move |conn| store::debarments(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let today = today(&context);
    let page = Page::cut(found, limit, &question, |(debarment, _)| {
        vec![debarment.decision.from.to_string(), debarment.id.to_string()]
    })
    .map(|record| DebarmentView::of(record, today));
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    response.insert_header((
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"debarments.csv\""),
    ));
    Ok(response
        .content_type("text/csv; charset=utf-8")
        .body(table(&page.items)?))
}

fn table(items: &[DebarmentView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "organisation_id",
        "name_zh",
        "name_en",
        "credit_code",
        "from",
        "until",
        "reason_zh",
        "reason_en",
        "document",
        "in_force",
        "lifted_on",
        "lift_reason_zh",
        "lift_reason_en",
    ];
    let rows = items.iter().map(|item| {
        let lifted = item.lifted.as_ref();
        [
            item.id.as_str(),
            item.organisation_id.as_str(),
            &item.name_zh,
            &item.name_en,
            item.credit_code.as_deref().unwrap_or_default(),
            &item.from,
            &item.until,
            &item.reason_zh,
            &item.reason_en,
            &item.document,
            if item.in_force { "true" } else { "false" },
            lifted.map_or("", |lifted| &lifted.on),
            lifted.map_or("", |lifted| &lifted.reason_zh),
            lifted.map_or("", |lifted| &lifted.reason_en),
        ]
    });
    Ok(csv_table(&columns, rows)?)
}

/// Record a debarment
///
/// Everyone may read it from then on. Debarments of one supplier may overlap; each counts for itself.
#[utoipa::path(
    operation_id = "record_debarment",
    tag = "organisations",
    request_body = NewDebarment,
    responses(
        (status = 201, description = "The debarment", body = DebarmentView, headers(("Location" = String, description = "Where the debarment is"))),
        (status = 404, description = "There is no such organisation"),
        (status = 409, description = "`debarment_no_public_supplier`"),
    ),
    extensions(("x-action" = json!("DebarSupplier"))),
)]
#[post("/debarments")]
async fn record_one(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DebarSupplier, Matter::default())?;
    let body = incoming.json::<NewDebarment>().await?;
    let new = body.value;
    let command = RecordDebarment {
        organisation_id: new.organisation_id,
        entered: Entered {
            from: new.from,
            until: new.until,
            reason_zh: new.reason_zh,
            reason_en: new.reason_en,
            document: new.document,
        },
        zone: context.calendar.zone,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let record = acts::record(tx, &by, &command)?;
            let location = format!("/api/v1/debarments/{}", record.0.id);
            let view = DebarmentView::of(record, local_date(tx.now(), command.zone));
            Ok(Reply::json(201, &view)?.location(location))
        })
        .await
}

/// Read a debarment
#[utoipa::path(
    operation_id = "read_debarment",
    tag = "organisations",
    params(("id" = DebarmentId, Path, description = "The debarment")),
    responses(
        (status = 200, description = "The debarment", body = DebarmentView),
        (status = 404, description = "There is no such debarment"),
    ),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/debarments/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let id: DebarmentId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let record = context
        .db
        .glance(move |conn| store::debarment(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(DebarmentView::of(record, today(&context))))
}

/// Lift a debarment
///
/// It does not hold any more from today on; the record stays, with the reason.
#[utoipa::path(
    operation_id = "lift_debarment",
    tag = "organisations",
    params(("id" = DebarmentId, Path, description = "The debarment")),
    request_body = NewLifting,
    responses(
        (status = 200, description = "The debarment as it is now", body = DebarmentView),
        (status = 404, description = "There is no such debarment"),
        (status = 409, description = "`debarment_ended`"),
    ),
    extensions(("x-action" = json!("DebarSupplier"))),
)]
#[post("/debarments/{id}/lifting")]
async fn lift(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DebarSupplier, Matter::default())?;
    let body = incoming.json::<NewLifting>().await?;
    let command = LiftDebarment {
        id: id.parse().map_err(|_| NOT_FOUND.refuse())?,
        reason_zh: body.value.reason_zh,
        reason_en: body.value.reason_en,
        zone: context.calendar.zone,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let record = acts::lift(tx, &by, &command)?;
            let view = DebarmentView::of(record, local_date(tx.now(), command.zone));
            Ok(Reply::json(200, &view)?)
        })
        .await
}

/// Read a supplier's public page
///
/// What everyone may know of an organisation that takes on public services.
#[utoipa::path(
    operation_id = "read_supplier",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The supplier")),
    responses(
        (status = 200, description = "The supplier", body = SupplierPage),
        (status = 404, description = "There is no such supplier, or it is not public"),
    ),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/suppliers/{id}")]
async fn supplier(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let id = parsed(&id)?;
    let today = today(&context);
    let page = context
        .db
        .read(move |conn| {
            let organisation = store_organisations::organisation(conn, &id)?
                .filter(|found| found.public_at.is_some() && found.kind.may_supply())
                .ok_or_else(|| NOT_FOUND.refuse())?;
            let verified = [State::Verified];
            let qualifications =
                store_qualifications::qualifications(conn, &id, &verified, None, QUALIFICATIONS_MAX)?;
            let filter = |in_force_on| DebarmentFilter {
                organisation: Some(id.clone()),
                in_force_on,
                after: None,
            };
            let debarments = store::debarments(conn, &filter(None), DEBARMENTS_SHOWN_MAX)?;
            let debarred = !store::debarments(conn, &filter(Some(today)), 1)?.is_empty();
            Ok(SupplierPage {
                organisation: OrganisationView::of(&organisation, &Actor::public()),
                debarred,
                qualifications: qualifications
                    .into_iter()
                    .map(|one| QualificationView::of(one, today, false))
                    .collect(),
                debarments: debarments
                    .into_iter()
                    .map(|record| DebarmentView::of(record, today))
                    .collect(),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(page))
}
