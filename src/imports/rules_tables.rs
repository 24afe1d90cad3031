//! A ward's running data as tables: organisations, budget lines and contracts that are running, with headings in Chinese or English. A table is judged whole: every
//! fault is told with its row and column, and one fault keeps all of it out. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::kernel::money::Money;
use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::text::Text;
use crate::publish::rules_json::{Json, Object};
use crate::registry::rules_credit_code::CreditCode;
use crate::registry::rules_text::{day_of, line_fits};
use crate::text;
use crate::web::problem::{INVALID, MALFORMED};

/// Rows of a table at most.
pub const ROWS_MAX: usize = 5_000;
/// Faults that are listed at most.
const OBJECTIONS_MAX: usize = 500;
/// Characters of a contract's number.
const NUMBER_LENGTH_MAX: usize = 60;
/// Characters of a name.
const NAME_LENGTH_MAX: usize = 200;

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Organisations to be registered.
    Organisations,
    /// Lines of the budget to be made.
    BudgetLines,
    /// Contracts that were made elsewhere and are running.
    Contracts,
}

/// A column: its English heading, its Chinese one, whether each row must have it.
type Column = (&'static str, &'static str, bool);

const ORGANISATIONS: [Column; 11] = [
    ("kind", "类型", true),
    ("name_zh", "名称", true),
    ("name_en", "英文名称", false),
    ("credit_code", "统一社会信用代码", false),
    ("area_code", "区域代码", false),
    ("legal_representative", "法定代表人", false),
    ("contact_name", "联系人", false),
    ("phone", "电话", false),
    ("mail", "邮箱", false),
    ("address", "地址", false),
    ("member_count", "成员数", false),
];
const BUDGET_LINES: [Column; 7] = [
    ("fund_code", "资金编码", true),
    ("fiscal_year", "年度", true),
    ("code", "编码", true),
    ("organisation", "单位", true),
    ("category", "类别", true),
    ("purpose_zh", "用途", true),
    ("purpose_en", "英文用途", false),
];
const CONTRACTS: [Column; 12] = [
    ("number", "合同编号", true),
    ("title", "名称", true),
    ("buyer", "采购单位", true),
    ("supplier", "承包单位", true),
    ("supplier_credit_code", "统一社会信用代码", false),
    ("area_code", "区域代码", true),
    ("category", "类别", true),
    ("value", "合同金额", true),
    ("paid", "已付金额", true),
    ("as_of", "截至日期", true),
    ("signed_on", "签订日期", false),
    ("ends_on", "到期日期", true),
];

impl Sort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Organisations, Self::BudgetLines, Self::Contracts];

    /// Its name in the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisations => "organisations",
            Self::BudgetLines => "budget-lines",
            Self::Contracts => "contracts",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }

    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Organisations => &ORGANISATIONS,
            Self::BudgetLines => &BUDGET_LINES,
            Self::Contracts => &CONTRACTS,
        }
    }
}

/// A row as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line in the file on which it begins, counted from 1: the heading's, if nothing stands before it.
    pub line: u64,
    cells: BTreeMap<&'static str, String>,
}

impl Row {
    /// What stands in a column; empty if nothing does, or there is no such column.
    pub fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// The same, if there is something.
    pub fn some(&self, column: &str) -> Option<String> {
        Some(self.cell(column).to_owned()).filter(|text| !text.is_empty())
    }
}

/// Where lines begin in a text that is read from its beginning to its end.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    const fn of(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line on which something stands that was looked for from a place on, which lies behind all that were asked for: blank lines before it are passed over. A line
    /// ends with either sign, or with both.
    fn line_at(&mut self, place: Option<&csv::Position>) -> u64 {
        let place = place.and_then(|place| usize::try_from(place.byte()).ok());
        let bytes = self.text.as_bytes();
        let rest = place.and_then(|place| bytes.get(place..)).unwrap_or_default();
        let blank = rest
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let begins = bytes.len().saturating_sub(rest.len()).saturating_add(blank);
        let passed = bytes.get(self.at..begins).unwrap_or_default();
        for (at, byte) in passed.iter().enumerate() {
            let is_end = match byte {
                b'\n' => true,
                b'\r' => passed.get(at.saturating_add(1)).is_none_or(|next| *next != b'\n'),
                _ => false,
            };
            self.line = self.line.saturating_add(u64::from(is_end));
        }
        self.at = self.at.max(begins);
        self.line
    }
}

/// The faults of rows that have not what they must have: every cell that has to be filled and is not.
pub fn filled(rows: &[Row], sort: Sort) -> Faults {
    let mut faults = Faults::default();
    for (at, row) in rows.iter().enumerate() {
        for (name, ..) in sort.columns().iter().filter(|(_, _, needed)| *needed) {
            if row.cell(name).is_empty() {
                faults.add(at, name, REQUIRED, Text::fixed("必填", "is required"));
            }
        }
    }
    faults
}

/// Reads the rows of a table as they stand.
///
/// # Errors
/// [`MALFORMED`] if it is no CSV with the right columns, or has too many rows.
pub fn rows(text: &str, sort: Sort) -> Result<Vec<Row>, Refusal> {
    if text.contains('\0') {
        let why = Text::fixed("表格含有空字符", "the table has a zero character in it");
        return Err(MALFORMED.because(why));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut lines = Lines::of(text);
    let headings = reader
        .headers()
        .map_err(|error| not_csv(&error, &mut lines))?
        .clone();
    let columns = places(&headings, sort)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(&error, &mut lines))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() == ROWS_MAX {
            return Err(MALFORMED.because(text!("最多 {ROWS_MAX} 行", "at most {ROWS_MAX} rows")));
        }
        let mut cells = BTreeMap::new();
        for ((name, ..), place) in &columns {
            cells.insert(*name, record.get(*place).unwrap_or_default().to_owned());
        }
        rows.push(Row {
            line: lines.line_at(record.position()),
            cells,
        });
    }
    if rows.is_empty() {
        return Err(MALFORMED.because(Text::fixed("表格没有数据行", "the table has no rows")));
    }
    Ok(rows)
}

/// Where each column is.
fn places(headings: &csv::StringRecord, sort: Sort) -> Result<Vec<(Column, usize)>, Refusal> {
    let mut found: Vec<(Column, usize)> = Vec::new();
    let mut unknown = Vec::new();
    for (place, heading) in headings.iter().enumerate() {
        let is_it = |(name, zh, _): &&Column| name.eq_ignore_ascii_case(heading) || *zh == heading;
        match sort.columns().iter().find(is_it) {
            Some(column) if found.iter().any(|(known, _)| known.0 == column.0) => {
                return Err(
                    MALFORMED.because(text!("列重复：{heading}", "the column {heading} is there twice"))
                );
            }
            Some(column) => found.push((*column, place)),
            None => unknown.push(heading.to_owned()),
        }
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(MALFORMED.because(text!("未知列：{names}", "unknown columns: {names}")));
    }
    let missing = sort
        .columns()
        .iter()
        .filter(|(name, _, needed)| *needed && !found.iter().any(|((known, ..), _)| known == name));
    let missing: Vec<&Column> = missing.collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let of = |name: fn(&Column) -> &'static str| {
        missing
            .iter()
            .map(|column| name(column))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (zh, en) = (of(|column| column.1), of(|column| column.0));
    Err(MALFORMED.because(text!("缺少列：{zh}", "missing columns: {en}")))
}

fn not_csv(error: &csv::Error, lines: &mut Lines<'_>) -> Refusal {
    let line = lines.line_at(error.position());
    MALFORMED.because(text!(
        "第 {line} 行不是有效的 CSV",
        "line {line} is not valid CSV"
    ))
}

/// A refusal of a table whose faults say, in words, on which line of the file they are: rows are counted without blank ones, lines are not.
pub fn with_lines(mut refusal: Refusal, rows: &[Row]) -> Refusal {
    for fault in &mut refusal.objections {
        if let Some(line) = row_of(&fault.pointer)
            .and_then(|row| rows.get(row))
            .map(|row| row.line)
        {
            let (zh, en) = (fault.detail.zh(), fault.detail.en());
            fault.detail = text!("第 {line} 行：{zh}", "line {line}: {en}");
        }
    }
    refusal
}

/// The row of a fault at `/row/column`.
fn row_of(pointer: &str) -> Option<usize> {
    pointer.trim_start_matches('/').split('/').next()?.parse().ok()
}

/// What is told of a cell with nothing in it that has to be filled.
const REQUIRED: &str = "required";

/// Faults of a table, with row and column. Of a cell that has to be filled and is not, nothing else is told.
#[derive(Debug, Default)]
pub struct Faults {
    all: Vec<Objection>,
    empty: BTreeSet<String>,
}

impl Faults {
    /// Adds one.
    pub fn add(&mut self, row: usize, column: &str, code: &'static str, detail: Text) {
        self.put(Objection {
            pointer: format!("/{row}/{column}"),
            code,
            detail,
        });
    }

    fn put(&mut self, one: Objection) {
        if self.empty.contains(&one.pointer) {
            return;
        }
        if one.code == REQUIRED {
            self.empty.insert(one.pointer.clone());
        }
        self.all.push(one);
    }

    /// Whether a row has one.
    pub fn has(&self, row: usize) -> bool {
        let place = format!("/{row}");
        let mut places = self.all.iter().filter_map(|one| one.pointer.strip_prefix(&place));
        places.any(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Adds those of a refusal of one row.
    pub fn take(&mut self, row: usize, refusal: Refusal) {
        if refusal.objections.is_empty() {
            let detail = refusal.detail.unwrap_or_else(|| refusal.reason.title.clone());
            self.put(Objection {
                pointer: format!("/{row}"),
                code: refusal.reason.code,
                detail,
            });
            return;
        }
        for objection in refusal.objections {
            self.put(Objection {
                pointer: format!("/{row}{}", objection.pointer),
                ..objection
            });
        }
    }

    /// Ends the judging.
    ///
    /// # Errors
    /// [`INVALID`] with every fault.
    pub fn finish(mut self) -> Result<(), Refusal> {
        if self.all.is_empty() {
            return Ok(());
        }
        // Rows come in their order, whichever of their cells was looked at first.
        self.all.sort_by_key(|one| row_of(&one.pointer));
        let count = self.all.len();
        self.all.truncate(OBJECTIONS_MAX);
        let why = text!(
            "表格有 {count} 处错误，未导入",
            "the table has {count} faults, and nothing of it was imported"
        );
        Err(INVALID.because(why).listing(self.all))
    }
}

/// A contract that is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    number: String,
    title: String,
    buyer: String,
    supplier: String,
    supplier_code: Option<String>,
    area_code: String,
    category: String,
    value: Money,
    paid: Money,
    as_of: NaiveDate,
    signed_on: Option<NaiveDate>,
    ends_on: NaiveDate,
}

impl Running {
    /// The id that processes of such contracts had before names with a hyphen were told apart, and that those without one still have.
    pub fn plain_ocid(&self) -> String {
        format!("running-{}-{}", self.buyer, self.number)
    }

    /// The id of its process, which no other contract has: what is between the first two hyphens is the buyer, in which hyphens are written `~1` and tildes `~0`. A contract that
    /// has the id of old keeps it, and no other one gets it: `holder` is the buyer of the process that is stored under that id, if there is one.
    pub fn ocid(&self, holder: Option<&str>) -> String {
        let plain = self.plain_ocid();
        let buyer = self.buyer.replace('~', "~0").replace('-', "~1");
        let own = format!("running-{buyer}-{}", self.number);
        match holder {
            Some(holder) if holder == self.buyer => plain,
            Some(_) if own == plain => format!("running~{buyer}-{}", self.number),
            _ => own,
        }
    }
}

/// Reads a row as a contract, on a day of the ward's; its faults are added to the others.
pub fn running(at: usize, row: &Row, today: NaiveDate, faults: &mut Faults) -> Option<Running> {
    for (column, max) in [
        ("number", NUMBER_LENGTH_MAX),
        ("title", NAME_LENGTH_MAX),
        ("buyer", 100),
        ("supplier", NAME_LENGTH_MAX),
    ] {
        if let Err(detail) = line_fits(row.cell(column), max) {
            faults.add(at, column, "not_valid", detail);
        }
    }
    let code = row.some("supplier_credit_code");
    if let Some(Err(error)) = code.as_deref().map(str::parse::<CreditCode>) {
        let zh = "统一社会信用代码无效";
        faults.add(at, "supplier_credit_code", "not_valid", text!("{zh}", "{error}"));
    }
    let mut money = |column: &'static str| {
        let read = row
            .cell(column)
            .parse::<Money>()
            .ok()
            .filter(|amount| !amount.is_negative());
        if read.is_none() {
            let detail = Text::fixed(
                "应为不小于零、至多两位小数的金额",
                "must be an amount of at least 0 with at most two decimals",
            );
            faults.add(at, column, "not_an_amount", detail);
        }
        read
    };
    let (value, paid) = (money("value"), money("paid"));
    let mut day = |column: &'static str| {
        let read = day_of(row.cell(column));
        if read.is_none() && !row.cell(column).is_empty() {
            let detail = Text::fixed("应为 2026-03-01 形式的日期", "must be a date like 2026-03-01");
            faults.add(at, column, "not_a_date", detail);
        }
        read
    };
    let (as_of, signed_on, ends_on) = (day("as_of"), day("signed_on"), day("ends_on"));
    if let (Some(value), Some(paid)) = (value, paid)
        && paid > value
    {
        let detail = Text::fixed("已付金额大于合同金额", "more is paid than the contract comes to");
        faults.add(at, "paid", "paid_above_value", detail);
    }
    if as_of.is_some_and(|as_of| as_of > today) {
        let detail = text!("晚于今天（{today}）", "is after today, {today}");
        faults.add(at, "as_of", "in_future", detail);
    }
    if let (Some(signed), Some(ends)) = (signed_on, ends_on)
        && ends < signed
    {
        let detail = Text::fixed("到期日期早于签订日期", "it ends before it was signed");
        faults.add(at, "ends_on", "ends_before_signed", detail);
    }
    if faults.has(at) {
        return None;
    }
    Some(Running {
        number: row.cell("number").to_owned(),
        title: row.cell("title").to_owned(),
        buyer: row.cell("buyer").to_owned(),
        supplier: row.cell("supplier").to_owned(),
        supplier_code: code,
        area_code: row.cell("area_code").to_owned(),
        category: row.cell("category").to_owned(),
        value: value?,
        paid: paid?,
        as_of: as_of?,
        signed_on,
        ends_on: ends_on?,
    })
}

/// A contract as a release: what was paid until a day is one payment of that day, which the one of a later table takes the place of.
pub fn release(one: &Running, ocid: &str) -> Object {
    let day = |day: NaiveDate| format!("{day}T00:00:00Z");
    let supplier_id = one.supplier_code.clone().unwrap_or_else(|| one.supplier.clone());
    let reference = |id: &str, name: &str| Object::new().with("id", id).with("name", name);
    let (buyer, supplier) = (
        reference(&one.buyer, &one.buyer),
        reference(&supplier_id, &one.supplier),
    );
    let role = |party: &Object, role: &str| party.clone().with("roles", vec![Json::from(role)]);
    let place = Object::new().with(
        "gazetteer",
        Object::new()
            .with("scheme", "area")
            .with("identifiers", vec![Json::from(one.area_code.as_str())]),
    );
    let item = Object::new()
        .with("id", "1")
        .with("description", one.title.as_str())
        .with("deliveryLocation", place);
    let tender = Object::new()
        .with("id", one.number.as_str())
        .with("title", one.title.as_str())
        .with("mainProcurementCategory", one.category.as_str())
        .with("items", vec![item]);
    let award = Object::new()
        .with("id", one.number.as_str())
        .with("title", one.title.as_str())
        .with("status", "active")
        .with("date", one.signed_on.map(day))
        .with("value", one.value)
        .with("suppliers", vec![supplier.clone()]);
    let period = Object::new()
        .with("startDate", one.signed_on.map(day))
        .with("endDate", day(one.ends_on));
    let mut contract = Object::new()
        .with("id", one.number.as_str())
        .with("awardID", one.number.as_str())
        .with("title", one.title.as_str())
        .with("status", "active")
        .with("dateSigned", one.signed_on.map(day))
        .with("period", period)
        .with("value", one.value);
    if !one.paid.is_zero() {
        let paid = Object::new()
            .with("id", "until")
            .with("date", day(one.as_of))
            .with("value", one.paid)
            .with("payer", buyer.clone())
            .with("payee", supplier.clone());
        contract.set(
            "implementation",
            Json::from(Object::new().with("transactions", vec![paid])),
        );
    }
    Object::new()
        .with("ocid", ocid)
        .with("id", format!("{}@{}", one.number, one.as_of))
        .with("date", day(one.as_of))
        .with("tag", vec![Json::from("contract")])
        .with(
            "parties",
            vec![role(&buyer, "buyer"), role(&supplier, "supplier")],
        )
        .with("buyer", buyer)
        .with("tender", tender)
        .with("awards", vec![award])
        .with("contracts", vec![contract])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "合同编号,名称,采购单位,承包单位,区域代码,类别,合同金额,已付金额,截至日期,签订日期,到期日期\n";

    fn read(text: &str, sort: Sort) -> Result<Vec<Row>, Refusal> {
        let rows = super::rows(text, sort)?;
        filled(&rows, sort).finish()?;
        Ok(rows)
    }

    fn today() -> NaiveDate {
        "2026-02-28".parse().unwrap()
    }

    fn running(at: usize, row: &Row, faults: &mut Faults) -> Option<Running> {
        super::running(at, row, today(), faults)
    }

    fn rows(text: &str) -> Vec<Row> {
        read(text, Sort::Contracts).unwrap()
    }

    #[test]
    fn headings_are_of_either_language_in_any_order() {
        let zh = rows(&format!(
            "\u{feff}{HEAD}H-1,保洁,街道办,甲公司,310101,sanitation,100.00,20.5,2026-01-31,,2026-12-31\n"
        ));
        let en = rows(
            "ends_on,number,title,buyer,supplier,area_code,category,value,paid,as_of\n2026-12-31,H-1,保洁,街道办,甲公司,310101,sanitation,100.00,20.5,2026-01-31\n",
        );
        let mut faults = Faults::default();
        assert_eq!(running(0, &zh[0], &mut faults), running(0, &en[0], &mut faults));
        assert!(faults.finish().is_ok());
        for bad in [
            "",
            "number\n",
            HEAD,
            "number,number\n1,2\n",
            "number,colour\n1,2\n",
        ] {
            assert_eq!(
                read(bad, Sort::Contracts).unwrap_err().reason.code,
                "malformed",
                "{bad}"
            );
        }
    }

    #[test]
    fn lines_are_those_of_the_file_whatever_stands_between_rows() {
        let row = |number: &str| {
            format!("{number},\"保洁\n清扫\",街道办,甲公司,310101,s,1,1,2026-01-31,,2026-12-31")
        };
        let lines = |text: &str| -> Vec<u64> { rows(text).iter().map(|row| row.line).collect() };
        let (one, two) = (row("H-1"), row("H-2"));
        // Each row goes over two lines.
        assert_eq!(lines(&format!("{HEAD}{one}\n{two}\n")), [2, 4]);
        assert_eq!(lines(&format!("\u{feff}\n\n{HEAD}\n\n{one}\n\n\n{two}")), [6, 10]);
        assert_eq!(
            lines(&format!("{HEAD},,,,,,,,,,\n{one}\n").replace('\n', "\r\n")),
            [3]
        );
        assert_eq!(
            lines(&format!("{HEAD}\n{one}\n{two}\n").replace('\n', "\r")),
            [3, 5]
        );
        let empty = rows(&format!("{HEAD}\n\n{one}\n"));
        let mut faults = Faults::default();
        faults.add(0, "title", "x", Text::fixed("错", "is wrong"));
        let told = with_lines(faults.finish().unwrap_err(), &empty);
        assert_eq!(told.objections[0].detail.en(), "line 4: is wrong");
        for (bad, line) in [
            (format!("{HEAD}short\n"), 2),
            (format!("{HEAD}{one}\nshort\n"), 4),
            (format!("\u{feff}{HEAD}short\n{one}\n"), 2),
        ] {
            let detail = read(&bad, Sort::Contracts).unwrap_err().detail.unwrap();
            assert!(detail.en().contains(&format!("line {line} ")), "{}", detail.en());
        }
        let bad = format!("{HEAD}\n{one}\n\nH-2,short\n");
        let refusal = read(&bad, Sort::Contracts).unwrap_err();
        let detail = refusal.detail.unwrap();
        assert!(detail.en().contains("line 6"), "{}", detail.en());
    }

    #[test]
    fn every_fault_is_told_with_row_and_column() {
        let refusal = read(
            &format!("{HEAD}H-1,,街道办,甲公司,310101,,1,1,2026-01-31,,2026-12-31\n"),
            Sort::Contracts,
        )
        .unwrap_err();
        let told: Vec<&str> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(told, ["/0/title", "/0/category"]);
        let rows = rows(&format!(
            "{HEAD}H-1,保洁,街道办,甲公司,310101,s,1.001,-1,2026-1-31,,2026-12-31\nH-2,保洁,街道办,甲公司,310101,s,1,2,2026-01-31,2027-01-01,2026-12-31\n"
        ));
        let mut faults = Faults::default();
        assert!(
            rows.iter()
                .enumerate()
                .all(|(at, row)| running(at, row, &mut faults).is_none())
        );
        let refusal = faults.finish().unwrap_err();
        let told: Vec<(&str, &str)> = refusal
            .objections
            .iter()
            .map(|one| (one.pointer.as_str(), one.code))
            .collect();
        assert_eq!(
            told,
            [
                ("/0/value", "not_an_amount"),
                ("/0/paid", "not_an_amount"),
                ("/0/as_of", "not_a_date"),
                ("/1/paid", "paid_above_value"),
                ("/1/ends_on", "ends_before_signed"),
            ]
        );
    }

    #[test]
    fn no_two_contracts_have_one_id() {
        let contract = |buyer: &str, number: &str| {
            let text = format!("{HEAD}{number},保洁,{buyer},甲公司,310101,s,1,1,2026-01-31,,2026-12-31\n");
            running(0, &rows(&text)[0], &mut Faults::default()).unwrap()
        };
        let names = [
            "甲", "甲-1", "甲-1-2", "甲~1", "甲~0", "甲~", "甲~11", "甲~01", "1", "1-2", "~1-2",
        ];
        let mut ids: BTreeMap<String, (&str, &str)> = BTreeMap::new();
        for buyer in names {
            for number in names {
                for holder in [None, Some("somebody else")] {
                    let known = ids.insert(contract(buyer, number).ocid(holder), (buyer, number));
                    assert!(
                        known.is_none_or(|known| known == (buyer, number)),
                        "{known:?} {buyer} {number}"
                    );
                }
            }
        }
        // What was imported before keeps its id, and nobody else gets it.
        let (old, other) = (contract("甲-1", "2"), contract("甲", "1-2"));
        assert_eq!(old.plain_ocid(), other.plain_ocid());
        assert_eq!(old.ocid(Some("甲-1")), "running-甲-1-2");
        assert_eq!(other.ocid(Some("甲-1")), "running~甲-1-2");
        assert_eq!(
            (other.ocid(Some("甲")), other.ocid(None)),
            ("running-甲-1-2".to_owned(), "running-甲-1-2".to_owned())
        );
        assert_eq!(old.ocid(None), "running-甲~11-2");
        assert_eq!(contract("街道办", "H-1").ocid(None), "running-街道办-H-1");
    }

    #[test]
    fn what_is_said_as_of_a_day_to_come_is_refused() {
        let on = |day: &str| {
            let text = format!("{HEAD}H-1,保洁,街道办,甲公司,310101,s,1,1,{day},,2036-12-31\n");
            let mut faults = Faults::default();
            let one = running(0, &rows(&text)[0], &mut faults);
            (
                one.is_some(),
                faults.finish().err().map(|refusal| refusal.objections[0].code),
            )
        };
        assert_eq!(on("2026-02-28"), (true, None));
        assert_eq!(on("2026-03-01"), (false, Some("in_future")));
        assert_eq!(on("2036-06-30"), (false, Some("in_future")));
    }

    #[test]
    fn an_empty_cell_hides_no_fault_but_its_own() {
        let all = super::rows(
            &format!("{HEAD}H-1,保洁,街道办,甲公司,310101,s,x,1,2027-01-31,,2026-12-31\n,保洁,街道办,甲公司,310101,s,,-1,2026-01-31,,2026-12-31\n"),
            Sort::Contracts,
        )
        .unwrap();
        let mut faults = filled(&all, Sort::Contracts);
        assert!(!faults.has(0) && faults.has(1) && !faults.has(10));
        for (at, row) in all.iter().enumerate() {
            assert!(running(at, row, &mut faults).is_none());
        }
        let told: Vec<String> = faults
            .finish()
            .unwrap_err()
            .objections
            .iter()
            .map(|one| format!("{} {}", one.pointer, one.code))
            .collect();
        assert_eq!(
            told,
            [
                "/0/value not_an_amount",
                "/0/as_of in_future",
                "/1/number required",
                "/1/value required",
                "/1/paid not_an_amount"
            ]
        );
    }

    #[test]
    fn a_contract_is_a_release_of_its_own_process() {
        let row = &rows(&format!(
            "{HEAD}H-1,保洁,街道办,甲公司,310101,sanitation,100.00,20.5,2026-01-31,2026-01-02,2026-12-31\n"
        ))[0];
        let contract = running(0, row, &mut Faults::default()).unwrap();
        let release = release(&contract, &contract.ocid(None));
        assert_eq!(release.text("ocid"), Some("running-街道办-H-1"));
        assert_eq!(release.text("date"), Some("2026-01-31T00:00:00Z"));
        let written = release.written();
        assert!(
            written.contains(r#""value":{"amount":20.50,"currency":"CNY"}"#),
            "{written}"
        );
        assert!(written.contains(r#""identifiers":["310101"]"#));
    }
}
