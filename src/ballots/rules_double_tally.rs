//! The double tally (民法典 art 278): owners take part, and decide, by the area of their dwellings and by heads. The two are tallied apart. Heads follow from the
//! box; areas are published as sums alone, because an area beside a slip is as good as a name. A sum is published only where the dwellings in it, those left out
//! of it, and those in which it differs from every other published sum are as many as a cell has at least, or none. Pure.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::ballots::rules::Terms;
use crate::ballots::rules_derivation::{Cell, QuestionTally};
use crate::kernel::fixed::{self, Shape};
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::registry::rules_person::{DwellingArea, square_metres};
use crate::statutes::value::Share;

/// The area of several dwellings together, exact to the hundredth of a square metre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    dm2: i64,
}

impl Area {
    /// The sum of dwellings.
    ///
    /// # Errors
    /// A fault of arithmetic.
    pub fn sum(dwellings: impl Iterator<Item = DwellingArea>) -> Result<Self, Fault> {
        let mut dm2 = 0_i64;
        for dwelling in dwellings {
            dm2 = dm2
                .checked_add(dwelling.dm2())
                .ok_or_else(|| Fault::broken("an area that is too large"))?;
        }
        Ok(Self { dm2 })
    }

    fn is_enough(self, share: Share, whole: Self) -> bool {
        let units = |area: Self| u64::try_from(area.dm2).unwrap_or_default();
        share.is_met(units(self), units(whole))
    }
}

impl std::fmt::Display for Area {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&square_metres(self.dm2))
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Area {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let shape = Shape {
            places_max: 2,
            signed: false,
        };
        let read = fixed::read(&text, shape)
            .ok()
            .and_then(|number| number.units_at(2));
        read.map(|dm2| Self { dm2 }).ok_or_else(|| {
            serde::de::Error::custom("an area is a string with square metres, such as \"1234.50\"")
        })
    }
}

/// What was fixed of a double tally when its ballot was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DoubleTallyTerms)]
pub struct DoubleTerms {
    /// A choice of so many points or more approves.
    pub approves_from: Score,
    /// The area of all who have a vote, in square metres.
    #[schema(value_type = String, max_length = 20, example = "5361.00")]
    pub area_m2: Area,
    /// The part of the area that has to take part.
    pub participation_area: Share,
    /// The part of the heads that has to.
    pub participation_heads: Share,
    /// The part of the participating area that has to approve.
    pub majority_area: Share,
    /// The part of the participating heads that has to.
    pub majority_heads: Share,
}

/// How a question was answered, by area and by heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DoubleTallyQuestion)]
pub struct DoubleQuestion {
    /// The code of the question.
    #[schema(max_length = 20)]
    pub question: String,
    /// How many approve.
    #[schema(minimum = 0, maximum = 100_000)]
    pub approving_heads: u32,
    /// Whether these are enough.
    pub by_heads: bool,
    /// The area of those who approve, in square metres; `null` where it would tell of fewer dwellings than a cell has.
    #[schema(required = true, value_type = Option<String>, max_length = 20)]
    pub approving_area_m2: Option<Area>,
    /// Whether it is enough; as the ward states it where the area is not published.
    pub by_area: bool,
    /// Whether enough have taken part and approve, by area and by heads.
    pub is_approved: bool,
}

/// What a ballot comes to by area and by heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DoubleTally)]
pub struct Double {
    /// What was fixed.
    pub terms: DoubleTerms,
    /// How many have taken part.
    #[schema(minimum = 0, maximum = 100_000)]
    pub participating_heads: u32,
    /// Whether these are enough.
    pub by_heads: bool,
    /// The area of those who have, in square metres; `null` where it would tell of fewer dwellings than a cell has.
    #[schema(required = true, value_type = Option<String>, max_length = 20)]
    pub participating_area_m2: Option<Area>,
    /// Whether it is enough; as the ward states it where the area is not published, and false where nothing of the ballot is.
    pub by_area: bool,
    /// Question by question; none where nothing of the ballot is published.
    #[schema(max_items = 10)]
    pub questions: Vec<DoubleQuestion>,
}

impl Double {
    /// Whether enough have taken part, by area and by heads.
    pub const fn is_quorate(&self) -> bool {
        self.by_heads && self.by_area
    }
}

/// The vote of a dwelling, as it is known while the box is being filled, and never afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The area of the dwelling.
    pub area: DwellingArea,
    /// Question by question, whether it approves.
    pub approves: Vec<bool>,
}

/// The sums of areas that may be published, and what follows from those that may not: the one time that areas and votes are together.
///
/// # Errors
/// A fault of arithmetic.
pub fn weighed(
    terms: &Terms,
    double: &DoubleTerms,
    electorate: i64,
    votes: &[Weighed],
) -> Result<Double, Fault> {
    let of = |chosen: &[bool]| {
        let both = votes.iter().zip(chosen);
        Area::sum(both.filter_map(|(vote, is_in)| is_in.then_some(vote.area)))
    };
    let all = vec![true; votes.len()];
    let whole = of(&all)?;
    let by_question: Vec<Vec<bool>> = (0..terms.questions.len())
        .map(|place| {
            votes
                .iter()
                .map(|vote| vote.approves.get(place).copied().unwrap_or_default())
                .collect()
        })
        .collect();
    let absent = usize::try_from(electorate)
        .unwrap_or_default()
        .saturating_sub(votes.len());
    let mut sets = vec![all];
    sets.extend(by_question.iter().cloned());
    let least = usize::try_from(terms.cell_ballots_min).unwrap_or(usize::MAX);
    let published = published(&sets, absent, least);
    let is_published = |place: usize| published.get(place).copied().unwrap_or_default();
    let mut questions = Vec::new();
    for ((question, chosen), place) in terms.questions.iter().zip(&by_question).zip(1..) {
        let area = of(chosen)?;
        questions.push(DoubleQuestion {
            question: question.code.clone(),
            approving_heads: 0,
            by_heads: false,
            approving_area_m2: is_published(place).then_some(area),
            by_area: area.is_enough(double.majority_area, whole),
            is_approved: false,
        });
    }
    Ok(Double {
        terms: double.clone(),
        participating_heads: 0,
        by_heads: false,
        participating_area_m2: is_published(0).then_some(whole),
        by_area: whole.is_enough(double.participation_area, double.area_m2),
        questions,
    })
}

/// Which of these sets of participants have a sum that may be published, given that the sums of nothing and of everybody are known, `absent` of whom have not
/// taken part: each only where it differs in none, or in `least` or more, from each that is published before it.
fn published(sets: &[Vec<bool>], absent: usize, least: usize) -> Vec<bool> {
    let is_fine = |difference: usize| difference == 0 || difference >= least;
    let mut known: Vec<&Vec<bool>> = Vec::new();
    let mut published = Vec::new();
    for set in sets {
        let size = set.iter().filter(|is_in| **is_in).count();
        let left_out = set.len().saturating_sub(size).saturating_add(absent);
        let differs = |other: &&Vec<bool>| {
            set.iter()
                .zip(other.iter())
                .filter(|(one, other)| one != other)
                .count()
        };
        let is_shown =
            is_fine(size) && is_fine(left_out) && known.iter().all(|other| is_fine(differs(other)));
        if is_shown {
            known.push(set);
        }
        published.push(is_shown);
    }
    published
}

/// What follows from the heads of the box and from the areas that are stated.
pub fn derived(said: &Double, terms: &Terms, electorate: i64, whole: &Cell, is_published: bool) -> Double {
    let double = &said.terms;
    let heads = |count: u32, of: u64, share: Share| share.is_met(u64::from(count), of);
    let by_heads = heads(
        whole.ballots,
        u64::try_from(electorate).unwrap_or_default(),
        double.participation_heads,
    );
    if !is_published {
        return Double {
            terms: double.clone(),
            participating_heads: whole.ballots,
            by_heads,
            participating_area_m2: None,
            by_area: false,
            questions: Vec::new(),
        };
    }
    let area = said.participating_area_m2;
    let by_area = area.map_or(said.by_area, |area| {
        area.is_enough(double.participation_area, double.area_m2)
    });
    let is_quorate = by_heads && by_area;
    let question = |tally: &QuestionTally| {
        let stated = said.questions.iter().find(|one| one.question == tally.question);
        let approving_heads = approving(terms, double, tally);
        let own = stated.and_then(|one| one.approving_area_m2);
        let by_heads = heads(approving_heads, u64::from(whole.ballots), double.majority_heads);
        let by_area = match own.zip(area) {
            Some((own, whole)) => own.is_enough(double.majority_area, whole),
            None => stated.is_some_and(|one| one.by_area),
        };
        DoubleQuestion {
            question: tally.question.clone(),
            approving_heads,
            by_heads,
            approving_area_m2: own,
            by_area,
            is_approved: is_quorate && by_heads && by_area,
        }
    };
    Double {
        terms: double.clone(),
        participating_heads: whole.ballots,
        by_heads,
        participating_area_m2: area,
        by_area,
        questions: whole.questions.iter().map(question).collect(),
    }
}

fn approving(terms: &Terms, double: &DoubleTerms, tally: &QuestionTally) -> u32 {
    let counts = tally.counts.iter().filter(|one| {
        let choice = terms.choice(&one.choice);
        choice.is_some_and(|choice| choice.value >= double.approves_from)
    });
    counts.fold(0, |sum, one| sum.saturating_add(one.count))
}

/// What cannot be of the areas that are stated, or should not have been published: each in words.
pub fn objections(double: &Double, electorate: i64, ballots: u32, least: u32) -> Vec<String> {
    let mut found = Vec::new();
    let electorate = u32::try_from(electorate).unwrap_or(u32::MAX);
    let mut of = |what: &str, (heads, area): (u32, Option<Area>), wholes: &[(u32, Option<Area>)]| {
        let Some(area) = area else { return };
        let is_fine = |heads: u32| heads == 0 || heads >= least;
        if (heads == 0) != (area == Area::default()) {
            found.push(format!("{what}: {area} m² of {heads} dwellings"));
        }
        if !is_fine(heads) {
            found.push(format!("{what}: the area of only {heads} dwellings is published"));
        }
        for (of, whole) in wholes {
            let Some(whole) = whole else { continue };
            let rest = of.saturating_sub(heads);
            if area > *whole || (rest == 0) != (area == *whole) {
                found.push(format!(
                    "{what}: {area} m² of {heads} dwellings, of {whole} m² of {of}"
                ));
            }
            if !is_fine(rest) {
                found.push(format!("{what}: the area of the other {rest} dwellings follows"));
            }
        }
    };
    let all = (electorate, Some(double.terms.area_m2));
    let part = (ballots, double.participating_area_m2);
    of("the participating area", part, &[all]);
    for one in &double.questions {
        let own = (one.approving_heads, one.approving_area_m2);
        of(
            &format!("the area that approves {}", one.question),
            own,
            &[all, part],
        );
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ballots::rules::tests::terms;
    use crate::ballots::rules_derivation::tests::{ballot, boxed};
    use crate::ballots::rules_derivation::{Derivation, Outcome, derive};
    use crate::ballots::rules_electorate::RollFound;
    use proptest::prelude::*;

    fn dwelling(dm2: i64) -> DwellingArea {
        DwellingArea::of_dm2(dm2).unwrap()
    }

    pub fn double(area_dm2: i64) -> DoubleTerms {
        let share = |numerator, denominator, exceeded| Share {
            numerator,
            denominator,
            exceeded,
        };
        DoubleTerms {
            approves_from: "60".parse().unwrap(),
            area_m2: Area { dm2: area_dm2 },
            participation_area: share(2, 3, false),
            participation_heads: share(2, 3, false),
            majority_area: share(1, 2, true),
            majority_heads: share(1, 2, true),
        }
    }

    /// The terms of a ballot about 60 dwellings of 100 m² each.
    pub fn doubled() -> Terms {
        Terms {
            unit: crate::ballots::rules::Unit::Households,
            double_tally: Some(double(60 * 10_000)),
            ..terms()
        }
    }

    /// What comes of so many who approve and so many who do not, of dwellings of so many hundredths of a square metre.
    pub fn come(terms: &Terms, electorate: i64, yes: (usize, i64), no: (usize, i64)) -> Derivation {
        let ballot = ballot(terms.clone(), electorate);
        let votes = [("overall", "fair", yes.0), ("overall", "dissatisfied", no.0)];
        let vote = |(count, dm2): (usize, i64), approves: bool| {
            std::iter::repeat_n(
                Weighed {
                    area: dwelling(dm2),
                    approves: vec![approves],
                },
                count,
            )
        };
        let weighed: Vec<Weighed> = vote(yes, true).chain(vote(no, false)).collect();
        let double = terms
            .double_tally
            .as_ref()
            .map(|double| super::weighed(terms, double, electorate, &weighed).unwrap());
        let all = i64::try_from(yes.0 + no.0).unwrap();
        derive(
            &ballot,
            &RollFound::unchanged(&ballot, all),
            &boxed(&ballot, &votes),
            double,
        )
        .unwrap()
    }

    fn told(derivation: &Derivation) -> (Outcome, bool, bool, bool, bool, bool) {
        let double = derivation.double_tally.as_ref().unwrap();
        let one = &double.questions[0];
        (
            derivation.outcome,
            double.by_heads,
            double.by_area,
            one.by_heads,
            one.by_area,
            one.is_approved,
        )
    }

    #[test]
    fn both_participation_and_majority_are_asked_of_heads_and_of_area_apart() {
        let terms = doubled();
        // 40 of 60 heads and 4,000 of 6,000 m²: exactly two thirds are enough, and 20 of 40 are not more than half.
        assert_eq!(
            told(&come(&terms, 60, (20, 10_000), (20, 10_000))),
            (Outcome::Binding, true, true, false, false, false)
        );
        assert_eq!(
            told(&come(&terms, 60, (24, 10_000), (16, 10_000))),
            (Outcome::Binding, true, true, true, true, true)
        );
        // A hundredth of a square metre less of them all, and it does not bind.
        let less = come(&terms, 60, (24, 10_000), (16, 9_999));
        assert_eq!(told(&less), (Outcome::NonBinding, true, false, true, true, false));
        // 39 heads with more than enough area.
        let few = come(&terms, 60, (29, 12_000), (10, 10_000));
        assert_eq!(told(&few), (Outcome::NonBinding, false, true, true, true, false));
        // Most heads with the smaller part of the area, and the other way round.
        let small = come(&terms, 60, (24, 5_000), (16, 20_000));
        assert_eq!(told(&small), (Outcome::Binding, true, true, true, false, false));
        let large = come(&terms, 60, (16, 20_000), (24, 5_000));
        assert_eq!(told(&large), (Outcome::Binding, true, true, false, true, false));
        let double = large.double_tally.unwrap();
        let areas = [
            double.participating_area_m2,
            double.questions[0].approving_area_m2,
        ];
        assert_eq!(
            areas.map(|area| area.unwrap().to_string()),
            ["4400.00", "3200.00"]
        );
    }

    #[test]
    fn a_sum_of_few_dwellings_is_told_neither_by_itself_nor_as_a_difference() {
        let terms = doubled();
        let areas = |derivation: &Derivation| {
            let double = derivation.double_tally.as_ref().unwrap();
            (
                double.participating_area_m2.is_some(),
                double.questions[0].approving_area_m2.is_some(),
            )
        };
        assert_eq!(areas(&come(&terms, 60, (24, 10_000), (16, 10_000))), (true, true));
        // Nine approve; nine do not; nine have stayed away.
        assert_eq!(areas(&come(&terms, 60, (9, 10_000), (35, 10_000))), (true, false));
        assert_eq!(areas(&come(&terms, 60, (35, 10_000), (9, 10_000))), (true, false));
        assert_eq!(
            areas(&come(&terms, 60, (31, 10_000), (20, 10_000))),
            (false, true)
        );
        // All of them, and none, tell nothing that heads do not.
        assert_eq!(areas(&come(&terms, 60, (60, 10_000), (0, 10_000))), (true, true));
        assert_eq!(areas(&come(&terms, 60, (0, 10_000), (45, 10_000))), (true, true));
        // What is hidden still counts.
        let hidden = come(&terms, 60, (51, 10_000), (4, 10_000));
        assert_eq!(areas(&hidden), (false, false));
        assert_eq!(told(&hidden), (Outcome::Binding, true, true, true, true, true));
        let withheld = come(&terms, 60, (5, 10_000), (4, 10_000));
        let double = withheld.double_tally.unwrap();
        assert_eq!(
            (
                double.participating_area_m2,
                double.by_area,
                double.questions.len()
            ),
            (None, false, 0)
        );
    }

    #[test]
    fn an_area_is_read_as_it_is_written() {
        let read = |text: &str| serde_json::from_str::<Area>(text).map(|area| area.to_string());
        assert_eq!(read("\"12.50\"").unwrap(), "12.50");
        for none in ["12.5", "\"-1\"", "\"1.234\"", "\"\"", "\"99999999999999999999\""] {
            assert!(read(none).is_err(), "{none}");
        }
        assert!(Area::sum(std::iter::repeat_n(dwelling(10_000_000), 100_000)).is_ok());
    }

    proptest! {
        /// Whatever is published, no two published sums, with those of nobody and everybody, differ in the dwellings of fewer than the least number.
        #[test]
        fn no_two_published_sums_differ_in_few(
            votes in prop::collection::vec(prop::collection::vec(any::<bool>(), 4), 0..60),
            absent in 0_usize..30,
            least in 2_usize..12,
        ) {
            let mut sets = vec![vec![true; votes.len()]];
            for place in 0..4 {
                sets.push(votes.iter().map(|vote| vote[place]).collect());
            }
            let shown = published(&sets, absent, least);
            // As sets of everybody who has a vote, those who have stayed away last.
            let everybody = votes.len() + absent;
            let whole = |set: &Vec<bool>| { let mut set = set.clone(); set.resize(everybody, false); set };
            let mut known = vec![vec![false; everybody], vec![true; everybody]];
            known.extend(sets.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(set, _)| whole(set)));
            // Of fewer voters than a cell has, not even the whole may be told; then there is no ballot.
            prop_assume!(everybody >= least);
            for one in &known {
                for other in &known {
                    let differ = one.iter().zip(other).filter(|(one, other)| one != other).count();
                    prop_assert!(differ == 0 || differ >= least);
                }
            }
        }
    }
}
