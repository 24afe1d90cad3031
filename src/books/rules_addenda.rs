//! What a book's addendum may change, and what follows from it for bids. Pure.

/// Whether a bid that was sealed under a version of its book has to be confirmed, or replaced, before it counts: true if a later version
/// affects bids. `last_affecting` is the number of the last version that does.
pub fn needs_confirmation(sealed_under: i64, last_affecting: Option<i64>) -> bool {
    last_affecting.is_some_and(|number| number > sealed_under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bid_is_confirmed_if_a_later_version_affects_it() {
        assert!(!needs_confirmation(1, None));
        assert!(needs_confirmation(1, Some(2)) && needs_confirmation(1, Some(4)));
        assert!(!needs_confirmation(2, Some(2)) && !needs_confirmation(3, Some(2)));
    }
}
