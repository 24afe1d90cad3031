//! What others have published of what they bought, as it is counted beside the ward's own: what was agreed and what was paid, in which currency, and under what. It moves no
//! money of the ledger and is never added to it. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::budget::rules_spending::month;
use crate::kernel::fixed::{Rounding, divide};
use crate::kernel::party::{AreaId, OrganisationKind};
use crate::kernel::refusal::{Fault, Kind, Reason};
use crate::kernel::text::is_hidden;

/// The largest amount, in hundredths of a unit: ten million million units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// All amounts of one currency together at most, in hundredths, so that every sum of them can be told.
pub const SUM_MAX: i64 = 9_000_000_000_000_000_000;
/// The longest key, in characters.
pub const KEY_MAX: usize = 100;
/// The longest name that is kept, in characters.
pub const NAME_MAX: usize = 300;
/// How many characters of a longer key are kept before its hash.
const KEY_KEPT: usize = 60;

/// All amounts of a currency together would be beyond what can be told.
pub static SUM_TOO_LARGE: Reason = Reason::new(
    Kind::Conflict,
    "imported_sum_too_large",
    "该币种的导入金额合计超出可表示的范围",
    "All imported amounts of a currency together would be larger than can be told",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&SUM_TOO_LARGE];

/// A currency by its code (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(String);

impl Currency {
    /// The yuan, in which all of the ward's own is.
    pub fn yuan() -> Self {
        Self("CNY".to_owned())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the yuan.
    pub fn is_yuan(&self) -> bool {
        self.0 == "CNY"
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::yuan()
    }
}

impl FromStr for Currency {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

/// An amount in hundredths of a unit of its currency, between −[`AMOUNT_MAX`] and [`AMOUNT_MAX`]. Currencies without hundredths are counted in them all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// An exact decimal of units, rounded half up to hundredths; `None` beyond the bounds.
    pub fn of(units: Decimal) -> Option<Self> {
        let (mantissa, scale) = (units.mantissa(), units.scale());
        let hundredths = match scale.checked_sub(2) {
            Some(beyond) => divide(mantissa, 10_i128.checked_pow(beyond)?, Rounding::HalfUp)?,
            None => mantissa.checked_mul(10_i128.checked_pow(2_u32.checked_sub(scale)?)?)?,
        };
        let hundredths = i64::try_from(hundredths).ok()?;
        (-AMOUNT_MAX..=AMOUNT_MAX)
            .contains(&hundredths)
            .then_some(Self(hundredths))
    }

    /// The amount in hundredths.
    pub const fn hundredths(self) -> i64 {
        self.0
    }
}

/// What something is grouped under: an id or a code as it was published, or one of the ward's own. One to [`KEY_MAX`] characters, none of them hidden.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The key of any text: without what is hidden and what surrounds it; of a longer one its beginning and a hash of all of it. `None` if nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let shown: String = text.chars().filter(|one| !is_hidden(*one)).collect();
        let shown = shown.trim();
        if shown.is_empty() {
            return None;
        }
        if shown.chars().count() <= KEY_MAX {
            return Some(Self(shown.to_owned()));
        }
        let kept: String = shown.chars().take(KEY_KEPT).collect();
        let hash = hex::encode(Sha256::digest(shown.as_bytes()));
        Some(Self(format!("{kept}~{}", hash.get(..16)?)))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match Self::of(text) {
            Some(key) if key.0 == text => Ok(key),
            _ => Err(()),
        }
    }
}

/// An organisation as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id; its name, if it was published without one. The id of one of the ward's own, where that is known to be the same.
    pub key: Key,
    /// What it is called.
    pub name: Option<String>,
}

impl Party {
    /// An organisation by its id, by its name, or by both; `None` without either.
    pub fn of(id: Option<&str>, name: Option<&str>) -> Option<Self> {
        let name: Option<String> = name.and_then(|name| {
            let shown: String = name.chars().filter(|one| !is_hidden(*one)).collect();
            let cut: String = shown.trim().chars().take(NAME_MAX).collect();
            (!cut.is_empty()).then_some(cut)
        });
        let key = id
            .and_then(Key::of)
            .or_else(|| name.as_deref().and_then(Key::of))?;
        Some(Self { key, name })
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The value of a contract; or of an award that no contract is known of.
    Agreed,
    /// A payment.
    Paid,
}

/// Something that a publication says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub what: What,
    /// The id, within the process, of the contract that it is or is paid for; of the award, if no contract is known of it. `None` if nobody knows.
    pub agreement: Option<String>,
    /// In which currency.
    pub currency: Currency,
    /// How much; less than nothing for what was corrected or paid back.
    pub amount: Amount,
    /// On which day: of its signature, or of the payment. `None` if nobody knows.
    pub day: Option<NaiveDate>,
    /// Who bought.
    pub buyer: Option<Party>,
    /// Who supplied, if it was one: nobody can share out what several supplied together.
    pub supplier: Option<Party>,
    /// What sort of organisation that is, where it is known.
    pub supplier_kind: Option<OrganisationKind>,
    /// The code of its category.
    pub category: Option<Key>,
    /// The ward's area that it serves, where it is known.
    pub area_id: Option<AreaId>,
    /// How it was bought: a code of up to 40 characters.
    pub method: Option<Key>,
}

/// All that is counted of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id, 1 to 200 characters.
    pub ocid: String,
    /// What is counted.
    pub entries: Vec<Entry>,
}

/// What is measured of imported processes, in hundredths where it is money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many entries.
    pub records: i64,
    /// What moved altogether, whichever way.
    pub amount: i64,
    /// Agreed and not known to be paid.
    pub committed: i64,
    /// Paid.
    pub paid: i64,
    /// How many payments.
    pub payments: i64,
}

impl Sums {
    /// Both together.
    ///
    /// # Errors
    /// [`SUM_TOO_LARGE`] as a fault of arithmetic: what moved altogether bounds every other sum, and is compared before anything is written.
    pub fn with(&self, more: &Self) -> Result<Self, Fault> {
        let add = |one: i64, other: i64| {
            one.checked_add(other)
                .ok_or_else(|| Fault::broken("sums of imported processes are beyond all bounds"))
        };
        Ok(Self {
            records: add(self.records, more.records)?,
            amount: add(self.amount, more.amount)?,
            committed: add(self.committed, more.committed)?,
            paid: add(self.paid, more.paid)?,
            payments: add(self.payments, more.payments)?,
        })
    }

    /// The same taken away.
    pub const fn negated(&self) -> Self {
        Self {
            records: self.records.saturating_neg(),
            amount: self.amount.saturating_neg(),
            committed: self.committed.saturating_neg(),
            paid: self.paid.saturating_neg(),
            payments: self.payments.saturating_neg(),
        }
    }
}

/// A row of what is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// In which currency.
    pub currency: Currency,
    /// On which day.
    pub day: Option<NaiveDate>,
    /// Who bought.
    pub buyer: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// The area.
    pub area: Option<String>,
    /// How it was bought.
    pub method: Option<String>,
    /// Who supplied.
    pub supplier: Option<String>,
    /// What sort of organisation that is.
    pub supplier_kind: Option<String>,
    /// The contract, with its process.
    pub contract: Option<String>,
    /// What it adds.
    pub sums: Sums,
}

impl Fact {
    /// The month, as a number: 202603.
    pub fn month(&self) -> Option<i64> {
        self.day.map(month)
    }

    /// The year: that of the calendar, as of the ward's own money.
    pub fn year(&self) -> Option<i64> {
        self.day.map(|day| i64::from(day.year()))
    }

    /// What it is added up under. Of the ward's funds and budget lines it is none.
    pub fn values(&self) -> [(&'static str, String); 11] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = |value: Option<i64>| value.map(|number| number.to_string()).unwrap_or_default();
        [
            ("month", number(self.month())),
            ("fiscal_year", number(self.year())),
            ("fund", String::new()),
            ("budget_line", String::new()),
            ("buyer", text(&self.buyer)),
            ("area", text(&self.area)),
            ("category", text(&self.category)),
            ("supplier", text(&self.supplier)),
            ("supplier_kind", text(&self.supplier_kind)),
            ("method", text(&self.method)),
            ("contract", text(&self.contract)),
        ]
    }
}

/// The rows of a process, in the order of its entries. What is known to be paid of an agreement in its currency is not committed of it any more: it is taken from what was agreed
/// first, where that is counted, so that no group has less than nothing. What is agreed for less than nothing commits nothing.
pub fn facts(process: &Process) -> Vec<Fact> {
    let mut paid: BTreeMap<(&str, &Currency), i128> = BTreeMap::new();
    for entry in process.entries.iter().filter(|entry| entry.what == What::Paid) {
        if let Some(agreement) = &entry.agreement {
            let sum = paid.entry((agreement.as_str(), &entry.currency)).or_default();
            *sum = sum.saturating_add(i128::from(entry.amount.0));
        }
    }
    let mut facts = Vec::with_capacity(process.entries.len());
    for entry in &process.entries {
        let all = match entry.what {
            What::Agreed => entry.amount.0.max(0),
            What::Paid => 0,
        };
        let agreement = entry.agreement.as_deref();
        let left = agreement.and_then(|agreement| paid.get_mut(&(agreement, &entry.currency)));
        let taken = left.map_or(0, |left| {
            let taken = i64::try_from((*left).clamp(0, i128::from(all))).unwrap_or(all);
            *left = left.saturating_sub(i128::from(taken));
            taken
        });
        facts.push(fact(process, entry, all.saturating_sub(taken)));
    }
    facts
}

fn fact(process: &Process, entry: &Entry, committed: i64) -> Fact {
    let amount = entry.amount.0;
    let sums = Sums {
        records: 1,
        amount: amount.saturating_abs(),
        ..Sums::default()
    };
    let sums = match entry.what {
        What::Agreed => Sums { committed, ..sums },
        What::Paid => Sums {
            paid: amount,
            payments: 1,
            ..sums
        },
    };
    let key = |party: &Option<Party>| party.as_ref().map(|party| party.key.0.clone());
    let agreement = entry.agreement.as_ref();
    Fact {
        currency: entry.currency.clone(),
        day: entry.day.filter(|day| (1000..=9999).contains(&day.year())),
        buyer: key(&entry.buyer),
        category: entry.category.as_ref().map(|category| category.0.clone()),
        area: entry.area_id.as_ref().map(ToString::to_string),
        method: entry
            .method
            .as_ref()
            .map(|method| method.0.chars().take(40).collect()),
        supplier: key(&entry.supplier),
        supplier_kind: entry.supplier_kind.map(|kind| kind.name().to_owned()),
        contract: agreement
            .and_then(|agreement| Key::of(&format!("{}/{agreement}", process.ocid)))
            .map(|key| key.0),
        sums,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: What, agreement: Option<&str>, amount: &str, day: Option<&str>) -> Entry {
        Entry {
            what,
            agreement: agreement.map(str::to_owned),
            currency: Currency::yuan(),
            amount: Amount::of(amount.parse().unwrap()).unwrap(),
            day: day.map(|day| day.parse().unwrap()),
            buyer: Party::of(Some("CN-1"), Some("区城管局")),
            supplier: None,
            supplier_kind: None,
            category: Key::of("services"),
            area_id: None,
            method: None,
        }
    }

    fn measured(entries: Vec<Entry>) -> Vec<(i64, i64, i64)> {
        let process = Process {
            ocid: "ocds-1".to_owned(),
            entries,
        };
        facts(&process)
            .iter()
            .map(|fact| (fact.sums.committed, fact.sums.paid, fact.sums.payments))
            .collect()
    }

    #[test]
    fn amounts_are_hundredths_rounded_half_up() {
        let of = |text: &str| Amount::of(text.parse().unwrap()).map(Amount::hundredths);
        assert_eq!(
            (of("12"), of("12.5"), of("12.345"), of("-0.005")),
            (Some(1_200), Some(1_250), Some(1_235), Some(-1))
        );
        assert_eq!(of("1234567.8900000000001"), Some(123_456_789));
        assert_eq!(
            (of("10000000000000"), of("10000000000000.01")),
            (Some(AMOUNT_MAX), None)
        );
        assert_eq!(of("79228162514264337593543950335"), None);
    }

    #[test]
    fn keys_are_what_can_be_seen_and_never_too_long() {
        assert_eq!(Key::of("  GB-COH-1\u{200b} ").unwrap().as_str(), "GB-COH-1");
        assert_eq!(Key::of(" \u{feff}\n"), None);
        let long = "市".repeat(300);
        let other = format!("{}区", "市".repeat(299));
        let (one, two) = (Key::of(&long).unwrap(), Key::of(&other).unwrap());
        assert!(one != two && one.as_str().chars().count() == 77);
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
        for wrong in ["", " a", "a\u{200b}", &long] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
        let party = Party::of(None, Some(" 某公司 ")).unwrap();
        assert_eq!(
            (party.key.as_str(), party.name.as_deref()),
            ("某公司", Some("某公司"))
        );
        assert!(Party::of(Some(" "), None).is_none());
    }

    #[test]
    fn what_is_paid_is_less_committed_and_never_less_than_nothing() {
        use What::{Agreed, Paid};
        let agreed = entry(Agreed, Some("1"), "100", Some("2020-01-01"));
        let paid = |amount, day| entry(Paid, Some("1"), amount, Some(day));
        let all = measured(vec![
            agreed.clone(),
            paid("60", "2020-03-01"),
            paid("30", "2020-02-01"),
            paid("20", "2020-04-01"),
        ]);
        assert_eq!(all, [(0, 0, 0), (0, 6_000, 1), (0, 3_000, 1), (0, 2_000, 1)]);
        // What comes back is committed again.
        let back = measured(vec![
            agreed.clone(),
            paid("150", "2020-02-01"),
            paid("-70", "2020-03-01"),
        ]);
        assert_eq!(back, [(2_000, 0, 0), (0, 15_000, 1), (0, -7_000, 1)]);
        // Of several that are agreed under one id, the first is paid first; less than nothing commits nothing.
        let several = measured(vec![
            entry(Agreed, Some("1"), "-5", None),
            entry(Agreed, Some("1"), "40", None),
            agreed.clone(),
            paid("60", "2020-03-01"),
        ]);
        assert_eq!(several, [(0, 0, 0), (0, 0, 0), (8_000, 0, 0), (0, 6_000, 1)]);
        // What nothing was agreed for, or in another currency, or nobody knows for what.
        let mut euro = paid("5", "2020-05-01");
        euro.currency = "EUR".parse().unwrap();
        let others = measured(vec![
            agreed,
            euro,
            entry(Paid, Some("2"), "7", None),
            entry(Paid, None, "9", None),
        ]);
        assert_eq!(others, [(10_000, 0, 0), (0, 500, 1), (0, 700, 1), (0, 900, 1)]);
    }

    #[test]
    fn a_day_that_nobody_knows_is_of_no_month() {
        let process = Process {
            ocid: "ocds-1".to_owned(),
            entries: vec![
                entry(What::Agreed, Some("1"), "1", None),
                entry(What::Paid, Some("1"), "1", Some("2020-12-31")),
            ],
        };
        let found = facts(&process);
        let values = |at: usize| found[at].values().map(|(_, value)| value);
        assert_eq!(values(0)[..2], ["", ""]);
        assert_eq!(values(1)[..5], ["202012", "2020", "", "", "CN-1"]);
        assert_eq!(values(1)[10], "ocds-1/1");
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert!("EUR".parse::<Currency>().is_ok() && Currency::yuan().is_yuan());
        for wrong in ["eur", "EU", "EURO", "€", ""] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
    }
}
