//! The tables of what others have published of what they bought: rows, totals, names. Rows of a process are replaced as one; totals are nothing but their sums.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::both;
use crate::budget::rules_imported::{Currency, Fact, Sums};
use crate::budget::rules_spending::month;
use crate::db::conn::Conn;
use crate::db::schema::{
    imported_processes, spending_imported, spending_imported_names, spending_imported_totals,
};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};

/// Rows of one statement: SQLite binds at most 32,766 values, PostgreSQL 65,535.
const ROWS_AT_ONCE: usize = 500;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = spending_imported)]
struct FactRow {
    ocid: String,
    number: i64,
    currency: String,
    made_on: Option<NaiveDate>,
    month: Option<i64>,
    fiscal_year: Option<i64>,
    buyer_id: Option<String>,
    category: Option<String>,
    area_id: Option<String>,
    method: Option<String>,
    supplier_id: Option<String>,
    supplier_kind: Option<String>,
    contract_id: Option<String>,
    amount: i64,
    committed: i64,
    paid: i64,
    payments: i64,
}

impl FactRow {
    fn of(ocid: &str, number: i64, fact: Fact) -> Self {
        Self {
            ocid: ocid.to_owned(),
            number,
            made_on: fact.day,
            month: fact.day.map(month),
            fiscal_year: fact.day.map(|day| i64::from(day.year())),
            currency: fact.currency.as_str().to_owned(),
            buyer_id: fact.buyer,
            category: fact.category,
            area_id: fact.area,
            method: fact.method,
            supplier_id: fact.supplier,
            supplier_kind: fact.supplier_kind,
            contract_id: fact.contract,
            amount: fact.sums.amount,
            committed: fact.sums.committed,
            paid: fact.sums.paid,
            payments: fact.sums.payments,
        }
    }
}

impl TryFrom<FactRow> for Fact {
    type Error = Fault;

    fn try_from(row: FactRow) -> Result<Self, Fault> {
        let currency: Result<Currency, ()> = row.currency.parse();
        Ok(Self {
            currency: currency.map_err(|()| Fault::broken(format!("a currency that is {}", row.currency)))?,
            day: row.made_on,
            buyer: row.buyer_id,
            category: row.category,
            area: row.area_id,
            method: row.method,
            supplier: row.supplier_id,
            supplier_kind: row.supplier_kind,
            contract: row.contract_id,
            sums: Sums {
                records: 1,
                amount: row.amount,
                committed: row.committed,
                paid: row.paid,
                payments: row.payments,
            },
        })
    }
}

/// The rows of processes.
///
/// # Errors
/// A fault of the database.
pub fn facts(conn: &mut Conn, ocids: &[&str]) -> Answer<Vec<Fact>> {
    let mut found = Vec::new();
    for some in ocids.chunks(ROWS_AT_ONCE) {
        let rows: Vec<FactRow> = both!(&mut *conn, c => spending_imported::table
            .filter(spending_imported::ocid.eq_any(some))
            .select(FactRow::as_select())
            .load(c))?;
        for row in rows {
            found.push(Fact::try_from(row)?);
        }
    }
    Ok(found)
}

/// The rows of one process in their order.
///
/// # Errors
/// A fault of the database.
pub fn facts_in_order(conn: &mut Conn, ocid: &str) -> Answer<Vec<Fact>> {
    let rows: Vec<FactRow> = spending_imported::table
        .filter(spending_imported::ocid.eq(ocid.to_owned()))
        .order(spending_imported::number)
        .select(FactRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Fact::try_from).collect::<Result<_, _>>()?)
}

/// Up to a hundred processes that are counted, and of which nothing was imported.
///
/// # Errors
/// A fault of the database.
pub fn without_process(conn: &mut Conn) -> Answer<Vec<String>> {
    let known = imported_processes::table.filter(imported_processes::ocid.eq(spending_imported::ocid));
    Ok(both!(conn, c => spending_imported::table
        .filter(not(exists(known)))
        .select(spending_imported::ocid)
        .distinct()
        .order(spending_imported::ocid)
        .limit(100)
        .load(c))?)
}

/// Removes the rows of processes.
///
/// # Errors
/// A fault of the database.
pub fn remove(tx: &mut Tx<'_>, ocids: &[&str]) -> Answer<()> {
    for some in ocids.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::delete(spending_imported::table
            .filter(spending_imported::ocid.eq_any(some)))
            .execute(c))?;
    }
    Ok(())
}

/// Adds the rows of a process, which has none.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, ocid: &str, facts: Vec<Fact>) -> Answer<()> {
    let rows: Vec<FactRow> = (1_i64..)
        .zip(facts)
        .map(|(number, fact)| FactRow::of(ocid, number, fact))
        .collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(spending_imported::table)
            .values(some)
            .execute(c))?;
    }
    Ok(())
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = spending_imported_totals)]
struct TotalRow {
    currency: String,
    dimension: String,
    value: String,
    records: i64,
    amount: i64,
    committed: i64,
    paid: i64,
    payments: i64,
}

/// The totals of these values of one dimension and currency, of those that there are.
///
/// # Errors
/// A fault of the database.
pub fn totals(
    conn: &mut Conn,
    (currency, dimension): (&Currency, &str),
    values: &[&str],
) -> Answer<BTreeMap<String, Sums>> {
    let mut found = BTreeMap::new();
    for some in values.chunks(ROWS_AT_ONCE) {
        let rows: Vec<TotalRow> = both!(&mut *conn, c => spending_imported_totals::table
            .filter(spending_imported_totals::currency.eq(currency.as_str()))
            .filter(spending_imported_totals::dimension.eq(dimension))
            .filter(spending_imported_totals::value.eq_any(some))
            .select(TotalRow::as_select())
            .load(c))?;
        for row in rows {
            let sums = Sums {
                records: row.records,
                amount: row.amount,
                committed: row.committed,
                paid: row.paid,
                payments: row.payments,
            };
            found.insert(row.value, sums);
        }
    }
    Ok(found)
}

/// Makes the totals of these values what they are now; those of nothing are no longer there.
///
/// # Errors
/// A fault of the database.
pub fn save_totals(
    tx: &mut Tx<'_>,
    (currency, dimension): (&Currency, &str),
    totals: &[(&str, Sums)],
) -> Answer<()> {
    for some in totals.chunks(ROWS_AT_ONCE) {
        let values: Vec<&str> = some.iter().map(|(value, _)| *value).collect();
        both!(tx.conn(), c => diesel::delete(spending_imported_totals::table
            .filter(spending_imported_totals::currency.eq(currency.as_str()))
            .filter(spending_imported_totals::dimension.eq(dimension))
            .filter(spending_imported_totals::value.eq_any(values)))
            .execute(c))?;
        let rows: Vec<TotalRow> = some
            .iter()
            .filter(|(_, sums)| sums.records > 0)
            .map(|(value, sums)| TotalRow {
                currency: currency.as_str().to_owned(),
                dimension: dimension.to_owned(),
                value: (*value).to_owned(),
                records: sums.records,
                amount: sums.amount,
                committed: sums.committed,
                paid: sums.paid,
                payments: sums.payments,
            })
            .collect();
        if !rows.is_empty() {
            both!(tx.conn(), c => diesel::insert_into(spending_imported_totals::table)
                .values(&rows)
                .execute(c))?;
        }
    }
    Ok(())
}

/// Forgets what those of these organisations are called that nothing is counted of any more.
///
/// # Errors
/// A fault of the database.
pub fn forget_names(tx: &mut Tx<'_>, ids: &[&str]) -> Answer<()> {
    for some in ids.chunks(ROWS_AT_ONCE) {
        let id = spending_imported_names::id.nullable();
        both!(tx.conn(), c => diesel::delete(spending_imported_names::table
            .filter(spending_imported_names::id.eq_any(some))
            .filter(not(exists(spending_imported::table.filter(spending_imported::buyer_id.eq(id)))))
            .filter(not(exists(spending_imported::table.filter(spending_imported::supplier_id.eq(id))))))
            .execute(c))?;
    }
    Ok(())
}

/// Says what an organisation is called. What was said last holds.
///
/// # Errors
/// A fault of the database.
pub fn call(tx: &mut Tx<'_>, id: &str, name: &str) -> Answer<()> {
    both!(tx.conn(), c => diesel::insert_into(spending_imported_names::table)
        .values((spending_imported_names::id.eq(id), spending_imported_names::name.eq(name)))
        .on_conflict(spending_imported_names::id)
        .do_update()
        .set(spending_imported_names::name.eq(name))
        .execute(c))?;
    Ok(())
}
