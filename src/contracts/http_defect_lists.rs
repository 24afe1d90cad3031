//! Defects over HTTP, listed and counted: no SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::desk::{attached, one_more, parsed};
use crate::contracts::desk_defects as desk;
use crate::contracts::http_defect_views::{DayView, DefectView, shown};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_defects::{DefectId, State};
use crate::contracts::rules_places::ServedPlaceId;
use crate::contracts::store_defects::{self as store, DefectFilter};
use crate::contracts::{desk as contracts, store_defect_reports};
use crate::kernel::local_day::{end_of_day, local_date, start_of_day};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Refusal};
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Day;
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(statistics).service(intake);
}

/// How many defects are in a state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectStateCount, example = json!({"state": "confirmed", "count": 12}))]
pub struct CountView {
    /// The state.
    pub state: State,
    /// How many.
    pub count: i64,
}

/// How a contract stands with its defects.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectStatistics, example = json!({
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "from": "2026-05-01", "until": "2026-05-31",
    "states": [{"state": "confirmed", "count": 12}], "in_time": 11, "late": 1, "running": 2, "response": "91.67"
}))]
pub struct StatisticsView {
    /// Of which contract.
    pub contract_id: ContractId,
    /// The first day whose calls are counted.
    #[schema(value_type = String)]
    pub from: NaiveDate,
    /// The last one.
    #[schema(value_type = String)]
    pub until: NaiveDate,
    /// How many defects of the contract are in which state now.
    #[schema(max_items = 8)]
    pub states: Vec<CountView>,
    /// Calls due in the time that were answered in time, and whose fix has held so far.
    pub in_time: u32,
    /// Calls due in the time that were answered late, not at all, or by a fix that did not hold.
    pub late: u32,
    /// Calls due in the time that still run.
    pub running: u32,
    /// The share that was answered in time, × 100, half up to two decimals; `null` if nothing was due.
    pub response: Option<Score>,
}

/// List defects
///
/// For everybody those that their contractors were told of, the one reported last first; for the buyer's people those of their contracts that wait, too. As CSV
/// with `Accept: text/csv`: the same page as a table, without words.
#[utoipa::path(
    operation_id = "list_defects",
    tag = "defects",
    params(
        ("contract_id" = Option<ContractId>, Query, description = "Of this contract"),
        ("place_id" = Option<ServedPlaceId>, Query, description = "At this place"),
        ("area_id" = Option<AreaId>, Query, description = "At places in this area"),
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("overdue" = Option<bool>, Query, description = "Only those that the contractor is late with, or only the others"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<DefectView> = "application/json"),
        (String = "text/csv", example = "id,contract_id,place_id,place_zh,place_en,category,state,reports_count,reported_at,due_at,is_overdue,rounds,closed_at\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadDefects"))),
)]
#[get("/defects")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDefects, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let contract = query.parsed::<ContractId>("contract_id");
    let place = query.parsed::<ServedPlaceId>("place_id");
    let area = query.parsed::<AreaId>("area_id");
    let category = query.text("category");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let is_overdue = query.one_of("overdue", &[("true", true), ("false", false)]);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "defects",
        contract.as_ref().map_or("", ContractId::as_str),
        place.as_ref().map_or("", ServedPlaceId::as_str),
        area.as_ref().map_or("", AreaId::as_str),
        category.as_deref().unwrap_or_default(),
        state.map_or("", State::name),
        is_overdue.map_or("", |late| if late { "true" } else { "false" }),
    ]);
    let before = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([at, id]) => Some(place_of(at, id).ok_or_else(bad_cursor)?),
        _ => None,
    };
    let own = actor
        .grants()
        .iter()
        .filter_map(|grant| grant.organisation.clone());
    let opens = |one: &_| policy::allows(&actor, Action::OpenDefects, Matter::of_organisation(one));
    let filter = DefectFilter {
        contract,
        place,
        area,
        category,
        state,
        is_overdue,
        buyers: own.filter(opens).collect(),
        is_all: policy::allows(&actor, Action::OpenDefects, Matter::default()),
        before,
    };
    let now = context.clock.now();
    let views = context
        .db
        .read(move |conn| {
            let found = store::list(conn, &filter, now, one_more(limit))?;
            let found = found.into_iter().map(|defect| defect.as_of(now)).collect();
            shown(conn, &actor, found, now)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &DefectView| {
        vec![one.reported_at.clone(), one.id.to_string()]
    });
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    Ok(attached(response, "defects.csv", table(&page.items)?))
}

fn place_of(at: &str, id: &str) -> Option<(NaiveDateTime, DefectId)> {
    let at = DateTime::parse_from_rfc3339(at).ok()?.naive_utc();
    Some((at, id.parse().ok()?))
}

fn table(items: &[DefectView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "contract_id",
        "place_id",
        "place_zh",
        "place_en",
        "category",
        "state",
        "reports_count",
        "reported_at",
        "due_at",
        "is_overdue",
        "rounds",
        "closed_at",
    ];
    let numbers: Vec<[String; 2]> = items
        .iter()
        .map(|item| [item.reports_count.to_string(), item.rounds.len().to_string()])
        .collect();
    let rows = items.iter().zip(&numbers).map(|(item, [reports, rounds])| {
        [
            item.id.as_str(),
            item.contract_id.as_str(),
            item.place_id.as_str(),
            &item.place_zh,
            &item.place_en,
            &item.category.code,
            item.state.name(),
            reports,
            &item.reported_at,
            item.due_at.as_deref().unwrap_or_default(),
            if item.is_overdue { "true" } else { "false" },
            rounds,
            item.closed_at.as_deref().unwrap_or_default(),
        ]
    });
    Ok(csv_table(&columns, rows)?)
}

/// Read how a contract stands with its defects
///
/// For everybody: how many are in which state, and what came of the calls to the contractor that were due in a time; usually this month so far.
#[utoipa::path(
    operation_id = "read_defect_statistics",
    tag = "defects",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("from" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "The first day whose calls are counted; the first of the month without it", example = "2026-05-01"),
        ("until" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "The last one; today without it", example = "2026-05-31"),
    ),
    responses(
        (status = 200, description = "The statistics", body = StatisticsView),
        (status = 404, description = "There is no such signed contract"),
        (status = 422, description = "The time ends before it begins"),
    ),
    extensions(("x-action" = json!("ReadDefects"))),
)]
#[get("/contracts/{id}/defects/statistics")]
async fn statistics(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDefects, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let (from, until) = (query.parsed::<Day>("from"), query.parsed::<Day>("until"));
    query.finish()?;
    let (now, zone) = (context.clock.now(), context.calendar.zone);
    let until = until.map_or_else(|| local_date(now, zone), |day| day.0);
    let from = from.map_or_else(|| first_of_month(until), |day| day.0);
    let reversed = || {
        let detail = Text::fixed("结束不得早于开始", "must not lie before the beginning");
        INVALID.because(detail).at("?until")
    };
    let day_lost = |_| -> Refusal {
        INVALID
            .because(Text::fixed("没有这一天", "there is no such day"))
            .at("?from")
    };
    if until < from {
        return Err(reversed().into());
    }
    let time = (
        start_of_day(from, zone).map_err(day_lost)?,
        end_of_day(until, zone).map_err(day_lost)?,
    );
    let of = id.clone();
    let found = context
        .db
        .read(move |conn| desk::statistics(conn, &of, time, now))
        .await?;
    let states = found
        .states
        .into_iter()
        .filter(|(state, _)| state.is_open() || state.is_public());
    Ok(HttpResponse::Ok().json(StatisticsView {
        contract_id: id,
        from,
        until,
        states: states.map(|(state, count)| CountView { state, count }).collect(),
        in_time: found.calls.in_time,
        late: found.calls.late,
        running: found.calls.running,
        response: found.response,
    }))
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    use chrono::Datelike;
    day.with_day(1).unwrap_or(day)
}

/// Read how much is reported
///
/// For the buyer's people and auditors: what came for the places of a contract day by day, the last day first, with what was refused, joined, only counted and
/// hidden, so that a flood is seen.
#[utoipa::path(
    operation_id = "list_defect_intake",
    tag = "defects",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<DayView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such signed contract, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("OpenDefects"))),
)]
#[get("/contracts/{id}/defects/intake")]
async fn intake(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenDefects)?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["defect-intake", id.as_str()]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([day, place]) => {
            let parts = day.parse::<Day>().ok().zip(place.parse::<ServedPlaceId>().ok());
            let (day, place) = parts.ok_or_else(bad_cursor)?;
            Some((day.0, place))
        }
        _ => None,
    };
    let days = context
        .db
        .read(move |conn| {
            let signed = contracts::signed(conn, &id)?;
            if !policy::allows(&actor, Action::OpenDefects, signed.of_buyer()) {
                return Err(NOT_FOUND.refuse().into());
            }
            store_defect_reports::days(conn, &id, after.as_ref(), one_more(limit))
        })
        .await?;
    let views = days.into_iter().map(|(place_id, day, counts)| DayView {
        place_id,
        day,
        taken: counts.taken,
        joined: counts.joined,
        only_counted: counts.only_counted,
        refused: counts.refused,
        hidden: counts.hidden,
    });
    let page = Page::cut(views.collect(), limit, &question, |one: &DayView| {
        vec![one.day.to_string(), one.place_id.to_string()]
    });
    Ok(page.answer(&request))
}
