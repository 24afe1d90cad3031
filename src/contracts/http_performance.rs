//! A supplier's public record of performance over HTTP: parse, call one query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::books::rules::{BookId, LotId};
use crate::budget::desk::{attached, one_more, parsed};
use crate::contracts::desk_performance::{self as desk, Performed};
use crate::contracts::http::instant;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances_document::GradeDocument;
use crate::contracts::rules_performance::Figures;
use crate::contracts::rules_terminations::{Ground, Termination};
use crate::contracts::store::{self, ContractFilter};
use crate::kernel::clock::rfc3339;
use crate::kernel::local_day::{end_of_day, local_date, start_of_day};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::registry::acts_organisations;
use crate::registry::http_debarments::DebarmentView;
use crate::registry::rules_text::Day;
use crate::registry::store_debarments::{self, DebarmentFilter};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Contracts on a page: each takes the scores of all its periods.
const CONTRACTS_USUAL: u16 = 10;
/// The most.
const CONTRACTS_MAX: u16 = 50;
/// Debarments that are shown at most; all of them are listed at `/api/v1/debarments`.
const DEBARMENTS_MAX: i64 = 50;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(read);
}

/// The score of a period that is settled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GradedPeriod, example = json!({"period": 1, "score": "92.50", "grade": {"code": "excellent", "name_zh": "优", "name_en": "excellent"}}))]
pub struct GradedView {
    /// The number of the period.
    pub period: i64,
    /// Its score.
    pub score: Score,
    /// The grade of it.
    #[schema(required = true)]
    pub grade: Option<GradeDocument>,
}

/// How a contract ended before its time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PerformedTermination, example = json!({"ground": "breach", "reason_zh": "拒不整改", "reason_en": "Nothing was put right", "on": "2026-06-30"}))]
pub struct TerminationView {
    /// On what ground.
    pub ground: Ground,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// In English.
    pub reason_en: String,
    /// Its last day.
    #[schema(value_type = String)]
    pub on: NaiveDate,
}

impl From<Termination> for TerminationView {
    fn from(one: Termination) -> Self {
        Self {
            ground: one.entered.ground,
            reason_zh: one.entered.reason.zh,
            reason_en: one.entered.reason.en,
            on: one.entered.effective_on,
        }
    }
}

/// How a contract was performed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PerformedContract)]
pub struct PerformedView {
    /// The contract.
    pub contract_id: ContractId,
    /// Its book.
    pub book_id: BookId,
    /// Its lot.
    pub lot_id: LotId,
    /// Who buys.
    pub buyer_id: OrganisationId,
    /// The code of the category of services.
    pub category: String,
    /// The Chinese title of its book.
    pub title_zh: String,
    /// The English title.
    pub title_en: String,
    /// When both had signed it, UTC.
    pub signed_at: String,
    /// The first day of the service.
    #[schema(value_type = Option<String>, required = true)]
    pub service_from: Option<NaiveDate>,
    /// Its last day, as it is now.
    #[schema(value_type = Option<String>, required = true)]
    pub service_until: Option<NaiveDate>,
    /// What is counted of it.
    pub figures: Figures,
    /// The periods whose score is settled.
    #[schema(max_items = 120)]
    pub periods: Vec<GradedView>,
    /// The mean of their scores, half up to two places.
    #[schema(required = true)]
    pub mean_score: Option<Score>,
    /// How it ended before its time.
    #[schema(required = true)]
    pub termination: Option<TerminationView>,
}

impl From<Performed> for PerformedView {
    fn from(one: Performed) -> Self {
        let (service_from, service_until) = one.signed.term();
        let (contract, document) = (one.signed.contract, one.signed.document);
        let periods = one.periods.into_iter().map(|graded| GradedView {
            period: graded.period,
            score: graded.score,
            grade: graded.grade,
        });
        Self {
            signed_at: contract.signed_at.map(rfc3339).unwrap_or_default(),
            contract_id: contract.id,
            book_id: contract.book_id,
            lot_id: contract.lot_id,
            buyer_id: contract.buyer_id,
            category: document.category,
            title_zh: document.title_zh,
            title_en: document.title_en,
            service_from,
            service_until,
            figures: one.figures,
            periods: periods.collect(),
            mean_score: one.mean,
            termination: one.termination.map(TerminationView::from),
        }
    }
}

/// A supplier's public record of performance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Performance, example = json!({
    "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "totals": {
        "contracts": 1, "price": {"amount": "826600.00", "currency": "CNY"}, "price_now": {"amount": "826600.00", "currency": "CNY"}, "variations": 0,
        "periods_over": 3, "accepted": 2, "accepted_with_reservations": 0, "refused": 1, "accepted_by_silence": 1, "rectifications": 1,
        "rectifications_open": 0, "late_days": 2, "defects_open": 1, "defects_confirmed": 14, "calls_in_time": 13, "calls_late": 2, "response": "86.67",
        "terminations": 0
    }, "is_whole": true, "debarments": [], "items": [], "next_cursor": null
}))]
pub struct PerformanceView {
    /// The supplier.
    pub organisation_id: OrganisationId,
    /// What is counted of all contracts that are asked for.
    pub totals: Figures,
    /// Whether that is all of them; otherwise the two hundred signed last.
    pub is_whole: bool,
    /// When it may not take part, whatever is asked for; up to fifty, those that began last first.
    #[schema(max_items = 50)]
    pub debarments: Vec<DebarmentView>,
    /// One page of the contracts, the one signed last first.
    #[schema(max_items = 50)]
    pub items: Vec<PerformedView>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// Read a supplier's record of performance
///
/// Over all its signed contracts, or those of a category or of a time: what was accepted and how, what had to be put right, defects and how soon they were seen to,
/// variations, ends before their time, scores and grades of periods whose score is settled, and debarments. Public, so that whoever examines bids can read it too. As
/// CSV with `Accept: text/csv`: the same page of contracts as a table.
#[utoipa::path(
    operation_id = "read_performance",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The supplier"),
        ("category" = Option<String>, Query, max_length = 40, description = "Contracts of this category of services", example = "sanitation"),
        ("signed_from" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "Signed on this day of the ward or later", example = "2026-01-01"),
        ("signed_until" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "Signed on this day of the ward or earlier", example = "2026-12-31"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 50, description = "Contracts on a page, 10 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The record, with one page of contracts", content(
            (PerformanceView = "application/json"),
            (String = "text/csv", example = "contract_id,category,buyer_id,signed_at,price,price_now,mean_score,periods_over\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/organisations/{id}/performance")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id = parsed::<OrganisationId>(&id)?;
    let mut query = Query::of(&request);
    let category = query.text("category");
    let from = query.parsed::<Day>("signed_from").map(|day| day.0);
    let until = query.parsed::<Day>("signed_until").map(|day| day.0);
    let limit = query.limit(CONTRACTS_USUAL, CONTRACTS_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let shown = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let asked_for = category.as_deref().unwrap_or_default();
    let question = Question::of(&["performance", id.as_str(), asked_for, &shown(from), &shown(until)]);
    let before = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([at, id]) => Some((instant(at).ok_or_else(bad_cursor)?, id.clone())),
        _ => None,
    };
    let zone = context.calendar.zone;
    let no_such_day = |error| Fault::caused("a day of a query", error);
    let filter = ContractFilter {
        supplier: Some(id.clone()),
        category,
        signed_from: from
            .map(|day| start_of_day(day, zone))
            .transpose()
            .map_err(no_such_day)?,
        signed_until: until
            .map(|day| end_of_day(day, zone))
            .transpose()
            .map_err(no_such_day)?,
        before,
        ..ContractFilter::default()
    };
    let asked = context.clone();
    let (id, totals, is_whole, debarments, items) = context
        .db
        .read(move |conn| {
            acts_organisations::known(conn, &actor, &id)?;
            let at = (&asked.calendar, asked.clock.now());
            let (totals, is_whole) = desk::in_all(conn, &filter, at)?;
            let of_supplier = DebarmentFilter {
                organisation: Some(id.clone()),
                ..DebarmentFilter::default()
            };
            let debarments = store_debarments::debarments(conn, &of_supplier, DEBARMENTS_MAX)?;
            let mut items = Vec::new();
            for contract in store::signed(conn, &filter, one_more(limit))? {
                items.push(PerformedView::from(desk::of_contract(conn, &contract.id, at)?));
            }
            Ok((id, totals, is_whole, debarments, items))
        })
        .await?;
    let page = Page::cut(items, limit, &question, |one: &PerformedView| {
        vec![one.signed_at.clone(), one.contract_id.to_string()]
    });
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Csv {
        return Ok(attached(response, "performance.csv", table(&page.items)?));
    }
    let today = local_date(context.clock.now(), zone);
    Ok(response.json(PerformanceView {
        organisation_id: id,
        totals,
        is_whole,
        debarments: debarments
            .into_iter()
            .map(|one| DebarmentView::of(one, today))
            .collect(),
        items: page.items,
        next_cursor: page.next_cursor,
    }))
}

fn table(items: &[PerformedView]) -> Answer<Vec<u8>> {
    let columns = [
        "contract_id",
        "category",
        "buyer_id",
        "signed_at",
        "price",
        "price_now",
        "mean_score",
        "periods_over",
        "accepted",
        "accepted_with_reservations",
        "refused",
        "accepted_by_silence",
        "rectifications",
        "late_days",
        "defects_open",
        "defects_confirmed",
        "response",
        "variations",
        "termination",
    ];
    let score = |score: Option<Score>| score.map(|score| score.to_string()).unwrap_or_default();
    let rows: Vec<[String; 19]> = items
        .iter()
        .map(|item| {
            let figures = &item.figures;
            [
                item.contract_id.to_string(),
                item.category.clone(),
                item.buyer_id.to_string(),
                item.signed_at.clone(),
                figures.price.to_string(),
                figures.price_now.to_string(),
                score(item.mean_score),
                figures.periods_over.to_string(),
                figures.accepted.to_string(),
                figures.accepted_with_reservations.to_string(),
                figures.refused.to_string(),
                figures.accepted_by_silence.to_string(),
                figures.rectifications.to_string(),
                figures.late_days.to_string(),
                figures.defects_open.to_string(),
                figures.defects_confirmed.to_string(),
                score(figures.response),
                figures.variations.to_string(),
                item.termination
                    .as_ref()
                    .map_or("", |one| one.ground.name())
                    .to_owned(),
            ]
        })
        .collect();
    Ok(csv_table(
        &columns,
        rows.iter().map(|row| row.each_ref().map(String::as_str)),
    )?)
}
