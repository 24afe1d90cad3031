//! Who has a vote: the residents on the roll of the communities that are served, of age on the day of the opening, without those who are tied to whom it
//! is about. Made once, when the ballot is called; what changes on the roll afterwards changes nothing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::ballots::rules::{
    ELECTORATE_MAX, ELECTORATE_MIN, ELECTORATE_TOO_LARGE, ELECTORATE_TOO_SMALL, SLIPS_MAX, Unit,
};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Refusal;
use crate::registry::rules_person::age_on;
use crate::registry::rules_roll::{HouseholdId, ResidentId};

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
}

/// Those who have a vote, numbered by community and id.
///
/// # Errors
/// [`ELECTORATE_TOO_SMALL`], [`ELECTORATE_TOO_LARGE`].
pub fn electorate(candidates: Vec<Candidate>, basis: &Basis<'_>) -> Result<Vec<Voter>, Refusal> {
    let may_vote = |one: &Candidate| {
        age_on(one.born, basis.day) >= basis.years_min
            && !basis.tied.contains(&one.resident_id)
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
    let numbered = (1..).zip(eligible);
    Ok(numbered
        .map(|(number, one)| Voter {
            number,
            resident_id: one.resident_id,
            community_id: one.community_id,
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
