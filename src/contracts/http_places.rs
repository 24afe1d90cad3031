//! Served places over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_defects::Category;
use crate::contracts::rules_places::{NewPlace, PlaceCode, PlaceRef, ServedPlace, ServedPlaceId};
use crate::contracts::{acts_places as acts, desk, desk_defects, store_places};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::print::{Block, Code, Document, Tongue};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(make)
        .service(list)
        .service(print)
        .service(read)
        .service(renew)
        .service(retire);
}

/// A place that is to have a code.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServedPlace, example = json!({"number": 1, "grade": null, "area_id": null}))]
pub struct NewPlaceBody {
    /// Which of the places of the contract's lot, from 1.
    #[schema(minimum = 1, maximum = 100)]
    number: i64,
    /// Which grade of the standard it is; `null` where that has none. Where time limits differ by grade, none runs without it.
    #[serde(default)]
    #[schema(max_length = 40)]
    grade: Option<String>,
    /// In which area it lies, for lists that ask by area.
    #[serde(default)]
    area_id: Option<AreaId>,
}

/// Places that are to have codes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServedPlaces, example = json!({"places": [{"number": 1, "grade": null, "area_id": null}]}))]
pub struct NewPlacesBody {
    /// Each once.
    #[schema(max_items = 100)]
    places: Vec<NewPlaceBody>,
}

/// A served place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedPlace, example = json!({
    "id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "name_zh": "梧桐大道公厕",
    "name_en": "Toilet of Wutong Avenue", "grade": null, "area_id": null, "is_in_use": true, "code": null, "revision": 1,
    "changed_at": "2026-05-04T02:00:00.000000Z"
}))]
pub struct PlaceView {
    /// Its id.
    pub id: ServedPlaceId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Which of the places of the contract's lot.
    pub number: i64,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// Which grade of the standard it is.
    pub grade: Option<String>,
    /// In which area it lies.
    pub area_id: Option<AreaId>,
    /// Whether it has a code.
    pub is_in_use: bool,
    /// The code, for the buyer's officers.
    pub code: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When its code was made, renewed or retired last, UTC.
    pub changed_at: String,
}

impl PlaceView {
    fn of(place: ServedPlace, shows_code: bool) -> Self {
        let code = place.code.as_ref().map(PlaceCode::grouped);
        Self {
            id: place.id,
            contract_id: place.contract_id,
            number: place.number,
            name_zh: place.name_zh,
            name_en: place.name_en,
            grade: place.grade,
            area_id: place.area_id,
            is_in_use: code.is_some(),
            code: code.filter(|_| shows_code),
            revision: place.revision,
            changed_at: rfc3339(place.changed_at),
        }
    }
}

/// The places of a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedPlaces, example = json!({"items": []}))]
pub struct PlacesView {
    /// In the order of the contract's lot.
    #[schema(max_items = 100)]
    pub items: Vec<PlaceView>,
}

/// What can be reported.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectCategory, example = json!({"code": "rain_water", "name_zh": "雨后积水", "name_en": "Rain water"}))]
pub struct CategoryView {
    /// The code of an indicator of the standard, or `other`.
    pub code: String,
    /// In Chinese.
    pub name_zh: String,
    /// In English.
    pub name_en: String,
}

impl From<Category> for CategoryView {
    fn from(category: Category) -> Self {
        Self {
            code: category.code,
            name_zh: category.name_zh,
            name_en: category.name_en,
        }
    }
}

/// A place, and what can be reported there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportingPlace, example = json!({
    "place": {"id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "name_zh": "梧桐大道公厕",
        "name_en": "Toilet of Wutong Avenue", "grade": null, "area_id": null, "is_in_use": true, "code": null, "revision": 1,
        "changed_at": "2026-05-04T02:00:00.000000Z"},
    "title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street",
    "categories": [{"code": "other", "name_zh": "其他问题", "name_en": "Something else"}]
}))]
pub struct ReportingPlaceView {
    /// The place.
    pub place: PlaceView,
    /// The title of the contract's book in Chinese.
    pub title_zh: String,
    /// The title of the contract's book in English.
    pub title_en: String,
    /// What can be reported there.
    #[schema(max_items = 301)]
    pub categories: Vec<CategoryView>,
}

/// Give places codes
///
/// By the buyer's officer: places of a signed contract's lot get a code that is put up on them, by which everybody who stands there may report what is wrong. A
/// place whose code was retired gets a new one.
#[utoipa::path(
    operation_id = "make_served_places",
    tag = "defects",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = NewPlacesBody,
    responses(
        (status = 201, description = "The places with their codes", body = PlacesView),
        (status = 404, description = "There is no such signed contract"),
        (status = 409, description = "`served_place_in_use`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("KeepServedPlaces"))),
)]
#[post("/contracts/{id}/served-places")]
async fn make(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepServedPlaces)?;
    let body = incoming.json::<NewPlacesBody>().await?;
    let id = parsed::<ContractId>(&id)?;
    let new: Vec<NewPlace> = body
        .value
        .places
        .into_iter()
        .map(|place| NewPlace {
            number: place.number,
            grade: place.grade,
            area_id: place.area_id,
        })
        .collect();
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let made = acts::make(tx, by, &id, &new)?;
            let items = made.into_iter().map(|place| PlaceView::of(place, true)).collect();
            let location = format!("/api/v1/contracts/{id}/served-places");
            Ok(Reply::json(201, &PlacesView { items })?.location(location))
        })
        .await
}

/// List the served places of a contract
///
/// For everybody; codes are shown to the buyer's officers alone.
#[utoipa::path(
    operation_id = "list_served_places",
    tag = "defects",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", body = PlacesView),
        (status = 404, description = "There is no such signed contract"),
    ),
    extensions(("x-action" = json!("ReadServedPlaces"))),
)]
#[get("/contracts/{id}/served-places")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadServedPlaces, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let view = context
        .db
        .read(move |conn| {
            let signed = desk::signed(conn, &id)?;
            let keeps = policy::allows(&actor, Action::KeepServedPlaces, signed.of_buyer());
            let places = store_places::of_contract(conn, &id)?.into_iter();
            Ok(PlacesView {
                items: places.map(|place| PlaceView::of(place, keeps)).collect(),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Print the codes of a contract
///
/// By the buyer's officer: a sheet of QR codes to be cut out and put up, in Chinese, in English, or in both.
#[utoipa::path(
    operation_id = "print_served_places",
    tag = "defects",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("lang" = Option<String>, Query, pattern = "^(zh-CN|zh|en|both)$", description = "In Chinese, in English, or in both, as usual", example = "both"),
    ),
    responses(
        (status = 200, description = "The sheet, to be printed", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "There is no such signed contract"),
    ),
    extensions(("x-action" = json!("KeepServedPlaces"))),
)]
#[get("/contracts/{id}/served-places/print")]
async fn print(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepServedPlaces)?;
    let mut query = Query::of(&request);
    let tongue = query.one_of("lang", &Tongue::NAMED);
    query.finish()?;
    let id = parsed::<ContractId>(&id)?;
    let (places, title) = context
        .db
        .read(move |conn| {
            let places = acts::to_print(conn, &actor, &id)?;
            let document = desk::signed(conn, &id)?.document;
            Ok((places, Text::made(document.title_zh, document.title_en)))
        })
        .await?;
    let mut blocks = vec![Block::Paragraph(Text::fixed(
        "沿虚线剪下，张贴于对应地点。扫码或输入代码即可报告问题，无需账户。",
        "Cut along the lines and put each up at its place. Whoever scans or types it can report what is wrong, without an account.",
    ))];
    for place in places {
        let Some(code) = &place.code else { continue };
        let url = &context.settings.public_url;
        let link = format!("{url}{}", code.path());
        let hint = text!(
            "发现问题请扫码报告，或打开 {url}/r/ 加下列代码",
            "Something wrong here? Scan this, or open {url}/r/ with this code"
        );
        blocks.push(Block::Code(Code::of(&link, place.name(), hint, code.grouped())?));
    }
    let document = Document {
        kind: Text::fixed("报修码", "Codes for reports"),
        title,
        blocks,
    };
    let mut response = document.answer(&context.settings.ward, tongue.unwrap_or(Tongue::Both))?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Read what can be reported at a place
///
/// By its code, or by its id.
#[utoipa::path(
    operation_id = "read_served_place",
    tag = "defects",
    params(("place" = String, Path, max_length = 60, description = "The code that is put up at the place, or the place's id", example = "7ZQK2-M4V9X")),
    responses(
        (status = 200, description = "The place", body = ReportingPlaceView),
        (status = 404, description = "No place has this code, or it was renewed or retired"),
    ),
    extensions(("x-action" = json!("ReadServedPlaces"))),
)]
#[get("/served-places/{place}")]
async fn read(context: Shared, actor: Actor, place: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadServedPlaces, Matter::default())?;
    let meant = parsed::<PlaceRef>(&place)?;
    let view = context
        .db
        .read(move |conn| {
            let (place, known) = desk_defects::place(conn, &meant)?;
            let keeps = policy::allows(&actor, Action::KeepServedPlaces, known.signed.of_buyer());
            let categories = known.categories().into_iter().map(CategoryView::from).collect();
            Ok(ReportingPlaceView {
                place: PlaceView::of(place, keeps),
                title_zh: known.signed.document.title_zh.clone(),
                title_en: known.signed.document.title_en.clone(),
                categories,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

fn replied(place: ServedPlace) -> Answer<Reply> {
    let etag = conditional::etag(place.revision);
    Ok(Reply::json(200, &PlaceView::of(place, true))?.etag(etag))
}

/// Give a place another code
///
/// By the buyer's officer; the code before leads nowhere from then on. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "renew_served_place",
    tag = "defects",
    params(
        ("id" = ServedPlaceId, Path, description = "The place"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The place with its new code", body = PlaceView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such place"),
        (status = 409, description = "`served_place_retired`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepServedPlaces"))),
)]
#[post("/served-places/{id}/renewal")]
async fn renew(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepServedPlaces)?;
    let (id, expected) = (parsed::<ServedPlaceId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            replied(acts::renew(tx, by, (&id, expected))?)
        })
        .await
}

/// Retire the code of a place
///
/// By the buyer's officer: nobody can report by it any more. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "retire_served_place",
    tag = "defects",
    params(
        ("id" = ServedPlaceId, Path, description = "The place"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The place without a code", body = PlaceView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such place"),
        (status = 409, description = "`served_place_retired`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepServedPlaces"))),
)]
#[post("/served-places/{id}/retirement")]
async fn retire(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepServedPlaces)?;
    let (id, expected) = (parsed::<ServedPlaceId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            replied(acts::retire(tx, by, (&id, expected))?)
        })
        .await
}
