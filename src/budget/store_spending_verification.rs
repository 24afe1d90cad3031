//! What the verifier of spending reads, and the totals made anew: sums that the database makes, believed by nobody.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::both;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;

/// The table of facts.
const FACTS: &str = "spending_facts";
/// Transfers read at once.
const PIECE: i64 = 5_000;
/// What does not hold that is told of at once.
const TOLD_MAX: i64 = 100;

/// What is measured.
const MEASURES: [&str; 11] = [
    "appropriated_fen",
    "budgeted_fen",
    "reserved_fen",
    "committed_fen",
    "retained_fen",
    "paid_fen",
    "deducted_fen",
    "refunded_fen",
    "payments",
    "ballots",
    "satisfaction",
];

/// A dimension of which totals are kept, and how its value follows from a fact `f` and its subject `s`.
#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    value: &'static str,
    is_sharded: bool,
}

/// All of them.
pub const DIMENSIONS: [Dimension; 11] = [
    sharded("month", "CAST(f.month AS TEXT)"),
    sharded("fiscal_year", "CAST(s.fiscal_year AS TEXT)"),
    sharded("fund", "s.fund_id"),
    Dimension {
        is_sharded: false,
        ..sharded("budget_line", "COALESCE(s.line_id, '')")
    },
    sharded("buyer", "COALESCE(s.buyer_id, '')"),
    sharded("area", "COALESCE(s.area_id, '')"),
    sharded("category", "COALESCE(s.category, '')"),
    sharded("supplier", "COALESCE(s.supplier_id, '')"),
    sharded("supplier_kind", "COALESCE(s.supplier_kind, '')"),
    sharded("method", "COALESCE(s.method, '')"),
    sharded("contract", "COALESCE(s.contract_id, '')"),
];

const fn sharded(name: &'static str, value: &'static str) -> Dimension {
    Dimension {
        name,
        value,
        is_sharded: true,
    }
}

impl Dimension {
    /// The rows that its totals have to be, without its name, from facts or from sums of them.
    fn summed(&self, conn: &Conn, facts: &str) -> String {
        let collation = match conn {
            Conn::Sqlite(_) => "",
            Conn::Postgres(_) => " COLLATE \"C\"",
        };
        let shard = if self.is_sharded {
            "s.shard"
        } else {
            "CAST(0 AS BIGINT)"
        };
        let sums = MEASURES.map(|measure| format!("CAST(SUM(f.{measure}) AS BIGINT)"));
        format!(
            "SELECT {}{collation} AS value, {shard} AS shard, {} FROM {facts} f \
             JOIN spending_subjects s ON s.id = f.subject_id GROUP BY 1, 2",
            self.value,
            sums.join(", ")
        )
    }

    /// Whether its value is of each fact, and not of the subject.
    fn is_of_facts(&self) -> bool {
        self.value.contains("f.")
    }

    fn kept(&self) -> String {
        format!(
            "SELECT value, shard, {} FROM spending_totals WHERE dimension = '{}'",
            MEASURES.join(", "),
            self.name
        )
    }
}

/// Something that does not hold.
#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

fn found(conn: &mut Conn, query: &str) -> Answer<Vec<String>> {
    let rows: Vec<Found> = both!(conn, c => sql_query(query).load(c))?;
    Ok(rows.into_iter().map(|row| row.found).collect())
}

/// A transfer, and what its facts add up to.
#[derive(Debug, QueryableByName)]
pub struct AddedRow {
    /// The transfer.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// How much it moved, in fen.
    #[diesel(sql_type = BigInt)]
    pub amount_fen: i64,
    /// Why.
    #[diesel(sql_type = Text)]
    pub code: String,
    /// What the account is for that it took from.
    #[diesel(sql_type = Text)]
    pub from_code: String,
    /// The budget line of that.
    #[diesel(sql_type = Nullable<Text>)]
    pub from_line: Option<String>,
    /// What the account is for that it gave to.
    #[diesel(sql_type = Text)]
    pub to_code: String,
    /// The budget line of that.
    #[diesel(sql_type = Nullable<Text>)]
    pub to_line: Option<String>,
    /// What it added to what was appropriated.
    #[diesel(sql_type = BigInt)]
    pub appropriated_fen: i64,
    /// To what lines have.
    #[diesel(sql_type = BigInt)]
    pub budgeted_fen: i64,
    /// To what is reserved.
    #[diesel(sql_type = BigInt)]
    pub reserved_fen: i64,
    /// To what is committed.
    #[diesel(sql_type = BigInt)]
    pub committed_fen: i64,
    /// To what is kept back.
    #[diesel(sql_type = BigInt)]
    pub retained_fen: i64,
    /// To what was paid.
    #[diesel(sql_type = BigInt)]
    pub paid_fen: i64,
    /// To what was deducted.
    #[diesel(sql_type = BigInt)]
    pub deducted_fen: i64,
    /// To what came back.
    #[diesel(sql_type = BigInt)]
    pub refunded_fen: i64,
}

/// The next transfers after an id, each with what it added.
///
/// # Errors
/// A fault of the database.
pub fn added(conn: &mut Conn, after: &str) -> Answer<Vec<AddedRow>> {
    let mark = match conn {
        Conn::Sqlite(_) => "?",
        Conn::Postgres(_) => "$1",
    };
    let sums: Vec<String> = MEASURES
        .iter()
        .take(8)
        .map(|measure| format!("CAST(COALESCE(SUM(f.{measure}), 0) AS BIGINT) AS {measure}"))
        .collect();
    let query = format!(
        "SELECT t.id, t.amount_fen, t.code, a.code AS from_code, a.line_id AS from_line, b.code AS to_code, \
         b.line_id AS to_line, {} \
         FROM (SELECT * FROM ledger_transfers WHERE id > {mark} ORDER BY id LIMIT {PIECE}) t \
         JOIN ledger_accounts a ON a.id = t.from_account_id JOIN ledger_accounts b ON b.id = t.to_account_id \
         LEFT JOIN spending_facts f ON f.source_id = t.id \
         GROUP BY t.id, t.amount_fen, t.code, a.code, a.line_id, b.code, b.line_id ORDER BY t.id",
        sums.join(", ")
    );
    Ok(both!(conn, c => sql_query(query).bind::<Text, _>(after).load(c))?)
}

/// Budget lines that are measured otherwise than their accounts stand.
///
/// # Errors
/// A fault of the database.
pub fn lines_that_differ(conn: &mut Conn) -> Answer<Vec<String>> {
    let of = |codes: &str| format!("SUM(CASE WHEN code IN ({codes}) THEN balance_fen ELSE 0 END)");
    let query = format!(
        "SELECT l.line_id AS found FROM (SELECT line_id, {} AS budgeted, {} AS reserved, {} AS committed, \
         {} AS retained, {} AS paid FROM ledger_accounts WHERE line_id IS NOT NULL GROUP BY line_id) l \
         LEFT JOIN (SELECT s.line_id, SUM(f.budgeted_fen) AS budgeted, SUM(f.reserved_fen) AS reserved, \
         SUM(f.committed_fen) AS committed, SUM(f.retained_fen) AS retained, SUM(f.paid_fen) AS paid \
         FROM spending_facts f JOIN spending_subjects s ON s.id = f.subject_id \
         GROUP BY s.line_id) m ON m.line_id = l.line_id \
         WHERE COALESCE(m.budgeted, 0) <> l.budgeted OR COALESCE(m.reserved, 0) <> l.reserved \
         OR COALESCE(m.committed, 0) <> l.committed OR COALESCE(m.retained, 0) <> l.retained \
         OR COALESCE(m.paid, 0) <> l.paid ORDER BY 1 LIMIT {TOLD_MAX}",
        of("'available', 'reserved', 'committed', 'retained', 'spent'"),
        of("'reserved'"),
        of("'committed'"),
        of("'retained'"),
        of("'spent'"),
    );
    found(conn, &query)
}

/// Contracts that are measured otherwise than what is held for them.
///
/// # Errors
/// A fault of the database.
pub fn contracts_that_differ(conn: &mut Conn) -> Answer<Vec<String>> {
    let query = format!(
        "SELECT k.contract_id AS found FROM (SELECT DISTINCT contract_id FROM spending_matters \
         WHERE contract_id IS NOT NULL) k \
         LEFT JOIN (SELECT m.contract_id, SUM(h.remaining_fen) AS held FROM ledger_holds h \
         JOIN spending_matters m ON m.matter = h.matter GROUP BY m.contract_id) h ON h.contract_id = k.contract_id \
         LEFT JOIN (SELECT s.contract_id, SUM(f.committed_fen) + SUM(f.retained_fen) AS held FROM spending_facts f \
         JOIN spending_subjects s ON s.id = f.subject_id GROUP BY s.contract_id) m \
         ON m.contract_id = k.contract_id \
         WHERE COALESCE(h.held, 0) <> COALESCE(m.held, 0) ORDER BY 1 LIMIT {TOLD_MAX}"
    );
    found(conn, &query)
}

/// Claims that something was paid for and that do not count as one payment, or as none where all of it came back.
///
/// # Errors
/// A fault of the database.
pub fn payments_that_differ(conn: &mut Conn) -> Answer<Vec<String>> {
    let query = format!(
        "SELECT t.matter AS found FROM ledger_transfers t JOIN spending_facts f ON f.source_id = t.id \
         WHERE t.code IN ('payment', 'refund') AND substr(t.matter, 1, 6) = 'claim_' GROUP BY t.matter \
         HAVING SUM(f.payments) <> CASE WHEN SUM(f.paid_fen) > 0 THEN 1 ELSE 0 END ORDER BY 1 LIMIT {TOLD_MAX}"
    );
    found(conn, &query)
}

/// Values of a dimension whose totals are not what they add up: what is kept and does not follow, and what follows and is not kept.
///
/// # Errors
/// A fault of the database.
pub fn totals_that_differ(conn: &mut Conn, dimension: &Dimension) -> Answer<Vec<String>> {
    let (kept, summed) = (dimension.kept(), dimension.summed(conn, FACTS));
    let either = |one: &str, other: &str| {
        format!(
            "SELECT value AS found FROM (SELECT * FROM ({one}) x EXCEPT SELECT * FROM ({other}) y) z LIMIT {TOLD_MAX}"
        )
    };
    let mut differ = found(conn, &either(&kept, &summed))?;
    differ.extend(found(conn, &either(&summed, &kept))?);
    differ.sort();
    differ.dedup();
    Ok(differ)
}

/// Makes all totals anew from the facts. Everything but the month is of the subject, so that facts are added up by subjects once, and those by each dimension.
///
/// # Errors
/// A fault of the database.
pub fn rebuild_totals(tx: &mut Tx<'_>) -> Answer<()> {
    let conn = tx.conn();
    both!(&mut *conn, c => sql_query("DELETE FROM spending_totals").execute(c))?;
    let of = |dimension: &Dimension, summed: &str| {
        format!(
            "SELECT CAST('{}' AS TEXT) AS dimension, x.* FROM ({summed}) x",
            dimension.name
        )
    };
    let (by_month, by_subject): (Vec<&Dimension>, Vec<&Dimension>) =
        DIMENSIONS.iter().partition(|dimension| dimension.is_of_facts());
    let months: Vec<String> = by_month
        .iter()
        .map(|dimension| of(dimension, &dimension.summed(conn, FACTS)))
        .collect();
    let subjects: Vec<String> = by_subject
        .iter()
        .map(|dimension| of(dimension, &dimension.summed(conn, "sums")))
        .collect();
    let sums = MEASURES.map(|measure| format!("CAST(SUM({measure}) AS BIGINT) AS {measure}"));
    let insert = format!(
        "INSERT INTO spending_totals (dimension, value, shard, {})",
        MEASURES.join(", ")
    );
    for query in [
        format!("{insert} {}", months.join(" UNION ALL ")),
        format!(
            "WITH sums AS MATERIALIZED (SELECT subject_id, {} FROM {FACTS} GROUP BY subject_id) {insert} {}",
            sums.join(", "),
            subjects.join(" UNION ALL ")
        ),
    ] {
        both!(&mut *conn, c => sql_query(query).execute(c))?;
    }
    Ok(())
}
