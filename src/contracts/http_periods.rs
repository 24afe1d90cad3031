//! The periods of contracts over HTTP, and what they score: parse, call one query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::books::rules_documents::{AdvanceRecovery, PeriodKind, SourceDocument, SourceKind};
use crate::budget::desk::{attached, parsed};
use crate::contracts::acts_periods as acts;
use crate::contracts::acts_variations::priced;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_periods::State;
use crate::contracts::rules_source_scores::{SourceScore, State as ScoreState};
use crate::contracts::rules_variation_bounds::Priced;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(read).service(read_scores);
}

/// A period of a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractPeriod, example = json!({
    "number": 1, "first_day": "2026-05-01", "last_day": "2026-05-31", "amount": {"amount": "68883.33", "currency": "CNY"},
    "price_now": {"amount": "68883.33", "currency": "CNY"}, "state": "running"
}))]
pub struct PeriodView {
    /// Its number, from 1.
    #[schema(minimum = 1, maximum = 120)]
    pub number: i64,
    /// Its first day, a local date of the ward.
    #[schema(value_type = String)]
    pub first_day: NaiveDate,
    /// Its last day: that of the contract, if that was ended in the middle of it.
    #[schema(value_type = String)]
    pub last_day: NaiveDate,
    /// What of the original price belongs to it, before anything is taken off; nothing of it to a period that a variation has added.
    pub amount: Money,
    /// The same with what concluded variations have added to it, or taken from it. What is paid after a termination is its settlement, and not this.
    pub price_now: Money,
    /// Whether it has begun, and whether it is over; `cancelled` if the contract was ended before it began.
    pub state: State,
}

impl PeriodView {
    fn of(
        Priced {
            period, price_now, ..
        }: Priced,
        today: NaiveDate,
        ended_on: Option<NaiveDate>,
    ) -> Self {
        let last = period.span.last;
        let (state, was_begun) = (period.state_until(today, ended_on), |end: &NaiveDate| {
            period.span.first <= *end
        });
        Self {
            number: period.number,
            first_day: period.span.first,
            last_day: ended_on.filter(was_begun).map_or(last, |end| end.min(last)),
            amount: period.amount,
            price_now,
            state,
        }
    }
}

/// The periods of a contract. Advance, retention and all periods add up to the price; without the advance, where the periods take it back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractPeriods, example = json!({
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "price": {"amount": "826600.00", "currency": "CNY"}, "kind": "month",
    "advance": {"amount": "0.00", "currency": "CNY"}, "advance_recovery": "part_of_price", "retention": {"amount": "0.00", "currency": "CNY"},
    "items": [{"number": 1, "first_day": "2026-05-01", "last_day": "2026-05-31", "amount": {"amount": "68883.33", "currency": "CNY"},
        "price_now": {"amount": "68883.33", "currency": "CNY"}, "state": "running"}]
}))]
pub struct PeriodsView {
    /// The contract.
    pub contract_id: ContractId,
    /// Its price.
    pub price: Money,
    /// How long a period is; `null` if the contract has none, because its book names no schedule or no dates.
    #[schema(required = true)]
    pub kind: Option<PeriodKind>,
    /// What is paid before the work begins.
    #[schema(required = true)]
    pub advance: Option<Money>,
    /// How that comes back.
    #[schema(required = true)]
    pub advance_recovery: Option<AdvanceRecovery>,
    /// What is kept back until the end.
    #[schema(required = true)]
    pub retention: Option<Money>,
    /// The first one first.
    #[schema(max_items = 120)]
    pub items: Vec<PeriodView>,
}

/// List the periods of a contract
///
/// Made with the second signature. A month or a quarter begins on the day of the month on which the service does, or on the last of a shorter month. As CSV
/// with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_contract_periods",
    tag = "inspections",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", content(
            (PeriodsView = "application/json"),
            (String = "text/csv", example = "contract_id,number,first_day,last_day,amount,state\r\n")
        )),
        (status = 404, description = "There is no such contract, or it is not signed by both"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/periods")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    Query::of(&request).finish()?;
    let id = parsed::<ContractId>(&id)?;
    let today = local_date(context.clock.now(), context.calendar.zone);
    let (signed, schedule, periods) = context
        .db
        .read(move |conn| {
            let (signed, schedule) = acts::seen(conn, &id)?;
            let periods = priced(conn, &signed)?;
            Ok((signed, schedule, periods))
        })
        .await?;
    let ended_on = signed.contract.since.terminated_on;
    let payment = signed.document.lot.payment.as_ref();
    let view = PeriodsView {
        contract_id: signed.contract.id,
        price: signed.contract.price,
        kind: schedule.as_ref().map(|schedule| schedule.kind),
        advance: schedule.as_ref().map(|schedule| schedule.advance),
        advance_recovery: schedule
            .as_ref()
            .and(payment)
            .map(|payment| payment.advance_recovery),
        retention: schedule.as_ref().map(|schedule| schedule.retention),
        items: periods
            .into_iter()
            .map(|one| PeriodView::of(one, today, ended_on))
            .collect(),
    };
    if format == Format::Json {
        return Ok(HttpResponse::Ok().json(view));
    }
    Ok(attached(HttpResponse::Ok(), "periods.csv", table(&view)?))
}

fn table(view: &PeriodsView) -> Answer<Vec<u8>> {
    let columns = [
        "contract_id",
        "number",
        "first_day",
        "last_day",
        "amount",
        "state",
    ];
    let rows: Vec<[String; 6]> = view
        .items
        .iter()
        .map(|item| {
            [
                view.contract_id.to_string(),
                item.number.to_string(),
                item.first_day.to_string(),
                item.last_day.to_string(),
                item.amount.to_string(),
                item.state.name().to_owned(),
            ]
        })
        .collect();
    Ok(csv_table(
        &columns,
        rows.iter().map(|row| row.each_ref().map(String::as_str)),
    )?)
}

/// The number of a period, of a path.
fn number(text: &str) -> Answer<i64> {
    parsed::<i64>(text)
}

/// Read a period of a contract
#[utoipa::path(
    operation_id = "read_contract_period",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    responses(
        (status = 200, description = "The period", body = PeriodView),
        (status = 404, description = "There is no such contract or period"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/periods/{number}")]
async fn read(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, number(&path.1)?);
    let today = local_date(context.clock.now(), context.calendar.zone);
    let (found, ended_on) = context
        .db
        .read(move |conn| {
            let (signed, _) = acts::seen(conn, &id)?;
            let mut periods = priced(conn, &signed)?.into_iter();
            let found = periods.find(|one| one.period.number == number);
            Ok((found, signed.contract.since.terminated_on))
        })
        .await?;
    let found = found.ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(PeriodView::of(found, today, ended_on)))
}

/// What a source of a period's score gives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceScore, example = json!({
    "source": "daily_inspection", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily inspections", "weight": "50", "state": "provisional",
    "score": "89.45", "count": 3, "contests_open": 0
}))]
pub struct SourceScoreView {
    /// The code of the source.
    pub source: String,
    /// What it is.
    pub kind: SourceKind,
    /// In Chinese.
    pub name_zh: String,
    /// In English.
    pub name_en: String,
    /// Its weight in the period's score.
    pub weight: Weight,
    /// How far it is settled.
    pub state: ScoreState,
    /// The score, 0 to 100; `null` if there is no data. Of inspections, the mean of their scores, half up to two places.
    #[schema(required = true)]
    pub score: Option<Score>,
    /// Of how many inspections, ballots or reports it is made.
    pub count: u32,
    /// Contests that wait for a decision.
    pub contests_open: u32,
}

/// What a period scores, source by source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeriodScores)]
pub struct ScoresView {
    /// In the order of the contract.
    #[schema(max_items = 10)]
    pub items: Vec<SourceScoreView>,
}

impl SourceScoreView {
    fn of(source: SourceDocument, score: SourceScore) -> Self {
        Self {
            source: score.source,
            kind: source.kind,
            name_zh: source.name_zh,
            name_en: source.name_en,
            weight: source.weight,
            state: score.state,
            score: score.score,
            count: score.count,
            contests_open: score.contests_open,
        }
    }
}

/// Read what a period scores
///
/// Source by source, as the contract names them. An inspection that was annulled does not count, and a contest counts when it is decided.
#[utoipa::path(
    operation_id = "read_period_scores",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    responses(
        (status = 200, description = "The scores", body = ScoresView),
        (status = 404, description = "There is no such contract or period"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/periods/{number}/scores")]
async fn read_scores(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, number(&path.1)?);
    let asked = context.clone();
    let (signed, scores) = context
        .db
        .read(move |conn| {
            let when = (&asked.calendar, asked.clock.now());
            acts::scores(conn, &id, number, when)
        })
        .await?;
    let sources = signed.document.lot.score_sources.into_iter();
    Ok(HttpResponse::Ok().json(ScoresView {
        items: sources
            .zip(scores)
            .map(|(source, score)| SourceScoreView::of(source, score))
            .collect(),
    }))
}
