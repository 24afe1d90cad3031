//! What a citizen would compare, over HTTP: parse, ask, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::desk::{fiscal_year, one_more, page_or_table};
use crate::budget::rules_spending::Measures;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::kernel::text::plain_cell;
use crate::oversight::rules_spending::{Code, satisfaction};
use crate::oversight::store_comparisons::{ItemFilter, ItemRow, items};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(compare_prices);
}

/// An item that a contract buys, and what came of the contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnitPrice, example = json!({
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "item": 1, "name_zh": "一级道路", "name_en": "Class 1 roads", "unit_zh": "平方米", "unit_en": "m²",
    "quantity": "58000", "unit_price": "13.6", "first_day": "2026-05-01", "last_day": "2027-04-30", "fiscal_year": 2026, "category": "sanitation", "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ay", "supplier_zh": "梧桐洁城", "supplier_en": "Wutong Clean City", "area_id": "area_01jd3n8f5teqkrzvq1c0m6h2ax",
    "area_zh": "梧桐街道", "area_en": "Wutong Street", "ceiling": {"amount": "2350200.00", "currency": "CNY"}, "price": {"amount": "2298600.00", "currency": "CNY"},
    "paid": {"amount": "188868.30", "currency": "CNY"}, "deducted": {"amount": "2681.70", "currency": "CNY"}, "average_satisfaction": "87.60", "ballots": 200
}))]
pub struct UnitPriceView {
    /// The contract.
    pub contract_id: String,
    /// The number of the item in its lot, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub item: i64,
    /// What it is, in Chinese.
    pub name_zh: String,
    /// What it is, in English.
    pub name_en: String,
    /// Its unit in Chinese.
    pub unit_zh: String,
    /// Its unit in English.
    pub unit_en: String,
    /// How much, an exact decimal.
    pub quantity: String,
    /// What was bid for one unit and the whole term, in yuan: an exact decimal.
    pub unit_price: String,
    /// The first day of the term that this is for, by the ward's calendar.
    #[schema(required = true, value_type = Option<String>, example = "2026-05-01")]
    pub first_day: Option<NaiveDate>,
    /// The last day of it.
    #[schema(required = true, value_type = Option<String>, example = "2027-04-30")]
    pub last_day: Option<NaiveDate>,
    /// The fiscal year whose money it is.
    pub fiscal_year: i64,
    /// The category of services.
    pub category: String,
    /// Who buys.
    pub buyer_id: String,
    /// Who supplies.
    pub supplier_id: String,
    /// Its name in Chinese.
    pub supplier_zh: String,
    /// Its name in English.
    pub supplier_en: String,
    /// The smallest area that has all places in it that the lot serves.
    #[schema(required = true)]
    pub area_id: Option<String>,
    /// Its name in Chinese.
    #[schema(required = true)]
    pub area_zh: Option<String>,
    /// Its name in English.
    #[schema(required = true)]
    pub area_en: Option<String>,
    /// The highest price of the lot, as its book said.
    #[schema(required = true)]
    pub ceiling: Option<Money>,
    /// The price of the whole contract as it was signed.
    pub price: Money,
    /// What was paid for the whole contract until now.
    pub paid: Money,
    /// What was deducted of it for good.
    pub deducted: Money,
    /// The mean of residents' ratings of it that bind; `null` where nobody has rated.
    #[schema(required = true)]
    pub average_satisfaction: Option<Score>,
    /// How many ballots that is the mean of.
    #[schema(minimum = 0)]
    pub ballots: i64,
}

impl TryFrom<ItemRow> for UnitPriceView {
    type Error = Fault;

    fn try_from(row: ItemRow) -> Result<Self, Fault> {
        let money =
            |fen| Money::from_fen(fen).map_err(|error| Fault::caused("an amount of a contract", error));
        let mean = satisfaction(&Measures {
            ballots: row.ballots,
            satisfaction: row.satisfaction,
            ..Measures::default()
        });
        let mean = mean
            .map(|hundredths| Score::new(Decimal::new(hundredths, 2)))
            .transpose();
        let exact = |units, places| Decimal::new(units, places).normalize().to_string();
        Ok(Self {
            contract_id: row.contract_id,
            item: row.number,
            name_zh: row.name_zh,
            name_en: row.name_en,
            unit_zh: row.unit_zh,
            unit_en: row.unit_en,
            quantity: exact(row.quantity_millionths, 6),
            unit_price: exact(row.unit_price, 8),
            first_day: row.first_day,
            last_day: row.last_day,
            fiscal_year: row.fiscal_year,
            category: row.category,
            buyer_id: row.buyer_id,
            supplier_id: row.supplier_id,
            supplier_zh: row.supplier_zh,
            supplier_en: row.supplier_en,
            area_id: row.area_id,
            area_zh: row.area_zh,
            area_en: row.area_en,
            ceiling: row.ceiling_fen.map(money).transpose()?,
            price: money(row.price_fen)?,
            paid: money(row.paid_fen)?,
            deducted: money(row.deducted_fen)?,
            average_satisfaction: mean.map_err(|error| Fault::caused("the mean of ratings", error))?,
            ballots: row.ballots,
        })
    }
}

/// Headings in both languages.
const HEADER: [&str; 25] = [
    "合同 Contract",
    "项 Item",
    "名称",
    "Name",
    "单位",
    "Unit",
    "数量 Quantity",
    "单价（元） Unit price (CNY)",
    "首日 First day",
    "末日 Last day",
    "财政年度 Fiscal year",
    "服务类别 Category",
    "采购人 Buyer",
    "承接主体 Supplier",
    "承接主体名称",
    "Supplier (name)",
    "区域 Area",
    "区域名称",
    "Area (name)",
    "最高限价（元） Ceiling (CNY)",
    "合同价（元） Price (CNY)",
    "已支付（元） Paid (CNY)",
    "扣款（元） Deducted (CNY)",
    "平均满意度（分） Average satisfaction (points)",
    "评价票数 Ballots",
];

fn table(views: &[UnitPriceView]) -> Answer<Vec<u8>> {
    let rows = views.iter().map(|one| {
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        [
            one.contract_id.clone(),
            one.item.to_string(),
            plain_cell(&one.name_zh),
            plain_cell(&one.name_en),
            plain_cell(&one.unit_zh),
            plain_cell(&one.unit_en),
            one.quantity.clone(),
            one.unit_price.clone(),
            day(one.first_day),
            day(one.last_day),
            one.fiscal_year.to_string(),
            one.category.clone(),
            one.buyer_id.clone(),
            one.supplier_id.clone(),
            plain_cell(&one.supplier_zh),
            plain_cell(&one.supplier_en),
            given(&one.area_id),
            plain_cell(&given(&one.area_zh)),
            plain_cell(&given(&one.area_en)),
            one.ceiling.map(|amount| amount.to_string()).unwrap_or_default(),
            one.price.to_string(),
            one.paid.to_string(),
            one.deducted.to_string(),
            one.average_satisfaction
                .map(|mean| mean.to_string())
                .unwrap_or_default(),
            one.ballots.to_string(),
        ]
    });
    Ok(csv_table(&HEADER, rows)?)
}

/// Compare unit prices
///
/// What signed contracts pay for one unit of a service and the whole term, the cheapest first: across areas, contractors and years, with what the lot might have cost, what was agreed, what was
/// paid, and what residents say. For everyone; as CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "compare_unit_prices",
    tag = "spending",
    params(
        ("item" = Option<String>, Query, max_length = 200, description = "Of this name in either language, exactly", example = "一级道路"),
        ("unit" = Option<String>, Query, max_length = 40, description = "In this unit in either language", example = "m²"),
        ("category" = Option<String>, Query, pattern = "^[a-z0-9_]{2,40}$", description = "Of this category", example = "sanitation"),
        ("area_id" = Option<AreaId>, Query, description = "In this area, and what lies below it"),
        ("supplier_id" = Option<OrganisationId>, Query, description = "Of this supplier"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Paid with money of this fiscal year"),
        ("sort" = Option<String>, Query, pattern = "^-?unit_price$", description = "`unit_price`, which is the default, or `-unit_price`", example = "unit_price"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<UnitPriceView> = "application/json"),
        (String = "text/csv", example = "合同 Contract,项 Item\r\ncontract_01jd3n8f5teqkrzvq1c0m6h2ax,1\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadSpending"))),
)]
#[get("/spending/unit-prices")]
async fn compare_prices(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadSpending, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let mut filter = ItemFilter {
        item: query.text("item"),
        unit: query.text("unit"),
        category: query.parsed::<Code>("category").map(|code| code.0),
        area: query.parsed("area_id"),
        supplier: query.parsed("supplier_id"),
        fiscal_year: fiscal_year(&mut query),
        is_descending: query
            .one_of("sort", &[("unit_price", false), ("-unit_price", true)])
            .unwrap_or_default(),
        after: None,
    };
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["unit prices", &format!("{filter:?}")]);
    filter.after = match question.after(cursor.as_deref(), 3)?.as_deref() {
        Some([price, contract, number]) => {
            let numbers = price.parse().ok().zip(number.parse().ok());
            let (price, number) = numbers.ok_or_else(bad_cursor)?;
            Some((price, contract.clone(), number))
        }
        _ => None,
    };
    let found = context
        .db
        .read(move |conn| items(conn, &filter, one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |row| {
        vec![
            row.unit_price.to_string(),
            row.contract_id.clone(),
            row.number.to_string(),
        ]
    });
    let views = page
        .items
        .into_iter()
        .map(UnitPriceView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page {
        items: views,
        next_cursor: page.next_cursor,
    };
    page_or_table(&request, page, format, ("unit-prices.csv", table))
}
