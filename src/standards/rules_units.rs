//! Units of measurement: a closed list, each with its dimension and both names. What is measured in one unit is converted into
//! another of the same dimension exactly, as a fraction of whole numbers, and into no other. Pure; never a floating-point number.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::fixed::{Rounding, Shape, divide, read, units_of};
use crate::kernel::text::Text;
use crate::text;

/// Decimals of an amount at most.
pub const AMOUNT_PLACES_MAX: u32 = 6;
/// The regular expression of an amount in JSON: a number, or a time of day.
pub const AMOUNT_PATTERN: &str = r"^((0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$";
/// Digits before the decimal point at most, so that no comparison of two amounts leaves the range of `i128`.
const WHOLE_DIGITS_MAX: usize = 9;
/// An amount's smallest step is a millionth.
const MILLION: i128 = 1_000_000;
/// Square metres that a density is of.
const DENSITY_AREA: i128 = 1_000;
/// Minutes of a day.
const MINUTES_OF_DAY: u32 = 1_440;

/// What a unit measures; only units of the same dimension are converted into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Pieces that are counted.
    Pieces,
    /// Spots that are counted.
    Spots,
    /// Things that happen and are counted.
    Occurrences,
    /// Area.
    Area,
    /// Pieces by area.
    PieceDensity,
    /// Spots by area.
    SpotDensity,
    /// A part of an area.
    AreaDensity,
    /// How often in a day or week.
    WeeklyFrequency,
    /// How often in a month or year. Not converted into weeks, of which a year has no whole number.
    YearlyFrequency,
    /// How long in a day.
    DailyDuration,
    /// How long.
    Duration,
    /// How many working days, which are no fixed time.
    WorkingDays,
    /// When in a day.
    TimeOfDay,
    /// A part of a whole.
    Share,
    /// Length.
    Length,
    /// Mass by area and year.
    Application,
}

/// A unit of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MeasurementUnit)]
#[expect(
    missing_docs,
    reason = "each has its two names in the table below, and its own name says it"
)]
pub enum Unit {
    Piece,
    Spot,
    Occurrence,
    SquareMetre,
    PiecePerThousandM2,
    SpotPerThousandM2,
    SquareMetrePerThousandM2,
    PerDay,
    PerWeek,
    PerMonth,
    PerYear,
    MinutePerDay,
    HourPerDay,
    Minute,
    Hour,
    Day,
    WorkingDay,
    TimeOfDay,
    Percent,
    PerMille,
    Millimetre,
    Centimetre,
    Metre,
    GramPerM2Year,
    KilogramPerM2Year,
}

/// What is known of a unit.
struct Facts {
    name: &'static str,
    dimension: Dimension,
    /// How many of the dimension's smallest unit one is: whole for every unit there is.
    factor: i128,
    zh: &'static str,
    en: &'static str,
}

const fn facts(
    name: &'static str,
    dimension: Dimension,
    factor: i128,
    zh: &'static str,
    en: &'static str,
) -> Facts {
    Facts {
        name,
        dimension,
        factor,
        zh,
        en,
    }
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::Piece,
        Self::Spot,
        Self::Occurrence,
        Self::SquareMetre,
        Self::PiecePerThousandM2,
        Self::SpotPerThousandM2,
        Self::SquareMetrePerThousandM2,
        Self::PerDay,
        Self::PerWeek,
        Self::PerMonth,
        Self::PerYear,
        Self::MinutePerDay,
        Self::HourPerDay,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::WorkingDay,
        Self::TimeOfDay,
        Self::Percent,
        Self::PerMille,
        Self::Millimetre,
        Self::Centimetre,
        Self::Metre,
        Self::GramPerM2Year,
        Self::KilogramPerM2Year,
    ];

    const fn facts(self) -> Facts {
        use Dimension as D;
        match self {
            Self::Piece => facts("piece", D::Pieces, 1, "个", "pieces"),
            Self::Spot => facts("spot", D::Spots, 1, "处", "spots"),
            Self::Occurrence => facts("occurrence", D::Occurrences, 1, "次", "occurrences"),
            Self::SquareMetre => facts("square_metre", D::Area, 1, "平方米", "m²"),
            Self::PiecePerThousandM2 => facts(
                "piece_per_thousand_m2",
                D::PieceDensity,
                1,
                "个/1000 平方米",
                "pieces per 1000 m²",
            ),
            Self::SpotPerThousandM2 => facts(
                "spot_per_thousand_m2",
                D::SpotDensity,
                1,
                "处/1000 平方米",
                "spots per 1000 m²",
            ),
            Self::SquareMetrePerThousandM2 => facts(
                "square_metre_per_thousand_m2",
                D::AreaDensity,
                1,
                "平方米/1000 平方米",
                "m² per 1000 m²",
            ),
            // So many in seven days.
            Self::PerDay => facts("per_day", D::WeeklyFrequency, 7, "次/日", "times a day"),
            Self::PerWeek => facts("per_week", D::WeeklyFrequency, 1, "次/周", "times a week"),
            Self::PerMonth => facts("per_month", D::YearlyFrequency, 12, "次/月", "times a month"),
            Self::PerYear => facts("per_year", D::YearlyFrequency, 1, "次/年", "times a year"),
            Self::MinutePerDay => facts("minute_per_day", D::DailyDuration, 1, "分钟/日", "minutes a day"),
            Self::HourPerDay => facts("hour_per_day", D::DailyDuration, 60, "小时/日", "hours a day"),
            Self::Minute => facts("minute", D::Duration, 1, "分钟", "minutes"),
            Self::Hour => facts("hour", D::Duration, 60, "小时", "hours"),
            Self::Day => facts("day", D::Duration, 1_440, "日", "days"),
            Self::WorkingDay => facts("working_day", D::WorkingDays, 1, "个工作日", "working days"),
            Self::TimeOfDay => facts("time_of_day", D::TimeOfDay, 1, "时刻", "time of day"),
            // A percent is ten per mille.
            Self::Percent => facts("percent", D::Share, 10, "%", "%"),
            Self::PerMille => facts("per_mille", D::Share, 1, "‰", "‰"),
            Self::Millimetre => facts("millimetre", D::Length, 1, "毫米", "mm"),
            Self::Centimetre => facts("centimetre", D::Length, 10, "厘米", "cm"),
            Self::Metre => facts("metre", D::Length, 1_000, "米", "m"),
            Self::GramPerM2Year => facts(
                "gram_per_m2_year",
                D::Application,
                1,
                "克/平方米/年",
                "g per m² and year",
            ),
            Self::KilogramPerM2Year => facts(
                "kilogram_per_m2_year",
                D::Application,
                1_000,
                "千克/平方米/年",
                "kg per m² and year",
            ),
        }
    }

    /// The name in the API and in tables.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What it measures.
    pub const fn dimension(self) -> Dimension {
        self.facts().dimension
    }

    /// How people write it.
    pub const fn label(self) -> (&'static str, &'static str) {
        let facts = self.facts();
        (facts.zh, facts.en)
    }

    /// The unit of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// What is counted where this is so many by area.
    pub const fn counted(self) -> Option<Self> {
        match self {
            Self::PiecePerThousandM2 => Some(Self::Piece),
            Self::SpotPerThousandM2 => Some(Self::Spot),
            Self::SquareMetrePerThousandM2 => Some(Self::SquareMetre),
            _ => None,
        }
    }

    /// The unit in which two amounts of this one differ: minutes between two times of day.
    pub const fn difference(self) -> Self {
        match self {
            Self::TimeOfDay => Self::Minute,
            other => other,
        }
    }

    /// True if it is a limit of time that something can be done within.
    pub const fn measures_time(self) -> bool {
        matches!(self.dimension(), Dimension::Duration | Dimension::WorkingDays)
    }

    /// True if it counts what happens or lies about, one by one.
    pub const fn counts_single_things(self) -> bool {
        matches!(
            self.dimension(),
            Dimension::Occurrences | Dimension::Pieces | Dimension::Spots
        )
    }

    /// Reads an amount of it: a plain decimal number, a time of day as `07:30`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(self, text: &str) -> Result<Amount, Text> {
        if self == Self::TimeOfDay {
            return time_of_day(text);
        }
        let amount = Amount::read(text)?;
        let most = match self {
            Self::Percent => 100,
            Self::PerMille => 1_000,
            Self::HourPerDay => 24,
            Self::MinutePerDay => 1_440,
            _ => return Ok(amount),
        };
        if amount.0 <= Decimal::from(most) {
            Ok(amount)
        } else {
            Err(text!("不得大于 {most}", "must not be more than {most}"))
        }
    }

    /// An amount of it as [`Self::read`] reads it.
    pub fn written(self, amount: Decimal) -> String {
        let minutes = u32::try_from(amount)
            .ok()
            .filter(|minutes| *minutes < MINUTES_OF_DAY);
        match (self, minutes) {
            (Self::TimeOfDay, Some(minutes)) => {
                let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
                format!("{hour:02}:{minute:02}")
            }
            _ => amount.to_string(),
        }
    }

    /// An amount of it in its dimension's smallest unit.
    pub fn exact(self, amount: Amount) -> Option<Exact> {
        let millionths = amount.millionths()?.checked_mul(self.facts().factor)?;
        Exact::new(millionths, MILLION)
    }

    /// How many on 1000 m² there are, in the smallest unit of this one's dimension, where `amount` of what is counted was found
    /// on `area` square metres.
    pub fn scaled(self, amount: Amount, area: Amount) -> Option<Exact> {
        let found = amount.millionths()?.checked_mul(DENSITY_AREA)?;
        Exact::new(found, area.millionths()?)
    }
}

fn time_of_day(text: &str) -> Result<Amount, Text> {
    let wrong = || Text::fixed("应为时刻，如 07:30", "must be a time of day, like 07:30");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return Err(wrong());
    }
    let number = |part: &str| part.parse::<u32>().map_err(|_| wrong());
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = hour.saturating_mul(60).saturating_add(minute);
    if minute < 60 && minutes < MINUTES_OF_DAY {
        Ok(Amount(Decimal::from(minutes)))
    } else {
        Err(wrong())
    }
}

/// So many of a unit: never below zero, with at most six decimals, and written as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(Decimal);

impl Amount {
    /// None at all.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One.
    pub const ONE: Self = Self(Decimal::ONE);

    /// Reads a plain decimal number.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, Text> {
        let wrong = || {
            text!(
                "应为不小于 0 的数，最多 {WHOLE_DIGITS_MAX} 位整数与 {AMOUNT_PLACES_MAX} 位小数",
                "must be a number from 0 on with at most {WHOLE_DIGITS_MAX} digits before the point and {AMOUNT_PLACES_MAX} after it"
            )
        };
        if text.split('.').next().unwrap_or_default().len() > WHOLE_DIGITS_MAX {
            return Err(wrong());
        }
        let shape = Shape {
            places_max: AMOUNT_PLACES_MAX,
            signed: false,
        };
        let number = read(text, shape).map_err(|_| wrong())?;
        number.decimal().map(Self).ok_or_else(wrong)
    }

    /// The number.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    fn millionths(self) -> Option<i128> {
        units_of(self.0, AMOUNT_PLACES_MAX)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number as a fraction, so that nothing is lost however it is converted: `7` on 300 m² are 70/3 on 1000 m².
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    numerator: i128,
    /// More than zero.
    denominator: i128,
}

impl Exact {
    /// `None` unless the denominator is more than zero.
    fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator <= 0 {
            return None;
        }
        let divisor = common(numerator.checked_abs()?, denominator);
        Some(Self {
            numerator: numerator.checked_div(divisor)?,
            denominator: denominator.checked_div(divisor)?,
        })
    }

    /// One of `parts` equal parts of one; `None` of no parts.
    pub fn part_of_one(parts: u32) -> Option<Self> {
        Self::new(1, i128::from(parts))
    }

    /// Which is more; `None` if the arithmetic leaves the range, which amounts as they are read never do.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let mine = self.numerator.checked_mul(other.denominator)?;
        let theirs = other.numerator.checked_mul(self.denominator)?;
        Some(mine.cmp(&theirs))
    }

    /// `self − other`.
    pub fn minus(self, other: Self) -> Option<Self> {
        let mine = self.numerator.checked_mul(other.denominator)?;
        let theirs = other.numerator.checked_mul(self.denominator)?;
        Self::new(
            mine.checked_sub(theirs)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    /// How many steps it takes to come to `self`, the last one counted however little of it is needed; `step` is more than zero.
    pub fn steps(self, step: Self) -> Option<u64> {
        let above = self.numerator.checked_mul(step.denominator)?;
        let below = self.denominator.checked_mul(step.numerator)?;
        let full = divide(above, below, Rounding::Down)?;
        let rest = above.checked_sub(full.checked_mul(below)?)?;
        let steps = full.checked_add(i128::from(rest > 0))?;
        // More than anybody counts is enough to lose every point there is.
        Some(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// The number in `unit`, with at most six decimals, and whether that is all of it: rounded half up otherwise.
    pub fn in_unit(self, unit: Unit) -> Option<(Decimal, bool)> {
        let above = self.numerator.checked_mul(MILLION)?;
        let below = self.denominator.checked_mul(unit.facts().factor)?;
        let millionths = divide(above, below, Rounding::HalfUp)?;
        let is_all = millionths.checked_mul(below)? == above;
        let decimal = Decimal::try_from_i128_with_scale(millionths, AMOUNT_PLACES_MAX).ok()?;
        Some((decimal.normalize(), is_all))
    }
}

/// The greatest common divisor, at least 1.
fn common(mut a: i128, mut b: i128) -> i128 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::read(text).unwrap()
    }

    #[test]
    fn every_unit_has_one_name_and_two_labels() {
        let mut names = std::collections::BTreeSet::new();
        for unit in Unit::ALL {
            assert_eq!(serde_json::to_value(unit).unwrap(), unit.name());
            assert_eq!(Unit::named(unit.name()), Some(unit));
            assert!(names.insert(unit.name()));
            assert!(!unit.label().0.is_empty() && !unit.label().1.is_empty() && unit.facts().factor > 0);
        }
        assert_eq!(names.len(), Unit::ALL.len());
        assert_eq!(Unit::named("furlong"), None);
    }

    #[test]
    fn amounts_are_read_strictly_and_written_as_they_were() {
        for good in ["0", "0.5", "1.0", "999999999.999999", "4"] {
            assert_eq!(amount(good).to_string(), good);
        }
        for bad in [
            "",
            "-1",
            "+1",
            "1e3",
            "01",
            ".5",
            "1.",
            "1.0000001",
            "1000000000",
            "四",
            " 1",
        ] {
            assert!(Amount::read(bad).is_err(), "{bad}");
        }
        for good in ["00:00", "07:30", "23:59"] {
            assert_eq!(
                Unit::TimeOfDay.written(Unit::TimeOfDay.read(good).unwrap().decimal()),
                good
            );
        }
        for bad in ["24:00", "7:30", "07:60", "0730", "450", "07:3a", "+7:30"] {
            assert!(Unit::TimeOfDay.read(bad).is_err(), "{bad}");
        }
        assert!(Unit::Percent.read("100").is_ok() && Unit::Percent.read("100.01").is_err());
        assert!(Unit::HourPerDay.read("24").is_ok() && Unit::HourPerDay.read("25").is_err());
    }

    #[test]
    fn conversion_knows_what_goes_into_what() {
        let same = |a: Unit, x: &str, b: Unit, y: &str| {
            let (x, y) = (a.exact(amount(x)).unwrap(), b.exact(amount(y)).unwrap());
            assert_eq!(a.dimension(), b.dimension());
            assert_eq!(x.compare(y), Some(Ordering::Equal), "{a:?} {b:?}");
        };
        same(Unit::Hour, "4", Unit::Minute, "240");
        same(Unit::Day, "1.5", Unit::Hour, "36");
        same(Unit::PerDay, "2", Unit::PerWeek, "14");
        same(Unit::PerMonth, "1", Unit::PerYear, "12");
        same(Unit::Percent, "1.25", Unit::PerMille, "12.5");
        same(Unit::Metre, "0.06", Unit::Centimetre, "6");
        same(Unit::KilogramPerM2Year, "0.5", Unit::GramPerM2Year, "500");
        assert_ne!(Unit::PerWeek.dimension(), Unit::PerYear.dimension());
        assert_ne!(Unit::Day.dimension(), Unit::WorkingDay.dimension());
    }

    #[test]
    fn a_count_on_a_sample_is_scaled_without_loss() {
        let unit = Unit::PiecePerThousandM2;
        let third = unit.scaled(amount("7"), amount("300")).unwrap();
        assert_eq!(
            third.compare(unit.exact(amount("23.333333")).unwrap()),
            Some(Ordering::Greater)
        );
        assert_eq!(third.in_unit(unit), Some((Decimal::new(23_333_333, 6), false)));
        let exact = unit.scaled(amount("3"), amount("500")).unwrap();
        assert_eq!(exact.in_unit(unit), Some((Decimal::from(6), true)));
        assert!(unit.scaled(amount("3"), Amount::ZERO).is_none());
    }

    #[test]
    fn the_last_step_counts_however_little_of_it_is_needed() {
        let exact = |text: &str| Unit::Piece.exact(amount(text)).unwrap();
        let (most, least) = (amount("999999999.999999"), amount("0.000001"));
        let endless = Unit::PiecePerThousandM2.scaled(most, least).unwrap();
        assert_eq!(endless.steps(exact("0.000001")), Some(u64::MAX));
        for (excess, step, steps) in [
            ("0", "1", 0),
            ("1", "1", 1),
            ("1.000001", "1", 2),
            ("7", "2", 4),
            ("0.3", "0.1", 3),
        ] {
            assert_eq!(
                exact(excess).steps(exact(step)),
                Some(steps),
                "{excess} by {step}"
            );
        }
    }

    fn any_amount() -> impl Strategy<Value = Amount> {
        (0_u64..=999_999_999_999_999, 0_u32..=6).prop_map(|(units, places)| {
            let kept = units % 10_u64.pow(9 + places);
            Amount(Decimal::new(i64::try_from(kept).unwrap(), places))
        })
    }

    proptest! {
        #[test]
        fn conversion_is_exact_and_monotone(a in any_amount(), b in any_amount(), from in 0_usize..25, to in 0_usize..25) {
            let (from, to) = (Unit::ALL[from], Unit::ALL[to]);
            let (x, y) = (from.exact(a).unwrap(), from.exact(b).unwrap());
            prop_assert_eq!(x.compare(y), Some(a.cmp(&b)));
            if from.dimension() == to.dimension() {
                // There and back, by way of the other unit, is where it began, wherever that has no more than six decimals.
                if let (converted, true) = x.in_unit(to).unwrap()
                    && let Ok(converted) = Amount::read(&converted.to_string())
                {
                    let back = to.exact(converted).unwrap();
                    prop_assert_eq!(back.compare(x), Some(Ordering::Equal));
                    prop_assert_eq!(back.in_unit(from).unwrap(), (a.decimal().normalize(), true));
                }
            }
        }

        #[test]
        fn a_smaller_sample_makes_more_of_the_same_count(count in any_amount(), area in any_amount(), more in any_amount()) {
            prop_assume!(area > Amount::ZERO && more > area);
            let unit = Unit::SpotPerThousandM2;
            let (small, large) = (unit.scaled(count, area).unwrap(), unit.scaled(count, more).unwrap());
            prop_assert_ne!(small.compare(large).unwrap(), Ordering::Less);
            let other = unit.exact(more).unwrap();
            prop_assert!(small.compare(other).is_some() && small.minus(other).is_some());
        }

        #[test]
        fn reading_never_panics(text in ".{0,30}") {
            for unit in Unit::ALL {
                if let Ok(amount) = unit.read(&text) {
                    prop_assert_eq!(unit.read(&unit.written(amount.decimal())), Ok(amount));
                }
            }
        }
    }
}
