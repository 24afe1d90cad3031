//! What a period scores, source by source: the mean of its inspections for each kind of them. The other sources come from other facts, the residents'
//! rating and how soon defects were seen to; as long as nobody gives these, such a source says that it has no data. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::{SourceDocument, SourceKind};
use crate::contracts::rules_points::SCORE_PLACES;
use crate::kernel::fixed::Rounding;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;

/// How far the score of a source is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SourceScoreState)]
pub enum State {
    /// There is nothing that it could be made of.
    NoData,
    /// There is a score, and it can still change: the period is not over, or something of it is contested or can be.
    Provisional,
    /// Nothing changes it any more, unless an inspection is annulled.
    Settled,
    /// Residents were asked, and too few have answered for it to count. There is no score, and none will come.
    NonBinding,
}

impl State {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::Provisional => "provisional",
            Self::Settled => "settled",
            Self::NonBinding => "non_binding",
        }
    }
}

/// An inspection that holds, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The code of its source.
    pub source: String,
    /// What it scores with the contests that were decided; `None` if nothing of it counts.
    pub score: Option<Score>,
    /// Contests that wait for a decision.
    pub contests_open: u32,
    /// Whether an item can still be contested.
    pub is_contestable: bool,
}

/// A score that was reckoned elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The score.
    pub score: Score,
    /// Of how many things it is made: ballots, reports.
    pub count: u32,
    /// Whether it stays so.
    pub is_settled: bool,
}

/// What residents say of a period, once it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rated {
    /// Enough have voted.
    Binding(Given),
    /// Too few have: the result counts for nothing.
    NonBinding {
        /// How many.
        count: u32,
    },
}

/// What a period's scores are made of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Whether the period is over.
    pub is_over: bool,
    /// Its inspections, without those that were annulled.
    pub inspections: Vec<Inspected>,
    /// The residents' rating, where there is one.
    pub rating: Option<Rated>,
    /// How soon defects were seen to, where that was reckoned.
    pub response: Option<Given>,
}

/// The score of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceScore {
    /// The code of the source.
    pub source: String,
    /// How far it is settled.
    pub state: State,
    /// The score, 0 to 100.
    pub score: Option<Score>,
    /// Of how many inspections, ballots or reports it is made.
    pub count: u32,
    /// Contests that wait for a decision.
    pub contests_open: u32,
}

/// The scores of all sources of a lot, in their order.
///
/// A source of inspections has the mean of the scores of its inspections, each as it is shown, with two places, and each counting once however much
/// was looked at; rounded half up to two places. The mean of all items together was rejected: an inspector who looks at more in one place would
/// outweigh another who looks at more places. An inspection of which nothing counts is none of them.
///
/// # Errors
/// A fault of arithmetic.
pub fn scores(sources: &[SourceDocument], facts: &Facts) -> Result<Vec<SourceScore>, Fault> {
    let of_source = |source: &SourceDocument| match source.kind {
        SourceKind::Inspection => of_inspections(&source.code, facts),
        SourceKind::Rating => Ok(rated(&source.code, facts.rating)),
        SourceKind::Response => Ok(given(&source.code, facts.response)),
    };
    sources.iter().map(of_source).collect()
}

fn of_inspections(code: &str, facts: &Facts) -> Result<SourceScore, Fault> {
    let own = || facts.inspections.iter().filter(|one| one.source == code);
    let scores: Vec<(Score, u32)> = own().filter_map(|one| Some((one.score?, 1))).collect();
    let contests_open = own().map(|one| one.contests_open).fold(0, u32::saturating_add);
    let score = if scores.is_empty() {
        None
    } else {
        let mean = Score::mean(&scores, SCORE_PLACES, Rounding::HalfUp);
        Some(mean.map_err(|error| Fault::caused("the mean of inspections", error))?)
    };
    let can_change = !facts.is_over || contests_open > 0 || own().any(|one| one.is_contestable);
    Ok(SourceScore {
        source: code.to_owned(),
        state: match score {
            None => State::NoData,
            Some(_) if can_change => State::Provisional,
            Some(_) => State::Settled,
        },
        score,
        count: u32::try_from(scores.len()).unwrap_or(u32::MAX),
        contests_open,
    })
}

fn rated(code: &str, rated: Option<Rated>) -> SourceScore {
    match rated {
        None => given(code, None),
        Some(Rated::Binding(score)) => given(code, Some(score)),
        Some(Rated::NonBinding { count }) => SourceScore {
            state: State::NonBinding,
            count,
            ..given(code, None)
        },
    }
}

fn given(code: &str, given: Option<Given>) -> SourceScore {
    SourceScore {
        source: code.to_owned(),
        state: match given {
            None => State::NoData,
            Some(given) if given.is_settled => State::Settled,
            Some(_) => State::Provisional,
        },
        score: given.map(|given| given.score),
        count: given.map_or(0, |given| given.count),
        contests_open: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules_inspections::tests::sources;
    use proptest::prelude::*;

    fn inspected(source: &str, score: Option<&str>) -> Inspected {
        Inspected {
            source: source.to_owned(),
            score: score.map(|score| score.parse().unwrap()),
            contests_open: 0,
            is_contestable: false,
        }
    }

    fn shown(facts: &Facts) -> Vec<(String, &'static str, Option<String>, u32)> {
        let all = scores(&sources(), facts).unwrap();
        all.into_iter()
            .map(|one| {
                (
                    one.source,
                    one.state.name(),
                    one.score.map(|score| score.to_string()),
                    one.count,
                )
            })
            .collect()
    }

    #[test]
    fn each_source_has_the_mean_of_its_own_inspections() {
        let mut facts = Facts {
            is_over: true,
            inspections: vec![
                inspected("daily", Some("93.33")),
                inspected("daily", Some("85.00")),
                inspected("daily", Some("90.01")),
                inspected("daily", None),
            ],
            ..Facts::default()
        };
        let none = |source: &str| (source.to_owned(), "no_data", None, 0);
        let daily = |state| ("daily".to_owned(), state, Some("89.45".to_owned()), 3);
        assert_eq!(shown(&facts), [daily("settled"), none("monthly"), none("rating")]);
        facts.is_over = false;
        assert_eq!(shown(&facts)[0], daily("provisional"));
        facts.is_over = true;
        facts.inspections[3].is_contestable = true;
        assert_eq!(shown(&facts)[0], daily("provisional"));
        facts.inspections[3] = inspected("monthly", Some("70"));
        facts.inspections[3].contests_open = 2;
        assert_eq!(
            shown(&facts)[1],
            ("monthly".to_owned(), "provisional", Some("70.00".to_owned()), 1)
        );
        assert_eq!(scores(&sources(), &facts).unwrap()[1].contests_open, 2);
        assert_eq!(
            shown(&Facts::default()),
            [none("daily"), none("monthly"), none("rating")]
        );
    }

    #[test]
    fn what_was_reckoned_elsewhere_is_taken_as_it_is() {
        let facts = Facts {
            rating: Some(Rated::Binding(Given {
                score: "87.6".parse().unwrap(),
                count: 200,
                is_settled: true,
            })),
            ..Facts::default()
        };
        let too_few = Facts {
            rating: Some(Rated::NonBinding { count: 12 }),
            ..Facts::default()
        };
        assert_eq!(shown(&too_few)[2], ("rating".to_owned(), "non_binding", None, 12));
        assert_eq!(
            shown(&facts)[2],
            ("rating".to_owned(), "settled", Some("87.6".to_owned()), 200)
        );
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_the_lowest_and_the_highest(hundredths in prop::collection::vec(0_i64..=10_000, 1..200)) {
            let score = |hundredths: i64| Score::new(rust_decimal::Decimal::new(hundredths, 2)).unwrap();
            let facts = Facts {
                inspections: hundredths.iter().map(|one| Inspected { score: Some(score(*one)), ..inspected("daily", None) }).collect(),
                ..Facts::default()
            };
            let mean = scores(&sources(), &facts).unwrap()[0].score.unwrap();
            prop_assert!(score(*hundredths.iter().min().unwrap()) <= mean && mean <= score(*hundredths.iter().max().unwrap()));
        }
    }
}
