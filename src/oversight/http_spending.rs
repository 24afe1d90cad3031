//! Spending over HTTP: parse, ask, render. No SQL and no rule.

use std::str::FromStr;

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::NaiveDate;

use crate::books::rules_documents::Method;
use crate::budget::desk::fiscal_year;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationKind};
use crate::kernel::refusal::Answer;
use crate::oversight::desk_spending::{Asked, answer};
use crate::oversight::rules_spending::{Filters, Grouping, MonthAsked, Place, QuarterAsked, Sort, Source};
use crate::oversight::view_spending::{Spending, table};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::{Query, required};
use crate::web::sheet::Cell;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(read_spending);
}

/// An amount in a question, not below nothing.
struct AtOnce(Money);

impl FromStr for AtOnce {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let amount: Money = text.parse().map_err(|_| ())?;
        (amount >= Money::ZERO).then_some(Self(amount)).ok_or(())
    }
}

/// A day in a question: `2026-03-01`.
struct Day(NaiveDate);

impl FromStr for Day {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_day = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| ())?;
        if is_day { Ok(Self(day)) } else { Err(()) }
    }
}

/// The methods, by their names.
const METHODS: [Method; 4] = [
    Method::ComprehensiveScoring,
    Method::LowestEvaluatedPrice,
    Method::QualityAndCostBased,
    Method::Appraisal,
];

/// How others say that they bought (OCDS, `procurementMethod`).
const PUBLISHED_METHODS: [&str; 4] = ["open", "selective", "limited", "direct"];

fn filters(query: &mut Query) -> Filters {
    let methods: Vec<(&str, &str)> = METHODS
        .map(Method::name)
        .into_iter()
        .chain(PUBLISHED_METHODS)
        .map(|name| (name, name))
        .collect();
    let kinds = OrganisationKind::ALL.map(|kind| (kind.name(), kind.name()));
    let sources = Source::ALL.map(|source| (source.name(), source));
    Filters {
        month: query.parsed::<MonthAsked>("month").map(|month| month.0),
        quarter: query.parsed::<QuarterAsked>("quarter").map(|quarter| quarter.0),
        fiscal_year: fiscal_year(query),
        fund: query.parsed("fund_id"),
        budget_line: query.parsed("budget_line_id"),
        buyer: query.parsed("buyer_id"),
        area: query.parsed("area_id"),
        category: query.parsed("category"),
        supplier: query.parsed("supplier_id"),
        supplier_kind: query.one_of("supplier_kind", &kinds).map(str::to_owned),
        method: query.one_of("method", &methods).map(str::to_owned),
        contract: query.parsed("contract_id"),
        from: query.parsed::<Day>("from").map(|day| day.0),
        until: query.parsed::<Day>("until").map(|day| day.0),
        amount_min: query.parsed::<AtOnce>("amount_min").map(|amount| amount.0),
        amount_max: query.parsed::<AtOnce>("amount_max").map(|amount| amount.0),
        source: query.one_of("source", &sources).unwrap_or_default(),
        currency: query.parsed("currency").unwrap_or_default(),
    }
}

fn place(question: &Question, cursor: Option<&str>, dimensions: usize) -> Answer<Option<Place>> {
    let Some(parts) = question.after(cursor, dimensions.saturating_add(1))? else {
        return Ok(None);
    };
    let mut parts = parts.into_iter();
    let value = parts.next().and_then(|value| value.parse().ok());
    Ok(Some((value.ok_or_else(bad_cursor)?, parts.collect())))
}

/// Read what is spent
///
/// Grouped by one to three dimensions, for everyone. Every measure of money is what the ledger's accounts stand at, or what they were moved by in the time asked for: `paid` of
/// all groups together is the balance of all that was spent. What has no meaning for a question is `null`, and `measures` says why. As CSV with `Accept: text/csv`,
/// as a workbook with `Accept: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`; both have all groups, up to 10,000, and headings in both languages.
/// Of a single dimension without a filter any number of groups can be read page by page in the order of their keys.
#[utoipa::path(
    operation_id = "read_spending",
    tag = "spending",
    params(
        ("group_by" = String, Query, pattern = "^[a-z_]+(,[a-z_]+){0,2}$", description = "One to three of `month`, `quarter`, `fiscal_year`, `fund`, `budget_line`, `buyer`, `area`, `category`, `supplier`, `supplier_kind`, `method`, `contract`, each once, with commas between them", example = "month,category"),
        ("month" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}$", description = "What moved in this month of the ward's calendar", example = "2026-03"),
        ("quarter" = Option<String>, Query, pattern = "^[0-9]{4}-Q[1-4]$", description = "What moved in this quarter", example = "2026-Q1"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Money of this fiscal year"),
        ("fund_id" = Option<FundId>, Query, description = "Of this fund"),
        ("budget_line_id" = Option<BudgetLineId>, Query, description = "Of this budget line"),
        ("buyer_id" = Option<String>, Query, max_length = 100, description = "Of this buyer: an id of the ward's, or one that others have published"),
        ("area_id" = Option<AreaId>, Query, description = "In this area, and what lies below it"),
        ("category" = Option<String>, Query, max_length = 100, description = "Of this category: a code of the ward's, or one that others have published", example = "sanitation"),
        ("supplier_id" = Option<String>, Query, max_length = 100, description = "To this supplier: an id of the ward's, or one that others have published"),
        ("supplier_kind" = Option<OrganisationKind>, Query, description = "To suppliers of this kind"),
        ("method" = Option<String>, Query, pattern = "^[a-z_]{1,40}$", description = "Where bids were judged by this method, a name of the ward's; or bought so by what others have published: `open`, `selective`, `limited`, `direct`"),
        ("contract_id" = Option<String>, Query, max_length = 100, description = "Of this contract: an id of the ward's; or the process and the contract as the groups have them"),
        ("from" = Option<String>, Query, format = Date, description = "Moved on this day or later, by the ward's calendar"),
        ("until" = Option<String>, Query, format = Date, description = "Moved before this day"),
        ("amount_min" = Option<String>, Query, pattern = "^[0-9]{1,14}(\\.[0-9]{1,2})?$", description = "At least so many yuan at once", example = "10000.00"),
        ("amount_max" = Option<String>, Query, pattern = "^[0-9]{1,14}(\\.[0-9]{1,2})?$", description = "At most so many yuan at once"),
        ("source" = Option<Source>, Query, description = "Whose records: the ward's own, what was imported of others' publications, or `all`, which is the default"),
        ("currency" = Option<String>, Query, pattern = "^[A-Z]{3}$", description = "In which currency, `CNY` by default. All of the ward's own is in yuan; amounts of different currencies are never added up, and `other_currencies` names those of records that the answer does not count", example = "CNY"),
        ("sort" = Option<String>, Query, pattern = "^-?[a-z_]+$", description = "`key`, which is the default, or a measure of `budgeted`, `reserved`, `committed`, `paid`, `deducted`, `retained`, `refunded`, `count`, `average_satisfaction`; with `-` before it the greatest first", example = "-paid"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Groups on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The groups, and all of them together", content(
            (Spending = "application/json"),
            (String = "text/csv", example = "财政年度 Fiscal year,预算（元） Budgeted (CNY)\r\n2026,2350200.00\r\n"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = "PK"),
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 422, description = "`spending_too_many_groups`: more than 10,000 groups to sort or to put into one table"),
    ),
    extensions(("x-action" = json!("ReadSpending"))),
)]
#[get("/spending")]
async fn read_spending(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadSpending, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv, Format::Workbook])?;
    let mut query = Query::of(&request);
    let grouping = query.parsed::<Grouping>("group_by");
    let filters = filters(&mut query);
    let sort = query.parsed::<Sort>("sort");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let grouping = required(grouping, "group_by")?;
    let sort = sort.unwrap_or(Sort {
        by: None,
        is_descending: false,
    });
    let question = Question::of(&["spending", &format!("{grouping:?} {filters:?} {sort:?}")]);
    let after = place(&question, cursor.as_deref(), grouping.0.len())?;
    let asked = Asked {
        grouping,
        filters,
        sort,
        page: (format == Format::Json).then(|| (usize::from(limit), after)),
    };
    let (asked, answered) = context
        .db
        .read(move |conn| {
            let answered = answer(conn, &asked)?;
            Ok((asked.clone(), answered))
        })
        .await?;
    match format {
        Format::Csv => {
            let table = table(&asked, &answered);
            let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
            let rows = table.rows.iter().map(|row| row.iter().map(Cell::plain_field));
            Ok(attached(Format::Csv, "spending.csv", csv_table(&header, rows)?))
        }
        Format::Workbook => Ok(attached(
            Format::Workbook,
            "spending.xlsx",
            table(&asked, &answered).workbook()?,
        )),
        Format::Json | Format::JsonLines => {
            let next = answered.next.clone().map(|(value, keys)| {
                let mut parts = vec![value.to_string()];
                parts.extend(keys);
                question.cursor(parts)
            });
            let mut response = HttpResponse::Ok();
            let page: Page<()> = Page {
                items: Vec::new(),
                next_cursor: next.clone(),
            };
            page.link(&request, &mut response);
            Ok(response.json(Spending::of(&asked, &answered, next)?))
        }
    }
}

/// A table to save under a name.
fn attached(format: Format, name: &str, table: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.insert_header((CONTENT_DISPOSITION, disposition));
    }
    let media_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        other => other.media_type(),
    };
    response.content_type(media_type).body(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oversight::rules_spending::{Code, Dimension, SORTS};

    #[test]
    fn nothing_moves_for_less_than_nothing() {
        assert!("0".parse::<AtOnce>().is_ok() && "10000.00".parse::<AtOnce>().is_ok());
        for wrong in ["-1", "-0.01", "1.001", "", "x"] {
            assert!(wrong.parse::<AtOnce>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_and_codes_are_read_strictly() {
        assert!("2026-03-01".parse::<Day>().is_ok());
        for wrong in [
            "2026-3-1",
            "2026-02-30",
            " 2026-03-01",
            "2026-03-01T",
            "+026-03-01",
            "",
        ] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        assert!(
            "sanitation".parse::<Code>().is_ok()
                && "Sanitation".parse::<Code>().is_err()
                && "a".parse::<Code>().is_err()
        );
    }

    #[test]
    fn whatever_is_grouped_by_can_be_sorted_by_its_keys() {
        assert!(
            Dimension::ALL
                .iter()
                .all(|dimension| dimension.name().parse::<Grouping>().is_ok())
        );
        assert!(SORTS.iter().all(|sort| sort.parse::<Sort>().is_ok()));
    }
}
