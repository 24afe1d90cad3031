//! What contracts buy, item by item, beside what came of them. Reading only.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text};

use crate::db::conn::Conn;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::oversight::store_spending::{Bound, Statement};

/// Which items are compared.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// Of this name, in either language.
    pub item: Option<String>,
    /// In this unit, in either language.
    pub unit: Option<String>,
    /// Of this category.
    pub category: Option<String>,
    /// In this area, and what lies below it.
    pub area: Option<AreaId>,
    /// Of this supplier.
    pub supplier: Option<OrganisationId>,
    /// Of this fiscal year.
    pub fiscal_year: Option<i64>,
    /// The dearest first.
    pub is_descending: bool,
    /// The price, contract and number of the last one on the page before.
    pub after: Option<(i64, String, i64)>,
}

/// An item, its contract, and what came of that.
#[derive(Clone, Debug, QueryableByName)]
pub struct ItemRow {
    /// The contract.
    #[diesel(sql_type = Text)]
    pub contract_id: String,
    /// The item's number in it.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// What it is, in Chinese.
    #[diesel(sql_type = Text)]
    pub name_zh: String,
    /// What it is, in English.
    #[diesel(sql_type = Text)]
    pub name_en: String,
    /// Its unit in Chinese.
    #[diesel(sql_type = Text)]
    pub unit_zh: String,
    /// Its unit in English.
    #[diesel(sql_type = Text)]
    pub unit_en: String,
    /// How much, in millionths.
    #[diesel(sql_type = BigInt)]
    pub quantity_millionths: i64,
    /// For one unit, in hundred-millionths of a yuan.
    #[diesel(sql_type = BigInt)]
    pub unit_price: i64,
    /// The first day of the contract's periods.
    #[diesel(sql_type = Nullable<Date>)]
    pub first_day: Option<NaiveDate>,
    /// The last day of them.
    #[diesel(sql_type = Nullable<Date>)]
    pub last_day: Option<NaiveDate>,
    /// The highest price of the lot, in fen.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub ceiling_fen: Option<i64>,
    /// The contract's price, in fen.
    #[diesel(sql_type = BigInt)]
    pub price_fen: i64,
    /// The fiscal year.
    #[diesel(sql_type = BigInt)]
    pub fiscal_year: i64,
    /// The category.
    #[diesel(sql_type = Text)]
    pub category: String,
    /// Who buys.
    #[diesel(sql_type = Text)]
    pub buyer_id: String,
    /// Who supplies.
    #[diesel(sql_type = Text)]
    pub supplier_id: String,
    /// Its name in Chinese.
    #[diesel(sql_type = Text)]
    pub supplier_zh: String,
    /// Its name in English.
    #[diesel(sql_type = Text)]
    pub supplier_en: String,
    /// The area.
    #[diesel(sql_type = Nullable<Text>)]
    pub area_id: Option<String>,
    /// Its name in Chinese.
    #[diesel(sql_type = Nullable<Text>)]
    pub area_zh: Option<String>,
    /// Its name in English.
    #[diesel(sql_type = Nullable<Text>)]
    pub area_en: Option<String>,
    /// What was paid, in fen.
    #[diesel(sql_type = BigInt)]
    pub paid_fen: i64,
    /// What was deducted, in fen.
    #[diesel(sql_type = BigInt)]
    pub deducted_fen: i64,
    /// How many have rated.
    #[diesel(sql_type = BigInt)]
    pub ballots: i64,
    /// The mean of their ratings in hundredths, times how many they are.
    #[diesel(sql_type = BigInt)]
    pub satisfaction: i64,
}

/// Up to `max` items by their unit price.
///
/// # Errors
/// A fault of the database.
pub fn items(conn: &mut Conn, filter: &ItemFilter, max: i64) -> Answer<Vec<ItemRow>> {
    let mut statement = Statement::of(conn);
    let total = |column: &str| {
        format!(
            "CAST(COALESCE((SELECT SUM(t.{column}) FROM spending_totals t WHERE t.dimension = 'contract' \
             AND t.value = i.contract_id), 0) AS BIGINT) AS {column}"
        )
    };
    let totals = ["paid_fen", "deducted_fen", "ballots", "satisfaction"]
        .map(total)
        .join(", ");
    statement.say(&format!(
        "SELECT i.contract_id, i.number, i.name_zh, i.name_en, i.unit_zh, i.unit_en, i.quantity_millionths, i.unit_price, \
         (SELECT MIN(p.first_day) FROM contract_periods p WHERE p.contract_id = i.contract_id) AS first_day, \
         (SELECT MAX(p.last_day) FROM contract_periods p WHERE p.contract_id = i.contract_id) AS last_day, \
         i.ceiling_fen, i.price_fen, l.fiscal_year, l.category, l.organisation_id AS buyer_id, o.id AS supplier_id, \
         o.name_zh AS supplier_zh, o.name_en AS supplier_en, s.area_id, r.name_zh AS area_zh, r.name_en AS area_en, {totals} \
         FROM contract_items i JOIN spending_matters s ON s.matter = i.contract_id \
         JOIN budget_lines l ON l.id = s.line_id JOIN organisations o ON o.id = s.supplier_id \
         LEFT JOIN areas r ON r.id = s.area_id WHERE 1 = 1"
    ));
    for (columns, wanted) in [
        (["i.name_zh", "i.name_en"], &filter.item),
        (["i.unit_zh", "i.unit_en"], &filter.unit),
    ] {
        if let Some(wanted) = wanted {
            let [zh, en] = columns;
            statement.say(&format!(" AND ({zh} = "));
            statement.bind(Bound::Text(wanted.clone()));
            statement.say(&format!(" OR {en} = "));
            statement.bind(Bound::Text(wanted.clone()));
            statement.say(")");
        }
    }
    let supplier = filter.supplier.as_ref().map(ToString::to_string);
    for (column, wanted) in [("l.category", &filter.category), ("s.supplier_id", &supplier)] {
        if let Some(wanted) = wanted {
            statement.say(&format!(" AND {column} = "));
            statement.bind(Bound::Text(wanted.clone()));
        }
    }
    if let Some(year) = filter.fiscal_year {
        statement.say(" AND l.fiscal_year = ");
        statement.bind(Bound::Number(year));
    }
    if let Some(area) = &filter.area {
        statement.within(area, "s");
    }
    let (comparison, order) = if filter.is_descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some((price, contract, number)) = &filter.after {
        statement.say(&format!(
            " AND (i.unit_price, i.contract_id, i.number) {comparison} ("
        ));
        statement.bind(Bound::Number(*price));
        statement.say(", ");
        statement.bind(Bound::Text(contract.clone()));
        statement.say(", ");
        statement.bind(Bound::Number(*number));
        statement.say(")");
    }
    statement.say(&format!(
        " ORDER BY i.unit_price {order}, i.contract_id {order}, i.number {order} LIMIT "
    ));
    statement.bind(Bound::Number(max));
    statement.load(conn)
}
