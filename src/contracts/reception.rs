//! Where reports of defects come in: how many are heard from one network or account in an hour, how many at once, and what was refused and has not been
//! written down yet. Kept in memory, of networks as hashes only: a flood makes no row, and a restart begins anew. How many are taken of one place in a
//! day is in the database, where it is exact.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;
use chrono::{Duration, NaiveDate};
use sha2::{Digest, Sha256};

use crate::contracts::follow_up::FollowUpKey;
use crate::contracts::rules_places::ServedPlaceId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::text;
use crate::web::limits::TOO_MANY_REQUESTS;

/// Counters that are kept at most.
const COUNTERS_MAX: usize = 50_000;
/// Places and days of which refusals are remembered until they are written down, at most.
const REFUSED_MAX: usize = 10_000;
/// Reports of people without an account that are received at once, in this process.
const AT_ONCE_MAX: usize = 8;
/// How long a network or an account is counted.
const WINDOW: Duration = Duration::hours(1);

/// As many reports as there may be are being received.
pub static RECEPTION_BUSY: Reason = Reason::new(
    Kind::Busy,
    "defect_reports_busy",
    "报告繁忙，请稍后重试",
    "Too many reports are being received; try again shortly",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&RECEPTION_BUSY];

/// How many reports are taken, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct ReceptionLimits {
    /// From one network without an account, and from one account, in an hour; 0: no limit.
    pub per_network: u32,
    /// Of one place in a day of the ward; more are only counted.
    pub per_place: u32,
}

/// From whom a report comes, for counting.
#[derive(Clone, Copy, Debug)]
pub enum From<'a> {
    /// From an account.
    Account(&'a str),
    /// From somewhere.
    Network(IpAddr),
}

type Key = [u8; 16];

struct Counter {
    count: u32,
    until: Instant,
}

/// Marks handlers that receive reports.
pub type AtReception = web::Data<Reception>;

/// The state shared by all that receive reports.
pub struct Reception {
    /// How many are taken.
    pub limits: ReceptionLimits,
    /// Makes the links to reports.
    pub key: FollowUpKey,
    counters: Mutex<HashMap<Key, Counter>>,
    refused: Mutex<HashMap<(ServedPlaceId, NaiveDate), i64>>,
    running: Arc<AtomicUsize>,
}

impl Reception {
    /// A reception at which nobody has been yet.
    pub fn new(limits: ReceptionLimits, key: FollowUpKey) -> Self {
        Self {
            limits,
            key,
            counters: Mutex::default(),
            refused: Mutex::default(),
            running: Arc::default(),
        }
    }

    /// Counts a report.
    ///
    /// # Errors
    /// [`TOO_MANY_REQUESTS`] with the time to wait; then nothing was counted.
    pub fn count(&self, from: From<'_>, now: Instant) -> Answer<()> {
        let max = self.limits.per_network;
        if max == 0 {
            return Ok(());
        }
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= COUNTERS_MAX {
            counters.retain(|_, counter| counter.until > now);
            if counters.len() >= COUNTERS_MAX {
                // So many networks at once are an attack in which counting single ones does not help; the bound of each place still holds.
                counters.clear();
            }
        }
        let fresh = || Counter {
            count: 0,
            until: now + WINDOW,
        };
        let counter = counters.entry(key_of(from)).or_insert_with(fresh);
        if counter.until <= now {
            *counter = fresh();
        }
        if counter.count >= max {
            let wait = (counter.until - now).num_seconds().saturating_add(1);
            let seconds = u32::try_from(wait).unwrap_or(u32::MAX);
            let refusal = TOO_MANY_REQUESTS.because(text!(
                "每小时最多 {max} 份报告，请稍后再试",
                "{max} reports an hour are taken; try again later"
            ));
            return Err(refusal.retry_after(seconds).into());
        }
        counter.count = counter.count.saturating_add(1);
        Ok(())
    }

    /// Remembers that a report for a place was refused.
    pub fn note_refused(&self, place: ServedPlaceId, day: NaiveDate) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = refused.contains_key(&(place.clone(), day));
        if is_known || refused.len() < REFUSED_MAX {
            let count = refused.entry((place, day)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// What was refused since it was asked last.
    pub fn take_refused(&self) -> Vec<(ServedPlaceId, NaiveDate, i64)> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *refused);
        taken
            .into_iter()
            .map(|((place, day), count)| (place, day, count))
            .collect()
    }

    /// Lets somebody without an account send a report, until the turn is dropped.
    ///
    /// # Errors
    /// [`RECEPTION_BUSY`].
    pub fn turn(&self) -> Answer<Turn> {
        let turn = Turn(self.running.clone());
        if self.running.fetch_add(1, Ordering::SeqCst) >= AT_ONCE_MAX {
            return Err(RECEPTION_BUSY.refuse().retry_after(2).into());
        }
        Ok(turn)
    }
}

/// The right to send a report now.
pub struct Turn(Arc<AtomicUsize>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn key_of(from: From<'_>) -> Key {
    let hash = match from {
        From::Account(id) => Sha256::new().chain_update(b"account ").chain_update(id),
        From::Network(IpAddr::V4(address)) => {
            Sha256::new().chain_update(b"v4 ").chain_update(address.octets())
        }
        From::Network(IpAddr::V6(address)) => {
            Sha256::new().chain_update(b"v6 ").chain_update(address.octets())
        }
    };
    let mut key = Key::default();
    key.iter_mut()
        .zip(hash.finalize())
        .for_each(|(place, byte)| *place = byte);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};
    use std::net::Ipv4Addr;

    fn reception(per_network: u32) -> Reception {
        let dir = tempfile::tempdir().unwrap();
        let limits = ReceptionLimits {
            per_network,
            per_place: 10,
        };
        Reception::new(limits, FollowUpKey::open(dir.path()).unwrap())
    }

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 4, 0, 0, 0).unwrap()
    }

    fn network(number: u32) -> From<'static> {
        From::Network(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn one_network_is_heard_so_often_in_an_hour_and_holds_up_no_other() {
        let reception = reception(3);
        let heard = |from, at| reception.count(from, at).is_ok();
        assert_eq!((0..10).filter(|_| heard(network(1), now())).count(), 3);
        assert!(heard(network(2), now()) && heard(From::Account("user_a"), now()));
        assert!(!heard(network(1), now() + Duration::minutes(59)) && heard(network(1), now() + WINDOW));
        assert!((0..100).all(|_| super::tests::reception(0).count(network(1), now()).is_ok()));
    }

    #[test]
    fn there_are_never_more_counters_than_the_maximum() {
        let reception = reception(1);
        for number in 0..60_000 {
            reception.count(network(number), now()).unwrap();
        }
        assert!(reception.counters.lock().unwrap().len() <= COUNTERS_MAX);
    }

    #[test]
    fn some_are_received_at_once_and_what_was_refused_is_told_once() {
        let reception = reception(1);
        let mut turns: Vec<Turn> = (0..AT_ONCE_MAX).map(|_| reception.turn().unwrap()).collect();
        assert!(reception.turn().is_err() && reception.turn().is_err());
        turns.pop();
        assert!(reception.turn().is_ok());
        let (place, day) = (ServedPlaceId::mint(now()), now().date_naive());
        reception.note_refused(place.clone(), day);
        reception.note_refused(place.clone(), day);
        assert_eq!(reception.take_refused(), [(place, day, 2)]);
        assert!(reception.take_refused().is_empty());
    }
}
