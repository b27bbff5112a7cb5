//! When each host that is dialled is called next.

use net_model::HostName;
use std::collections::BTreeMap;
use std::time::Duration;
use store::HostRecord;
use tokio::time::Instant;

/// From one good call to the next.
const EVERY: Duration = Duration::from_secs(10);
/// After the first failure; doubled with each more.
const AGAIN: Duration = Duration::from_secs(2);
/// And no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// Who is being called, and when the others are due.
#[derive(Debug, Default)]
pub(super) struct Rota(BTreeMap<HostName, Turn>);

#[derive(Debug)]
struct Turn {
    failures: u32,
    /// None while a call runs.
    next: Option<Instant>,
}

impl Rota {
    /// Those of `wanted` whose turn it is; they count as called until [`Rota::ended`]. Whoever waited longest comes first.
    pub(super) fn due(
        &mut self,
        wanted: impl Iterator<Item = HostRecord>,
        now: Instant,
        at_a_time: usize,
    ) -> Vec<HostRecord> {
        let running = self.0.values().filter(|it| it.next.is_none()).count();
        let mut due: Vec<(Instant, HostRecord)> = wanted
            .filter_map(|host| match self.0.get(&host.name) {
                None => Some((now, host)),
                Some(turn) => turn
                    .next
                    .filter(|next| *next <= now)
                    .map(|next| (next, host)),
            })
            .collect();
        due.sort_by_key(|(next, _)| *next);
        due.truncate(at_a_time.saturating_sub(running));
        let hosts: Vec<HostRecord> = due.into_iter().map(|(_, host)| host).collect();
        for host in &hosts {
            let failures = self.0.get(&host.name).map_or(0, |turn| turn.failures);
            let turn = Turn {
                failures,
                next: None,
            };
            self.0.insert(host.name.clone(), turn);
        }
        // Of hosts that are called no more nothing is kept for ever.
        self.0.retain(|_, turn| {
            turn.next
                .is_none_or(|next| now.saturating_duration_since(next) < LONGEST)
        });
        hosts
    }

    /// A call has ended.
    pub(super) fn ended(&mut self, host: &HostName, good: bool, now: Instant) {
        let Some(turn) = self.0.get_mut(host) else {
            return;
        };
        turn.failures = if good {
            0
        } else {
            turn.failures.saturating_add(1)
        };
        let wait = match turn.failures {
            0 => EVERY,
            n => AGAIN.saturating_mul(1 << (n - 1).min(8)).min(LONGEST),
        };
        turn.next = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::Dial;
    use store::HostState;

    fn host(name: &str) -> HostRecord {
        HostRecord {
            name: name.parse().unwrap(),
            zone: "red".parse().unwrap(),
            roles: Default::default(),
            dial: Dial::In,
            address: None,
            state: HostState::Joined,
            invited_until: None,
            joined: None,
            revoked: None,
            certificate: None,
            has_one_before: false,
        }
    }

    #[test]
    fn who_answers_not_waits_longer_and_a_running_call_is_not_doubled() {
        let mut rota = Rota::default();
        let all = || [host("a"), host("b")].into_iter();
        let names = |hosts: Vec<HostRecord>| -> Vec<String> {
            hosts.iter().map(|it| it.name.to_string()).collect()
        };
        let start = Instant::now();
        assert_eq!(names(rota.due(all(), start, 64)), ["a", "b"]);
        assert!(rota.due(all(), start + CALLED, 64).is_empty());
        rota.ended(&"a".parse().unwrap(), true, start);
        rota.ended(&"b".parse().unwrap(), false, start);
        assert_eq!(
            names(rota.due(all(), start + Duration::from_secs(3), 64)),
            ["b"]
        );
        rota.ended(&"b".parse().unwrap(), false, start + Duration::from_secs(3));
        assert!(
            rota.due(all(), start + Duration::from_secs(5), 64)
                .is_empty()
        );
        assert_eq!(
            names(rota.due(all(), start + Duration::from_secs(11), 1)),
            ["b"]
        );
    }

    const CALLED: Duration = Duration::from_secs(30);
}
