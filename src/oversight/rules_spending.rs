//! What may be asked of spending: by what it is grouped, what is measured, what narrows it; which measures have no meaning for a question, and why; in which order
//! groups come. Pure.

use std::cmp::Ordering;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_imported::{Currency, Key};
use crate::budget::rules_spending::Measures;
use crate::kernel::fixed::{Rounding, divide};
use crate::kernel::money::Money;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Kind, Reason};
use crate::kernel::text::Text;
use crate::text;

/// Groups of one answer at most, where they have to be sorted or are sent as one table.
pub const GROUPS_MAX: usize = 10_000;
/// Dimensions by which one question groups at most.
pub const DIMENSIONS_MAX: usize = 3;
/// Contracts whose quantities are added up at most.
pub const QUANTITIES_MAX: i64 = 20_000;

/// There are too many groups.
pub static TOO_MANY_GROUPS: Reason = Reason::new(
    Kind::Invalid,
    "spending_too_many_groups",
    "分组过多，请增加筛选条件或减少分组维度",
    "There are too many groups: narrow the question by a filter, or group by fewer dimensions",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&TOO_MANY_GROUPS];

/// By what spending is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SpendingDimension)]
pub enum Dimension {
    /// The month in which the money moved, by the ward's calendar: `2026-03`.
    Month,
    /// The quarter: `2026-Q1`.
    Quarter,
    /// The fiscal year whose money it is.
    FiscalYear,
    /// The fund.
    Fund,
    /// The budget line.
    BudgetLine,
    /// Who buys.
    Buyer,
    /// The smallest area that has all places in it that the lot serves, as its book said when it was published.
    Area,
    /// The category of services.
    Category,
    /// Who supplies.
    Supplier,
    /// What sort of organisation the supplier is.
    SupplierKind,
    /// How the bids were judged.
    Method,
    /// The contract.
    Contract,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Month,
        Self::Quarter,
        Self::FiscalYear,
        Self::Fund,
        Self::BudgetLine,
        Self::Buyer,
        Self::Area,
        Self::Category,
        Self::Supplier,
        Self::SupplierKind,
        Self::Method,
        Self::Contract,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::FiscalYear => "fiscal_year",
            Self::Fund => "fund",
            Self::BudgetLine => "budget_line",
            Self::Buyer => "buyer",
            Self::Area => "area",
            Self::Category => "category",
            Self::Supplier => "supplier",
            Self::SupplierKind => "supplier_kind",
            Self::Method => "method",
            Self::Contract => "contract",
        }
    }

    /// What it is called.
    pub const fn title(self) -> Text {
        match self {
            Self::Month => Text::fixed("月份", "Month"),
            Self::Quarter => Text::fixed("季度", "Quarter"),
            Self::FiscalYear => Text::fixed("财政年度", "Fiscal year"),
            Self::Fund => Text::fixed("资金", "Fund"),
            Self::BudgetLine => Text::fixed("预算项", "Budget line"),
            Self::Buyer => Text::fixed("采购人", "Buyer"),
            Self::Area => Text::fixed("区域", "Area"),
            Self::Category => Text::fixed("服务类别", "Category"),
            Self::Supplier => Text::fixed("承接主体", "Supplier"),
            Self::SupplierKind => Text::fixed("承接主体类型", "Kind of supplier"),
            Self::Method => Text::fixed("评审办法", "Method"),
            Self::Contract => Text::fixed("合同", "Contract"),
        }
    }

    /// Whether it has a name of its own beside its value.
    pub const fn is_named(self) -> bool {
        !matches!(
            self,
            Self::Month | Self::Quarter | Self::FiscalYear | Self::BudgetLine
        )
    }
}

/// By what a question groups: one to three dimensions, each once, in the order of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping(pub Vec<Dimension>);

impl FromStr for Grouping {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut dimensions = Vec::new();
        for name in text.split(',') {
            let found = Dimension::ALL
                .into_iter()
                .find(|one| one.name() == name)
                .ok_or(())?;
            if dimensions.contains(&found) || dimensions.len() == DIMENSIONS_MAX {
                return Err(());
            }
            dimensions.push(found);
        }
        Ok(Self(dimensions))
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SpendingMeasure)]
pub enum Measure {
    /// Given to budget lines, and not taken from them again.
    Budgeted,
    /// Held for lots that have no contract yet, and for what was reserved by hand.
    Reserved,
    /// Held for contracts.
    Committed,
    /// Paid, without what came back.
    Paid,
    /// Deducted for good by what periods scored and by penalties.
    Deducted,
    /// Held back from payments until the end.
    Retained,
    /// Paid, and come back from the bank.
    Refunded,
    /// How many payments there are, without those that came back.
    Count,
    /// The mean of residents' ratings that bind, each ballot counting alike.
    AverageSatisfaction,
    /// What was paid, by how much is bought.
    PaidPerUnit,
}

impl Measure {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 10] = [
        Self::Budgeted,
        Self::Reserved,
        Self::Committed,
        Self::Paid,
        Self::Deducted,
        Self::Retained,
        Self::Refunded,
        Self::Count,
        Self::AverageSatisfaction,
        Self::PaidPerUnit,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Budgeted => "budgeted",
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Paid => "paid",
            Self::Deducted => "deducted",
            Self::Retained => "retained",
            Self::Refunded => "refunded",
            Self::Count => "count",
            Self::AverageSatisfaction => "average_satisfaction",
            Self::PaidPerUnit => "paid_per_unit",
        }
    }

    /// What it is called, with its unit: where that is money, the currency.
    pub fn title(self, currency: &Currency) -> Text {
        let (zh, en) = match self {
            Self::Budgeted => ("预算", "Budgeted"),
            Self::Reserved => ("已预留", "Reserved"),
            Self::Committed => ("已承诺", "Committed"),
            Self::Paid => ("已支付", "Paid"),
            Self::Deducted => ("扣款", "Deducted"),
            Self::Retained => ("质保金", "Retained"),
            Self::Refunded => ("退回", "Refunded"),
            Self::Count => return Text::fixed("支付笔数", "Payments"),
            Self::AverageSatisfaction => {
                return Text::fixed("平均满意度（分）", "Average satisfaction (points)");
            }
            Self::PaidPerUnit => ("单位数量支付额", "Paid per unit"),
        };
        let code = currency.as_str();
        let unit = if currency.is_yuan() { "元" } else { code };
        text!("{zh}（{unit}）", "{en} ({code})")
    }

    /// It as money of these measures, in fen; or as a number.
    pub fn of(self, measures: &Measures) -> Option<i64> {
        match self {
            Self::Budgeted => Some(measures.budgeted),
            Self::Reserved => Some(measures.reserved),
            Self::Committed => Some(measures.committed),
            Self::Paid => Some(measures.paid),
            Self::Deducted => Some(measures.deducted),
            Self::Retained => Some(measures.retained),
            Self::Refunded => Some(measures.refunded),
            Self::Count => Some(measures.payments),
            Self::AverageSatisfaction => satisfaction(measures),
            Self::PaidPerUnit => None,
        }
    }
}

/// The mean of residents' ratings in hundredths of a point, half up; `None` if nobody has rated.
pub fn satisfaction(measures: &Measures) -> Option<i64> {
    let mean = divide(
        i128::from(measures.satisfaction),
        i128::from(measures.ballots),
        Rounding::HalfUp,
    )?;
    i64::try_from(mean).ok()
}

/// What so much money is for each unit of a quantity in millionths: in ten-thousandths of a yuan, half up.
pub fn per_unit(paid_fen: i64, millionths: i64) -> Option<i64> {
    // fen × 100 are ten-thousandths of a yuan, and a million millionths are one unit.
    let dividend = i128::from(paid_fen).checked_mul(100_000_000)?;
    i64::try_from(divide(dividend, i128::from(millionths), Rounding::HalfUp)?).ok()
}

/// What narrows a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// In this month: 202603.
    pub month: Option<i64>,
    /// In this quarter: 20261.
    pub quarter: Option<i64>,
    /// Of this fiscal year.
    pub fiscal_year: Option<i64>,
    /// Of this fund.
    pub fund: Option<FundId>,
    /// Of this budget line.
    pub budget_line: Option<BudgetLineId>,
    /// Of this buyer.
    pub buyer: Option<Key>,
    /// In this area, and what lies below it.
    pub area: Option<AreaId>,
    /// Of this category.
    pub category: Option<Key>,
    /// Of this supplier.
    pub supplier: Option<Key>,
    /// Of suppliers of this kind.
    pub supplier_kind: Option<String>,
    /// Judged by this method.
    pub method: Option<String>,
    /// Of this contract.
    pub contract: Option<Key>,
    /// Moved on this day or later.
    pub from: Option<NaiveDate>,
    /// Moved before this day.
    pub until: Option<NaiveDate>,
    /// Moved at least this amount at once.
    pub amount_min: Option<Money>,
    /// Moved at most this amount at once.
    pub amount_max: Option<Money>,
    /// Whose records.
    pub source: Source,
    /// In which currency: amounts of different ones are never added up, and all of the ward's own are in yuan.
    pub currency: Currency,
}

/// Whose records are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SpendingSource)]
pub enum Source {
    /// This ward's own.
    Own,
    /// What was read from other publications.
    Imported,
    /// Both.
    #[default]
    All,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Imported, Self::All];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Imported => "imported",
            Self::All => "all",
        }
    }
}

impl Filters {
    /// The dimensions that it narrows.
    fn dimensions(&self) -> Vec<Dimension> {
        let narrowed = [
            (Dimension::Month, self.month.is_some()),
            (Dimension::Quarter, self.quarter.is_some()),
            (Dimension::FiscalYear, self.fiscal_year.is_some()),
            (Dimension::Fund, self.fund.is_some()),
            (Dimension::BudgetLine, self.budget_line.is_some()),
            (Dimension::Buyer, self.buyer.is_some()),
            (Dimension::Area, self.area.is_some()),
            (Dimension::Category, self.category.is_some()),
            (Dimension::Supplier, self.supplier.is_some()),
            (Dimension::SupplierKind, self.supplier_kind.is_some()),
            (Dimension::Method, self.method.is_some()),
            (Dimension::Contract, self.contract.is_some()),
        ];
        narrowed
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(one, _)| one)
            .collect()
    }

    /// Whether the ward's own records count.
    pub fn has_own(&self) -> bool {
        self.source != Source::Imported && self.currency.is_yuan()
    }

    /// Whether imported records count.
    pub fn has_imported(&self) -> bool {
        self.source != Source::Own
    }

    /// Whether it asks for a span of time.
    pub fn is_of_time(&self) -> bool {
        self.month.is_some() || self.quarter.is_some() || self.from.is_some() || self.until.is_some()
    }

    /// Whether it asks for amounts.
    pub const fn is_of_amounts(&self) -> bool {
        self.amount_min.is_some() || self.amount_max.is_some()
    }

    /// Whether totals that are kept answer it: nothing narrows it but whose records they are.
    pub fn is_open(&self) -> bool {
        self.dimensions().is_empty() && !self.is_of_time() && !self.is_of_amounts()
    }
}

/// Why a measure has no meaning for a question; `None` if it has one.
pub fn why_absent(measure: Measure, grouping: &Grouping, filters: &Filters) -> Option<Text> {
    use Dimension::{Area, BudgetLine, Contract, Method, Month, Quarter, Supplier, SupplierKind};
    let named: Vec<Dimension> = grouping.0.iter().copied().chain(filters.dimensions()).collect();
    let names = |some: &[Dimension]| some.iter().any(|one| named.contains(one));
    match measure {
        Measure::Committed | Measure::Paid | Measure::Count => None,
        _ if !filters.has_own() => Some(Text::fixed(
            "导入的公开数据只说明约定和支付的金额",
            "what others have published says what was agreed and paid, and nothing else",
        )),
        Measure::Budgeted if names(&[Area, Supplier, SupplierKind, Method, Contract]) => Some(Text::fixed(
            "预算下达到预算项，此时尚不知由谁、在何处、以何办法采购",
            "money is given to budget lines before it is known what is bought, from whom, where and how",
        )),
        Measure::Budgeted if names(&[BudgetLine]) => Some(Text::fixed(
            "单个预算项的预算额不公开；本单位、审计和监管人员可查 /ledger/accounts",
            "what a single budget line was given is not public; its own people, auditors and the regulator see it in /ledger/accounts",
        )),
        // Each time at which lines are given something is often that of one movement, which the log keeps from the public.
        Measure::Budgeted if names(&[Month, Quarter]) || filters.is_of_time() || filters.is_of_amounts() => {
            Some(Text::fixed(
                "单笔预算调整不公开；预算额只按年度合计",
                "single movements of a budget are not public: what was budgeted is told for whole years",
            ))
        }
        Measure::Reserved if names(&[Supplier, SupplierKind, Contract]) => Some(Text::fixed(
            "预留发生在签订合同之前",
            "money is reserved for lots before there is a contract",
        )),
        Measure::AverageSatisfaction if filters.is_of_amounts() => Some(Text::fixed(
            "测评不涉及资金划转，不能按金额筛选",
            "ratings move no money and have no amount",
        )),
        Measure::PaidPerUnit
            if names(&[Month, Quarter]) || filters.is_of_time() || filters.is_of_amounts() =>
        {
            Some(Text::fixed(
                "数量针对合同全期，不能按时间或金额拆分",
                "quantities are of a contract's whole term, and of no part of its payments",
            ))
        }
        _ => None,
    }
}

/// A group, and what is measured of it. A key that is empty is of what has no such value: money that nothing is bought with yet has no supplier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its value of each dimension.
    pub keys: Vec<String>,
    /// What is measured.
    pub measures: Measures,
    /// Whether something of it was imported.
    pub is_imported: bool,
}

/// In which order groups come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By which measure; by the keys if by none.
    pub by: Option<Measure>,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// What a sort is called.
pub const SORTS: [&str; 10] = [
    "key",
    "budgeted",
    "reserved",
    "committed",
    "paid",
    "deducted",
    "retained",
    "refunded",
    "count",
    "average_satisfaction",
];

impl FromStr for Sort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (is_descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        if !SORTS.contains(&name) {
            return Err(());
        }
        Ok(Self {
            by: Measure::ALL.into_iter().find(|measure| measure.name() == name),
            is_descending,
        })
    }
}

/// Where a group stands in an order: by the measure, then by its keys, so that no two stand in the same place.
pub type Place = (i64, Vec<String>);

impl Sort {
    /// Where a group stands.
    pub fn place(&self, group: &Group) -> Place {
        // Where nobody has rated, that comes before the lowest rating.
        let value = self.by.map(|measure| measure.of(&group.measures).unwrap_or(-1));
        (value.unwrap_or_default(), group.keys.clone())
    }

    /// Which of two places comes first.
    pub fn order(&self, one: &Place, other: &Place) -> Ordering {
        if self.is_descending {
            other.cmp(one)
        } else {
            one.cmp(other)
        }
    }
}

/// A value of a dimension as clients see it: `2026-03` for the month 202603.
pub fn shown(dimension: Dimension, value: &str) -> String {
    let cut = |at: usize, with: &str| match (value.get(..4), value.get(at..)) {
        (Some(year), Some(rest)) => format!("{year}{with}{rest}"),
        _ => value.to_owned(),
    };
    match dimension {
        Dimension::Month => cut(4, "-"),
        Dimension::Quarter => cut(4, "-Q"),
        _ => value.to_owned(),
    }
}

/// A code of a category of services in a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(pub String);

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_code = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (2..=40).contains(&text.len()) && text.bytes().all(is_code) {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

/// A month in a question: `2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthAsked(pub i64);

impl FromStr for MonthAsked {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        part(text, "-", 1..=12, 100).map(Self).ok_or(())
    }
}

/// A quarter in a question: `2026-Q1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarterAsked(pub i64);

impl FromStr for QuarterAsked {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        part(text, "-Q", 1..=4, 10).map(Self).ok_or(())
    }
}

fn part(text: &str, between: &str, allowed: std::ops::RangeInclusive<i64>, factor: i64) -> Option<i64> {
    let (year, number) = text.split_once(between)?;
    let digits =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let length = if factor == 100 { 2 } else { 1 };
    if !digits(year, 4) || !digits(number, length) {
        return None;
    }
    let (year, number): (i64, i64) = (year.parse().ok()?, number.parse().ok()?);
    if !allowed.contains(&number) || year < 1900 {
        return None;
    }
    year.checked_mul(factor)?.checked_add(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(text: &str) -> Grouping {
        text.parse().unwrap()
    }

    #[test]
    fn a_grouping_has_one_to_three_dimensions_each_once() {
        assert_eq!(by("month,supplier").0, [Dimension::Month, Dimension::Supplier]);
        assert_eq!(by("area,category,contract").0.len(), 3);
        for wrong in [
            "",
            "month,month",
            "month,fund,area,method",
            "colour",
            "month,",
            " month",
        ] {
            assert!(wrong.parse::<Grouping>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_measure_without_meaning_says_why() {
        let open = Filters::default();
        let absent = |measure, grouping: &str| why_absent(measure, &by(grouping), &open).is_some();
        assert!(
            !absent(Measure::Budgeted, "fund,fiscal_year,buyer")
                && !absent(Measure::Budgeted, "buyer,category")
        );
        for grouping in [
            "area",
            "supplier",
            "supplier_kind",
            "method",
            "contract",
            "budget_line",
            "month,budget_line",
            "month",
            "quarter,fund",
        ] {
            assert!(absent(Measure::Budgeted, grouping), "{grouping}");
        }
        assert!(absent(Measure::Reserved, "supplier") && !absent(Measure::Reserved, "area,method"));
        assert!(
            absent(Measure::PaidPerUnit, "contract,month")
                && !absent(Measure::PaidPerUnit, "contract,fiscal_year")
        );
        let narrowed = Filters {
            supplier: Key::of("org_01jd3n8f5teqkrzvq1c0m6h2ax"),
            ..Filters::default()
        };
        assert!(why_absent(Measure::Budgeted, &by("fund"), &narrowed).is_some());
        let since = Filters {
            from: chrono::NaiveDate::from_ymd_opt(2026, 3, 1),
            ..Filters::default()
        };
        assert!(why_absent(Measure::Budgeted, &by("fund"), &since).is_some());
        let large = Filters {
            amount_min: Some(Money::ZERO),
            ..Filters::default()
        };
        assert!(why_absent(Measure::AverageSatisfaction, &by("fund"), &large).is_some());
        for measure in [
            Measure::Committed,
            Measure::Paid,
            Measure::Deducted,
            Measure::Retained,
            Measure::Refunded,
            Measure::Count,
        ] {
            for dimension in Dimension::ALL {
                assert_eq!(why_absent(measure, &Grouping(vec![dimension]), &large), None);
            }
        }
    }

    #[test]
    fn what_was_imported_has_what_was_agreed_and_paid_alone() {
        let of = |source, currency: &str| Filters {
            source,
            currency: currency.parse().unwrap(),
            ..Filters::default()
        };
        for filters in [
            of(Source::Imported, "CNY"),
            of(Source::Imported, "EUR"),
            of(Source::All, "EUR"),
            of(Source::Own, "EUR"),
        ] {
            let told = Measure::ALL.map(|measure| why_absent(measure, &by("fund"), &filters).is_none());
            assert_eq!(
                told,
                [false, false, true, true, false, false, false, true, false, false]
            );
            assert!(!filters.has_own());
        }
        assert!(of(Source::All, "CNY").has_own() && of(Source::All, "CNY").has_imported());
        assert!(!of(Source::Own, "CNY").has_imported());
    }

    #[test]
    fn amounts_are_called_by_their_currency() {
        let title = |measure: Measure, currency: &str| measure.title(&currency.parse().unwrap());
        assert_eq!(
            (
                title(Measure::Paid, "CNY").zh(),
                title(Measure::Paid, "EUR").zh(),
                title(Measure::Paid, "EUR").en()
            ),
            ("已支付（元）", "已支付（EUR）", "Paid (EUR)")
        );
        assert_eq!(title(Measure::Count, "EUR").en(), "Payments");
    }

    #[test]
    fn means_are_rounded_half_up_and_of_nothing_there_is_none() {
        let rated = |ballots, satisfaction| satisfaction_of(ballots, satisfaction);
        assert_eq!(rated(0, 0), None);
        assert_eq!(rated(200, 200 * 8_760), Some(8_760));
        assert_eq!(rated(2, 15_001), Some(7_501));
        assert_eq!(per_unit(235_020_000, 236_000_000_000), Some(99_585));
        assert_eq!(per_unit(1, 0), None);
    }

    fn satisfaction_of(ballots: i64, satisfaction: i64) -> Option<i64> {
        super::satisfaction(&Measures {
            ballots,
            satisfaction,
            ..Measures::default()
        })
    }

    #[test]
    fn months_and_quarters_are_read_strictly_and_shown_alike() {
        assert_eq!("2026-03".parse(), Ok(MonthAsked(202_603)));
        assert_eq!("2026-Q1".parse(), Ok(QuarterAsked(20_261)));
        for wrong in [
            "2026-3",
            "2026-13",
            "2026-00",
            "26-03",
            "2026-Q1",
            "+026-03",
            "",
            "2026-0３",
        ] {
            assert!(wrong.parse::<MonthAsked>().is_err(), "{wrong}");
        }
        for wrong in ["2026-Q5", "2026-Q0", "2026-03", "2026-Q01"] {
            assert!(wrong.parse::<QuarterAsked>().is_err(), "{wrong}");
        }
        assert_eq!(
            (
                shown(Dimension::Month, "202603"),
                shown(Dimension::Quarter, "20261")
            ),
            ("2026-03".into(), "2026-Q1".into())
        );
        assert_eq!(shown(Dimension::Month, "年"), "年");
    }

    #[test]
    fn an_order_has_no_two_groups_in_one_place() {
        let group = |key: &str, paid| Group {
            keys: vec![key.into()],
            measures: Measures {
                paid,
                ..Measures::default()
            },
            is_imported: false,
        };
        let sort: Sort = "-paid".parse().unwrap();
        let mut places = [group("a", 1), group("b", 2), group("c", 1)]
            .map(|one| sort.place(&one))
            .to_vec();
        places.sort_by(|one, other| sort.order(one, other));
        let keys: Vec<String> = places.iter().flat_map(|(_, keys)| keys.clone()).collect();
        assert_eq!(keys, ["b", "c", "a"]);
        assert!("paid_per_unit".parse::<Sort>().is_err() && "--paid".parse::<Sort>().is_err());
    }
}
