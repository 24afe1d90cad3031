//! Who has a vote: the residents on the roll of the communities that are served, of age on the day of the opening, without those who are tied to whom it
//! is about. Made once, when the ballot is called; what changes on the roll afterwards changes nothing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::ballots::rules::{
    AREA_UNKNOWN, Ballot, ELECTORATE_MAX, ELECTORATE_MIN, ELECTORATE_TOO_LARGE, ELECTORATE_TOO_SMALL,
    SLIPS_MAX, Unit,
};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Refusal;
use crate::registry::rules_person::{DwellingArea, age_on};
use crate::registry::rules_roll::{HouseholdId, ResidentId};
use crate::text;

/// Somebody on the roll of a community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub resident_id: ResidentId,
    /// Their community.
    pub community_id: AreaId,
    /// Their household.
    pub household_id: HouseholdId,
    /// Their date of birth.
    pub born: NaiveDate,
    /// Whether they own the dwelling.
    pub is_owner: bool,
    /// The area of the dwelling, where the roll has it.
    pub area: Option<DwellingArea>,
}

/// Somebody who has a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Their number, from 1.
    pub number: i64,
    /// Who.
    pub resident_id: ResidentId,
    /// Their community.
    pub community_id: AreaId,
    /// The area of their dwelling, where areas are tallied.
    pub area: Option<DwellingArea>,
}

/// By what it is decided who has a vote.
pub struct Basis<'b> {
    /// Who has a vote.
    pub unit: Unit,
    /// The day of the opening, in the ward.
    pub day: NaiveDate,
    /// Years that a voter is old at least.
    pub years_min: i32,
    /// Those who are tied to whom it is about.
    pub tied: &'b BTreeSet<ResidentId>,
    /// The residents' representatives.
    pub representatives: &'b BTreeSet<ResidentId>,
    /// How many questions are asked.
    pub questions: usize,
    /// Whether areas are tallied beside heads: then only owners have a vote, and the area of each dwelling has to be known.
    pub by_area: bool,
}

/// What was found of a roll when its ballot was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollFound {
    /// Its SHA-256, made anew.
    pub sha256: [u8; 32],
    /// Entries that the ballot's key does not vouch for.
    pub unvouched: u32,
    /// How many have voted by the others.
    pub participations: i64,
}

impl RollFound {
    /// The roll as it was frozen.
    pub const fn unchanged(ballot: &Ballot, participations: i64) -> Self {
        Self {
            sha256: ballot.roll_sha256,
            unvouched: 0,
            participations,
        }
    }
}

/// Those who have a vote, numbered by community and id.
///
/// # Errors
/// [`ELECTORATE_TOO_SMALL`], [`ELECTORATE_TOO_LARGE`], [`AREA_UNKNOWN`].
pub fn electorate(candidates: Vec<Candidate>, basis: &Basis<'_>) -> Result<Vec<Voter>, Refusal> {
    let may_vote = |one: &Candidate| {
        age_on(one.born, basis.day) >= basis.years_min
            && !basis.tied.contains(&one.resident_id)
            && (one.is_owner || !basis.by_area)
            && (basis.unit != Unit::Representatives || basis.representatives.contains(&one.resident_id))
    };
    let mut eligible: Vec<Candidate> = candidates.into_iter().filter(may_vote).collect();
    if basis.unit == Unit::Households {
        eligible = one_of_each_household(eligible);
    }
    eligible.sort_by(|one, other| {
        (&one.community_id, &one.resident_id).cmp(&(&other.community_id, &other.resident_id))
    });
    if eligible.len() < ELECTORATE_MIN {
        return Err(ELECTORATE_TOO_SMALL.refuse());
    }
    if eligible.len() > ELECTORATE_MAX || eligible.len().saturating_mul(basis.questions) > SLIPS_MAX {
        return Err(ELECTORATE_TOO_LARGE.refuse());
    }
    let unknown = eligible.iter().filter(|one| one.area.is_none()).count();
    if basis.by_area && unknown > 0 {
        return Err(AREA_UNKNOWN
            .because(text!(
                "{unknown} 户没有建筑面积",
                "{unknown} dwellings have no area"
            ))
            .at("/double_tally"));
    }
    let numbered = (1..).zip(eligible);
    Ok(numbered
        .map(|(number, one)| Voter {
            number,
            resident_id: one.resident_id,
            community_id: one.community_id,
            area: one.area.filter(|_| basis.by_area),
        })
        .collect())
}

/// An owner before others, then the eldest, then by id.
fn one_of_each_household(eligible: Vec<Candidate>) -> Vec<Candidate> {
    let mut by_household: BTreeMap<HouseholdId, Candidate> = BTreeMap::new();
    for one in eligible {
        let rank = |one: &Candidate| (!one.is_owner, one.born, one.resident_id.clone());
        match by_household.get(&one.household_id) {
            Some(known) if rank(known) <= rank(&one) => {}
            _ => {
                by_household.insert(one.household_id.clone(), one);
            }
        }
    }
    by_household.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules::tests::at;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn roll(many: usize, community: &AreaId, household: &HouseholdId, born: &str) -> Vec<Candidate> {
        (0..many)
            .map(|_| Candidate {
                resident_id: ResidentId::mint(at(1, 0)),
                community_id: community.clone(),
                household_id: household.clone(),
                born: day(born),
                is_owner: false,
                area: None,
            })
            .collect()
    }

    fn basis<'b>(
        unit: Unit,
        tied: &'b BTreeSet<ResidentId>,
        representatives: &'b BTreeSet<ResidentId>,
    ) -> Basis<'b> {
        Basis {
            unit,
            day: day("2026-05-02"),
            years_min: 18,
            tied,
            representatives,
            questions: 1,
            by_area: false,
        }
    }

    #[test]
    fn who_is_of_age_on_the_day_and_not_tied_has_a_vote() {
        let (community, household) = (AreaId::mint(at(1, 0)), HouseholdId::mint(at(1, 0)));
        let mut all = roll(12, &community, &household, "2008-05-02");
        all.extend(roll(5, &community, &household, "2008-05-03"));
        let tied = BTreeSet::from([all[0].resident_id.clone()]);
        let none = BTreeSet::new();
        let voters = electorate(all.clone(), &basis(Unit::Residents, &tied, &none)).unwrap();
        assert_eq!((voters.len(), voters[0].number, voters[10].number), (11, 1, 11));
        assert!(voters.iter().all(|voter| voter.resident_id != all[0].resident_id));
        let represent: BTreeSet<ResidentId> = all[0..11].iter().map(|one| one.resident_id.clone()).collect();
        let of = |tied: &BTreeSet<ResidentId>| {
            electorate(all.clone(), &basis(Unit::Representatives, tied, &represent))
        };
        assert_eq!(of(&none).unwrap().len(), 11);
        assert_eq!(of(&tied).unwrap().len(), 10);
        let two = BTreeSet::from([all[0].resident_id.clone(), all[1].resident_id.clone()]);
        assert_eq!(of(&two).unwrap_err().reason.code, "ballot_electorate_too_small");
    }

    #[test]
    fn where_areas_are_tallied_owners_have_a_vote_and_every_dwelling_its_area() {
        let community = AreaId::mint(at(1, 0));
        let mut all = Vec::new();
        for place in 0..12 {
            let household = HouseholdId::mint(at(1, 0));
            let mut members = roll(2, &community, &household, "1980-01-01");
            // The last two are let.
            members[0].is_owner = place < 10;
            for member in &mut members {
                member.area = DwellingArea::of_dm2(9_000);
            }
            all.extend(members);
        }
        let none = BTreeSet::new();
        let by_area = |all: Vec<Candidate>| {
            let basis = Basis {
                by_area: true,
                ..basis(Unit::Households, &none, &none)
            };
            electorate(all, &basis)
        };
        let voters = by_area(all.clone()).unwrap();
        assert_eq!((voters.len(), voters[9].area), (10, DwellingArea::of_dm2(9_000)));
        let heads = electorate(all.clone(), &basis(Unit::Households, &none, &none)).unwrap();
        assert_eq!((heads.len(), heads[0].area), (12, None));
        // What the roll does not have of a dwelling that is let is not needed.
        all[20].area = None;
        assert!(by_area(all.clone()).is_ok());
        all[0].area = None;
        assert_eq!(by_area(all).unwrap_err().reason.code, "ballot_area_unknown");
    }

    #[test]
    fn a_household_has_one_vote_and_its_owner_casts_it() {
        let community = AreaId::mint(at(1, 0));
        let mut all = Vec::new();
        for _ in 0..10 {
            let household = HouseholdId::mint(at(1, 0));
            let mut members = roll(1, &community, &household, "1950-01-01");
            members.extend(roll(2, &community, &household, "1980-01-01"));
            members[2].is_owner = true;
            all.extend(members);
        }
        let none = BTreeSet::new();
        let voters = electorate(all.clone(), &basis(Unit::Households, &none, &none)).unwrap();
        let owners: BTreeSet<&ResidentId> = all
            .iter()
            .filter(|one| one.is_owner)
            .map(|one| &one.resident_id)
            .collect();
        assert_eq!(
            voters.iter().map(|one| &one.resident_id).collect::<BTreeSet<_>>(),
            owners
        );
        let tied: BTreeSet<ResidentId> = owners.into_iter().cloned().collect();
        let voters = electorate(all.clone(), &basis(Unit::Households, &tied, &none)).unwrap();
        let elders: BTreeSet<&ResidentId> = all
            .iter()
            .filter(|one| one.born == day("1950-01-01"))
            .map(|one| &one.resident_id)
            .collect();
        assert_eq!(
            voters.iter().map(|one| &one.resident_id).collect::<BTreeSet<_>>(),
            elders
        );
    }
}
