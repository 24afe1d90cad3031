//! Compares the totals of what others have published with its rows, and makes them anew: sums that the database makes.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use crate::both;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;

/// What does not hold that is told of at once.
const TOLD_MAX: i64 = 100;

/// Every dimension, and how its value follows from a row.
pub const DIMENSIONS: [(&str, &str); 11] = [
    ("month", "COALESCE(CAST(month AS TEXT), '')"),
    ("fiscal_year", "COALESCE(CAST(fiscal_year AS TEXT), '')"),
    ("fund", "CAST('' AS TEXT)"),
    ("budget_line", "CAST('' AS TEXT)"),
    ("buyer", "COALESCE(buyer_id, '')"),
    ("area", "COALESCE(area_id, '')"),
    ("category", "COALESCE(category, '')"),
    ("supplier", "COALESCE(supplier_id, '')"),
    ("supplier_kind", "COALESCE(supplier_kind, '')"),
    ("method", "COALESCE(method, '')"),
    ("contract", "COALESCE(contract_id, '')"),
];

/// The rows that totals of a dimension have to be, without its name.
fn summed(conn: &Conn, value: &str) -> String {
    let collation = match conn {
        Conn::Sqlite(_) => "",
        Conn::Postgres(_) => " COLLATE \"C\"",
    };
    format!(
        "SELECT currency, {value}{collation} AS value, CAST(COUNT(*) AS BIGINT) AS records, CAST(SUM(amount) AS BIGINT) AS amount, \
         CAST(SUM(committed) AS BIGINT) AS committed, CAST(SUM(paid) AS BIGINT) AS paid, CAST(SUM(payments) AS BIGINT) AS payments \
         FROM spending_imported GROUP BY 1, 2"
    )
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

/// Values of a dimension whose totals are not what they add up, each with its currency.
///
/// # Errors
/// A fault of the database.
pub fn totals_that_differ(conn: &mut Conn, (dimension, value): (&str, &str)) -> Answer<Vec<String>> {
    let summed = summed(conn, value);
    let kept = format!(
        "SELECT currency, value, records, amount, committed, paid, payments FROM spending_imported_totals WHERE dimension = '{dimension}'"
    );
    let mut differ = Vec::new();
    for (one, other) in [(&kept, &summed), (&summed, &kept)] {
        let query = format!(
            "SELECT currency || ' ' || value AS found FROM (SELECT * FROM ({one}) x EXCEPT SELECT * FROM ({other}) y) z LIMIT {TOLD_MAX}"
        );
        let rows: Vec<Found> = both!(&mut *conn, c => sql_query(query).load(c))?;
        differ.extend(rows.into_iter().map(|row| row.found));
    }
    differ.sort();
    differ.dedup();
    Ok(differ)
}

/// Makes all totals anew from the rows.
///
/// # Errors
/// A fault of the database.
pub fn rebuild_totals(tx: &mut Tx<'_>) -> Answer<()> {
    let conn = tx.conn();
    both!(&mut *conn, c => sql_query("DELETE FROM spending_imported_totals").execute(c))?;
    for (dimension, value) in DIMENSIONS {
        let query = format!(
            "INSERT INTO spending_imported_totals (dimension, currency, value, records, amount, committed, paid, payments) \
             SELECT '{dimension}', x.* FROM ({}) x",
            summed(conn, value)
        );
        both!(&mut *conn, c => sql_query(query).execute(c))?;
    }
    Ok(())
}
