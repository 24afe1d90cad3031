//! Inspections over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::{attached, parsed};
use crate::contracts::acts_inspections as acts;
use crate::contracts::desk;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::{InspectionId, Measurement, NewInspection, NewItem};
use crate::contracts::rules_inspections_document::InspectionDocument;
use crate::contracts::rules_plans::InspectionPlanId;
use crate::contracts::store_inspections::{self as store, InspectionFilter};
use crate::contracts::view_inspections::{self as view, InspectionView, SummaryView};
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::standards::rules_units::Unit;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(record)
        .service(list)
        .service(read)
        .service(read_content)
        .service(annul);
}

/// Something that was inspected.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspectionItem, example = json!({
    "indicator": "cigarette_ends", "value": "7", "unit": "piece", "sample_area_m2": "1000", "note": null, "photos": []
}))]
pub struct ItemBody {
    /// The code of the indicator: one of the contract's.
    #[schema(max_length = 40)]
    indicator: String,
    /// How much was measured, an exact decimal; a time of day as `07:42`.
    #[schema(pattern = "^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$")]
    value: String,
    /// In which unit: that of the indicator if it is left out, or what is counted where a sample is given.
    #[serde(default)]
    unit: Option<Unit>,
    /// For what is so many on 1000 m² and was counted on a sample: how many square metres that has.
    #[serde(default)]
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$")]
    sample_area_m2: Option<String>,
    /// What there is to say of it.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Photos that you have uploaded and not used yet; 50 in the whole inspection at most.
    #[serde(default)]
    #[schema(max_items = 50)]
    photos: Vec<AttachmentId>,
}

/// An inspection to be recorded.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspection, example = json!({
    "source": "daily_inspection", "plan_id": null, "stop": null, "place": 1, "location": "梧桐大道 12 号门前", "grade": "class_1",
    "started_at": "2026-05-08T01:00:00Z", "photos_are_public": false, "note": null,
    "items": [{"indicator": "cigarette_ends", "value": "7", "unit": "piece", "sample_area_m2": "1000", "note": null, "photos": []}]
}))]
pub struct NewBody {
    /// The code of the source of the period's score to which it counts: which kind of inspection it is.
    #[schema(max_length = 20)]
    source: String,
    /// The plan whose stop was inspected; without one it was unannounced.
    #[serde(default)]
    plan_id: Option<InspectionPlanId>,
    /// The stop of that plan.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50)]
    stop: Option<i64>,
    /// The number of the lot's place, from 1; that of the stop if it is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    place: Option<i64>,
    /// Where exactly; needed where no place is given. Everybody reads it.
    #[serde(default)]
    #[schema(max_length = 200)]
    location: Option<String>,
    /// The grade of the place; needed where the standard tells grades apart and no stop says it.
    #[serde(default)]
    #[schema(max_length = 40)]
    grade: Option<String>,
    /// When it began. The period follows from its day in the ward.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    started_at: Instant,
    /// True if everybody may see the photos; otherwise the parties and auditors. Photos show streets, and at times people.
    #[serde(default)]
    photos_are_public: bool,
    /// What was inspected. An indicator that was not inspected does not count.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemBody>,
    /// What there is to say of the whole.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: Option<String>,
}

impl From<&NewBody> for NewInspection {
    fn from(body: &NewBody) -> Self {
        let item = |item: &ItemBody| NewItem {
            indicator: item.indicator.clone(),
            measured: Measurement {
                value: item.value.clone(),
                unit: item.unit,
                sample_area_m2: item.sample_area_m2.clone(),
            },
            note: item.note.clone(),
            photos: item.photos.clone(),
        };
        Self {
            source: body.source.clone(),
            place: body.place,
            location: body.location.clone(),
            grade: body.grade.clone(),
            started_at: body.started_at,
            photos_are_public: body.photos_are_public,
            items: body.items.iter().map(item).collect(),
            note: body.note.clone(),
        }
    }
}

/// Why an inspection does not count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspectionAnnulment, example = json!({"reason": "地点记错，另行记录"}))]
pub struct AnnulmentBody {
    /// Why. Everybody reads it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Record an inspection
///
/// By the buyer's officer, of a stop that was drawn or unannounced. Each value is held against the indicator that the contract fixed; points and the score
/// follow by exact arithmetic. What is recorded is public at once and never changed: a mistake is annulled by an approver, and recorded anew.
#[utoipa::path(
    operation_id = "record_inspection",
    tag = "inspections",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = NewBody,
    responses(
        (status = 201, description = "The inspection", body = InspectionView),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_without_periods`, `contract_terminated`, `inspection_stop_done`, `inspection_too_many`, `calendar_ends`, `rule_not_set`, `attachment_unknown`, `attachment_already_attached`, `attachment_type_not_for_use`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("RecordInspection"))),
)]
#[post("/contracts/{id}/inspections")]
async fn record(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::RecordInspection)?;
    let body = incoming.json::<NewBody>().await?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let new = NewInspection::from(&body.value);
    let planned = match (body.value.plan_id, body.value.stop) {
        (Some(plan), Some(stop)) => Some((plan, stop)),
        (None, None) => None,
        (Some(_), None) => return Err(INVALID.because(together()).at("/stop").into()),
        (None, Some(_)) => return Err(INVALID.because(together()).at("/plan_id").into()),
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let of_plan = planned.as_ref().map(|(plan, stop)| (plan, *stop));
            let seen = acts::record(tx, by, &id, (&new, of_plan), &asked.calendar)?;
            let location = format!("/api/v1/inspections/{}", seen.inspection.document.inspection_id);
            let shown = view::inspection(tx.conn(), by, seen)?;
            Ok(Reply::json(201, &shown)?.location(location))
        })
        .await
}

fn together() -> Text {
    Text::fixed(
        "抽查计划与检查点须同时填写",
        "a plan and its stop are given together",
    )
}

/// List the inspections of a contract
///
/// The one recorded last first, those that were annulled among them. As CSV with `Accept: text/csv`: the same page as a table.
#[utoipa::path(
    operation_id = "list_inspections",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("period" = Option<i64>, Query, minimum = 1, maximum = 120, description = "Of this period"),
        ("source" = Option<String>, Query, max_length = 20, description = "Of this source"),
        ("is_annulled" = Option<bool>, Query, description = "True: those that were annulled; false: those that hold"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (Page<SummaryView> = "application/json"),
            (String = "text/csv", example = "id,contract_id,period,source,plan_id,stop,place,location,grade,inspected_on,recorded_at,items,score_recorded,score,contests,contests_open,is_annulled\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/inspections")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let period = query.parsed::<i64>("period");
    let source = query.text("source");
    let is_annulled = query.one_of("is_annulled", &[("true", true), ("false", false)]);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "inspections",
        id.as_str(),
        &period.map(|number| number.to_string()).unwrap_or_default(),
        source.as_deref().unwrap_or_default(),
        is_annulled.map_or("", |is| if is { "annulled" } else { "holding" }),
    ]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let filter = InspectionFilter {
        period,
        source,
        is_annulled,
        before,
    };
    let max = i64::from(limit).saturating_add(1);
    let views = context
        .db
        .read(move |conn| {
            desk::signed(conn, &id)?;
            let mut views = Vec::new();
            for inspection in store::of_contract(conn, &id, &filter, max)? {
                views.push(view::summary(conn, inspection)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &SummaryView| {
        vec![one.id.to_string()]
    });
    if format == Format::Json {
        return Ok(page.answer(&request));
    }
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    Ok(attached(response, "inspections.csv", table(&page.items)?))
}

fn table(items: &[SummaryView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "contract_id",
        "period",
        "source",
        "plan_id",
        "stop",
        "place",
        "location",
        "grade",
        "inspected_on",
        "recorded_at",
        "items",
        "score_recorded",
        "score",
        "contests",
        "contests_open",
        "is_annulled",
    ];
    fn or_nothing<T: ToString>(value: Option<&T>) -> String {
        value.map(T::to_string).unwrap_or_default()
    }
    let row = |item: &SummaryView| {
        [
            item.id.to_string(),
            item.contract_id.to_string(),
            item.period.to_string(),
            item.source.clone(),
            or_nothing(item.plan_id.as_ref()),
            or_nothing(item.stop.as_ref()),
            or_nothing(item.place.as_ref()),
            or_nothing(item.location.as_ref()),
            or_nothing(item.grade.as_ref()),
            item.inspected_on.to_string(),
            item.recorded_at.clone(),
            item.items.to_string(),
            or_nothing(item.score_recorded.as_ref()),
            or_nothing(item.score.as_ref()),
            item.contests.to_string(),
            item.contests_open.to_string(),
            item.is_annulled.to_string(),
        ]
    };
    let rows: Vec<[String; 17]> = items.iter().map(row).collect();
    Ok(csv_table(
        &columns,
        rows.iter().map(|row| row.each_ref().map(String::as_str)),
    )?)
}

/// Read an inspection
///
/// What was recorded, what is contested of it, and what it scores with the contests that were decided.
#[utoipa::path(
    operation_id = "read_inspection",
    tag = "inspections",
    params(("id" = InspectionId, Path, description = "The inspection")),
    responses(
        (status = 200, description = "The inspection", body = InspectionView),
        (status = 404, description = "There is no such inspection"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/inspections/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<InspectionId>(&id)?;
    let found = context
        .db
        .read(move |conn| {
            let seen = acts::seen(conn, &id)?;
            view::inspection(conn, &actor, seen)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Read the record of an inspection
///
/// The bytes whose hash the log has.
#[utoipa::path(
    operation_id = "read_inspection_content",
    tag = "inspections",
    params(
        ("id" = InspectionId, Path, description = "The inspection"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The record", body = InspectionDocument, headers(("ETag" = String, description = "It never changes"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such inspection"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/inspections/{id}/content")]
async fn read_content(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<InspectionId>(&id)?;
    let seen = context.db.read(move |conn| acts::seen(conn, &id)).await?;
    let etag = conditional::etag(1);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response
        .content_type("application/json")
        .body(seen.inspection.content))
}

/// Annul an inspection
///
/// By the buyer's approver, who is not the inspector, with the reason. It stays readable, counts for nothing, and frees the stop of its plan for another.
#[utoipa::path(
    operation_id = "annul_inspection",
    tag = "inspections",
    params(("id" = InspectionId, Path, description = "The inspection")),
    request_body = AnnulmentBody,
    responses(
        (status = 200, description = "The inspection as it is now", body = InspectionView),
        (status = 404, description = "There is no such inspection"),
        (status = 409, description = "`inspection_annulled`"),
    ),
    extensions(("x-action" = json!("AnnulInspection"))),
)]
#[post("/inspections/{id}/annulment")]
async fn annul(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AnnulInspection)?;
    let body = incoming.json::<AnnulmentBody>().await?;
    let (id, reason) = (parsed::<InspectionId>(&id)?, body.value.reason);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts::annul(tx, by, &id, &reason)?;
            let shown = view::inspection(tx.conn(), by, seen)?;
            Ok(Reply::json(200, &shown)?)
        })
        .await
}
