//! Importing areas from a table. Pure: the whole table is read and judged before anything is done, and the report names
//! every fault with its row, its column and the reason; a table with one fault adds nothing at all.

use std::collections::{HashMap, HashSet};

use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules::{self, Area, Designation, Level};
use crate::text;
use crate::web::problem::{INVALID, MALFORMED};

/// Rows of one table at most.
pub const ROWS_MAX: usize = 5_000;

/// Faults listed at most; the report says when there are more.
const OBJECTIONS_MAX: usize = 500;

/// The columns, in any order; `parent_code` and `name_en` may be missing or empty.
pub const COLUMNS: [&str; 4] = ["code", "parent_code", "name_zh", "name_en"];

/// One row as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, the header being line 1; a quoted cell may make rows span lines.
    pub line: u64,
    /// Code of the area; every row has one, because it is how rows refer to each other.
    pub code: String,
    /// Code of the area that it hangs under; empty for a city.
    pub parent_code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name; the Chinese one is taken if it is empty.
    pub name_en: String,
}

/// An area to add, its parent known or among the areas before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Place of the row in the table, from 0.
    pub row: usize,
    /// Code of the parent; none for a city.
    pub parent_code: Option<String>,
    /// The level that follows from the parent.
    pub level: Level,
    /// Names and code.
    pub designation: Designation,
}

/// Reads the table.
///
/// # Errors
/// [`MALFORMED`] if it is not UTF-8 CSV with the right columns, or has too many rows.
pub fn read(bytes: &[u8]) -> Result<Vec<Row>, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| MALFORMED.because(Text::fixed("表格应为 UTF-8 编码", "the table must be UTF-8")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        // PostgreSQL has no such text, so not even the question whether a code is taken could be asked.
        let why = Text::fixed("表格含有空字符", "the table has a zero character in it");
        return Err(MALFORMED.because(why));
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| not_csv(&error))?.clone();
    let column = |name: &str| header.iter().position(|known| known.eq_ignore_ascii_case(name));
    let unknown: Vec<&str> = header
        .iter()
        .filter(|name| !COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .collect();
    let (Some(code), Some(name_zh)) = (column("code"), column("name_zh")) else {
        return Err(MALFORMED.because(Text::fixed(
            "首行应含 code 与 name_zh 两列",
            "the first line must name the columns code and name_zh",
        )));
    };
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(MALFORMED.because(text!("未知列：{names}", "unknown columns: {names}")));
    }
    let repeated = |name: &&str| {
        header
            .iter()
            .filter(|known| known.eq_ignore_ascii_case(name))
            .count()
            > 1
    };
    if let Some(name) = COLUMNS.into_iter().find(|name| repeated(name)) {
        return Err(MALFORMED.because(text!("列重复：{name}", "the column {name} is there twice")));
    }
    let (parent_code, name_en) = (column("parent_code"), column("name_en"));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(&error))?;
        if rows.len() == ROWS_MAX {
            return Err(MALFORMED.because(text!("最多 {ROWS_MAX} 行", "at most {ROWS_MAX} rows")));
        }
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
        rows.push(Row {
            line: record.position().map_or(0, csv::Position::line),
            code: cell(Some(code)),
            parent_code: cell(parent_code),
            name_zh: cell(Some(name_zh)),
            name_en: cell(name_en),
        });
    }
    if rows.is_empty() {
        return Err(MALFORMED.because(Text::fixed("表格没有数据行", "the table has no rows")));
    }
    Ok(rows)
}

fn not_csv(error: &csv::Error) -> Refusal {
    let line = error.position().map_or(1, csv::Position::line);
    MALFORMED.because(text!(
        "第 {line} 行不是有效的 CSV",
        "line {line} is not valid CSV"
    ))
}

/// Orders the rows so that parents come before children, and judges each.
///
/// `known` are the areas in the register whose codes occur in the table; `names` tells whether an area in the register,
/// of the given code or a city if it is `None`, has a child of that Chinese name.
///
/// # Errors
/// [`INVALID`] with every fault of every row, at `/{row}/{column}`.
pub fn plan(
    rows: &[Row],
    known: &HashMap<String, Area>,
    names: &HashSet<(Option<String>, String)>,
) -> Result<Vec<Planned>, Refusal> {
    let mut report = Report {
        rows,
        objections: Vec::new(),
    };
    let mut by_code: HashMap<&str, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.code.is_empty() {
            report.object(at, "code", "required", Text::fixed("必填", "is required"));
        } else if known.contains_key(&row.code) {
            report.object(at, "code", "area_code_taken", rules::CODE_TAKEN.title.clone());
        } else if let Some(first) = by_code.insert(&row.code, at) {
            let line = rows.get(first).map_or(0, |row| row.line);
            report.object(
                at,
                "code",
                "repeated",
                text!("与第 {line} 行重复", "is the same as in line {line}"),
            );
        }
    }
    let levels = levels(rows, &by_code, known, &mut report);
    let mut planned = Vec::new();
    let mut taken: HashSet<(Option<&str>, String)> = HashSet::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(level) = levels.get(at).copied().flatten() else {
            continue;
        };
        let name_en = if row.name_en.is_empty() {
            &row.name_zh
        } else {
            &row.name_en
        };
        match rules::designation(level, &row.name_zh, name_en, Some(&row.code)) {
            Err(refusal) => {
                for objection in refusal.objections {
                    report.object(
                        at,
                        objection.pointer.trim_start_matches('/'),
                        objection.code,
                        objection.detail,
                    );
                }
            }
            Ok(designation) => {
                let parent_code = (!row.parent_code.is_empty()).then_some(row.parent_code.as_str());
                let here = (parent_code, designation.name_zh.clone());
                let there = (parent_code.map(str::to_owned), designation.name_zh.clone());
                if names.contains(&there) || !taken.insert(here) {
                    report.object(at, "name_zh", "area_name_taken", rules::NAME_TAKEN.title.clone());
                }
                planned.push(Planned {
                    row: at,
                    parent_code: parent_code.map(str::to_owned),
                    level,
                    designation,
                });
            }
        }
    }
    report.end()?;
    // A parent's level is above its children's, so this is the order in which they can be added.
    planned.sort_by_key(|area| (area.level, area.row));
    Ok(planned)
}

/// The level of every row, found by following parents up to a city or to an area of the register.
fn levels(
    rows: &[Row],
    by_code: &HashMap<&str, usize>,
    known: &HashMap<String, Area>,
    report: &mut Report<'_>,
) -> Vec<Option<Level>> {
    let mut levels = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let depth = depth(row, rows, by_code, known);
        let level = match depth {
            Ok(depth) => Level::ALL.get(depth).copied(),
            Err(detail) => {
                report.object(at, "parent_code", "area_parent_unknown", detail);
                levels.push(None);
                continue;
            }
        };
        if level.is_none() {
            let detail = Text::fixed("社区之下不再设区域", "nothing hangs under a community");
            report.object(at, "parent_code", "area_wrong_level", detail);
        }
        levels.push(level);
    }
    levels
}

/// How many areas lie above a row.
fn depth(
    row: &Row,
    rows: &[Row],
    by_code: &HashMap<&str, usize>,
    known: &HashMap<String, Area>,
) -> Result<usize, Text> {
    let mut above = 0_usize;
    let mut parent_code = row.parent_code.as_str();
    while !parent_code.is_empty() {
        above = above.saturating_add(1);
        if let Some(area) = known.get(parent_code) {
            let own = Level::ALL
                .iter()
                .position(|level| *level == area.level)
                .unwrap_or_default();
            return Ok(above.saturating_add(own));
        }
        // Deeper than the tree can be: too low, or going round in a circle. Either way it is not a community's parent.
        if above > Level::ALL.len() {
            return Err(text!(
                "代码 {parent_code} 的上级关系成环",
                "the parents of {parent_code} go round in a circle"
            ));
        }
        let Some(parent) = by_code.get(parent_code).and_then(|at| rows.get(*at)) else {
            return Err(text!(
                "没有代码为 {parent_code} 的区域",
                "there is no area with the code {parent_code}"
            ));
        };
        parent_code = &parent.parent_code;
    }
    Ok(above)
}

struct Report<'a> {
    rows: &'a [Row],
    objections: Vec<Objection>,
}

impl Report<'_> {
    fn object(&mut self, at: usize, column: &str, code: &'static str, detail: Text) {
        use crate::kernel::text::Language::{Chinese, English};
        let line = self.rows.get(at).map_or(0, |row| row.line);
        let (zh, en) = (detail.in_language(Chinese), detail.in_language(English));
        let detail = text!("第 {line} 行 {column}：{zh}", "line {line}, {column}: {en}");
        self.objections.push(Objection {
            pointer: format!("/{at}/{column}"),
            code,
            detail,
        });
    }

    fn end(mut self) -> Result<(), Refusal> {
        if self.objections.is_empty() {
            return Ok(());
        }
        let (found, rows) = (self.objections.len(), self.rows.len());
        self.objections.truncate(OBJECTIONS_MAX);
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
    use proptest::prelude::*;

    fn judged(table: &str) -> Result<Vec<Planned>, Vec<(String, &'static str)>> {
        plan(&read(table.as_bytes()).unwrap(), &HashMap::new(), &HashSet::new()).map_err(|refusal| {
            refusal
                .objections
                .into_iter()
                .map(|o| (o.pointer, o.code))
                .collect()
        })
    }

    #[test]
    fn rows_may_come_in_any_order_and_parents_are_added_first() {
        let planned = judged(
            "\u{feff}name_zh,code,parent_code,name_en\n桂园社区,310101001001,310101001,\n梧桐街道,310101001,310101,Wutong\n\
             凤鸣区,310101,3101,Fengming\n凤城市,3101,,Fengcheng\n",
        )
        .unwrap();
        let order: Vec<_> = planned
            .iter()
            .map(|area| (area.level, area.designation.name_zh.as_str()))
            .collect();
        assert_eq!(
            order,
            [
                (Level::City, "凤城市"),
                (Level::District, "凤鸣区"),
                (Level::Street, "梧桐街道"),
                (Level::Community, "桂园社区")
            ]
        );
        assert_eq!(planned[3].designation.name_en, "桂园社区");
    }

    #[test]
    fn every_fault_is_reported_with_row_and_column() {
        let faults = judged(
            "code,parent_code,name_zh\n3101,,凤城市\n3101,,凤城市二\n,3101,无码区\n310101,9999,无上级\n310102,3101,\n\
             310103,3101,同名\n310104,3101,同名\n31,,短码市\n",
        )
        .unwrap_err();
        let expected = [
            ("/1/code", "repeated"),
            ("/2/code", "required"),
            ("/3/parent_code", "area_parent_unknown"),
            ("/4/name_zh", "invalid"),
            ("/6/name_zh", "area_name_taken"),
            ("/7/code", "invalid"),
        ];
        for (pointer, code) in expected {
            assert!(
                faults.contains(&(pointer.to_owned(), code)),
                "{pointer} {code} not in {faults:?}"
            );
        }
    }

    #[test]
    fn circles_and_too_deep_trees_are_refused() {
        let faults = judged("code,parent_code,name_zh\n3101,3102,甲\n3102,3101,乙\n").unwrap_err();
        assert_eq!(faults[0], ("/0/parent_code".to_owned(), "area_parent_unknown"));
        let faults = judged(
            "code,parent_code,name_zh\n3101,,市\n310101,3101,区\n310101001,310101,街\n310101001001,310101001,社\n\
             310101001001001,310101001001,楼\n",
        )
        .unwrap_err();
        assert!(
            faults.contains(&("/4/parent_code".to_owned(), "area_wrong_level")),
            "{faults:?}"
        );
    }

    #[test]
    fn what_is_not_such_a_table_is_malformed() {
        for bad in [
            "",
            "code\n1\n",
            "code,name_zh,colour\n1,a,red\n",
            "code,name_zh\n",
            "code,name_zh\n1,2,3\n",
            "code,name_zh,Code\n1,a,2\n",
            "code,name_zh\n1,a\0\n",
        ] {
            assert_eq!(
                read(bad.as_bytes()).unwrap_err().reason.code,
                "malformed",
                "{bad}"
            );
        }
        assert_eq!(
            read(b"code,name_zh\n1,\xff\n").unwrap_err().reason.code,
            "malformed"
        );
        let many = format!("code,name_zh\n{}", "1,a\n".repeat(ROWS_MAX + 1));
        assert_eq!(read(many.as_bytes()).unwrap_err().reason.code, "malformed");
    }

    proptest! {
        #[test]
        fn no_table_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(rows) = read(&[b"code,parent_code,name_zh\n", bytes.as_slice()].concat()) {
                let _ = plan(&rows, &HashMap::new(), &HashSet::new());
            }
        }

        #[test]
        fn a_plan_always_adds_parents_first(links in prop::collection::vec(0usize..6, 1..6)) {
            let rows: Vec<Row> = links.iter().enumerate().map(|(at, parent)| Row {
                line: 0,
                code: format!("{at}"),
                parent_code: if *parent == 5 { String::new() } else { format!("{parent}") },
                name_zh: format!("区{at}"),
                name_en: String::new(),
            }).collect();
            if let Ok(planned) = plan(&rows, &HashMap::new(), &HashSet::new()) {
                let mut added = HashSet::new();
                for area in planned {
                    prop_assert!(area.parent_code.is_none_or(|code| added.contains(&code)));
                    added.extend(area.designation.code);
                }
            }
        }
    }
}
