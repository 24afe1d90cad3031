//! How far a lot has come, for everybody: from its publication to the contract, or to its end without one. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_awards::State as AwardState;
use crate::bids::rules_opening::Outcome as OpeningOutcome;

/// How far a lot has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotStanding {
    /// Its book is public, and its bids are not opened.
    Published,
    /// Its bids were opened.
    Opened,
    /// They are ranked.
    Evaluated,
    /// Whoever is to get the contract is known.
    Noticed,
    /// And nothing stands against that any more.
    Awarded,
    /// The contract is signed.
    Signed,
    /// Nobody gets the contract.
    Unsuccessful,
    /// Its book was cancelled before there was a contract.
    Cancelled,
}

/// What a lot's standing follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether its book was cancelled.
    pub is_cancelled: bool,
    /// What came of its opening.
    pub opening: Option<OpeningOutcome>,
    /// Whether its bids are ranked, and nobody has ordered to judge them anew.
    pub is_ranked: bool,
    /// How far the award has come that has not ended.
    pub award: Option<AwardState>,
    /// Whether it came to nothing after its opening.
    pub has_ended: bool,
}

/// How far a lot has come. A contract stays whatever becomes of the book's other lots, and what came to nothing by itself was not cancelled.
pub fn standing(facts: Facts) -> LotStanding {
    if facts.award == Some(AwardState::Signed) {
        return LotStanding::Signed;
    }
    if facts.has_ended || facts.opening == Some(OpeningOutcome::Unsuccessful) {
        return LotStanding::Unsuccessful;
    }
    if facts.is_cancelled {
        return LotStanding::Cancelled;
    }
    match (facts.award, facts.opening) {
        (Some(AwardState::Confirmed), _) => LotStanding::Awarded,
        (Some(AwardState::Noticed), _) => LotStanding::Noticed,
        (_, None) => LotStanding::Published,
        (_, Some(_)) if facts.is_ranked => LotStanding::Evaluated,
        (_, Some(_)) => LotStanding::Opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_stands_where_its_facts_put_it() {
        let published = Facts::default();
        let opened = Facts {
            opening: Some(OpeningOutcome::Opened),
            ..published
        };
        let ranked = Facts {
            is_ranked: true,
            ..opened
        };
        let with = |award| Facts {
            award: Some(award),
            ..ranked
        };
        for (facts, expected) in [
            (published, LotStanding::Published),
            (opened, LotStanding::Opened),
            (ranked, LotStanding::Evaluated),
            // Nobody outside learns that something was proposed or decided.
            (with(AwardState::Proposed), LotStanding::Evaluated),
            (with(AwardState::Decided), LotStanding::Evaluated),
            (with(AwardState::Noticed), LotStanding::Noticed),
            (with(AwardState::Confirmed), LotStanding::Awarded),
            (with(AwardState::Signed), LotStanding::Signed),
        ] {
            assert_eq!(standing(facts), expected, "{facts:?}");
            let cancelled = standing(Facts {
                is_cancelled: true,
                ..facts
            });
            let stays = expected == LotStanding::Signed;
            assert_eq!(cancelled == LotStanding::Cancelled, !stays, "{facts:?}");
        }
        let few = Facts {
            opening: Some(OpeningOutcome::Unsuccessful),
            is_cancelled: true,
            ..published
        };
        assert_eq!(standing(few), LotStanding::Unsuccessful);
        let ended = Facts {
            has_ended: true,
            is_cancelled: true,
            ..ranked
        };
        assert_eq!(standing(ended), LotStanding::Unsuccessful);
    }
}
