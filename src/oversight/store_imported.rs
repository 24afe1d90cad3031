//! What others have published, grouped and added up, beside the ward's own: from totals where one dimension alone is asked for, else from rows. Amounts of one currency.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::budget::rules_imported::Currency;
use crate::db::conn::Conn;
use crate::kernel::refusal::Answer;
use crate::oversight::rules_spending::{Dimension, Filters, Group};
use crate::oversight::store_spending::{Bound, GroupRow, NameRow, Part, Statement, narrow, narrow_facts};

/// The sums of every measure that publications tell; of the others there is nothing.
const SUMS: &str = "CAST(0 AS BIGINT) AS budgeted, CAST(0 AS BIGINT) AS reserved, CAST(COALESCE(SUM(x.committed), 0) AS BIGINT) AS committed, \
    CAST(0 AS BIGINT) AS retained, CAST(COALESCE(SUM(x.paid), 0) AS BIGINT) AS paid, CAST(0 AS BIGINT) AS deducted, CAST(0 AS BIGINT) AS refunded, \
    CAST(COALESCE(SUM(x.payments), 0) AS BIGINT) AS payments, CAST(0 AS BIGINT) AS ballots, CAST(0 AS BIGINT) AS satisfaction";

/// The value of a dimension of a row `x`.
const fn value(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Month => "COALESCE(CAST(x.month AS TEXT), '')",
        Dimension::Quarter => "COALESCE(CAST(x.month / 100 * 10 + (x.month % 100 + 2) / 3 AS TEXT), '')",
        Dimension::FiscalYear => "COALESCE(CAST(x.fiscal_year AS TEXT), '')",
        Dimension::Fund | Dimension::BudgetLine => "''",
        Dimension::Buyer => "COALESCE(x.buyer_id, '')",
        Dimension::Area => "COALESCE(x.area_id, '')",
        Dimension::Category => "COALESCE(x.category, '')",
        Dimension::Supplier => "COALESCE(x.supplier_id, '')",
        Dimension::SupplierKind => "COALESCE(x.supplier_kind, '')",
        Dimension::Method => "COALESCE(x.method, '')",
        Dimension::Contract => "COALESCE(x.contract_id, '')",
    }
}

fn groups(rows: Vec<GroupRow>, dimensions: usize) -> Vec<Group> {
    let group = |row: GroupRow| Group {
        is_imported: true,
        ..row.group(dimensions)
    };
    rows.into_iter().map(group).collect()
}

/// Groups of one dimension from the totals, in the order of its values. Quarters are made of months.
///
/// # Errors
/// A fault of the database.
pub fn from_totals(
    conn: &mut Conn,
    (dimension, currency): (Dimension, &Currency),
    part: Part<'_>,
) -> Answer<Vec<Group>> {
    let mut statement = Statement::of(conn);
    let is_quarter = dimension == Dimension::Quarter;
    let value = if is_quarter {
        let month = "CAST(x.value AS BIGINT)";
        statement.collated(&format!(
            "CASE WHEN x.value = '' THEN '' ELSE CAST({month} / 100 * 10 + ({month} % 100 + 2) / 3 AS TEXT) END"
        ))
    } else {
        "x.value".to_owned()
    };
    statement.say(&format!(
        "SELECT {value} AS key1, '' AS key2, '' AS key3, {SUMS} FROM spending_imported_totals x WHERE x.currency = "
    ));
    statement.bind(Bound::Text(currency.as_str().to_owned()));
    statement.say(" AND x.dimension = ");
    let kept = if is_quarter { Dimension::Month } else { dimension };
    statement.bind(Bound::Text(kept.name().to_owned()));
    part.say(&mut statement, &value);
    Ok(groups(statement.load(conn)?, 1))
}

/// Up to `max` groups from the rows, in no order.
///
/// # Errors
/// A fault of the database.
pub fn from_rows(
    conn: &mut Conn,
    dimensions: &[Dimension],
    filters: &Filters,
    max: i64,
) -> Answer<Vec<Group>> {
    if filters.fund.is_some() || filters.budget_line.is_some() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::of(conn);
    // Grouped by their place in the list: a value that never varies is none that one can group by.
    statement.say("SELECT ");
    let mut keys = dimensions.iter();
    for name in ["key1", "key2", "key3"] {
        let value = keys.next().map_or("''", |dimension| value(*dimension));
        let value = statement.collated(value);
        statement.say(&format!("{value} AS {name}, "));
    }
    statement.say(SUMS);
    statement.say(" FROM spending_imported x");
    narrow(&mut statement, filters, "x");
    statement.say(" AND x.currency = ");
    statement.bind(Bound::Text(filters.currency.as_str().to_owned()));
    narrow_facts(&mut statement, filters, "amount");
    statement.say(" GROUP BY 1, 2, 3 LIMIT ");
    statement.bind(Bound::Number(max));
    Ok(groups(statement.load(conn)?, dimensions.len()))
}

/// What organisations are called that others have published.
///
/// # Errors
/// A fault of the database.
pub fn names(conn: &mut Conn, ids: &[&str]) -> Answer<Vec<NameRow>> {
    let mut found = Vec::new();
    for some in ids.chunks(1_000) {
        let mut statement = Statement::of(conn);
        statement
            .say("SELECT id, name AS name_zh, name AS name_en FROM spending_imported_names WHERE id IN (");
        for (at, id) in (0_usize..).zip(some) {
            if at > 0 {
                statement.say(", ");
            }
            statement.bind(Bound::Text((*id).to_owned()));
        }
        statement.say(")");
        found.extend(statement.load::<NameRow>(conn)?);
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct CurrencyRow {
    #[diesel(sql_type = Text)]
    currency: String,
}

/// The currencies in which anything was imported, in the order of their codes.
///
/// # Errors
/// A fault of the database.
pub fn currencies(conn: &mut Conn) -> Answer<Vec<String>> {
    let mut statement = Statement::of(conn);
    // Of the ward's funds none is named, so that each currency has one row.
    statement.say("SELECT currency FROM spending_imported_totals WHERE dimension = ");
    statement.bind(Bound::Text(Dimension::Fund.name().to_owned()));
    statement.say(" AND value = '' ORDER BY currency");
    let rows: Vec<CurrencyRow> = statement.load(conn)?;
    Ok(rows.into_iter().map(|row| row.currency).collect())
}
