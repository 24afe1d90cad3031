//! `Range` and `If-Range` (RFC 9110 §14): which part of a file a download is. Pure. One range of bytes is answered with that
//! part; several, other units, and what cannot be read are answered with the whole, as the RFC lets a server do.

use std::ops::Range;

/// What is asked of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes, from zero, the end not counted.
    Bytes(Range<u64>),
    /// Bytes that it does not have.
    Outside,
}

/// The part of a file of `bytes` bytes that `range` asks for.
pub fn part(range: &str, bytes: u64) -> Part {
    let Some((unit, set)) = range.split_once('=') else {
        return Part::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else {
        return Part::Whole;
    };
    match (position(first), position(last)) {
        (Some(first), None) if last.is_empty() => within(first, bytes, bytes),
        (None, Some(length)) if first.is_empty() => match length.min(bytes) {
            0 => Part::Outside,
            length => Part::Bytes(bytes.saturating_sub(length)..bytes),
        },
        (Some(first), Some(last)) if first <= last => within(first, last.saturating_add(1), bytes),
        _ => Part::Whole,
    }
}

fn within(first: u64, end: u64, bytes: u64) -> Part {
    if first < bytes {
        Part::Bytes(first..end.min(bytes))
    } else {
        Part::Outside
    }
}

/// A position is digits; one that is greater than any file is as good as the greatest number.
fn position(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// True if `If-Range` names this very file: a strong tag, the same. A date never does, because none was given out.
pub fn still_the_same(if_range: &str, etag: &str) -> bool {
    if_range.trim() == etag
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_range_is_that_part() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("bytes=9-", 9..10),
            ("bytes=2-5", 2..6),
            ("bytes=2-99999999999999999999999", 2..10),
            ("bytes=-3", 7..10),
            ("bytes=-10", 0..10),
            ("bytes=-99999999999999999999999", 0..10),
            ("Bytes = 2-5 ", 2..6),
        ] {
            assert_eq!(part(range, 10), Part::Bytes(expected), "{range}");
        }
    }

    #[test]
    fn what_lies_outside_is_told_and_what_cannot_be_read_is_the_whole() {
        for outside in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=99999999999999999999999-",
            "bytes=-0",
        ] {
            assert_eq!(part(outside, 10), Part::Outside, "{outside}");
        }
        for whole in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=1 - 2",
            "lines=0-1",
            "bytes=0x1-2",
            "bytes=--1",
            "bytes=1--2",
        ] {
            assert_eq!(part(whole, 10), Part::Whole, "{whole}");
        }
    }

    #[test]
    fn only_the_same_strong_tag_is_the_same_file() {
        assert!(still_the_same("\"abc\"", "\"abc\""));
        for other in ["W/\"abc\"", "\"abd\"", "*", "Thu, 01 Jan 1970 00:00:00 GMT", ""] {
            assert!(!still_the_same(other, "\"abc\""), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_file(range in "bytes=[0-9]{0,3}-[0-9]{0,3}|\\PC*", bytes in 1_u64..1_000) {
            if let Part::Bytes(part) = part(&range, bytes) {
                prop_assert!(part.start < part.end && part.end <= bytes);
            }
        }
    }
}
