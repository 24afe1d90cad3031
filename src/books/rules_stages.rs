//! How far what is found has come: whether it is planned, takes bids, or does not any more. What follows from the clock is stored
//! nowhere. Pure.

use crate::kernel::clock::Instant;

/// A stage of what is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is planned.
    Planned,
    /// Bids are taken.
    Open,
    /// Bids are not taken any more.
    Closed,
    /// It was cancelled.
    Cancelled,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Open, Self::Closed, Self::Cancelled];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name in the index: whether bids are taken still follows from the clock.
    pub const fn stored(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Open | Self::Closed => "tender",
            Self::Cancelled => "cancelled",
        }
    }

    /// The stage of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// The stage at an instant of what is stored so and takes bids until then; `None` of what has no stages.
    pub fn at(stored: &str, closes_at: Option<Instant>, now: Instant) -> Option<Self> {
        match stored {
            "tender" if closes_at.is_some_and(|at| at > now) => Some(Self::Open),
            "tender" => Some(Self::Closed),
            other => Self::ALL.into_iter().find(|stage| stage.stored() == other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    #[test]
    fn whether_bids_are_taken_follows_from_the_clock() {
        let at = |minute| Utc.with_ymd_and_hms(2026, 4, 1, 1, minute, 0).unwrap();
        let deadline = Some(at(1));
        for (stored, now, expected) in [
            ("tender", at(0), Some(Stage::Open)),
            ("tender", at(1), Some(Stage::Closed)),
            ("planned", at(2), Some(Stage::Planned)),
            ("cancelled", at(0), Some(Stage::Cancelled)),
            ("tea", at(0), None),
        ] {
            assert_eq!(Stage::at(stored, deadline, now), expected, "{stored}");
        }
        for stage in Stage::ALL {
            assert_eq!(Stage::named(stage.name()), Some(stage));
        }
        assert_eq!(Stage::at("tender", None, at(0)), Some(Stage::Closed));
    }
}
