//! Reading a community's roll from a table. Pure: bytes become rows, rows and the roll as it stands become a plan, and the plan is
//! all or nothing. Faults name the row, the column and the kind of fault; they never repeat a value, not even that of a header,
//! because a table without a header begins with somebody's name.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::text::Language::{Chinese, English};
use crate::kernel::text::Text;
use crate::registry::export_roll::unguarded;
use crate::registry::rules_person::{self as read, DwellingArea};
use crate::registry::rules_roll::{
    self as rules, DepartureReason, Details, Household, HouseholdId, RESIDENTS_MAX, ROLL_FULL, Resident,
};
use crate::text;
use crate::web::problem::{INVALID, MALFORMED, UNSUPPORTED_CONTENT};

/// Rows of one table at most.
pub const ROWS_MAX: usize = 20_000;

/// Faults listed at most; the report says how many there are.
const OBJECTIONS_MAX: usize = 500;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Household,
    Name,
    BirthDate,
    DwellingArea,
    Owner,
    Phone,
    Email,
}

impl Column {
    const ALL: [Self; 7] = [
        Self::Household,
        Self::Name,
        Self::BirthDate,
        Self::DwellingArea,
        Self::Owner,
        Self::Phone,
        Self::Email,
    ];

    /// What the header may call it; the first is how faults do in English, the second in Chinese.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Household => &["household", "户号"],
            Self::Name => &["name", "姓名"],
            Self::BirthDate => &["birth_date", "出生日期"],
            Self::DwellingArea => &["dwelling_area", "面积", "dwelling_area_m2"],
            Self::Owner => &["owner", "业主", "is_owner"],
            Self::Phone => &["phone", "手机"],
            Self::Email => &["email", "邮箱", "mail"],
        }
    }

    fn named(header: &str) -> Option<Self> {
        let is_named = |column: &Self| {
            column
                .names()
                .iter()
                .any(|name| name.eq_ignore_ascii_case(header))
        };
        Self::ALL.into_iter().find(is_named)
    }

    fn text(self) -> (&'static str, &'static str) {
        match self.names() {
            [en, zh, ..] => (zh, en),
            _ => ("", ""),
        }
    }
}

/// One row as it stands in the table. What is `None` has no column: the table says nothing about it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, the header being line 1.
    line: u64,
    household: String,
    name: String,
    birth_date: String,
    dwelling_area: Option<String>,
    owner: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row(line {})", self.line)
    }
}

/// The text of a table: in the encoding that its `charset` names, and without one in UTF-8 if it is that, else in GB18030, which is
/// what spreadsheets write in mainland China.
///
/// # Errors
/// [`UNSUPPORTED_CONTENT`] for another charset; [`MALFORMED`] for bytes that are no text in it, or that are text in both.
pub fn decode(bytes: &[u8], charset: Option<&str>) -> Result<String, Refusal> {
    let decoded = |encoding: &'static Encoding| {
        encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(|text| text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    };
    let wrong = || {
        MALFORMED.because(Text::fixed(
            "表格应为 UTF-8 或 GB18030 编码",
            "the table must be UTF-8 or GB18030",
        ))
    };
    match charset.map(str::to_ascii_lowercase).as_deref() {
        Some("utf-8" | "utf8") => decoded(UTF_8).ok_or_else(wrong),
        // The older ones are subsets of it.
        Some("gb18030" | "gbk" | "gb2312") => decoded(GB18030).ok_or_else(wrong),
        Some(_) => Err(UNSUPPORTED_CONTENT.because(Text::fixed(
            "charset 应为 utf-8 或 gb18030",
            "charset must be utf-8 or gb18030",
        ))),
        None => match (decoded(UTF_8), decoded(GB18030)) {
            (Some(utf8), Some(gb18030)) if could_be_either(bytes, &utf8, &gb18030) => {
                Err(MALFORMED.because(Text::fixed(
                    "无法判断表格的编码，请在 Content-Type 中注明 charset",
                    "the table could be UTF-8 or GB18030; say which with a charset in Content-Type",
                )))
            }
            (Some(utf8), _) => Ok(utf8),
            (None, gb18030) => gb18030.ok_or_else(wrong),
        },
    }
}

/// Some pairs of bytes are a Chinese character in GB18030 and an accented letter in UTF-8. Where all that is not ASCII is such, only
/// the sender knows.
fn could_be_either(bytes: &[u8], utf8: &str, gb18030: &str) -> bool {
    let has_mark = bytes.starts_with(b"\xef\xbb\xbf");
    let ambiguous = |c: char| c.is_ascii() || ('\u{80}'..'\u{800}').contains(&c);
    !has_mark && !utf8.is_ascii() && utf8.chars().all(ambiguous) && gb18030 != utf8
}

/// Reads the table.
///
/// # Errors
/// [`MALFORMED`] if it is not CSV with the right columns, has too many rows, or none.
pub fn read_table(text: &str) -> Result<Vec<Row>, Refusal> {
    if text.contains('\0') {
        // PostgreSQL has no such text.
        let why = Text::fixed("表格含有空字符", "the table has a zero character in it");
        return Err(MALFORMED.because(why));
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns_of(reader.headers().map_err(|error| not_csv(&error))?)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(&error))?;
        // Spreadsheets leave empty lines at the end.
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() == ROWS_MAX {
            return Err(MALFORMED.because(text!("最多 {ROWS_MAX} 行", "at most {ROWS_MAX} rows")));
        }
        rows.push(row_of(&record, &columns));
    }
    if rows.is_empty() {
        return Err(MALFORMED.because(Text::fixed("表格没有数据行", "the table has no rows")));
    }
    Ok(rows)
}

fn columns_of(header: &csv::StringRecord) -> Result<Vec<Column>, Refusal> {
    let mut columns = Vec::new();
    for (name, place) in header.iter().zip(1..) {
        let Some(column) = Column::named(name.trim()) else {
            return Err(MALFORMED.because(text!(
                "首行第 {place} 列不是已知的列名",
                "column {place} of the first line is not one that is known"
            )));
        };
        if columns.contains(&column) {
            let (zh, en) = column.text();
            return Err(MALFORMED.because(text!("列重复：{zh}", "the column {en} is there twice")));
        }
        columns.push(column);
    }
    for wanted in [Column::Household, Column::Name, Column::BirthDate] {
        if !columns.contains(&wanted) {
            let (zh, en) = wanted.text();
            return Err(MALFORMED.because(text!("首行缺少“{zh}”列", "the first line lacks the column {en}")));
        }
    }
    Ok(columns)
}

fn row_of(record: &csv::StringRecord, columns: &[Column]) -> Row {
    let mut row = Row {
        line: record.position().map_or(0, csv::Position::line),
        ..Row::default()
    };
    for (cell, column) in record.iter().zip(columns) {
        let cell = unguarded(cell.trim()).to_owned();
        match column {
            Column::Household => row.household = cell,
            Column::Name => row.name = cell,
            Column::BirthDate => row.birth_date = cell,
            Column::DwellingArea => row.dwelling_area = Some(cell),
            Column::Owner => row.owner = Some(cell),
            Column::Phone => row.phone = Some(cell),
            Column::Email => row.email = Some(cell),
        }
    }
    row
}

fn not_csv(error: &csv::Error) -> Refusal {
    let line = error.position().map_or(1, csv::Position::line);
    MALFORMED.because(text!(
        "第 {line} 行不是有效的 CSV",
        "line {line} is not valid CSV"
    ))
}

/// What becomes of residents that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They stay.
    Add,
    /// They have moved away.
    Replace,
}

impl Mode {
    /// The name in the API and in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
        }
    }
}

/// The roll as it stands.
#[derive(Debug, Default)]
pub struct Roll {
    /// All households of the community.
    pub households: Vec<Household>,
    /// Those who are on the roll.
    pub residents: Vec<Resident>,
}

/// A household that the table brings.
#[derive(PartialEq, Eq)]
pub struct NewHousehold {
    /// Its code.
    pub code: String,
    /// Its dwelling area, if the table says it.
    pub dwelling_area: Option<DwellingArea>,
}

/// What an import does.
#[derive(Default, PartialEq, Eq)]
pub struct Plan {
    /// Households to add.
    pub households_added: Vec<NewHousehold>,
    /// Households with another dwelling area.
    pub households_changed: Vec<Household>,
    /// People to enter.
    pub entered: Vec<Details>,
    /// Residents with other details.
    pub changed: Vec<Resident>,
    /// Residents who leave, because the table is the whole roll and they are not in it.
    pub departed: Vec<Resident>,
    /// Residents who are in the table just as they are on the roll.
    pub unchanged: usize,
    /// Residents who are not in the table and stay all the same.
    pub absent: usize,
}

/// Somebody is known again by household, name and date of birth; by the code of the household, which the table has.
type Key = (String, String, NaiveDate);

/// A row that has been read.
struct Parsed {
    household: String,
    name: String,
    birth_date: NaiveDate,
    dwelling_area: Option<DwellingArea>,
    is_owner: Option<bool>,
    phone: Option<Option<String>>,
    email: Option<Option<String>>,
}

/// Judges the rows against the roll.
///
/// # Errors
/// [`INVALID`] with every fault of every row, at `/{row}/{column}`; [`ROLL_FULL`].
pub fn plan(rows: &[Row], roll: &Roll, mode: Mode, today: NaiveDate, now: Instant) -> Result<Plan, Refusal> {
    let mut report = Report::new(rows);
    let parsed: Vec<Parsed> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| parse(at, row, today, &mut report))
        .collect();
    let areas = agreed_areas(rows, &mut report);
    refuse_repeated(rows, today, &mut report);
    report.end()?;

    let mut plan = Plan::default();
    plan_households(&parsed, &areas, roll, now, &mut plan);
    plan_residents(parsed, roll, mode, today, now, &mut plan)?;
    let staying = roll.residents.len().saturating_sub(plan.departed.len());
    if staying.saturating_add(plan.entered.len()) > RESIDENTS_MAX {
        return Err(ROLL_FULL.because(text!(
            "一个社区的名册最多 {RESIDENTS_MAX} 人",
            "a roll has {RESIDENTS_MAX} residents at most"
        )));
    }
    Ok(plan)
}

fn parse(at: usize, row: &Row, today: NaiveDate, report: &mut Report<'_>) -> Option<Parsed> {
    let filled = |cell: &Option<String>| cell.as_deref().filter(|cell| !cell.is_empty()).map(str::to_owned);
    let household = report.cell(at, Column::Household, read::household_code(&row.household));
    let name = report.cell(at, Column::Name, read::name(&row.name));
    let birth_date = report.cell(at, Column::BirthDate, read::birth_date(&row.birth_date, today));
    let area = filled(&row.dwelling_area).map(|cell| DwellingArea::read(&cell));
    let dwelling_area = report.cell(at, Column::DwellingArea, area.transpose());
    let owner = row.owner.as_deref().map(owner);
    let is_owner = report.cell(at, Column::Owner, owner.transpose());
    let phone = filled(&row.phone).map(|cell| read::phone(&cell));
    let phone = report.cell(at, Column::Phone, phone.transpose());
    let email = filled(&row.email).map(|cell| read::email(&cell));
    let email = report.cell(at, Column::Email, email.transpose());
    Some(Parsed {
        household: household?,
        name: name?,
        birth_date: birth_date?,
        dwelling_area: dwelling_area?,
        is_owner: is_owner?,
        // An empty cell takes the number away; a column that is not there leaves it.
        phone: row.phone.as_ref().and(Some(phone?)),
        email: row.email.as_ref().and(Some(email?)),
    })
}

fn owner(cell: &str) -> Result<bool, Text> {
    match cell.to_lowercase().as_str() {
        "是" | "业主" | "√" | "yes" | "y" | "true" | "1" => Ok(true),
        "" | "否" | "no" | "n" | "false" | "0" => Ok(false),
        _ => Err(Text::fixed("应为“是”或“否”", "must be yes or no")),
    }
}

/// The dwelling area of each household that the table says one of; its rows must say the same.
fn agreed_areas(rows: &[Row], report: &mut Report<'_>) -> HashMap<String, DwellingArea> {
    let mut agreed: HashMap<String, (DwellingArea, u64)> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(Ok(area)) = row.dwelling_area.as_deref().map(DwellingArea::read) else {
            continue;
        };
        match agreed.get(&row.household) {
            Some((known, line)) if *known != area => {
                let detail = text!(
                    "与同户第 {line} 行不一致",
                    "differs from line {line} of the same household"
                );
                report.object(at, Column::DwellingArea, "inconsistent", detail);
            }
            Some(_) => {}
            None => {
                agreed.insert(row.household.clone(), (area, row.line));
            }
        }
    }
    agreed.into_iter().map(|(code, (area, _))| (code, area)).collect()
}

fn refuse_repeated(rows: &[Row], today: NaiveDate, report: &mut Report<'_>) {
    let mut seen: HashMap<Key, u64> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let Ok(born) = read::birth_date(&row.birth_date, today) else {
            continue;
        };
        let key = (row.household.clone(), row.name.clone(), born);
        if let Some(line) = seen.get(&key) {
            let detail = text!("与第 {line} 行重复", "is the same person as in line {line}");
            report.object(at, Column::Name, "repeated", detail);
        } else {
            seen.insert(key, row.line);
        }
    }
}

fn plan_households(
    parsed: &[Parsed],
    areas: &HashMap<String, DwellingArea>,
    roll: &Roll,
    now: Instant,
    plan: &mut Plan,
) {
    let known: HashMap<&str, &Household> = roll
        .households
        .iter()
        .map(|household| (household.code.as_str(), household))
        .collect();
    let mut seen: HashSet<&str> = HashSet::new();
    for row in parsed {
        if !seen.insert(&row.household) {
            continue;
        }
        let said = areas.get(&row.household).copied();
        match known.get(row.household.as_str()) {
            None => plan.households_added.push(NewHousehold {
                code: row.household.clone(),
                dwelling_area: said,
            }),
            Some(household) => {
                let area = said.or(household.dwelling_area);
                let code = household.code.clone();
                let changed = rules::change_household((*household).clone(), code, area, now);
                plan.households_changed.extend(changed);
            }
        }
    }
}

fn plan_residents(
    parsed: Vec<Parsed>,
    roll: &Roll,
    mode: Mode,
    today: NaiveDate,
    now: Instant,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let codes: HashMap<&HouseholdId, &str> = roll
        .households
        .iter()
        .map(|household| (&household.id, household.code.as_str()))
        .collect();
    let mut known: HashMap<Key, &Resident> = HashMap::new();
    for resident in &roll.residents {
        if let Some(person) = &resident.person
            && let Some(code) = codes.get(&person.household_id)
        {
            let key = ((*code).to_owned(), person.name.clone(), person.birth_date);
            known.insert(key, resident);
        }
    }
    for row in parsed {
        let key = (row.household.clone(), row.name.clone(), row.birth_date);
        let Some(resident) = known.remove(&key) else {
            plan.entered.push(Details {
                household: row.household,
                dwelling_area: row.dwelling_area,
                name: row.name,
                birth_date: row.birth_date,
                is_owner: row.is_owner.unwrap_or(false),
                phone: row.phone.flatten(),
                email: row.email.flatten(),
            });
            continue;
        };
        let mut person = rules::on_roll(resident)?.clone();
        person.is_owner = row.is_owner.unwrap_or(person.is_owner);
        person.phone = row.phone.unwrap_or(person.phone);
        person.email = row.email.unwrap_or(person.email);
        match rules::change(resident.clone(), person, now)? {
            Some(changed) => plan.changed.push(changed),
            None => plan.unchanged = plan.unchanged.saturating_add(1),
        }
    }
    if mode == Mode::Replace {
        // Always in the same order, whatever the hash map's.
        let gone: HashSet<&str> = known.values().map(|resident| resident.id.as_str()).collect();
        for resident in roll.residents.iter().filter(|one| gone.contains(one.id.as_str())) {
            let left = rules::depart(resident.clone(), DepartureReason::MovedAway, today, today, now)?;
            plan.departed.push(left);
        }
    } else {
        plan.absent = known.len();
    }
    Ok(())
}

struct Report<'a> {
    rows: &'a [Row],
    found: usize,
    objections: Vec<Objection>,
}

impl<'a> Report<'a> {
    fn new(rows: &'a [Row]) -> Self {
        Self {
            rows,
            found: 0,
            objections: Vec::new(),
        }
    }

    fn cell<T>(&mut self, at: usize, column: Column, read: Result<T, Text>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(detail) => {
                self.object(at, column, "invalid", detail);
                None
            }
        }
    }

    fn object(&mut self, at: usize, column: Column, code: &'static str, detail: Text) {
        self.found = self.found.saturating_add(1);
        if self.objections.len() == OBJECTIONS_MAX {
            return;
        }
        let line = self.rows.get(at).map_or(0, |row| row.line);
        let (zh, en) = (detail.in_language(Chinese), detail.in_language(English));
        let (column_zh, column_en) = column.text();
        self.objections.push(Objection {
            pointer: format!("/{at}/{column_en}"),
            code,
            detail: text!("第 {line} 行 {column_zh}：{zh}", "line {line}, {column_en}: {en}"),
        });
    }

    fn end(self) -> Result<(), Refusal> {
        if self.found == 0 {
            return Ok(());
        }
        let (found, rows) = (self.found, self.rows.len());
        let detail = text!(
            "{rows} 行中有 {found} 处错误，未导入任何内容",
            "{found} faults in {rows} rows; nothing was imported"
        );
        Err(INVALID.because(detail).listing(self.objections))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    use crate::kernel::party::AreaId;
    use crate::registry::rules_roll::{ResidentId, State};

    fn now() -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
    }

    fn today() -> NaiveDate {
        "2026-03-02".parse().unwrap()
    }

    fn planned(table: &str, roll: &Roll, mode: Mode) -> Result<Plan, Vec<(String, &'static str)>> {
        plan(&read_table(table).unwrap(), roll, mode, today(), now()).map_err(|refusal| {
            refusal
                .objections
                .into_iter()
                .map(|objection| (objection.pointer, objection.code))
                .collect()
        })
    }

    /// The roll after a plan was carried out on an empty one.
    fn roll_of(plan: Plan) -> Roll {
        let area_id = AreaId::mint(now());
        let household = |new: NewHousehold| {
            rules::household(
                HouseholdId::mint(now()),
                area_id.clone(),
                new.code,
                new.dwelling_area,
                now(),
            )
        };
        let households: Vec<Household> = plan.households_added.into_iter().map(household).collect();
        let residents = plan.entered.into_iter().map(|details| {
            let home = households
                .iter()
                .find(|home| home.code == details.household)
                .unwrap();
            let person = details.person(home.id.clone());
            rules::enter(ResidentId::mint(now()), area_id.clone(), person, today(), now())
        });
        Roll {
            residents: residents.collect(),
            households: households.clone(),
        }
    }

    const TABLE: &str = "户号,姓名,出生日期,面积,业主,手机,邮箱\n\
        3-2-501,王小梅,1984-07-19,89.35,是,138 0013 8000,Mei@Example.org\n\
        3-2-501,王大山,2012/5/1,,否,,\n\
        3-2-502,阿卜杜拉·买买提,20010203,72.1,1,,\n";

    #[test]
    fn a_table_becomes_households_and_residents() {
        let plan = planned(TABLE, &Roll::default(), Mode::Add).unwrap();
        let homes: Vec<_> = plan
            .households_added
            .iter()
            .map(|home| (home.code.as_str(), home.dwelling_area.map(DwellingArea::dm2)))
            .collect();
        assert_eq!(homes, [("3-2-501", Some(8_935)), ("3-2-502", Some(7_210))]);
        let people: Vec<_> = plan
            .entered
            .iter()
            .map(|one| (one.name.as_str(), one.is_owner, one.birth_date.to_string()))
            .collect();
        assert_eq!(
            people,
            [
                ("王小梅", true, "1984-07-19".to_owned()),
                ("王大山", false, "2012-05-01".to_owned()),
                ("阿卜杜拉·买买提", true, "2001-02-03".to_owned())
            ]
        );
        let first = plan.entered.first().unwrap();
        assert_eq!(
            (first.phone.as_deref(), first.email.as_deref()),
            (Some("13800138000"), Some("mei@example.org"))
        );
    }

    #[test]
    fn the_same_table_again_changes_nothing_and_another_only_what_it_says() {
        let roll = roll_of(planned(TABLE, &Roll::default(), Mode::Add).unwrap());
        let again = planned(TABLE, &roll, Mode::Replace).unwrap();
        assert!(
            again
                == Plan {
                    unchanged: 3,
                    ..Plan::default()
                }
        );
        // No column for phones: they stay. An empty cell: it goes.
        let fewer =
            "household,name,birth_date,email\n3-2-501,王小梅,1984-07-19,\n3-2-502,新来的,1990-01-01,\n";
        let plan = planned(fewer, &roll, Mode::Add).unwrap();
        assert_eq!(
            (
                plan.changed.len(),
                plan.entered.len(),
                plan.unchanged,
                plan.absent
            ),
            (1, 1, 0, 2)
        );
        let person = plan.changed[0].person.as_ref().unwrap();
        assert_eq!(
            (person.phone.as_deref(), person.email.as_deref()),
            (Some("13800138000"), None)
        );
        assert!(person.is_owner && plan.households_changed.is_empty());
        let replaced = planned(fewer, &roll, Mode::Replace).unwrap();
        let gone: Vec<State> = replaced.departed.iter().map(|one| one.state).collect();
        assert_eq!((gone, replaced.absent), (vec![State::MovedAway; 2], 0));
        let larger = "household,name,birth_date,dwelling_area\n3-2-501,王小梅,1984-07-19,90\n";
        let plan = planned(larger, &roll, Mode::Add).unwrap();
        assert_eq!(
            plan.households_changed[0].dwelling_area.map(DwellingArea::dm2),
            Some(9_000)
        );
        assert_eq!((plan.changed.len(), plan.unchanged), (0, 1));
    }

    #[test]
    fn every_fault_is_reported_with_row_and_column_and_without_the_value() {
        let table = "household,name,birth_date,dwelling_area,owner,phone,email\n\
            1,秘密甲,1990-01-01,50,是,,\n\
            1,秘密甲,1990/1/1,51,是,,\n\
            ,=秘密,秘密,秘密,秘密,秘密,秘密\n\
            2,秘密乙,2099-01-01,0,,,\n";
        let rows = read_table(table).unwrap();
        let Err(refusal) = plan(&rows, &Roll::default(), Mode::Add, today(), now()) else {
            unreachable!()
        };
        let faults: Vec<(&str, &str)> = refusal
            .objections
            .iter()
            .map(|objection| (objection.pointer.as_str(), objection.code))
            .collect();
        let expected = [
            ("/2/household", "invalid"),
            ("/2/name", "invalid"),
            ("/2/birth_date", "invalid"),
            ("/2/dwelling_area", "invalid"),
            ("/2/owner", "invalid"),
            ("/2/phone", "invalid"),
            ("/2/email", "invalid"),
            ("/3/birth_date", "invalid"),
            ("/3/dwelling_area", "invalid"),
            ("/1/dwelling_area", "inconsistent"),
            ("/1/name", "repeated"),
        ];
        assert_eq!(faults, expected);
        assert!(!format!("{refusal:?} {rows:?}").contains("秘密"));
        assert_eq!(
            refusal.objections[1].detail.in_language(Chinese),
            "第 4 行 姓名：不得以 = + - @ 开头"
        );
        // More faults than are listed are still counted.
        let many = format!("household,name,birth_date\n{}", "1,,x\n".repeat(300));
        let refusal = plan(
            &read_table(&many).unwrap(),
            &Roll::default(),
            Mode::Add,
            today(),
            now(),
        );
        let Err(refusal) = refusal else { unreachable!() };
        assert_eq!(refusal.objections.len(), OBJECTIONS_MAX);
        let said = refusal.detail.unwrap();
        assert!(said.in_language(English).starts_with("600 faults in 300 rows"));
    }

    #[test]
    fn what_is_not_such_a_table_is_malformed_and_its_header_not_repeated() {
        for bad in [
            "",
            "household,name\n1,甲\n",
            "household,name,birth_date\n",
            "household,name,birth_date\n,,\n",
            "household,name,birth_date,秘密\n1,甲,1990-01-01,\n",
            "3-2-501,秘密,1990-01-01\n3-2-502,甲,1990-01-01\n",
            "household,name,birth_date,户号\n1,甲,1990-01-01,1\n",
            "household,name,birth_date\n1,甲\n",
            "household,name,birth_date\n1,甲\0,1990-01-01\n",
        ] {
            let refusal = read_table(bad).unwrap_err();
            assert_eq!(refusal.reason.code, "malformed", "{bad}");
            assert!(!format!("{refusal:?}").contains("秘密"));
        }
        let many = format!(
            "household,name,birth_date\n{}",
            "1,a,1990-01-01\n".repeat(ROWS_MAX + 1)
        );
        assert_eq!(read_table(&many).unwrap_err().reason.code, "malformed");
        let empty_lines = "household,name,birth_date\n1,甲,1990-01-01\n,,\n ,, \n";
        assert_eq!(read_table(empty_lines).unwrap().len(), 1);
    }

    #[test]
    fn the_encoding_is_found_out_or_asked_for() {
        let (gb18030, _, _) = GB18030.encode(TABLE);
        assert_eq!(decode(&gb18030, None).unwrap(), TABLE);
        assert_eq!(decode(&gb18030, Some("GBK")).unwrap(), TABLE);
        assert_eq!(decode(TABLE.as_bytes(), None).unwrap(), TABLE);
        let marked = format!("\u{feff}{TABLE}");
        assert_eq!(decode(marked.as_bytes(), Some("utf-8")).unwrap(), TABLE);
        let (marked, _, _) = GB18030.encode(&marked);
        assert_eq!(decode(&marked, None).unwrap(), TABLE);
        let code = |bytes: &[u8], charset| decode(bytes, charset).map_err(|refusal| refusal.reason.code);
        assert_eq!(code(&gb18030, Some("utf-8")), Err("malformed"));
        assert_eq!(code(b"\xff\xff", None), Err("malformed"));
        assert_eq!(code(b"a", Some("big5")), Err("unsupported_content"));
        // This name in GB18030 is two accented letters in UTF-8.
        let latin = "household,name,birth_date\n1,模慕,1990-01-01\n";
        let (ambiguous, _, _) = GB18030.encode(latin);
        assert_eq!(code(&ambiguous, None), Err("malformed"));
        assert_eq!(decode(&ambiguous, Some("gb18030")).unwrap(), latin);
    }

    proptest! {
        #[test]
        fn no_table_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), charset in prop::option::of("utf-8|gb18030|x")) {
            let table = [b"household,name,birth_date,dwelling_area,owner\n".as_slice(), &bytes].concat();
            for bytes in [bytes.as_slice(), &table] {
                if let Ok(text) = decode(bytes, charset.as_deref())
                    && let Ok(rows) = read_table(&text)
                {
                    let _ = plan(&rows, &Roll::default(), Mode::Replace, today(), now());
                }
            }
        }

        #[test]
        fn both_encodings_give_the_same_rows(names in prop::collection::vec("[\u{20}-\u{7e}一-龥·𠀀-𪛖é]{0,8}", 1..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["户号", "姓名", "出生日期"]).unwrap();
            for name in &names {
                writer.write_record(["1", name, "1990-01-01"]).unwrap();
            }
            let utf8 = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let (gb18030, _, lost) = GB18030.encode(&utf8);
            prop_assert!(!lost);
            let rows = |bytes: &[u8]| read_table(&decode(bytes, None).unwrap()).unwrap();
            prop_assert!(rows(utf8.as_bytes()) == rows(&gb18030));
            prop_assert_eq!(rows(utf8.as_bytes()).len(), names.len());
        }
    }
}
