//! Which transfers belong to a trace: what of a line's contracts moved in the line, what that came from, and what became of it; and up to when what a line was given matters. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::clock::Instant;

/// A transfer among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<T> {
    /// Its id.
    pub id: T,
    /// The transfer that had put the money there, if that is known.
    pub source: Option<T>,
    /// Whether it is one that was asked for.
    pub is_asked: bool,
}

/// Those that were asked for, all that they came from, and all that came of them.
pub fn kept<T: Clone + Ord>(links: &[Link<T>]) -> BTreeSet<T> {
    let sources: BTreeMap<&T, &T> = links
        .iter()
        .filter_map(|link| Some((&link.id, link.source.as_ref()?)))
        .collect();
    let asked: BTreeSet<&T> = links
        .iter()
        .filter(|link| link.is_asked)
        .map(|link| &link.id)
        .collect();
    let mut kept = BTreeSet::new();
    for id in &asked {
        let mut at = Some(*id);
        // Money goes round in no circle, and if it did, nothing is looked at twice.
        while let Some(id) = at.filter(|id| kept.insert((*id).clone())) {
            at = sources.get(id).copied();
        }
    }
    for link in links {
        let mut way = vec![&link.id];
        while let Some(at) = way.last() {
            if asked.contains(*at) {
                kept.insert(link.id.clone());
                break;
            }
            match sources.get(*at).filter(|source| !way.contains(source)) {
                Some(source) => way.push(source),
                None => break,
            }
        }
    }
    kept
}

/// What moved in the free money of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow<L> {
    /// The line.
    pub line: L,
    /// When, UTC.
    pub at: Instant,
    /// What came in, in fen; less than nothing if it went out.
    pub fen: i64,
}

/// Up to when each line was drawn on. What comes in and goes out again at one instant, as what is carried over or a payment that comes back, draws on nothing that was there.
pub fn drawn_until<L: Clone + Ord>(flows: &[Flow<L>]) -> BTreeMap<L, Instant> {
    let mut moved: BTreeMap<(&L, Instant), i128> = BTreeMap::new();
    for flow in flows {
        let sum = moved.entry((&flow.line, flow.at)).or_default();
        *sum = sum.saturating_add(flow.fen.into());
    }
    let drawn = moved.into_iter().filter(|(_, fen)| *fen < 0);
    // In the order of time within a line, so that the last is what stays.
    drawn.map(|((line, at), _)| (line.clone(), at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(all: &[(u8, u8, bool)]) -> Vec<Link<u8>> {
        all.iter()
            .map(|(id, source, is_asked)| Link {
                id: *id,
                source: (*source != 0).then_some(*source),
                is_asked: *is_asked,
            })
            .collect()
    }

    #[test]
    fn what_came_before_and_after_is_kept_and_what_went_beside_is_not() {
        // Reserved, committed, paid; carried over as the fourth, paid there; and something else out of the same reservation.
        let way = [
            (1, 0, false),
            (2, 1, false),
            (3, 2, false),
            (4, 2, false),
            (5, 4, true),
            (6, 5, false),
            (7, 1, false),
        ];
        assert_eq!(kept(&links(&way)), BTreeSet::from([1, 2, 4, 5, 6]));
        let first = way.map(|(id, source, _)| (id, source, id < 4));
        assert_eq!(kept(&links(&first)), BTreeSet::from([1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(
            kept(&links(&way.map(|(id, source, _)| (id, source, false)))),
            BTreeSet::new()
        );
    }

    #[test]
    fn a_source_that_is_not_there_or_a_circle_ends_the_way() {
        assert_eq!(kept(&links(&[(1, 9, true)])), BTreeSet::from([1, 9]));
        assert_eq!(
            kept(&links(&[
                (1, 2, true),
                (2, 1, false),
                (3, 4, false),
                (4, 3, false)
            ])),
            BTreeSet::from([1, 2])
        );
    }

    #[test]
    fn a_line_was_drawn_on_until_something_was_taken_that_had_not_just_come_in() {
        let at =
            |hour: u32| crate::kernel::clock::Instant::from_timestamp(i64::from(hour) * 3_600, 0).unwrap();
        let flow = |line, hour, fen| Flow {
            line,
            at: at(hour),
            fen,
        };
        let flows = [
            flow("a", 1, 900),
            flow("a", 2, -100),
            flow("a", 5, -101),
            flow("a", 5, 100),
            flow("a", 3, -100),
            flow("a", 6, 100),
            flow("a", 6, -100),
            flow("b", 7, 50),
            flow("b", 7, -50),
        ];
        assert_eq!(drawn_until(&flows), BTreeMap::from([("a", at(5))]));
        assert_eq!(drawn_until::<&str>(&[]), BTreeMap::new());
    }
}
