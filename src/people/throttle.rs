//! How many guesses at a secret are listened to. Built so that nobody can be locked out by it: guesses are counted for an
//! address *from one network*, and whoever signed in on a device before shows its token and is counted alone, whatever
//! happens elsewhere. Nothing here is kept on disk: several instances count each for themselves (with n of them up to n
//! times as many guesses are heard), and a restart begins anew. What must be exact, the tries of a one-time code, is
//! counted in the database. Keeps no address in clear.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::Duration;
use sha2::{Digest, Sha256};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Refusal};
use crate::web::limits::TOO_MANY_REQUESTS;

/// Counters that are kept at most. When there are more, those whose time is over go first, then any quarter of them.
pub const COUNTERS_MAX: usize = 100_000;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tried {
    /// A password or a second factor. Only what was wrong stays counted.
    Secret,
    /// That a mail be sent. Every one counts.
    Mail,
    /// To begin at another provider. Every one counts, by network only: there is no address yet.
    Outside,
    /// The code of a letter and a date of birth, by whoever has no account yet; counted for the letter as others are for an address.
    /// Only what was wrong stays counted. A letter hears as many as an account that claims may make: ten an hour.
    Letter,
    /// That a mail be sent on the strength of a letter, to whichever address. Every one counts.
    LetterMail,
    /// The secret address of a calendar, by network only: nobody says whose it is. Only what was wrong stays counted.
    CalendarLink,
}

/// How many of what in which time.
struct Allowance {
    max: u32,
    window: Duration,
}

const fn allowance(max: u32, minutes: i64) -> Allowance {
    Allowance {
        max,
        window: Duration::minutes(minutes),
    }
}

impl Tried {
    /// For one address from one device that it signed in on before; for one address from one network; for all addresses from one
    /// network; for one address from all networks where no device is known. The last one bounds what a botnet may guess and
    /// how much mail it may cause; it never holds up a known device.
    const fn allowances(self) -> [Allowance; 4] {
        match self {
            Self::Secret => [
                allowance(10, 15),
                allowance(10, 15),
                allowance(100, 15),
                allowance(300, 60),
            ],
            Self::Mail => [
                allowance(3, 15),
                allowance(3, 15),
                allowance(30, 15),
                allowance(6, 60),
            ],
            Self::Outside => [
                allowance(300, 15),
                allowance(300, 15),
                allowance(300, 15),
                allowance(1_200, 60),
            ],
            // More from one network: a whole community may come from that of its neighbourhood centre, or of its mobile operator.
            Self::Letter => [
                allowance(10, 60),
                allowance(10, 60),
                allowance(30, 60),
                allowance(10, 60),
            ],
            Self::LetterMail => [
                allowance(5, 60),
                allowance(5, 60),
                allowance(60, 60),
                allowance(5, 60),
            ],
            // No bound over all networks: it would be everybody's, and 256 bits need none. Programs ask again and again at an address that was ended.
            Self::CalendarLink => [
                allowance(100, 15),
                allowance(100, 15),
                allowance(100, 15),
                allowance(u32::MAX, 15),
            ],
        }
    }
}

/// Who tries.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// For which mail address, whether it is anybody's or not.
    pub email: &'a str,
    /// From which network.
    pub network: IpAddr,
    /// On which device, if it is known for this address.
    pub device: Option<[u8; 16]>,
}

type Key = [u8; 16];

struct Counter {
    count: u32,
    until: Instant,
}

/// The counters.
#[derive(Default)]
pub struct Guesses(Mutex<HashMap<Key, Counter>>);

impl Guesses {
    /// Counts a try, before it is judged: many at once are no way round.
    ///
    /// # Errors
    /// [`TOO_MANY_REQUESTS`] with the time to wait; then nothing was counted.
    pub fn count(&self, tried: Tried, who: Who<'_>, now: Instant) -> Answer<()> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(tried, who);
        for (key, allowance) in &keys {
            if let Some(counter) = counters.get(key)
                && counter.until > now
                && counter.count >= allowance.max
            {
                return Err(wait(counter.until - now).into());
            }
        }
        make_room(&mut counters, now);
        for (key, allowance) in keys {
            let fresh = || Counter {
                count: 0,
                until: now + allowance.window,
            };
            let counter = counters.entry(key).or_insert_with(fresh);
            if counter.until <= now {
                *counter = fresh();
            }
            counter.count = counter.count.saturating_add(1);
        }
        Ok(())
    }

    /// Takes a try back that turned out right.
    pub fn forgive(&self, tried: Tried, who: Who<'_>) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in keys(tried, who) {
            if let Some(counter) = counters.get_mut(&key) {
                counter.count = counter.count.saturating_sub(1);
            }
        }
    }
}

/// What a try is counted under, and how often each may be.
fn keys(tried: Tried, who: Who<'_>) -> Vec<(Key, Allowance)> {
    let [of_device, of_pair, of_network, of_account] = tried.allowances();
    let network = match who.network {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let key = |kind: &str, parts: [&[u8]; 2]| -> Key {
        let mut hash = Sha256::new();
        for part in [format!("{tried:?} {kind}").as_bytes(), parts[0], parts[1]] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let mut key = Key::default();
        key.iter_mut()
            .zip(hash.finalize())
            .for_each(|(place, byte)| *place = byte);
        key
    };
    let email = who.email.as_bytes();
    match who.device {
        Some(device) => vec![(key("device", [email, &device]), of_device)],
        None => vec![
            (key("pair", [email, &network]), of_pair),
            (key("network", [&network, b""]), of_network),
            (key("account", [email, b""]), of_account),
        ],
    }
}

fn wait(time: Duration) -> Refusal {
    let seconds = u32::try_from(time.num_seconds())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    TOO_MANY_REQUESTS.refuse().retry_after(seconds)
}

fn make_room(counters: &mut HashMap<Key, Counter>, now: Instant) {
    if counters.len().saturating_add(3) <= COUNTERS_MAX {
        return;
    }
    counters.retain(|_, counter| counter.until > now);
    let target = COUNTERS_MAX / 4 * 3;
    let mut spare = counters.len().saturating_sub(target);
    counters.retain(|_, _| {
        let goes = spare > 0;
        spare = spare.saturating_sub(usize::from(goes));
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use std::net::Ipv4Addr;

    fn now() -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
    }

    fn from(email: &str, network: u32) -> Who<'_> {
        Who {
            email,
            network: IpAddr::V4(Ipv4Addr::from_bits(network)),
            device: None,
        }
    }

    fn heard(guesses: &Guesses, who: Who<'_>, tries: usize) -> usize {
        (0..tries)
            .filter(|_| guesses.count(Tried::Secret, who, now()).is_ok())
            .count()
    }

    #[test]
    fn who_guesses_waits_and_the_owner_elsewhere_does_not() {
        let guesses = Guesses::default();
        assert_eq!(heard(&guesses, from("a@b.c", 1), 50), 10);
        assert_eq!(heard(&guesses, from("a@b.c", 2), 1), 1);
        assert_eq!(heard(&guesses, from("d@b.c", 1), 1), 1);
        let later = now() + Duration::minutes(15);
        assert!(guesses.count(Tried::Secret, from("a@b.c", 1), later).is_ok());
    }

    #[test]
    fn one_network_begins_elsewhere_so_often_and_holds_up_no_other() {
        let guesses = Guesses::default();
        let begin = |network: u32| {
            let address = Ipv4Addr::from_bits(network).to_string();
            guesses
                .count(Tried::Outside, from(&address, network), now())
                .is_ok()
        };
        assert_eq!((0..500).filter(|_| begin(1)).count(), 300);
        assert!(begin(2));
    }

    #[test]
    fn a_whole_botnet_does_not_hold_up_a_known_device() {
        let guesses = Guesses::default();
        let all: usize = (0..100).map(|n| heard(&guesses, from("a@b.c", n), 10)).sum();
        assert_eq!(all, 300);
        assert_eq!(heard(&guesses, from("a@b.c", 999), 1), 0);
        let device = Who {
            device: Some([7; 16]),
            ..from("a@b.c", 999)
        };
        assert_eq!(heard(&guesses, device, 50), 10);
        assert_eq!(heard(&guesses, from("d@b.c", 999), 1), 1);
    }

    #[test]
    fn a_letter_hears_ten_wrong_guesses_an_hour_wherever_they_come_from() {
        let guesses = Guesses::default();
        let count = |letter: &'static str, network: u32, minutes: i64| {
            let at = now() + Duration::minutes(minutes);
            guesses.count(Tried::Letter, from(letter, network), at).is_ok()
        };
        assert_eq!((0..20).filter(|network| count("letter", *network, 0)).count(), 10);
        assert!(count("another letter", 1, 0) && !count("letter", 99, 59) && count("letter", 99, 60));
        let names: Vec<String> = (0..50).map(|n| format!("letter {n}")).collect();
        let heard = names
            .iter()
            .filter(|name| guesses.count(Tried::Letter, from(name, 7777), now()).is_ok());
        assert_eq!(heard.count(), 30);
    }

    #[test]
    fn one_network_tries_so_many_addresses_only() {
        let guesses = Guesses::default();
        let names: Vec<String> = (0..200).map(|n| format!("{n}@b.c")).collect();
        assert_eq!(
            names
                .iter()
                .map(|name| heard(&guesses, from(name, 1), 1))
                .sum::<usize>(),
            100
        );
    }

    #[test]
    fn what_was_right_is_taken_back() {
        let guesses = Guesses::default();
        for _ in 0..100 {
            guesses.count(Tried::Secret, from("a@b.c", 1), now()).unwrap();
            guesses.forgive(Tried::Secret, from("a@b.c", 1));
        }
        assert!(guesses.count(Tried::Mail, from("a@b.c", 1), now()).is_ok());
    }

    #[test]
    fn there_are_never_more_counters_than_the_maximum() {
        let guesses = Guesses::default();
        for n in 0..60_000 {
            // The network's own counter would refuse most of them.
            guesses
                .count(Tried::Secret, from(&format!("{n}@b.c"), n), now())
                .unwrap();
        }
        assert!(guesses.0.lock().unwrap().len() <= COUNTERS_MAX);
    }
}
