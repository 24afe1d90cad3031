//! Spending grouped and added up: from the totals where one dimension alone is asked for, else from the facts. Statements are put together from fixed parts; what a
//! caller says is always bound.

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::budget::rules_imported::Key;
use crate::budget::rules_spending::Measures;
use crate::db::conn::Conn;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::oversight::rules_spending::{Dimension, Filters, Group};

/// The sums of every measure.
const SUMS: &str = "CAST(COALESCE(SUM(x.budgeted_fen), 0) AS BIGINT) AS budgeted, \
    CAST(COALESCE(SUM(x.reserved_fen), 0) AS BIGINT) AS reserved, CAST(COALESCE(SUM(x.committed_fen), 0) AS BIGINT) AS committed, \
    CAST(COALESCE(SUM(x.retained_fen), 0) AS BIGINT) AS retained, CAST(COALESCE(SUM(x.paid_fen), 0) AS BIGINT) AS paid, \
    CAST(COALESCE(SUM(x.deducted_fen), 0) AS BIGINT) AS deducted, CAST(COALESCE(SUM(x.refunded_fen), 0) AS BIGINT) AS refunded, \
    CAST(COALESCE(SUM(x.payments), 0) AS BIGINT) AS payments, CAST(COALESCE(SUM(x.ballots), 0) AS BIGINT) AS ballots, \
    CAST(COALESCE(SUM(x.satisfaction), 0) AS BIGINT) AS satisfaction";

/// A value that a statement binds.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Text(String),
    Number(i64),
    Day(NaiveDate),
}

/// A statement in the making.
pub(super) struct Statement {
    is_postgres: bool,
    text: String,
    bound: Vec<Bound>,
}

impl Statement {
    pub(super) fn of(conn: &Conn) -> Self {
        Self {
            is_postgres: matches!(conn, Conn::Postgres(_)),
            text: String::new(),
            bound: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The place of a value.
    pub(super) fn bind(&mut self, value: Bound) {
        self.bound.push(value);
        if self.is_postgres {
            self.text.push_str(&format!("${}", self.bound.len()));
        } else {
            self.text.push('?');
        }
    }

    /// Narrows rows `of` to what serves an area, or what lies below it.
    pub(super) fn within(&mut self, area: &AreaId, of: &str) {
        // What lies below an area begins with its path, whose last character is the slash; the next character is the zero.
        self.say(&format!(
            " AND {of}.area_id IN (SELECT b.id FROM areas a JOIN areas b ON b.path >= a.path \
             AND b.path < substr(a.path, 1, length(a.path) - 1) || '0' WHERE a.id = "
        ));
        self.bind(Bound::Text(area.to_string()));
        self.say(")");
    }

    /// Text compared byte by byte, wherever it comes from.
    pub(super) fn collated(&self, expression: &str) -> String {
        if self.is_postgres {
            format!("{expression} COLLATE \"C\"")
        } else {
            expression.to_owned()
        }
    }

    pub(super) fn load<R>(self, conn: &mut Conn) -> Answer<Vec<R>>
    where
        R: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
    {
        macro_rules! load {
            ($c:expr, $backend:ty) => {{
                let mut query = sql_query(self.text).into_boxed::<$backend>();
                for value in self.bound {
                    query = match value {
                        Bound::Text(text) => query.bind::<Text, _>(text),
                        Bound::Number(number) => query.bind::<BigInt, _>(number),
                        Bound::Day(day) => query.bind::<Date, _>(day),
                    };
                }
                query.load($c)
            }};
        }
        Ok(match conn {
            Conn::Sqlite(c) => load!(c, Sqlite),
            Conn::Postgres(c) => load!(c, Pg),
        }?)
    }
}

#[derive(QueryableByName)]
pub(super) struct GroupRow {
    #[diesel(sql_type = Text)]
    key1: String,
    #[diesel(sql_type = Text)]
    key2: String,
    #[diesel(sql_type = Text)]
    key3: String,
    #[diesel(sql_type = BigInt)]
    budgeted: i64,
    #[diesel(sql_type = BigInt)]
    reserved: i64,
    #[diesel(sql_type = BigInt)]
    committed: i64,
    #[diesel(sql_type = BigInt)]
    retained: i64,
    #[diesel(sql_type = BigInt)]
    paid: i64,
    #[diesel(sql_type = BigInt)]
    deducted: i64,
    #[diesel(sql_type = BigInt)]
    refunded: i64,
    #[diesel(sql_type = BigInt)]
    payments: i64,
    #[diesel(sql_type = BigInt)]
    ballots: i64,
    #[diesel(sql_type = BigInt)]
    satisfaction: i64,
}

impl GroupRow {
    pub(super) fn group(self, dimensions: usize) -> Group {
        let measures = Measures {
            appropriated: 0,
            budgeted: self.budgeted,
            reserved: self.reserved,
            committed: self.committed,
            retained: self.retained,
            paid: self.paid,
            deducted: self.deducted,
            refunded: self.refunded,
            payments: self.payments,
            ballots: self.ballots,
            satisfaction: self.satisfaction,
        };
        let mut keys = vec![self.key1, self.key2, self.key3];
        keys.truncate(dimensions);
        Group {
            keys,
            measures,
            is_imported: false,
        }
    }
}

/// The value of a dimension, of a fact `x` and its subject `s`.
const fn value(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Month => "CAST(x.month AS TEXT)",
        Dimension::Quarter => "CAST(x.month / 100 * 10 + (x.month % 100 + 2) / 3 AS TEXT)",
        Dimension::FiscalYear => "CAST(s.fiscal_year AS TEXT)",
        Dimension::Fund => "s.fund_id",
        Dimension::BudgetLine => "COALESCE(s.line_id, '')",
        Dimension::Buyer => "COALESCE(s.buyer_id, '')",
        Dimension::Area => "COALESCE(s.area_id, '')",
        Dimension::Category => "COALESCE(s.category, '')",
        Dimension::Supplier => "COALESCE(s.supplier_id, '')",
        Dimension::SupplierKind => "COALESCE(s.supplier_kind, '')",
        Dimension::Method => "COALESCE(s.method, '')",
        Dimension::Contract => "COALESCE(s.contract_id, '')",
    }
}

/// Which part of groups that are in the order of their keys.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// After this key.
    pub after: Option<&'p str>,
    /// So many at most.
    pub max: i64,
    /// Whether the greatest key comes first.
    pub is_descending: bool,
}

impl Part<'_> {
    /// Ends a statement that groups by an expression.
    pub(super) fn say(&self, statement: &mut Statement, value: &str) {
        let (comparison, order) = if self.is_descending {
            ("<", " DESC")
        } else {
            (">", "")
        };
        if let Some(after) = self.after {
            statement.say(&format!(" AND {value} {comparison} "));
            statement.bind(Bound::Text(after.to_owned()));
        }
        statement.say(&format!(" GROUP BY {value} ORDER BY {value}{order} LIMIT "));
        statement.bind(Bound::Number(self.max));
    }
}

/// Groups of one dimension from the totals, in the order of its values. Quarters are made of months.
///
/// # Errors
/// A fault of the database.
pub fn from_totals(conn: &mut Conn, dimension: Dimension, part: Part<'_>) -> Answer<Vec<Group>> {
    let mut statement = Statement::of(conn);
    let is_quarter = dimension == Dimension::Quarter;
    let value = if is_quarter {
        let month = "CAST(x.value AS BIGINT)";
        statement.collated(&format!(
            "CAST({month} / 100 * 10 + ({month} % 100 + 2) / 3 AS TEXT)"
        ))
    } else {
        "x.value".to_owned()
    };
    statement.say(&format!(
        "SELECT {value} AS key1, '' AS key2, '' AS key3, {SUMS} FROM spending_totals x WHERE x.dimension = "
    ));
    let kept = if is_quarter { Dimension::Month } else { dimension };
    statement.bind(Bound::Text(kept.name().to_owned()));
    part.say(&mut statement, &value);
    let rows: Vec<GroupRow> = statement.load(conn)?;
    Ok(rows.into_iter().map(|row| row.group(1)).collect())
}

/// What narrows subjects `of`: `s`; or imported rows `x`, which have no fund and no budget line.
pub(super) fn narrow(statement: &mut Statement, filters: &Filters, of: &str) {
    statement.say(" WHERE 1 = 1");
    if let Some(year) = filters.fiscal_year {
        statement.say(&format!(" AND {of}.fiscal_year = "));
        statement.bind(Bound::Number(year));
    }
    let key = |key: &Option<Key>| key.as_ref().map(|key| key.as_str().to_owned());
    let equal = [
        ("buyer_id", key(&filters.buyer)),
        ("category", key(&filters.category)),
        ("supplier_id", key(&filters.supplier)),
        ("supplier_kind", filters.supplier_kind.clone()),
        ("method", filters.method.clone()),
        ("contract_id", key(&filters.contract)),
    ];
    for (column, wanted) in equal {
        if let Some(wanted) = wanted {
            statement.say(&format!(" AND {of}.{column} = "));
            statement.bind(Bound::Text(wanted));
        }
    }
    if let Some(area) = &filters.area {
        statement.within(area, of);
    }
}

/// What narrows subjects `s` besides.
fn narrow_lines(statement: &mut Statement, filters: &Filters) {
    let equal = [
        ("fund_id", filters.fund.as_ref().map(ToString::to_string)),
        ("line_id", filters.budget_line.as_ref().map(ToString::to_string)),
    ];
    for (column, wanted) in equal {
        if let Some(wanted) = wanted {
            statement.say(&format!(" AND s.{column} = "));
            statement.bind(Bound::Text(wanted));
        }
    }
}

/// What narrows facts alone: rows `x`, whose amounts are in a column of that name.
pub(super) fn narrow_facts(statement: &mut Statement, filters: &Filters, amounts: &str) {
    if let Some(month) = filters.month {
        statement.say(" AND x.month = ");
        statement.bind(Bound::Number(month));
    }
    if let Some(quarter) = filters.quarter {
        statement.say(" AND x.month / 100 * 10 + (x.month % 100 + 2) / 3 = ");
        statement.bind(Bound::Number(quarter));
    }
    for (comparison, day) in [(">=", filters.from), ("<", filters.until)] {
        if let Some(day) = day {
            statement.say(&format!(" AND x.made_on {comparison} "));
            statement.bind(Bound::Day(day));
        }
    }
    for (comparison, amount) in [(">=", filters.amount_min), ("<=", filters.amount_max)] {
        if let Some(amount) = amount {
            statement.say(&format!(" AND x.{amounts} {comparison} "));
            statement.bind(Bound::Number(amount.fen()));
        }
    }
    if filters.is_of_amounts() {
        // What moves no money has no amount, and none is at most anything.
        statement.say(&format!(" AND x.{amounts} > 0"));
    }
}

/// Up to `max` groups from the facts, in no order.
///
/// # Errors
/// A fault of the database.
pub fn from_facts(
    conn: &mut Conn,
    dimensions: &[Dimension],
    filters: &Filters,
    max: i64,
) -> Answer<Vec<Group>> {
    let mut statement = Statement::of(conn);
    statement.say("SELECT ");
    let mut keys = dimensions.iter();
    for name in ["key1", "key2", "key3"] {
        let value = keys.next().map_or("''", |dimension| value(*dimension));
        statement.say(&format!("{value} AS {name}, "));
    }
    statement.say(SUMS);
    statement.say(" FROM spending_facts x JOIN spending_subjects s ON s.id = x.subject_id");
    narrow(&mut statement, filters, "s");
    narrow_lines(&mut statement, filters);
    narrow_facts(&mut statement, filters, "amount_fen");
    let values: Vec<&str> = dimensions.iter().map(|dimension| value(*dimension)).collect();
    statement.say(&format!(" GROUP BY {} LIMIT ", values.join(", ")));
    statement.bind(Bound::Number(max));
    let rows: Vec<GroupRow> = statement.load(conn)?;
    Ok(rows.into_iter().map(|row| row.group(dimensions.len())).collect())
}

/// How much the contracts of a group buy, where all of it is in one unit.
#[derive(Clone, Debug, QueryableByName)]
pub struct QuantityRow {
    #[diesel(sql_type = Text)]
    key1: String,
    #[diesel(sql_type = Text)]
    key2: String,
    #[diesel(sql_type = Text)]
    key3: String,
    /// The unit in Chinese.
    #[diesel(sql_type = Text)]
    pub unit_zh: String,
    /// The unit in English.
    #[diesel(sql_type = Text)]
    pub unit_en: String,
    /// How much, in millionths.
    #[diesel(sql_type = BigInt)]
    pub millionths: i64,
}

impl QuantityRow {
    /// The values of its group.
    pub fn keys(&self, dimensions: usize) -> Vec<String> {
        let mut keys = vec![self.key1.clone(), self.key2.clone(), self.key3.clone()];
        keys.truncate(dimensions);
        keys
    }
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many subjects are contracts, counted up to `max`.
///
/// # Errors
/// A fault of the database.
pub fn contracts(conn: &mut Conn, max: i64) -> Answer<i64> {
    let mut statement = Statement::of(conn);
    statement.say("SELECT COUNT(*) AS number FROM (SELECT 1 FROM spending_subjects WHERE contract_id IS NOT NULL LIMIT ");
    statement.bind(Bound::Number(max));
    statement.say(") c");
    let rows: Vec<Counted> = statement.load(conn)?;
    Ok(rows.first().map_or(0, |row| row.number))
}

/// How much the contracts of each group buy, each contract once; groups whose contracts do not all say it in one unit are left out.
///
/// # Errors
/// A fault of the database.
pub fn quantities(conn: &mut Conn, dimensions: &[Dimension], filters: &Filters) -> Answer<Vec<QuantityRow>> {
    let mut statement = Statement::of(conn);
    statement.say("SELECT key1, key2, key3, MIN(unit_zh) AS unit_zh, MIN(unit_en) AS unit_en, CAST(SUM(millionths) AS BIGINT) AS millionths FROM (SELECT DISTINCT ");
    let mut keys = dimensions.iter();
    for name in ["key1", "key2", "key3"] {
        let value = keys.next().map_or("''", |dimension| value(*dimension));
        let value = statement.collated(value);
        statement.say(&format!("{value} AS {name}, "));
    }
    statement.say(
        "s.contract_id, s.unit_zh, s.unit_en, s.quantity_millionths AS millionths FROM spending_subjects s",
    );
    narrow(&mut statement, filters, "s");
    narrow_lines(&mut statement, filters);
    statement.say(
        " AND s.contract_id IS NOT NULL) c GROUP BY key1, key2, key3 HAVING COUNT(*) = COUNT(millionths) \
         AND COUNT(DISTINCT unit_zh) = 1 AND COUNT(DISTINCT unit_en) = 1",
    );
    statement.load(conn)
}

/// What something is called.
#[derive(Clone, Debug, QueryableByName)]
pub struct NameRow {
    /// Its id or code.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// In Chinese.
    #[diesel(sql_type = Nullable<Text>)]
    pub name_zh: Option<String>,
    /// In English.
    #[diesel(sql_type = Nullable<Text>)]
    pub name_en: Option<String>,
}

/// What the values of a dimension are called, where that stands in a table.
///
/// # Errors
/// A fault of the database.
pub fn names(conn: &mut Conn, dimension: Dimension, values: &[&str]) -> Answer<Vec<NameRow>> {
    let select = match dimension {
        Dimension::Fund => "SELECT id, name_zh, name_en FROM funds WHERE id IN (",
        Dimension::Buyer | Dimension::Supplier => "SELECT id, name_zh, name_en FROM organisations WHERE id IN (",
        Dimension::Area => "SELECT id, name_zh, name_en FROM areas WHERE id IN (",
        Dimension::Category => "SELECT code AS id, name_zh, name_en FROM service_categories WHERE code IN (",
        Dimension::Contract => {
            "SELECT c.id, b.title_zh AS name_zh, b.title_en AS name_en FROM contracts c JOIN books b ON b.id = c.book_id WHERE c.id IN ("
        }
        Dimension::Month
        | Dimension::Quarter
        | Dimension::FiscalYear
        // What a line is for is not public.
        | Dimension::BudgetLine
        | Dimension::SupplierKind
        | Dimension::Method => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for some in values.chunks(1_000) {
        let mut statement = Statement::of(conn);
        statement.say(select);
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
