//! What a rule can say: a number of days, a percentage, an amount, a yes or no, a share, a list. Each kind is a type of its
//! own, so that natural days cannot be taken for working days, and what is read from a profile cannot be wrong any more.
//! Never a floating-point number.

use serde::{Deserialize, Serialize};

use crate::kernel::money::Money;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::statutes::wording;
use crate::text;

/// Choices in one list at most.
pub const CHOICES_MAX: usize = 50;
/// Bands in one scale at most.
pub const BANDS_MAX: usize = 20;
/// Characters of the name of a choice or band.
pub const NAME_LENGTH_MAX: usize = 200;
/// Characters of the code of a choice or band.
pub const WORD_LENGTH_MAX: usize = 60;

/// What sort of value a rule has; decided by its code, never by a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatuteRuleKind)]
pub enum Kind {
    /// Natural days.
    Days,
    /// Working days of the ward's calendar.
    WorkingDays,
    /// Minutes.
    Minutes,
    /// Months.
    Months,
    /// Years.
    Years,
    /// Things that are counted.
    Count,
    /// Percent, an exact decimal.
    Percent,
    /// An amount of money.
    Money,
    /// Yes or no.
    Boolean,
    /// A part of a whole that must be reached, or exceeded.
    Share,
    /// A list of words that the rule names.
    Choices,
    /// A scale from 0 to 100 points.
    Bands,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Days,
        Self::WorkingDays,
        Self::Minutes,
        Self::Months,
        Self::Years,
        Self::Count,
        Self::Percent,
        Self::Money,
        Self::Boolean,
        Self::Share,
        Self::Choices,
        Self::Bands,
    ];

    /// The name in the API and in profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::WorkingDays => "working_days",
            Self::Minutes => "minutes",
            Self::Months => "months",
            Self::Years => "years",
            Self::Count => "count",
            Self::Percent => "percent",
            Self::Money => "money",
            Self::Boolean => "boolean",
            Self::Share => "share",
            Self::Choices => "choices",
            Self::Bands => "bands",
        }
    }
}

/// What a rule says, in JSON an object with the kind as its one member: `{"days": 20}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleValue {
    /// Natural days.
    Days(Days),
    /// Working days.
    WorkingDays(WorkingDays),
    /// Minutes.
    Minutes(Minutes),
    /// Months.
    Months(Months),
    /// Years.
    Years(Years),
    /// A count.
    Count(Count),
    /// Percent.
    Percent(Percent),
    /// Money.
    Money(Money),
    /// Yes or no.
    Boolean(bool),
    /// A share.
    Share(Share),
    /// A list of words.
    Choices(Choices),
    /// A scale.
    Bands(Bands),
}

impl RuleValue {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Days(_) => Kind::Days,
            Self::WorkingDays(_) => Kind::WorkingDays,
            Self::Minutes(_) => Kind::Minutes,
            Self::Months(_) => Kind::Months,
            Self::Years(_) => Kind::Years,
            Self::Count(_) => Kind::Count,
            Self::Percent(_) => Kind::Percent,
            Self::Money(_) => Kind::Money,
            Self::Boolean(_) => Kind::Boolean,
            Self::Share(_) => Kind::Share,
            Self::Choices(_) => Kind::Choices,
            Self::Bands(_) => Kind::Bands,
        }
    }

    /// What is wrong with the value itself, whatever rule it belongs to.
    ///
    /// # Errors
    /// The first thing that is wrong, in words.
    pub fn check(&self) -> Result<(), Text> {
        match self {
            Self::Days(Days(n)) => within(*n, Days::MAX),
            Self::WorkingDays(WorkingDays(n)) => within(*n, WorkingDays::MAX),
            Self::Minutes(Minutes(n)) => within(*n, Minutes::MAX),
            Self::Months(Months(n)) => within(*n, Months::MAX),
            Self::Years(Years(n)) => within(*n, Years::MAX),
            Self::Count(Count(n)) => within(*n, Count::MAX),
            Self::Money(amount) if amount.is_negative() => {
                Err(Text::fixed("金额不得为负", "the amount is below zero"))
            }
            Self::Percent(_) | Self::Money(_) | Self::Boolean(_) => Ok(()),
            Self::Share(share) => share.check(),
            Self::Choices(choices) => choices.check(),
            Self::Bands(bands) => bands.check(),
        }
    }

    /// The value in one cell of a table: `20`, `2`, `2000000.00`, `true`, `>=2/3`, `name; overview`, `poor 0-60; good 60-100`.
    pub fn cell(&self) -> String {
        match self {
            Self::Days(Days(n))
            | Self::WorkingDays(WorkingDays(n))
            | Self::Minutes(Minutes(n))
            | Self::Months(Months(n))
            | Self::Years(Years(n))
            | Self::Count(Count(n)) => n.to_string(),
            Self::Percent(Percent(percent)) => percent.to_string(),
            Self::Money(amount) => amount.to_string(),
            Self::Boolean(yes) => yes.to_string(),
            Self::Share(share) => {
                let sign = if share.exceeded { ">" } else { ">=" };
                format!("{sign}{}/{}", share.numerator, share.denominator)
            }
            Self::Choices(Choices(all)) => joined(all.iter().map(|choice| choice.code.clone())),
            Self::Bands(Bands(all)) => joined(
                all.iter()
                    .map(|band| format!("{} {}-{}", band.code, band.from, band.to)),
            ),
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

fn within(number: u32, max: u32) -> Result<(), Text> {
    if number <= max {
        Ok(())
    } else {
        Err(text!("应在 0 至 {max} 之间", "must be from 0 to {max}"))
    }
}

/// A type that a rule's value can be read as.
pub trait Kinded: Sized {
    /// The kind of the rules that have it.
    const KIND: Kind;

    /// The value, if it is of this kind.
    fn of(value: &RuleValue) -> Option<Self>;
}

macro_rules! kinded {
    ($($name:ident: $kind:ident;)+) => {$(
        impl Kinded for $name {
            const KIND: Kind = Kind::$kind;

            fn of(value: &RuleValue) -> Option<Self> {
                match value {
                    RuleValue::$kind(inner) => Some(inner.clone()),
                    _ => None,
                }
            }
        }
    )+};
}

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident($max:literal);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The most that a profile may say.
            pub const MAX: u32 = $max;
        }
    )+};
}

quantities! {
    /// Natural days, counted as [`Calendar::deadline_after_days`](crate::kernel::calendar::Calendar::deadline_after_days) does.
    Days(36_500);
    /// Working days, counted as [`Calendar::add_working_days`](crate::kernel::calendar::Calendar::add_working_days) does.
    WorkingDays(10_000);
    /// Minutes.
    Minutes(100_000);
    /// Months.
    Months(1_200);
    /// Years.
    Years(1_000);
    /// How many of something.
    Count(1_000_000);
}

kinded! {
    Days: Days;
    WorkingDays: WorkingDays;
    Minutes: Minutes;
    Months: Months;
    Years: Years;
    Count: Count;
    Percent: Percent;
    Money: Money;
    bool: Boolean;
    Share: Share;
    Choices: Choices;
    Bands: Bands;
}

/// Percent, between 0 and 100 with at most four decimals; in JSON a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Percent(pub Weight);

impl Percent {
    /// The number before the sign, exactly: what [`Money::percent_of`] takes.
    pub const fn decimal(self) -> rust_decimal::Decimal {
        self.0.percent()
    }
}

/// A part of a whole: at least two thirds, more than half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegalShare, example = json!({"numerator": 2, "denominator": 3, "exceeded": false}))]
pub struct Share {
    /// Above the line.
    pub numerator: u32,
    /// Below it.
    pub denominator: u32,
    /// True if the share must be exceeded and not only reached.
    pub exceeded: bool,
}

impl Share {
    /// The most either number may be.
    pub const TERM_MAX: u32 = 1_000;

    fn check(self) -> Result<(), Text> {
        let max = Self::TERM_MAX;
        let fits = (1..=max).contains(&self.denominator) && self.numerator <= self.denominator;
        if fits {
            Ok(())
        } else {
            Err(text!(
                "比例应为 0 至 1 之间的分数，分母为 1 至 {max}",
                "a share lies between 0 and 1, with 1 to {max} below the line"
            ))
        }
    }

    /// True if `part` of `whole` is enough, by whole numbers alone. Of nothing, nothing is enough.
    pub fn is_met(self, part: u64, whole: u64) -> bool {
        let have = u128::from(part).saturating_mul(u128::from(self.denominator));
        let need = u128::from(whole).saturating_mul(u128::from(self.numerator));
        whole > 0 && if self.exceeded { have > need } else { have >= need }
    }
}

/// A word that a rule names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// For programs, in snake_case.
    pub code: String,
    /// In Chinese.
    pub name_zh: String,
    /// In English.
    pub name_en: String,
}

/// The words that a rule names, in its order where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices(pub Vec<Choice>);

impl Choices {
    /// True if the rule names it.
    pub fn names(&self, code: &str) -> bool {
        self.0.iter().any(|choice| choice.code == code)
    }

    fn check(&self) -> Result<(), Text> {
        if self.0.len() > CHOICES_MAX {
            return Err(text!("最多 {CHOICES_MAX} 项", "at most {CHOICES_MAX} items"));
        }
        named(
            self.0
                .iter()
                .map(|one| (&*one.code, &*one.name_zh, &*one.name_en)),
        )
    }
}

/// One band of a scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// For programs, in snake_case.
    pub code: String,
    /// In Chinese.
    pub name_zh: String,
    /// In English.
    pub name_en: String,
    /// The lowest score in it.
    pub from: Score,
    /// Where the next one begins; 100 belongs to the last band.
    pub to: Score,
}

/// A scale from 0 to 100 points without gap or overlap, lowest band first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bands(pub Vec<Band>);

impl Bands {
    /// The band that a score lies in; `None` beyond 0 to 100.
    pub fn band_of(&self, score: Score) -> Option<&Band> {
        self.0.iter().find(|band| {
            band.from <= score && (score < band.to || (band.to == Score::HUNDRED && score == Score::HUNDRED))
        })
    }

    fn check(&self) -> Result<(), Text> {
        if self.0.len() > BANDS_MAX {
            return Err(text!("最多 {BANDS_MAX} 档", "at most {BANDS_MAX} bands"));
        }
        named(
            self.0
                .iter()
                .map(|one| (&*one.code, &*one.name_zh, &*one.name_en)),
        )?;
        let mut end = Score::ZERO;
        for band in &self.0 {
            let (from, to) = (band.from, band.to);
            if from != end || to <= from {
                return Err(text!(
                    "各档应从 0 起首尾相接：{end} 之后不应是 {from} 至 {to}",
                    "bands begin at 0 and follow each other: {end} is not followed by {from} to {to}"
                ));
            }
            end = band.to;
        }
        if end == Score::HUNDRED {
            Ok(())
        } else {
            Err(text!(
                "各档应止于 100，而非 {end}",
                "bands end at 100, not at {end}"
            ))
        }
    }
}

/// Codes and names of a list: each code once, in snake_case, each with both names.
fn named<'a>(all: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Result<(), Text> {
    let mut seen = Vec::new();
    for (code, name_zh, name_en) in all {
        wording::word(code, WORD_LENGTH_MAX)?;
        wording::sentence(name_zh, NAME_LENGTH_MAX)?;
        wording::sentence(name_en, NAME_LENGTH_MAX)?;
        if seen.contains(&code) {
            return Err(text!("“{code}” 重复", "`{code}` is there twice"));
        }
        seen.push(code);
    }
    if seen.is_empty() {
        Err(Text::fixed("列表为空", "the list is empty"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use utoipa::PartialSchema;

    use super::*;

    fn band(code: &str, from: &str, to: &str) -> Band {
        Band {
            code: code.to_owned(),
            name_zh: "档".to_owned(),
            name_en: "band".to_owned(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn a_share_is_reached_or_exceeded_by_whole_numbers_alone() {
        let share = |numerator, denominator, exceeded| Share {
            numerator,
            denominator,
            exceeded,
        };
        let two_thirds = share(2, 3, false);
        assert!(two_thirds.is_met(40, 60) && !two_thirds.is_met(39, 60) && two_thirds.is_met(4, 5));
        let half = share(1, 2, true);
        assert!(half.is_met(31, 60) && !half.is_met(30, 60));
        assert!(!half.is_met(0, 0) && !two_thirds.is_met(0, 0) && !share(0, 1, false).is_met(0, 0));
        assert!(share(1, 1, false).is_met(u64::MAX, u64::MAX));
        assert!(!share(1, 1, false).is_met(u64::MAX - 1, u64::MAX));
        for bad in [share(1, 0, false), share(3, 2, false), share(1, 1_001, false)] {
            assert!(RuleValue::Share(bad).check().is_err());
        }
    }

    #[test]
    fn bands_cover_the_scale_and_100_belongs_to_the_last() {
        let scale = Bands(vec![band("low", "0", "60"), band("high", "60", "100")]);
        assert!(RuleValue::Bands(scale.clone()).check().is_ok());
        let of = |score: &str| {
            scale
                .band_of(score.parse().unwrap())
                .map(|band| band.code.as_str())
        };
        assert_eq!(
            [
                of("0"),
                of("59.999999"),
                of("60"),
                of("100"),
                of("100.01"),
                of("-1")
            ],
            [Some("low"), Some("low"), Some("high"), Some("high"), None, None]
        );
        for bad in [
            vec![],
            vec![band("a", "0", "80")],
            vec![band("a", "10", "100")],
            vec![band("a", "0", "60"), band("b", "70", "100")],
            vec![band("a", "0", "60"), band("b", "50", "100")],
            vec![band("a", "0", "60"), band("a", "60", "100")],
            vec![band("a", "0", "0"), band("b", "0", "100")],
            vec![band("A", "0", "100")],
        ] {
            assert!(RuleValue::Bands(Bands(bad.clone())).check().is_err(), "{bad:?}");
        }
    }

    /// One value of each kind, as it is written and as it stands in a table.
    #[test]
    fn every_kind_is_written_under_its_name() {
        let word = json!({"code": "kin", "name_zh": "亲属", "name_en": "kin"});
        let band = json!({"code": "all", "name_zh": "全", "name_en": "all", "from": "0", "to": "100"});
        let written = [
            (json!({"days": 20}), "20"),
            (json!({"working_days": 5}), "5"),
            (json!({"minutes": 30}), "30"),
            (json!({"months": 12}), "12"),
            (json!({"years": 15}), "15"),
            (json!({"count": 3}), "3"),
            (json!({"percent": "0.05"}), "0.05"),
            (
                json!({"money": {"amount": "2000000.00", "currency": "CNY"}}),
                "2000000.00",
            ),
            (json!({"boolean": false}), "false"),
            (
                json!({"share": {"numerator": 1, "denominator": 2, "exceeded": true}}),
                ">1/2",
            ),
            (json!({"choices": [word]}), "kin"),
            (json!({"bands": [band]}), "all 0-100"),
        ];
        let schema = serde_json::to_value(RuleValue::schema()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for ((json, cell), kind) in written.iter().zip(Kind::ALL) {
            let value: RuleValue = serde_json::from_value(json.clone()).unwrap();
            assert_eq!((value.kind(), value.cell().as_str()), (kind, *cell));
            assert!(json.get(kind.name()).is_some() && value.check().is_ok());
            assert_eq!(serde_json::to_value(&value).unwrap(), *json);
            assert!(validator.is_valid(json), "{json}");
        }
        for bad in [
            json!({"days": -1}),
            json!({"days": 36_501}),
            json!({"days": "20"}),
            json!({"days": 1, "years": 1}),
            json!({"percent": 2}),
            json!({"percent": "101"}),
            json!({"choices": []}),
            json!({"share": {"numerator": 1, "denominator": 2}}),
            json!({"fathoms": 3}),
            json!(20),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }

    #[test]
    fn beyond_its_limits_no_value_is_good() {
        for bad in [
            RuleValue::Days(Days(36_501)),
            RuleValue::Count(Count(1_000_001)),
            RuleValue::Years(Years(1_001)),
            RuleValue::Money("-0.01".parse().unwrap()),
            RuleValue::Choices(Choices(Vec::new())),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(RuleValue::Days(Days(36_500)).check().is_ok());
    }

    proptest! {
        #[test]
        fn a_share_is_what_fractions_say(part in 0_u64..200, whole in 1_u64..200, numerator in 0_u32..20, rest in 0_u32..20, exceeded: bool) {
            let share = Share { numerator, denominator: numerator + rest + 1, exceeded };
            let (have, need) = (part * u64::from(share.denominator), whole * u64::from(numerator));
            prop_assert_eq!(share.is_met(part, whole), if exceeded { have > need } else { have >= need });
        }
    }
}
