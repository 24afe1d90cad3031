//! What holds of a period for whoever pays it: since when it is accepted, how, and how much of it is undisputed; or why it is not. Pure.

use chrono::NaiveDate;

use crate::contracts::rules_acceptances::{Acceptance, AcceptanceId, State};
use crate::contracts::rules_periods::Span;
use crate::kernel::clock::Instant;
use crate::kernel::weight::Weight;

/// How a period was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By a certificate.
    Certificate,
    /// By silence.
    Silence,
}

/// What holds of a period for whoever pays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The contract ended before it began.
    NeverRan,
    /// Its last day is not over.
    NotOver,
    /// Nobody has handed it over, or begun to accept it.
    NotBegun,
    /// It waits for the buyer; silence accepts it at that instant, if at all.
    Waiting {
        /// When silence accepts it, UTC.
        silent_at: Option<Instant>,
    },
    /// It was refused, and waits for a further hand-over.
    Refused,
    /// It is accepted.
    Accepted(Accepted),
}

/// That a period is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// By which round; duties of payments are kept apart from its `accept`.
    pub acceptance_id: AcceptanceId,
    /// Since when, UTC: the time for payment runs from it.
    pub since: Instant,
    /// How.
    pub how: How,
    /// The part that is undisputed and is paid.
    pub undisputed: Weight,
    /// Whether an objection to it waits for a decision, with which it can fall.
    pub is_objected: bool,
    /// The days that were served.
    pub served: Span,
}

/// What holds of a period, of which these days were served and this is the last round.
pub fn standing(
    days: Option<Span>,
    last: Option<&Acceptance>,
    (now, today): (Instant, NaiveDate),
) -> Standing {
    let Some(days) = days else {
        return Standing::NeverRan;
    };
    let Some(last) = last else {
        return if today > days.last {
            Standing::NotBegun
        } else {
            Standing::NotOver
        };
    };
    let state = last.state(now);
    match (state, last.accepted_since(now)) {
        (State::Refused | State::Replaced, _) => Standing::Refused,
        (_, Some(since)) => Standing::Accepted(Accepted {
            acceptance_id: last.id.clone(),
            since,
            how: if state == State::AcceptedBySilence {
                How::Silence
            } else {
                How::Certificate
            },
            undisputed: last
                .signed
                .as_ref()
                .map_or(Weight::HUNDRED, |signed| signed.undisputed),
            is_objected: last.has_open_objection(),
            served: last.served,
        }),
        (_, None) => Standing::Waiting {
            silent_at: last.silent_at(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::ContractId;
    use crate::contracts::rules::tests::now;
    use crate::contracts::rules_acceptances::{
        Beginning, Begun, Conclusion, HandOver, Inspecting, Signed, handed_over, signed,
    };
    use crate::kernel::party::AccountId;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn may() -> Span {
        Span {
            first: day("2026-05-01"),
            last: day("2026-05-31"),
        }
    }

    fn begun() -> Acceptance {
        let begun = Begun {
            id: AcceptanceId::mint(now()),
            contract_id: ContractId::mint(now()),
            period: 1,
            served: may(),
        };
        begun.round(1, Beginning::Buyer, at("2026-06-01T02:00:00Z"))
    }

    fn open() -> Acceptance {
        let done = HandOver {
            words: "已完成".to_owned(),
            by: AccountId::mint(now()),
            at: at("2026-06-01T02:00:00Z"),
        };
        let time = Inspecting {
            until: day("2026-06-10"),
            silent_at: Some(at("2026-06-10T16:00:00Z")),
        };
        handed_over(begun(), done, time).unwrap()
    }

    fn certified(conclusion: Conclusion, undisputed: &str) -> Acceptance {
        let signature = Signed {
            conclusion,
            undisputed: undisputed.parse().unwrap(),
            score: None,
            grade: None,
            sha256: [7; 32],
            by: AccountId::mint(now()),
            at: at("2026-06-05T02:00:00Z"),
            object_until: day("2026-06-12"),
        };
        signed(open(), signature)
    }

    #[test]
    fn whoever_pays_learns_since_when_how_and_how_much() {
        let then = at("2026-06-20T02:00:00Z");
        let of =
            |days: Option<Span>, last: Option<&Acceptance>| standing(days, last, (then, day("2026-06-20")));
        assert_eq!(of(None, None), Standing::NeverRan);
        assert_eq!(of(Some(may()), None), Standing::NotBegun);
        assert_eq!(
            standing(Some(may()), None, (then, day("2026-05-31"))),
            Standing::NotOver
        );
        assert_eq!(
            of(Some(may()), Some(&begun())),
            Standing::Waiting { silent_at: None }
        );
        let refused = certified(Conclusion::Refused, "0");
        assert_eq!(of(Some(may()), Some(&refused)), Standing::Refused);
        let before = (at("2026-06-10T15:59:59Z"), day("2026-06-10"));
        let silent_at = Some(at("2026-06-10T16:00:00Z"));
        assert_eq!(
            standing(Some(may()), Some(&open()), before),
            Standing::Waiting { silent_at }
        );
        let accepted = |last: &Acceptance| match of(Some(may()), Some(last)) {
            Standing::Accepted(accepted) => (
                accepted.how,
                accepted.since,
                accepted.undisputed.to_string(),
                accepted.is_objected,
            ),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            accepted(&open()),
            (How::Silence, at("2026-06-10T16:00:00Z"), "100".to_owned(), false)
        );
        let part = certified(Conclusion::AcceptedWithReservations, "82.5");
        assert_eq!(
            accepted(&part),
            (
                How::Certificate,
                at("2026-06-05T02:00:00Z"),
                "82.5".to_owned(),
                false
            )
        );
    }
}
