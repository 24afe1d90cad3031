//! The indicators of a version as a table, one a line, and the way back. What was written here is read here as the same again;
//! grades are columns of their own, because that is how people keep such tables. Pure.

use crate::kernel::refusal::{Fault, Objection, Refusal};
use crate::kernel::score::Score;
use crate::kernel::text::Language::{Chinese, English};
use crate::kernel::text::Text;
use crate::standards::rules_documents::{
    ContentDocument, CountsFrom, Frequency, GradeDocument, INDICATORS_MAX, IndicatorDocument, LimitDocument,
    LossDocument, LossKind, Operator, Period,
};
use crate::standards::rules_indicators::{Content, Indicator, Loss, NOTHING};
use crate::standards::rules_units::Unit;
use crate::text;
use crate::web::format::csv_table;
use crate::web::problem::{INVALID, MALFORMED};

/// Faults listed at most; the report says how many there are.
const OBJECTIONS_MAX: usize = 500;
/// What a column for one grade begins with: `threshold:class_1`.
const OF_GRADE: &str = "threshold:";
/// What may stand where nothing is demanded.
const DASHES: [&str; 4] = [NOTHING, "-", "—", "－"];

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the member of an indicator of that name")]
pub enum Column {
    Code,
    NameZh,
    NameEn,
    TextZh,
    TextEn,
    Unit,
    Operator,
    Threshold,
    MethodZh,
    MethodEn,
    Frequency,
    CountsFrom,
    Points,
    Loss,
    SourceZh,
    SourceEn,
}

impl Column {
    /// All but the code, by which an indicator is known, and the thresholds, which are told by grade.
    pub const PLAIN: [Self; 14] = [
        Self::NameZh,
        Self::NameEn,
        Self::TextZh,
        Self::TextEn,
        Self::Unit,
        Self::Operator,
        Self::MethodZh,
        Self::MethodEn,
        Self::Frequency,
        Self::CountsFrom,
        Self::Points,
        Self::Loss,
        Self::SourceZh,
        Self::SourceEn,
    ];

    const ALL: [Self; 16] = [
        Self::Code,
        Self::NameZh,
        Self::NameEn,
        Self::TextZh,
        Self::TextEn,
        Self::Unit,
        Self::Operator,
        Self::Threshold,
        Self::MethodZh,
        Self::MethodEn,
        Self::Frequency,
        Self::CountsFrom,
        Self::Points,
        Self::Loss,
        Self::SourceZh,
        Self::SourceEn,
    ];

    /// Its name in the header, and that of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::NameZh => "name_zh",
            Self::NameEn => "name_en",
            Self::TextZh => "text_zh",
            Self::TextEn => "text_en",
            Self::Unit => "unit",
            Self::Operator => "operator",
            Self::Threshold => "threshold",
            Self::MethodZh => "method_zh",
            Self::MethodEn => "method_en",
            Self::Frequency => "frequency",
            Self::CountsFrom => "counts_from",
            Self::Points => "points",
            Self::Loss => "loss",
            Self::SourceZh => "source_zh",
            Self::SourceEn => "source_en",
        }
    }

    /// A table without it is none; what may be missing is empty in every line.
    const fn is_needed(self) -> bool {
        !matches!(
            self,
            Self::Threshold
                | Self::Frequency
                | Self::CountsFrom
                | Self::Points
                | Self::Loss
                | Self::SourceZh
                | Self::SourceEn
        )
    }
}

/// What stands in a column; the threshold only if it is the same for all grades.
pub fn cell(indicator: &Indicator, column: Column) -> String {
    let (source_zh, source_en) = match &indicator.source {
        Some(line) => (line.zh.as_str(), line.en.as_str()),
        None => ("", ""),
    };
    match column {
        Column::Code => indicator.code.clone(),
        Column::NameZh => indicator.name.zh.clone(),
        Column::NameEn => indicator.name.en.clone(),
        Column::TextZh => indicator.text.zh.clone(),
        Column::TextEn => indicator.text.en.clone(),
        Column::Unit => indicator.unit.name().to_owned(),
        Column::Operator => indicator.operator.name().to_owned(),
        Column::Threshold => match indicator.thresholds().as_slice() {
            [(None, threshold)] => indicator.threshold_cell(*threshold),
            _ => String::new(),
        },
        Column::MethodZh => indicator.method.zh.clone(),
        Column::MethodEn => indicator.method.en.clone(),
        Column::Frequency => indicator
            .frequency
            .map(|often| format!("{}/{}", often.times, often.per.name()))
            .unwrap_or_default(),
        Column::CountsFrom => indicator
            .counts_from
            .map(|from| from.name().to_owned())
            .unwrap_or_default(),
        Column::Points => indicator
            .points
            .map(|points| points.to_string())
            .unwrap_or_default(),
        Column::Loss => indicator.loss.map(loss_cell).unwrap_or_default(),
        Column::SourceZh => source_zh.to_owned(),
        Column::SourceEn => source_en.to_owned(),
    }
}

fn loss_cell(loss: Loss) -> String {
    match loss {
        Loss::AllOrNothing => "all_or_nothing".to_owned(),
        Loss::PerExcess(points, step) => format!("per_excess {points} per {step}"),
        Loss::PerOccurrence(points) => format!("per_occurrence {points}"),
    }
}

/// The indicators as a table.
///
/// # Errors
/// A fault if it cannot be written, which memory always can.
pub fn written(content: &Content) -> Result<Vec<u8>, Fault> {
    let mut header: Vec<String> = Vec::new();
    for column in Column::ALL {
        header.push(column.name().to_owned());
        if column == Column::Threshold {
            header.extend(
                content
                    .grades
                    .iter()
                    .map(|grade| format!("{OF_GRADE}{}", grade.code)),
            );
        }
    }
    let line = |indicator: &Indicator| {
        let mut cells: Vec<String> = Vec::new();
        for column in Column::ALL {
            cells.push(cell(indicator, column));
            if column == Column::Threshold {
                let thresholds = indicator.thresholds();
                cells.extend(content.grades.iter().map(|grade| {
                    let own = thresholds
                        .iter()
                        .find(|(known, _)| *known == Some(grade.code.as_str()));
                    own.map(|(_, threshold)| indicator.threshold_cell(*threshold))
                        .unwrap_or_default()
                }));
            }
        }
        cells
    };
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    csv_table(&names, content.indicators.iter().map(line))
}

/// What a column of a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heading {
    Plain(Column),
    Grade(String),
}

impl Heading {
    fn name(&self) -> String {
        match self {
            Self::Plain(column) => column.name().to_owned(),
            Self::Grade(code) => format!("{OF_GRADE}{code}"),
        }
    }
}

/// A table as it was read: its columns, and its lines with their numbers, the header being line 1.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<Heading>,
    lines: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// How many indicators it has.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Reads a table whose encoding is known.
    ///
    /// # Errors
    /// [`MALFORMED`] if it is not CSV with the right columns, has too many rows, or none.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        if text.contains('\0') {
            // PostgreSQL has no such text.
            let why = Text::fixed("表格含有空字符", "the table has a zero character in it");
            return Err(MALFORMED.because(why));
        }
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headings = headings(reader.headers().map_err(|error| not_csv(&error))?)?;
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| not_csv(&error))?;
            // Spreadsheets leave empty lines at the end.
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if lines.len() == INDICATORS_MAX {
                return Err(
                    MALFORMED.because(text!("最多 {INDICATORS_MAX} 行", "at most {INDICATORS_MAX} rows"))
                );
            }
            let line = record.position().map_or(0, csv::Position::line);
            lines.push((line, record.iter().map(|cell| cell.trim().to_owned()).collect()));
        }
        if lines.is_empty() {
            return Err(MALFORMED.because(Text::fixed("表格没有数据行", "the table has no rows")));
        }
        Ok(Self { headings, lines })
    }

    /// What the table says, under the note and the grades of a version.
    ///
    /// # Errors
    /// [`MALFORMED`] for a column of a grade that the version does not have; [`INVALID`] with every fault of every row, at
    /// `/{row}/{column}`.
    pub fn content(&self, head: &ContentDocument) -> Result<Content, Refusal> {
        let codes: Vec<&str> = head.grades.iter().map(|grade| grade.code.as_str()).collect();
        for heading in &self.headings {
            if let Heading::Grade(code) = heading
                && !codes.contains(&code.as_str())
            {
                return Err(MALFORMED.because(text!("草案没有等级 {code}", "the draft has no grade {code}")));
            }
        }
        let mut report = Report {
            table: self,
            objections: Vec::new(),
        };
        let mut indicators = Vec::new();
        for row in 0..self.lines.len() {
            indicators.extend(report.indicator(row, &head.grades));
        }
        // Rows that cannot be read at all would move the places of those after them.
        report.end()?;
        let document = ContentDocument {
            indicators,
            ..head.clone()
        };
        let mut report = Report {
            table: self,
            objections: Vec::new(),
        };
        match Content::checked(&document) {
            Ok(content) => Ok(content),
            Err(faults) => {
                for fault in faults {
                    report.place(fault, &document);
                }
                report.end()?;
                // Only what the version itself has wrong is left, and a stored version has nothing wrong.
                Err(INVALID.refuse())
            }
        }
    }

    fn cell(&self, row: usize, heading: &Heading) -> &str {
        let at = self.headings.iter().position(|known| known == heading);
        let cells = self.lines.get(row).map(|(_, cells)| cells);
        at.zip(cells)
            .and_then(|(at, cells)| cells.get(at))
            .map_or("", String::as_str)
    }
}

fn headings(header: &csv::StringRecord) -> Result<Vec<Heading>, Refusal> {
    let mut headings: Vec<Heading> = Vec::new();
    for (name, place) in header.iter().zip(1..) {
        let name = name.trim();
        let plain = Column::ALL.into_iter().find(|column| column.name() == name);
        let heading = match (plain, name.strip_prefix(OF_GRADE)) {
            (Some(column), _) => Heading::Plain(column),
            (None, Some(code)) => Heading::Grade(code.to_owned()),
            (None, None) => {
                return Err(MALFORMED.because(text!(
                    "首行第 {place} 列不是已知的列名",
                    "column {place} of the first line is not one that is known"
                )));
            }
        };
        if headings.contains(&heading) {
            return Err(MALFORMED.because(text!(
                "第 {place} 列与前面的列重复",
                "column {place} is there twice"
            )));
        }
        headings.push(heading);
    }
    for column in Column::ALL {
        if column.is_needed() && !headings.contains(&Heading::Plain(column)) {
            let name = column.name();
            return Err(MALFORMED.because(text!(
                "首行缺少 {name} 列",
                "the first line lacks the column {name}"
            )));
        }
    }
    Ok(headings)
}

fn not_csv(error: &csv::Error) -> Refusal {
    let line = error.position().map_or(1, csv::Position::line);
    MALFORMED.because(text!(
        "第 {line} 行不是有效的 CSV",
        "line {line} is not valid CSV"
    ))
}

/// The faults of a table.
struct Report<'t> {
    table: &'t Table,
    objections: Vec<Objection>,
}

impl Report<'_> {
    fn object(&mut self, row: usize, column: &str, code: &'static str, detail: &Text) {
        let line = self.table.lines.get(row).map_or(0, |(line, _)| *line);
        let (zh, en) = (detail.in_language(Chinese), detail.in_language(English));
        self.objections.push(Objection {
            pointer: format!("/{row}/{column}"),
            code,
            detail: text!("第 {line} 行 {column}：{zh}", "line {line}, {column}: {en}"),
        });
    }

    /// A fault of the document at the cell that it comes from.
    fn place(&mut self, fault: Objection, document: &ContentDocument) {
        let mut parts = fault.pointer.split('/').skip(2);
        let row = parts
            .next()
            .and_then(|row| row.parse::<usize>().ok())
            .unwrap_or_default();
        let field = parts.next().unwrap_or("code");
        let limit = parts.next().and_then(|place| place.parse::<usize>().ok());
        let grade = limit.and_then(|place| document.indicators.get(row)?.limits.get(place)?.grade.clone());
        let column = match (field, grade) {
            ("limits", Some(code)) => Heading::Grade(code).name(),
            ("limits", None) => Column::Threshold.name().to_owned(),
            (other, _) => other.to_owned(),
        };
        self.object(row, &column, fault.code, &fault.detail);
    }

    /// The indicator in a row, as far as words and numbers can be told apart; the rest is the document's to judge.
    fn indicator(&mut self, row: usize, grades: &[GradeDocument]) -> Option<IndicatorDocument> {
        let table = self.table;
        let words = |column: Column| table.cell(row, &Heading::Plain(column)).to_owned();
        let optional = |column: Column| Some(words(column)).filter(|words| !words.is_empty());
        let unit = self.known(row, Column::Unit, Unit::named(&words(Column::Unit)));
        let named = words(Column::Operator);
        let operator = Operator::ALL
            .into_iter()
            .find(|operator| operator.name() == named);
        let operator = self.known(row, Column::Operator, operator);
        let frequency = self.optional(row, Column::Frequency, frequency);
        let counts_from = self.optional(row, Column::CountsFrom, |words| {
            CountsFrom::ALL.into_iter().find(|from| from.name() == words)
        });
        let points = self.optional(row, Column::Points, |words| words.parse::<Score>().ok());
        let loss = self.optional(row, Column::Loss, loss);
        let limits = self.limits(row, grades);
        Some(IndicatorDocument {
            code: words(Column::Code),
            name_zh: words(Column::NameZh),
            name_en: words(Column::NameEn),
            text_zh: words(Column::TextZh),
            text_en: words(Column::TextEn),
            unit: unit?,
            operator: operator?,
            limits,
            method_zh: words(Column::MethodZh),
            method_en: words(Column::MethodEn),
            frequency: frequency?,
            counts_from: counts_from?,
            points: points?,
            loss: loss?,
            source_zh: optional(Column::SourceZh),
            source_en: optional(Column::SourceEn),
        })
    }

    fn known<T>(&mut self, row: usize, column: Column, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let detail = Text::fixed("不是已知的值", "is none of the known words");
            self.object(row, column.name(), "not_one_of", &detail);
        }
        found
    }

    /// What an optional cell says; `None` if it cannot be read.
    fn optional<T>(
        &mut self,
        row: usize,
        column: Column,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let words = self.table.cell(row, &Heading::Plain(column));
        if words.is_empty() {
            return Some(None);
        }
        let read = read(words);
        if read.is_none() {
            let detail = match column {
                Column::Frequency => Text::fixed("应如 4/month", "must be like 4/month"),
                Column::CountsFrom => {
                    Text::fixed("应为 occurrence 或 report", "must be occurrence or report")
                }
                Column::Points => Text::fixed("应为分值，如 5 或 2.5", "must be points, like 5 or 2.5"),
                _ => Text::fixed(
                    "应如 all_or_nothing、per_occurrence 3 或 per_excess 0.5 per 1",
                    "must be like all_or_nothing, per_occurrence 3 or per_excess 0.5 per 1",
                ),
            };
            self.object(row, column.name(), "not_valid", &detail);
        }
        read.map(Some)
    }

    /// The thresholds of a row: one for all, or one for each grade that has a column.
    fn limits(&mut self, row: usize, grades: &[GradeDocument]) -> Vec<LimitDocument> {
        let for_all = self.table.cell(row, &Heading::Plain(Column::Threshold));
        let mut limits = Vec::new();
        if !for_all.is_empty() {
            limits.push(limit(None, for_all));
        }
        for grade in grades {
            let words = self.table.cell(row, &Heading::Grade(grade.code.clone()));
            if !words.is_empty() {
                limits.push(limit(Some(grade.code.clone()), words));
            }
        }
        limits
    }

    fn end(mut self) -> Result<(), Refusal> {
        if self.objections.is_empty() {
            return Ok(());
        }
        let (found, rows) = (self.objections.len(), self.table.lines.len());
        self.objections.truncate(OBJECTIONS_MAX);
        let detail = text!(
            "{rows} 行中有 {found} 处错误，未导入任何内容",
            "{found} faults in {rows} rows; nothing was imported"
        );
        Err(INVALID.because(detail).listing(self.objections))
    }
}

fn limit(grade: Option<String>, words: &str) -> LimitDocument {
    let (threshold, threshold_to) = match words.split_once("..") {
        _ if DASHES.contains(&words) => (None, None),
        Some((from, to)) => (Some(from.trim().to_owned()), Some(to.trim().to_owned())),
        None => (Some(words.to_owned()), None),
    };
    LimitDocument {
        grade,
        threshold,
        threshold_to,
    }
}

fn frequency(words: &str) -> Option<Frequency> {
    let (times, per) = words.split_once('/')?;
    let per = Period::ALL
        .into_iter()
        .find(|period| period.name() == per.trim())?;
    let times = times.trim();
    let digits = times.bytes().all(|byte| byte.is_ascii_digit());
    Some(Frequency {
        times: digits.then(|| times.parse().ok()).flatten()?,
        per,
    })
}

fn loss(words: &str) -> Option<LossDocument> {
    let parts: Vec<&str> = words.split_whitespace().collect();
    let (kind, points, step) = match parts.as_slice() {
        ["all_or_nothing"] => (LossKind::AllOrNothing, None, None),
        ["per_occurrence", points] => (LossKind::PerOccurrence, Some(*points), None),
        ["per_excess", points, "per", step] => (LossKind::PerExcess, Some(*points), Some(*step)),
        _ => return None,
    };
    Some(LossDocument {
        kind,
        points: match points {
            Some(points) => Some(points.parse().ok()?),
            None => None,
        },
        step: step.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::standards::built_in;

    fn head() -> ContentDocument {
        serde_json::from_value(serde_json::json!({
            "grades": [{"code": "a", "name_zh": "甲", "name_en": "A"}, {"code": "b", "name_zh": "乙", "name_en": "B"}],
            "indicators": [],
        }))
        .unwrap()
    }

    const HEADER: &str = "code,name_zh,name_en,text_zh,text_en,unit,operator,threshold,threshold:a,threshold:b,method_zh,method_en,frequency,points,loss";

    fn judged(lines: &str) -> Result<Content, Vec<(String, &'static str)>> {
        let table = Table::read(&format!("{HEADER}\n{lines}")).unwrap();
        table.content(&head()).map_err(|refusal| {
            let objections = refusal.objections.into_iter();
            objections.map(|one| (one.pointer, one.code)).collect()
        })
    }

    #[test]
    fn what_was_written_is_read_as_the_same() {
        for standard in built_in::catalogue().unwrap() {
            let bytes = written(&standard.content).unwrap();
            let table = Table::read(std::str::from_utf8(&bytes).unwrap()).unwrap();
            let head = ContentDocument {
                indicators: Vec::new(),
                ..standard.content.document()
            };
            let again = table.content(&head).unwrap();
            assert_eq!(again, standard.content);
            assert_eq!(
                again.document().written().unwrap(),
                standard.content.document().written().unwrap()
            );
            assert_eq!(written(&again).unwrap(), bytes);
        }
    }

    #[test]
    fn a_row_is_read_with_its_grades_and_rules() {
        let content = judged(
            "litter,果皮,Peel,果皮数,Peel,piece_per_thousand_m2,at_most,,4,-,清点,counted,4/month,5,per_excess 0.5 per 1\n\
             sweep,首扫,Sweep,首扫完成,First sweep,time_of_day,between,06:00..07:30,,,查看,looked at,,,\n,,,,,,,,,,,,,,\n",
        )
        .unwrap();
        assert_eq!(content.indicators.len(), 2);
        let litter = content.indicator("litter").unwrap();
        assert_eq!(litter.threshold_cell(litter.demanded(Some("a"))), "4");
        assert_eq!(litter.demanded(Some("b")), None);
        assert_eq!(cell(litter, Column::Loss), "per_excess 0.5 per 1");
        let sweep = content.indicator("sweep").unwrap();
        assert_eq!(cell(sweep, Column::Threshold), "06:00..07:30");
    }

    #[test]
    fn every_fault_is_told_with_its_row_and_column() {
        let faults = judged(
            "litter,果皮,Peel,果皮数,Peel,furlong,most,,4,-,清点,counted,4,five,often\n\
             Bad,果皮,Peel,果皮数,Peel,hour,at_most,4,,,清点,counted,,,\n",
        )
        .unwrap_err();
        let expected = [
            ("/0/unit", "not_one_of"),
            ("/0/operator", "not_one_of"),
            ("/0/frequency", "not_valid"),
            ("/0/points", "not_valid"),
            ("/0/loss", "not_valid"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        let faults = judged(
            "Bad,=1,Peel,果皮数,,hour,at_most,four,,,清点,counted,,,\n\
             ok,果皮,Peel,果皮数,Peel,hour,at_most,,x,5,清点,counted,,,\n\
             ok,果皮,Peel,果皮数,Peel,hour,at_most,,4,,清点,counted,0/day,,\n",
        )
        .unwrap_err();
        let expected = [
            ("/0/code", "not_valid"),
            ("/0/name_zh", "not_valid"),
            ("/0/text_en", "not_valid"),
            ("/0/threshold", "not_valid"),
            ("/1/threshold:a", "not_valid"),
            ("/2/code", "repeated"),
            ("/2/threshold", "required"),
            ("/2/frequency", "out_of_range"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn what_is_no_such_table_is_refused_whole() {
        for bad in [
            "",
            "code\nx",
            "code,code\nx,y",
            HEADER,
            &format!("{HEADER},colour\nx"),
            &format!("{HEADER},threshold:a\nx"),
            &format!("{HEADER}\na,b"),
            "a\0b",
        ] {
            assert!(Table::read(bad).is_err(), "{bad}");
        }
        let many = format!("{HEADER}\n{}", "x,,,,,,,,,,,,,,\n".repeat(INDICATORS_MAX + 1));
        assert!(Table::read(&many).is_err());
        let table = Table::read(&format!("{HEADER},threshold:c\nx,,,,,,,,,,,,,,,1")).unwrap();
        assert_eq!(table.content(&head()).unwrap_err().reason.code, "malformed");
    }

    /// Words with whatever a table could trip over.
    fn words() -> impl Strategy<Value = String> {
        "[a-z梧桐][a-zA-Z0-9梧桐，。,\"';:%²=+@ -]{0,20}[a-z环卫]"
    }

    /// An indicator of which everything is there or not by chance.
    fn any_indicator(place: usize) -> impl Strategy<Value = serde_json::Value> {
        let unit = ["hour", "piece", "centimetre"][place % 3];
        let numbers = (0_u32..9_000, 0_u32..9_000, 0_u32..4, 1_u32..50);
        (words(), words(), numbers, 0_usize..6, proptest::array::uniform6(proptest::bool::ANY)).prop_map(
            move |(zh, en, (from, more, places, step), operator, [graded, nothing, often, points, loses, cited])| {
                let decimal = |number: u32| rust_decimal::Decimal::new(i64::from(number), places).to_string();
                let between = operator == 5;
                let limit = |grade: Option<&str>, none: bool| {
                    let threshold = (!none).then(|| decimal(from));
                    let to = (!none && between).then(|| decimal(from + more));
                    serde_json::json!({ "grade": grade, "threshold": threshold, "threshold_to": to })
                };
                let limits = if graded {
                    vec![limit(Some("a"), false), limit(Some("b"), nothing)]
                } else {
                    vec![limit(None, false)]
                };
                let loss = serde_json::json!({ "kind": "per_excess", "points": "0.25", "step": decimal(step) });
                serde_json::json!({
                    "code": format!("indicator_{place}"), "name_zh": zh, "name_en": en, "text_zh": zh, "text_en": en,
                    "unit": unit, "operator": Operator::ALL[operator].name(),
                    "limits": limits, "method_zh": en, "method_en": zh,
                    "frequency": often.then(|| serde_json::json!({ "times": step, "per": "quarter" })),
                    "points": points.then_some("7.50"), "loss": loses.then_some(loss),
                    "source_zh": cited.then_some(&zh), "source_en": cited.then_some(&en),
                })
            },
        )
    }

    proptest! {
        /// Whatever a version may say.
        #[test]
        fn every_table_that_was_written_is_read_as_the_same(one in any_indicator(0), two in any_indicator(1), three in any_indicator(2)) {
            let mut document = serde_json::to_value(head()).unwrap();
            document["indicators"] = serde_json::Value::Array(vec![one, two, three]);
            let content = Content::checked(&serde_json::from_value(document).unwrap()).unwrap();
            let bytes = written(&content).unwrap();
            let again = Table::read(std::str::from_utf8(&bytes).unwrap()).unwrap().content(&head()).unwrap();
            prop_assert_eq!(again.document().written().unwrap(), content.document().written().unwrap());
            prop_assert_eq!(written(&again).unwrap(), bytes);
        }

        #[test]
        fn reading_never_panics(text in "(.|\n){0,200}", cell in ".{0,20}") {
            let _ = Table::read(&text).map(|table| table.content(&head()));
            let row = format!("{HEADER}\n{cell},{cell},x,{cell},x,hour,at_most,{cell},,,x,x,{cell},{cell},{cell}\n");
            let _ = Table::read(&row).map(|table| table.content(&head()));
        }
    }
}
