//! Which totals may be published: a cell of fewer ballots than the least number never, neither by itself nor as the difference of others. The whole is
//! divided into communities; those that are too small are hidden, and then as many of the next smallest as it takes for what is hidden together to be no
//! small cell either, because the whole less what is shown is a total that everybody can reckon. Pure.

use std::collections::BTreeSet;

/// Which of the parts of a whole are shown, by their places; all others are hidden together. Of a whole that is too small, none; and none where
/// there is only one part, which is the whole itself.
pub fn shown(parts: &[u64], least: u64) -> BTreeSet<usize> {
    let whole = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
    if parts.len() < 2 || whole < least {
        return BTreeSet::new();
    }
    let mut by_size: Vec<(u64, usize)> = parts.iter().copied().zip(0..).collect();
    by_size.sort_unstable();
    let mut hidden = 0_u64;
    let mut is_any_hidden = false;
    let mut shown = BTreeSet::new();
    for (size, place) in by_size {
        if size < least || (is_any_hidden && hidden < least) {
            hidden = hidden.saturating_add(size);
            is_any_hidden = true;
        } else {
            shown.insert(place);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_single_small_community_takes_the_next_smallest_with_it() {
        let of = |parts: &[u64]| shown(parts, 10).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&[20, 30, 40]), [0, 1, 2]);
        assert_eq!(of(&[20, 3, 40]), [2]);
        assert_eq!(of(&[6, 5, 40]), [2]);
        assert_eq!(of(&[0, 12, 40]), [2]);
        assert_eq!(of(&[3, 40]), Vec::<usize>::new());
        assert_eq!(of(&[40]), Vec::<usize>::new());
        assert_eq!(of(&[4, 5]), Vec::<usize>::new());
    }

    /// Every number of ballots that somebody can reckon who adds and subtracts published totals, as a set of communities: the whole, what is shown, and any
    /// union or difference of these where one lies within the other.
    fn reckoned(parts: &[u64], shown: &BTreeSet<usize>) -> BTreeSet<BTreeSet<usize>> {
        let whole: BTreeSet<usize> = (0..parts.len()).collect();
        let mut known: BTreeSet<BTreeSet<usize>> =
            shown.iter().map(|place| BTreeSet::from([*place])).collect();
        known.insert(whole);
        loop {
            let mut more = known.clone();
            for one in &known {
                for other in &known {
                    if one.is_disjoint(other) {
                        more.insert(one | other);
                    } else if other.is_subset(one) {
                        more.insert(one - other);
                    }
                }
            }
            if more.len() == known.len() {
                known.remove(&BTreeSet::new());
                return known;
            }
            known = more;
        }
    }

    proptest! {
        #[test]
        fn no_difference_of_published_totals_is_a_small_cell(parts in prop::collection::vec(0_u64..40, 1..7), least in 1_u64..15) {
            let whole: u64 = parts.iter().sum();
            prop_assume!(whole >= least);
            let shown = shown(&parts, least);
            for cell in reckoned(&parts, &shown) {
                let ballots: u64 = cell.iter().map(|place| parts[*place]).sum();
                prop_assert!(ballots >= least, "{:?} of {:?}, shown {:?}", cell, parts, shown);
            }
        }

        #[test]
        fn nothing_is_hidden_that_need_not_be(parts in prop::collection::vec(10_u64..40, 2..7)) {
            prop_assert_eq!(shown(&parts, 10).len(), parts.len());
        }
    }
}
