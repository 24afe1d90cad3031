//! Spending as clients see it: as JSON, and as a table. Pure.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::rules_imported::Currency;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::oversight::desk_spending::{Answered, Asked, PerUnit, Told};
use crate::oversight::rules_spending::{Dimension, Measure, Source, shown, why_absent};
use crate::web::sheet::{Cell, Table};

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingAmount, example = json!({"amount": "188868.30", "currency": "CNY"}))]
pub struct AmountView {
    /// Units with two decimals.
    #[schema(pattern = r"^-?[0-9]+\.[0-9]{2}$", max_length = 24, example = "188868.30")]
    pub amount: String,
    /// The code of the currency (ISO 4217): that which was asked for.
    #[schema(pattern = "^[A-Z]{3}$", example = "CNY")]
    pub currency: String,
}

/// What was paid for each unit of what is bought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingPerUnit)]
pub struct PerUnitView {
    /// Yuan with four decimals, rounded half up.
    #[schema(pattern = r"^-?[0-9]+\.[0-9]{4}$", example = "9.9585")]
    pub amount: String,
    /// The unit in Chinese.
    #[schema(max_length = 40, example = "平方米")]
    pub unit_zh: String,
    /// The unit in English.
    #[schema(max_length = 40, example = "m²")]
    pub unit_en: String,
}

/// What is measured of a group. A measure that has no meaning is `null`; why is said once, in `measures`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingMeasures, example = json!({
    "budgeted": null, "reserved": null, "committed": {"amount": "2107050.00", "currency": "CNY"}, "paid": {"amount": "188868.30", "currency": "CNY"},
    "deducted": {"amount": "2681.70", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"}, "refunded": {"amount": "0.00", "currency": "CNY"},
    "count": 1, "average_satisfaction": "87.60", "ballots": 200, "paid_per_unit": {"amount": "0.8003", "unit_zh": "平方米", "unit_en": "m²"}
}))]
pub struct MeasuresView {
    /// Given to budget lines and not taken from them again.
    #[schema(required = true)]
    pub budgeted: Option<AmountView>,
    /// Held for lots that have no contract yet, and for what was reserved by hand.
    #[schema(required = true)]
    pub reserved: Option<AmountView>,
    /// Held for contracts.
    #[schema(required = true)]
    pub committed: Option<AmountView>,
    /// Paid, without what came back.
    #[schema(required = true)]
    pub paid: Option<AmountView>,
    /// Deducted for good.
    #[schema(required = true)]
    pub deducted: Option<AmountView>,
    /// Held back from payments until the end.
    #[schema(required = true)]
    pub retained: Option<AmountView>,
    /// Paid, and come back from the bank.
    #[schema(required = true)]
    pub refunded: Option<AmountView>,
    /// How many payments there are, without those that came back.
    #[schema(required = true)]
    pub count: Option<i64>,
    /// The mean of residents' ratings that bind, each ballot counting alike; `null` where nobody has rated.
    #[schema(required = true)]
    pub average_satisfaction: Option<Score>,
    /// How many ballots that is the mean of.
    #[schema(minimum = 0)]
    pub ballots: i64,
    /// What was paid, by how much the contracts buy; `null` where they do not all buy in one unit.
    #[schema(required = true)]
    pub paid_per_unit: Option<PerUnitView>,
}

/// A value of a dimension.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingKey)]
pub struct KeyView {
    /// Which dimension.
    pub dimension: Dimension,
    /// Its value: an id, a code, a month; `null` for what has none, as money that nothing is bought with yet has no supplier.
    #[schema(required = true, max_length = 100, example = "sanitation")]
    pub value: Option<String>,
    /// What it is called in Chinese, where it has a name.
    #[schema(required = true, max_length = 300, example = "环卫")]
    pub name_zh: Option<String>,
    /// What it is called in English, where it has a name.
    #[schema(required = true, max_length = 300, example = "Sanitation")]
    pub name_en: Option<String>,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingGroup)]
pub struct GroupView {
    /// Its value of each dimension, in the order asked for.
    #[schema(min_items = 1, max_items = 3)]
    pub keys: Vec<KeyView>,
    /// What is measured of it.
    pub measures: MeasuresView,
}

/// A measure, what it is called, and why it is `null` if it has no meaning for the question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpendingMeasureTold, example = json!({
    "measure": "paid", "title_zh": "已支付（元）", "title_en": "Paid (CNY)", "absent_zh": null, "absent_en": null
}))]
pub struct MeasureView {
    /// Which.
    pub measure: Measure,
    /// What it is called in Chinese.
    #[schema(max_length = 60)]
    pub title_zh: String,
    /// What it is called in English.
    #[schema(max_length = 60)]
    pub title_en: String,
    /// Why it has no meaning here, in Chinese.
    #[schema(required = true, max_length = 300)]
    pub absent_zh: Option<String>,
    /// Why it has no meaning here, in English.
    #[schema(required = true, max_length = 300)]
    pub absent_en: Option<String>,
}

/// Spending, grouped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "group_by": ["supplier"], "source": "all", "currency": "CNY", "other_currencies": [],
    "measures": [{"measure": "paid", "title_zh": "已支付（元）", "title_en": "Paid (CNY)", "absent_zh": null, "absent_en": null}],
    "items": [{"keys": [{"dimension": "supplier", "value": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "name_zh": "梧桐洁城", "name_en": "Wutong Clean City"}],
        "measures": {"budgeted": null, "reserved": null, "committed": {"amount": "2107050.00", "currency": "CNY"}, "paid": {"amount": "188868.30", "currency": "CNY"},
        "deducted": {"amount": "2681.70", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"}, "refunded": {"amount": "0.00", "currency": "CNY"},
        "count": 1, "average_satisfaction": "87.60", "ballots": 200, "paid_per_unit": {"amount": "0.8003", "unit_zh": "平方米", "unit_en": "m²"}}}],
    "totals": {"budgeted": null, "reserved": null, "committed": {"amount": "2107050.00", "currency": "CNY"}, "paid": {"amount": "188868.30", "currency": "CNY"},
    "deducted": {"amount": "2681.70", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"}, "refunded": {"amount": "0.00", "currency": "CNY"},
    "count": 1, "average_satisfaction": "87.60", "ballots": 200, "paid_per_unit": {"amount": "0.8003", "unit_zh": "平方米", "unit_en": "m²"}}, "next_cursor": null
}))]
pub struct Spending {
    /// By what.
    #[schema(min_items = 1, max_items = 3)]
    pub group_by: Vec<Dimension>,
    /// Whose records.
    pub source: Source,
    /// In which currency all amounts are: those of different ones are never added up.
    #[schema(pattern = "^[A-Z]{3}$", example = "CNY")]
    pub currency: String,
    /// Other currencies of records, which this answer does not count: ask for each with `currency`.
    #[schema(max_items = 1000)]
    pub other_currencies: Vec<String>,
    /// What is measured.
    #[schema(max_items = 20)]
    pub measures: Vec<MeasureView>,
    /// The groups, in the order asked for.
    #[schema(max_items = 200)]
    pub items: Vec<GroupView>,
    /// All groups together, also those of other pages.
    pub totals: MeasuresView,
    /// What to send as `cursor` for the next page; `null` on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// Why measures are absent from an answer.
pub struct Absences(Vec<(Measure, Option<Text>)>);

impl Absences {
    /// Those of an answer.
    pub fn of(asked: &Asked, answered: &Answered) -> Self {
        let why = |measure| {
            let absent = why_absent(measure, &asked.grouping, &asked.filters);
            if absent.is_none() && measure == Measure::PaidPerUnit && answered.has_too_many_contracts {
                return Some(Text::fixed(
                    "合同超过 20000 份，请增加筛选条件",
                    "there are more than 20,000 contracts: add a filter",
                ));
            }
            absent
        };
        Self(Measure::ALL.map(|measure| (measure, why(measure))).to_vec())
    }

    fn lacks(&self, measure: Measure) -> bool {
        self.0
            .iter()
            .any(|(known, why)| *known == measure && why.is_some())
    }

    fn views(&self, currency: &Currency) -> Vec<MeasureView> {
        let view = |(measure, why): &(Measure, Option<Text>)| MeasureView {
            measure: *measure,
            title_zh: measure.title(currency).zh().to_owned(),
            title_en: measure.title(currency).en().to_owned(),
            absent_zh: why.as_ref().map(|why| why.zh().to_owned()),
            absent_en: why.as_ref().map(|why| why.en().to_owned()),
        };
        self.0.iter().map(view).collect()
    }

    /// A measure of a group, unless it has no meaning.
    fn of_group(&self, measure: Measure, told: &Told) -> Option<i64> {
        if self.lacks(measure) {
            None
        } else {
            measure.of(&told.group.measures)
        }
    }

    fn per_unit<'t>(&self, told: &'t Told) -> Option<&'t PerUnit> {
        told.per_unit
            .as_ref()
            .filter(|_| !self.lacks(Measure::PaidPerUnit))
    }
}

/// Ten-thousandths as a decimal.
fn decimal(units: i64, places: u32) -> String {
    Decimal::new(units, places).to_string()
}

fn measures(absences: &Absences, currency: &Currency, told: &Told) -> Result<MeasuresView, Fault> {
    let money = |measure| {
        let hundredths = absences.of_group(measure, told);
        hundredths.map(|hundredths| AmountView {
            amount: decimal(hundredths, 2),
            currency: currency.as_str().to_owned(),
        })
    };
    let mean = absences.of_group(Measure::AverageSatisfaction, told);
    let mean = mean
        .map(|hundredths| Score::new(Decimal::new(hundredths, 2)))
        .transpose();
    Ok(MeasuresView {
        budgeted: money(Measure::Budgeted),
        reserved: money(Measure::Reserved),
        committed: money(Measure::Committed),
        paid: money(Measure::Paid),
        deducted: money(Measure::Deducted),
        retained: money(Measure::Retained),
        refunded: money(Measure::Refunded),
        count: absences.of_group(Measure::Count, told),
        average_satisfaction: mean.map_err(|error| Fault::caused("the mean of ratings", error))?,
        ballots: told.group.measures.ballots,
        paid_per_unit: absences.per_unit(told).map(|one| PerUnitView {
            amount: decimal(one.amount, 4),
            unit_zh: one.unit_zh.clone(),
            unit_en: one.unit_en.clone(),
        }),
    })
}

fn keys(asked: &Asked, told: &Told) -> Vec<KeyView> {
    let values = asked.grouping.0.iter().zip(&told.group.keys).zip(&told.names);
    let view = |((dimension, value), name): ((&Dimension, &String), &Option<(String, String)>)| KeyView {
        dimension: *dimension,
        value: (!value.is_empty()).then(|| shown(*dimension, value)),
        name_zh: name.as_ref().map(|(zh, _)| zh.clone()),
        name_en: name.as_ref().map(|(_, en)| en.clone()),
    };
    values.map(view).collect()
}

impl Spending {
    /// An answer, with the cursor to the next page.
    ///
    /// # Errors
    /// A fault of amounts that are none.
    pub fn of(asked: &Asked, answered: &Answered, next_cursor: Option<String>) -> Result<Self, Fault> {
        let absences = Absences::of(asked, answered);
        let item = |told: &Told| {
            Ok::<_, Fault>(GroupView {
                keys: keys(asked, told),
                measures: measures(&absences, &asked.filters.currency, told)?,
            })
        };
        Ok(Self {
            group_by: asked.grouping.0.clone(),
            source: asked.filters.source,
            currency: asked.filters.currency.as_str().to_owned(),
            other_currencies: answered.other_currencies.clone(),
            measures: absences.views(&asked.filters.currency),
            items: answered.groups.iter().map(item).collect::<Result<_, _>>()?,
            totals: measures(&absences, &asked.filters.currency, &answered.total)?,
            next_cursor,
        })
    }
}

/// An answer as a table, one group a line, all groups together last. Headings are in both languages.
pub fn table(asked: &Asked, answered: &Answered) -> Table {
    let absences = Absences::of(asked, answered);
    let heading = |text: &Text| format!("{} {}", text.zh(), text.en());
    let mut header = Vec::new();
    for dimension in &asked.grouping.0 {
        let title = dimension.title();
        header.push(heading(&title));
        if dimension.is_named() {
            header.push(format!("{}名称", title.zh()));
            header.push(format!("{} (name)", title.en()));
        }
    }
    let currency = &asked.filters.currency;
    header.extend(
        Measure::ALL
            .iter()
            .map(|measure| heading(&measure.title(currency))),
    );
    header.push("单位 Unit".to_owned());
    let mut rows: Vec<Vec<Cell>> = answered
        .groups
        .iter()
        .map(|told| line(&absences, asked, told))
        .collect();
    rows.push(line(&absences, asked, &answered.total));
    Table {
        title: "支出 Spending",
        header,
        rows,
    }
}

fn line(absences: &Absences, asked: &Asked, told: &Told) -> Vec<Cell> {
    let words = |text: Option<&String>| text.map_or(Cell::Empty, |text| Cell::Text(text.clone()));
    let mut line = Vec::new();
    let is_total = told.group.keys.is_empty();
    for (at, dimension) in (0_usize..).zip(&asked.grouping.0) {
        let value = told.group.keys.get(at).filter(|value| !value.is_empty());
        line.push(match value {
            Some(value) => Cell::Text(shown(*dimension, value)),
            None if is_total && at == 0 => Cell::Text("合计 Total".to_owned()),
            None => Cell::Empty,
        });
        if dimension.is_named() {
            let name = told.names.get(at).and_then(Option::as_ref);
            line.push(words(name.map(|(zh, _)| zh)));
            line.push(words(name.map(|(_, en)| en)));
        }
    }
    for measure in Measure::ALL {
        let places = match measure {
            Measure::Count => 0,
            Measure::PaidPerUnit => 4,
            _ => 2,
        };
        let value = match measure {
            Measure::PaidPerUnit => absences.per_unit(told).map(|one| one.amount),
            _ => absences.of_group(measure, told),
        };
        line.push(value.map_or(Cell::Empty, |units| Cell::Number(decimal(units, places))));
    }
    line.push(absences.per_unit(told).map_or(Cell::Empty, |one| {
        Cell::Text(format!("{} {}", one.unit_zh, one.unit_en))
    }));
    line
}
