//! What a gateway counted since it was last asked, out of counters that only grow.

use std::collections::BTreeMap;

/// One counter of a gateway: how often a route was answered with a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The route, as the gateway calls it.
    pub route: String,
    /// The server that answered, as the gateway calls it; empty where the gateway answered itself.
    pub by: String,
    /// The status.
    pub status: u16,
    /// How often since the gateway started.
    pub total: u64,
}

/// What was answered since the last count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// By a server that did its work, or found fault with the client.
    pub served: u64,
    /// 408 and the 500s.
    pub failed: u64,
    /// 429.
    pub too_many: u64,
}

/// Counters as they were last seen.
#[derive(Debug, Default)]
pub struct Counts {
    last: BTreeMap<(String, String, u16), u64>,
    begun: bool,
}

/// Most counters that are kept; a gateway with more has more routes than a table may name.
const MAX_COUNTERS: usize = 65_536;

impl Counts {
    /// What has come since the last call, by route and server. The first call only begins to count.
    ///
    /// What a gateway answered itself counts nothing: a refusal says nothing of any target. A counter that shrank began
    /// anew with its gateway.
    pub fn since(&mut self, samples: &[Sample]) -> BTreeMap<(String, String), Since> {
        let mut found: BTreeMap<(String, String), Since> = BTreeMap::new();
        let mut now = BTreeMap::new();
        for sample in samples.iter().filter(|it| !it.by.is_empty()) {
            if now.len() >= MAX_COUNTERS {
                break;
            }
            let key = (sample.route.clone(), sample.by.clone(), sample.status);
            // Labels besides these make several counters of one.
            *now.entry(key).or_default() += sample.total;
        }
        for ((route, by, status), total) in &now {
            let key = (route.clone(), by.clone(), *status);
            let before = self.last.get(&key).copied().unwrap_or(0);
            let new = if *total < before {
                *total
            } else {
                total - before
            };
            if !self.begun || new == 0 {
                continue;
            }
            let since = found.entry((route.clone(), by.clone())).or_default();
            match status {
                429 => since.too_many += new,
                408 | 500..=599 => since.failed += new,
                _ => since.served += new,
            }
        }
        self.last = now;
        self.begun = true;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(by: &str, status: u16, total: u64) -> Sample {
        Sample {
            route: "chat".to_owned(),
            by: by.to_owned(),
            status,
            total,
        }
    }

    #[test]
    fn only_what_is_new_and_was_answered_by_a_server_counts() {
        let mut counts = Counts::default();
        let first = [sample("10.0.0.5", 200, 7), sample("", 503, 90)];
        assert!(counts.since(&first).is_empty());
        let then = [
            sample("10.0.0.5", 200, 9),
            sample("10.0.0.5", 502, 1),
            sample("10.0.0.5", 429, 4),
            sample("10.0.0.5", 404, 1),
            sample("", 503, 95),
        ];
        let since = counts.since(&then);
        let key = ("chat".to_owned(), "10.0.0.5".to_owned());
        let wanted = Since {
            served: 3,
            failed: 1,
            too_many: 4,
        };
        assert_eq!(since.get(&key), Some(&wanted));
        assert_eq!(since.len(), 1);
        assert!(counts.since(&then).is_empty());
    }

    #[test]
    fn a_gateway_that_started_anew_counts_from_nothing() {
        let mut counts = Counts::default();
        counts.since(&[sample("a", 500, 100)]);
        let since = counts.since(&[sample("a", 500, 2)]);
        assert_eq!(since.values().next().unwrap().failed, 2);
    }
}
