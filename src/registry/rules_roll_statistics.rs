//! What may be told about a roll without telling about anybody on it. Pure. The registrar and auditors see all counts; everybody
//! else sees only numbers that speak of ten people or more, and no two from whose difference a smaller number follows.

use serde::Serialize;
use utoipa::ToSchema;

use crate::registry::rules_person::{ADULT_AT_YEARS, square_metres};

/// The least number of people, or of households, that a published number may speak of.
pub const CELL_MIN: i64 = 10;

/// Where the bands of age begin, in completed years: before school, at school, and so on; one of them begins with adulthood.
pub const AGES_FROM: [i32; 7] = [0, 6, ADULT_AT_YEARS, 30, 45, 60, 75];

/// A roll as it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// On the roll.
    pub residents: i64,
    /// Of at least each of [`AGES_FROM`].
    pub at_least: Vec<i64>,
    /// Own the dwelling of their household.
    pub owners: i64,
    /// Have claimed their place with an account.
    pub with_account: i64,
    /// Households with somebody on the roll.
    pub households: i64,
    /// Those of them whose dwelling area is known.
    pub households_of_known_area: i64,
    /// The sum of those areas, in hundredths of a square metre.
    pub dwelling_area_dm2: i64,
    /// Left the roll because they moved away.
    pub moved_away: i64,
    /// Left it because they died.
    pub deceased: i64,
    /// Were erased.
    pub erased: i64,
}

/// Residents of some ages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgeBand {
    /// From this age on, in completed years.
    #[schema(example = 18)]
    pub from: i32,
    /// Up to and with this age; `null` without end.
    #[schema(required = true, example = 29)]
    pub to: Option<i32>,
    /// How many there are.
    #[schema(example = 212)]
    pub residents: i64,
}

/// A roll in numbers. `null` is a number that is not told, because it speaks of fewer than ten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RollNumbers {
    /// True if nothing was left out or put together.
    #[schema(example = false)]
    pub complete: bool,
    /// Residents on the roll.
    #[schema(required = true, example = 1204)]
    pub residents: Option<i64>,
    /// Those of them who are adults.
    #[schema(required = true, example = 987)]
    pub adults: Option<i64>,
    /// Those who own the dwelling of their household.
    #[schema(required = true, example = 702)]
    pub owners: Option<i64>,
    /// Households with somebody on the roll.
    #[schema(required = true, example = 418)]
    pub households: Option<i64>,
    /// Those of them whose dwelling area is known.
    #[schema(required = true, example = 410)]
    pub households_of_known_area: Option<i64>,
    /// The sum of those areas, square metres.
    #[schema(required = true, example = "36633.50")]
    pub dwelling_area_m2: Option<String>,
    /// Residents by age, in bands that together are all of them; empty if none is told.
    pub age_bands: Vec<AgeBand>,
    /// Residents who have claimed their place with an account.
    #[schema(required = true, example = 340)]
    pub with_account: Option<i64>,
    /// People who were on the roll and moved away.
    #[schema(required = true, example = 31)]
    pub moved_away: Option<i64>,
    /// People who were on the roll and died.
    #[schema(required = true, example = 12)]
    pub deceased: Option<i64>,
    /// People who were on the roll and of whom nothing personal is left.
    #[schema(required = true, example = 10)]
    pub erased: Option<i64>,
}

/// All numbers, for those who keep and check the roll.
pub fn whole(counts: &Counts) -> RollNumbers {
    RollNumbers {
        complete: true,
        residents: Some(counts.residents),
        adults: Some(adults(counts)),
        owners: Some(counts.owners),
        households: Some(counts.households),
        households_of_known_area: Some(counts.households_of_known_area),
        dwelling_area_m2: Some(square_metres(counts.dwelling_area_dm2)),
        age_bands: bands(counts),
        with_account: Some(counts.with_account),
        moved_away: Some(counts.moved_away),
        deceased: Some(counts.deceased),
        erased: Some(counts.erased),
    }
}

/// The numbers that everybody may know. Whatever is told divides what was told before it into parts that are all large enough:
/// residents into minors and adults, each of these into bands of age; residents into owners and others; households into those of
/// known area and others. Of those who have left nothing is told: from day to day the numbers would speak of single people.
pub fn published(counts: &Counts) -> RollNumbers {
    let enough = |number: i64| number >= CELL_MIN;
    let split = |whole: i64, part: i64| enough(part) && enough(whole.saturating_sub(part));
    let residents = enough(counts.residents).then_some(counts.residents);
    let told = split(counts.residents, adults(counts));
    let age_bands = if told {
        let (minors, adults): (Vec<AgeBand>, Vec<AgeBand>) = bands(counts)
            .into_iter()
            .partition(|band| band.from < ADULT_AT_YEARS);
        [merged(minors), merged(adults)].concat()
    } else {
        Vec::new()
    };
    let rest = counts.households.saturating_sub(counts.households_of_known_area);
    let areas_told = enough(counts.households_of_known_area) && (rest == 0 || enough(rest));
    RollNumbers {
        complete: false,
        residents,
        adults: told.then(|| adults(counts)),
        owners: split(counts.residents, counts.owners).then_some(counts.owners),
        households: enough(counts.households).then_some(counts.households),
        households_of_known_area: areas_told.then_some(counts.households_of_known_area),
        dwelling_area_m2: areas_told.then(|| square_metres(counts.dwelling_area_dm2)),
        age_bands,
        with_account: None,
        moved_away: None,
        deceased: None,
        erased: None,
    }
}

fn adults(counts: &Counts) -> i64 {
    let at = AGES_FROM.iter().position(|from| *from == ADULT_AT_YEARS);
    at.and_then(|at| counts.at_least.get(at).copied())
        .unwrap_or_default()
}

fn bands(counts: &Counts) -> Vec<AgeBand> {
    let mut bands: Vec<AgeBand> = Vec::new();
    for (at, from) in AGES_FROM.iter().enumerate() {
        let next = at.saturating_add(1);
        let here = counts.at_least.get(at).copied().unwrap_or_default();
        let older = counts.at_least.get(next).copied().unwrap_or_default();
        bands.push(AgeBand {
            from: *from,
            to: AGES_FROM.get(next).map(|next| next.saturating_sub(1)),
            residents: here.saturating_sub(older),
        });
    }
    bands
}

/// Neighbouring bands put together until each is large enough. What is left at the end joins the one before it.
fn merged(bands: Vec<AgeBand>) -> Vec<AgeBand> {
    let mut done: Vec<AgeBand> = Vec::new();
    for band in bands {
        match done.last_mut() {
            Some(open) if open.residents < CELL_MIN => join(open, &band),
            _ => done.push(band),
        }
    }
    if done.last().is_some_and(|last| last.residents < CELL_MIN)
        && let Some(last) = done.pop()
    {
        match done.last_mut() {
            Some(open) => join(open, &last),
            None => done.push(last),
        }
    }
    done
}

fn join(open: &mut AgeBand, next: &AgeBand) {
    open.to = next.to;
    open.residents = open.residents.saturating_add(next.residents);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(by_band: &[i64; 7]) -> Counts {
        let at_least = (0..7).map(|from| by_band[from..].iter().sum()).collect();
        Counts {
            residents: by_band.iter().sum(),
            at_least,
            ..Counts::default()
        }
    }

    fn told(counts: &Counts) -> Vec<(i32, Option<i32>, i64)> {
        published(counts)
            .age_bands
            .iter()
            .map(|band| (band.from, band.to, band.residents))
            .collect()
    }

    #[test]
    fn bands_of_few_are_put_together_but_never_across_adulthood() {
        let counts = counted(&[3, 20, 4, 9, 30, 2, 1]);
        assert_eq!(
            told(&counts),
            [(0, Some(17), 23), (18, Some(44), 13), (45, None, 33)]
        );
        assert_eq!(published(&counts).adults, Some(46));
        let all: Vec<i64> = whole(&counts)
            .age_bands
            .iter()
            .map(|band| band.residents)
            .collect();
        assert_eq!(all, [3, 20, 4, 9, 30, 2, 1]);
        // Nine minors: neither they nor the adults are told, for the one follows from the other.
        let few = counted(&[0, 9, 50, 0, 0, 0, 0]);
        assert_eq!(
            (published(&few).residents, published(&few).adults, told(&few)),
            (Some(59), None, Vec::new())
        );
        assert_eq!(published(&counted(&[0, 0, 9, 0, 0, 0, 0])).residents, None);
    }

    #[test]
    fn owners_and_areas_are_told_only_with_enough_on_both_sides() {
        let with = |owners, households, known| {
            published(&Counts {
                owners,
                households,
                households_of_known_area: known,
                dwelling_area_dm2: 8_935,
                ..counted(&[10, 10, 10, 10, 10, 10, 10])
            })
        };
        assert_eq!(with(10, 10, 10).owners, Some(10));
        assert_eq!((with(9, 9, 9).owners, with(61, 9, 9).owners), (None, None));
        assert_eq!(
            (with(0, 9, 9).households, with(0, 10, 9).dwelling_area_m2),
            (None, None)
        );
        assert_eq!(with(0, 10, 10).dwelling_area_m2.as_deref(), Some("89.35"));
        assert_eq!(with(0, 19, 10).households_of_known_area, None);
        assert_eq!(with(0, 20, 10).households_of_known_area, Some(10));
    }

    proptest! {
        #[test]
        fn no_published_number_and_no_difference_speaks_of_fewer_than_ten(by_band in prop::array::uniform7(0i64..40)) {
            let counts = counted(&by_band);
            let numbers = published(&counts);
            for band in &numbers.age_bands {
                prop_assert!(band.residents >= CELL_MIN);
            }
            if let (Some(all), Some(adults)) = (numbers.residents, numbers.adults) {
                prop_assert!(adults >= CELL_MIN && all - adults >= CELL_MIN);
                prop_assert_eq!(numbers.age_bands.iter().map(|band| band.residents).sum::<i64>(), all);
                let of_adults: i64 = numbers.age_bands.iter().filter(|band| band.from >= 18).map(|band| band.residents).sum();
                prop_assert_eq!(of_adults, adults);
            } else {
                prop_assert!(numbers.age_bands.is_empty());
            }
        }
    }
}
