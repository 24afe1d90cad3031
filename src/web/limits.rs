//! Limits of what one address and one account may ask for. They protect the house from floods; they never decide about
//! permission, and an account's limit cannot be used up by somebody else.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use crate::kernel::refusal::{Answer, Kind, Reason, Refusal};

/// Too many requests from one address or of one account.
pub static TOO_MANY_REQUESTS: Reason = Reason::new(
    Kind::TooMany,
    "too_many_requests",
    "请求过于频繁",
    "Too many requests",
);

/// After so many requests the limiter forgets addresses and accounts that have been quiet.
const SWEEP_EVERY: u32 = 50_000;

/// Guesses at a secret that one account may make one after the other.
const GUESSES_AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// After how long it may make another one.
const GUESS_EVERY: Duration = Duration::from_secs(360);

/// Requests a second; zero means no limit.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// For one address (an IPv6 /64 counts as one).
    pub per_address: u32,
    /// For one account.
    pub per_account: u32,
}

/// The limiters.
pub struct Throttle {
    addresses: Option<DefaultKeyedRateLimiter<IpAddr>>,
    accounts: Option<DefaultKeyedRateLimiter<String>>,
    guesses: Option<DefaultKeyedRateLimiter<String>>,
    asked: AtomicU32,
}

impl Throttle {
    /// Limiters with these rates; twice a second's worth may come at once.
    pub fn new(rates: Rates) -> Self {
        Self {
            addresses: quota(rates.per_address).map(RateLimiter::keyed),
            accounts: quota(rates.per_account).map(RateLimiter::keyed),
            guesses: Quota::with_period(GUESS_EVERY)
                .map(|quota| RateLimiter::keyed(quota.allow_burst(GUESSES_AT_ONCE))),
            asked: AtomicU32::new(0),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// [`TOO_MANY_REQUESTS`] with the time to wait.
    pub fn address(&self, address: IpAddr) -> Answer<()> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.sweep();
        }
        let Some(limiter) = &self.addresses else {
            return Ok(());
        };
        limiter
            .check_key(&network_of(address))
            .map_err(|wait| too_many(wait.wait_time_from(DefaultClock::default().now())))?;
        Ok(())
    }

    /// Counts a request of an account.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub fn account(&self, id: &str) -> Answer<()> {
        let Some(limiter) = &self.accounts else {
            return Ok(());
        };
        limiter
            .check_key(&id.to_owned())
            .map_err(|wait| too_many(wait.wait_time_from(DefaultClock::default().now())))?;
        Ok(())
    }

    /// Counts a guess that an account makes at a secret such as a code from a letter; whoever calls it decides whether right ones count. This limit is not
    /// configured: it protects others, not the house.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub fn guess(&self, id: &str) -> Answer<()> {
        let Some(limiter) = &self.guesses else {
            return Ok(());
        };
        limiter
            .check_key(&id.to_owned())
            .map_err(|wait| too_many(wait.wait_time_from(DefaultClock::default().now())))?;
        Ok(())
    }

    fn sweep(&self) {
        if let Some(limiter) = &self.addresses {
            limiter.retain_recent();
        }
        for limiter in [&self.accounts, &self.guesses].into_iter().flatten() {
            limiter.retain_recent();
        }
    }
}

fn quota(per_second: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(per_second.saturating_mul(2))?;
    Some(Quota::per_second(NonZeroU32::new(per_second)?).allow_burst(burst))
}

fn too_many(wait: Duration) -> Refusal {
    let seconds = u32::try_from(wait.as_secs())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    TOO_MANY_REQUESTS.refuse().retry_after(seconds)
}

/// An IPv4 address stands for itself, an IPv6 address for its /64: one household or machine has a whole one.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// The address a request comes from: the peer's, or, if the peer is a trusted proxy, the last one in `X-Forwarded-For`
/// that is not a trusted proxy itself. What stands before that was written by the client and proves nothing.
pub fn client_address(peer: Option<IpAddr>, forwarded_for: Option<&str>, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| {
        trusted
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    };
    let Some(peer) = peer else {
        return IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    };
    if !is_trusted(&peer) {
        return peer;
    }
    let mut nearest = peer;
    for hop in forwarded_for.unwrap_or_default().rsplit(',') {
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if is_trusted(&address) => nearest = address,
            Ok(address) => return address,
            Err(_) => return nearest,
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_asks_too_often_waits_and_another_does_not() {
        let throttle = Throttle::new(Rates {
            per_address: 5,
            per_account: 2,
        });
        let refused = (0..11)
            .filter(|_| throttle.address(address("10.0.0.1")).is_err())
            .count();
        assert!(refused >= 1);
        assert!(throttle.address(address("10.0.0.2")).is_ok());
        assert!((0..5).any(|_| throttle.account("user_a").is_err()));
        assert!(throttle.account("user_b").is_ok());
    }

    #[test]
    fn zero_means_no_limit() {
        let throttle = Throttle::new(Rates {
            per_address: 0,
            per_account: 0,
        });
        assert!(
            (0..10_000)
                .all(|_| throttle.address(address("10.0.0.1")).is_ok() && throttle.account("x").is_ok())
        );
    }

    #[test]
    fn guesses_are_few_even_where_there_is_no_other_limit() {
        let throttle = Throttle::new(Rates {
            per_address: 0,
            per_account: 0,
        });
        assert_eq!((0..50).filter(|_| throttle.guess("user_a").is_ok()).count(), 10);
        assert!(throttle.guess("user_b").is_ok());
    }

    #[test]
    fn one_ipv6_network_counts_as_one_and_mapped_addresses_as_ipv4() {
        assert_eq!(
            network_of(address("2001:db8::1")),
            network_of(address("2001:db8::ffff:1"))
        );
        assert_ne!(
            network_of(address("2001:db8::1")),
            network_of(address("2001:db8:0:1::1"))
        );
        assert_eq!(network_of(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let of = |peer, forwarded| client_address(Some(address(peer)), forwarded, &trusted);
        assert_eq!(of("1.2.3.4", Some("9.9.9.9")), address("1.2.3.4"));
        assert_eq!(of("10.0.0.1", Some("6.6.6.6, 9.9.9.9")), address("9.9.9.9"));
        assert_eq!(of("10.0.0.1", Some("9.9.9.9, 10.0.0.2")), address("9.9.9.9"));
        assert_eq!(of("10.0.0.1", None), address("10.0.0.1"));
        assert_eq!(of("10.0.0.1", Some("9.9.9.9, nonsense")), address("10.0.0.1"));
        assert_eq!(
            client_address(None, None, &trusted),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        );
    }
}
