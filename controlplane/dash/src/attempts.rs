//! Bounds how often an address may try to sign in. A cut is behind no such bound.

use kill_wire::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Attempts in a window.
const MOST: u32 = 60;
/// The window in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Addresses that are counted apart; those beyond share one count.
const ADDRESSES: usize = 4096;

/// Attempts by address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<Option<IpAddr>, (Timestamp, u32)>>);

/// Whoever has one address of a /64 has all of them.
fn counted(from: Option<IpAddr>) -> Option<IpAddr> {
    match from? {
        IpAddr::V4(v4) => Some(v4.into()),
        IpAddr::V6(v6) => {
            let net = u128::from(v6) & !u128::from(u64::MAX);
            Some(std::net::Ipv6Addr::from(net).into())
        }
    }
}

impl Attempts {
    /// Counts one; false when there were too many.
    pub(crate) fn allow(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut who = counted(from);
        if all.len() >= ADDRESSES && !all.contains_key(&who) {
            all.retain(|_, (since, _)| now.since(*since) < WINDOW_MS);
            if all.len() >= ADDRESSES {
                who = None;
            }
        }
        let (since, count) = all.entry(who).or_insert((now, 0));
        if now.since(*since) >= WINDOW_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_keeps_no_other_out_and_time_lets_it_in_again() {
        let attempts = Attempts::default();
        let at = Timestamp::from_millis;
        let ip = |text: &str| Some(text.parse().unwrap());
        for _ in 0..MOST {
            assert!(attempts.allow(ip("2001:db8::1"), at(1)));
        }
        assert!(
            !attempts.allow(ip("2001:db8::2"), at(2)),
            "the same network"
        );
        assert!(attempts.allow(ip("192.0.2.1"), at(2)));
        assert!(attempts.allow(ip("2001:db8::1"), at(1 + WINDOW_MS)));
    }

    #[test]
    fn many_addresses_take_no_memory_for_ever() {
        let attempts = Attempts::default();
        let now = Timestamp::from_millis(5);
        for n in 0..10_000_u32 {
            attempts.allow(Some(std::net::Ipv4Addr::from(n).into()), now);
        }
        assert!(attempts.0.lock().unwrap().len() <= ADDRESSES + 1);
    }
}
