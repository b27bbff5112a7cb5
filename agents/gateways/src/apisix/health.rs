//! How the targets fare by the gateway's own checks, as its control API said last. Pure.
//!
//! What it says opens and closes nothing: a route has one target, and APISIX asks that one whether it is well or not.

use crate::GatewayError;
use kill_wire::{Name, Timestamp};
use net_model::{BreakerState, HealthView, RouteTable, TargetView};
use std::collections::BTreeMap;

/// What was heard last.
#[derive(Debug, Default)]
pub(super) struct Health {
    targets: BTreeMap<Name, Verdict>,
    trouble: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Verdict {
    well: bool,
    /// Since when it is what it is.
    since: Timestamp,
    at: Timestamp,
}

impl Health {
    /// Takes in what was said at `now`. Where nothing could be heard, what was said before says nothing of now.
    pub(super) fn hear(&mut self, said: Result<Vec<(Name, bool)>, GatewayError>, now: Timestamp) {
        let before = std::mem::take(&mut self.targets);
        let said = match said {
            Ok(said) => said,
            Err(why) => {
                self.trouble = Some(why.to_string());
                return;
            }
        };
        self.trouble = None;
        for (name, well) in said {
            let same = before.get(&name).filter(|before| before.well == well);
            let verdict = Verdict {
                well,
                since: same.map_or(now, |before| before.since),
                at: now,
            };
            self.targets.insert(name, verdict);
        }
    }

    /// Of the targets that are wanted, those that are watched.
    pub(super) fn views(&self, table: &RouteTable) -> Vec<TargetView> {
        let views = table.targets().iter().filter_map(|target| {
            let verdict = self.targets.get(&target.name)?;
            Some(TargetView {
                name: target.name.clone(),
                class: target.class,
                state: BreakerState::Closed,
                since: verdict.since,
                why: None,
                failures: 0,
                open: 0,
                health: Some(HealthView {
                    at: verdict.at,
                    well: verdict.well,
                }),
            })
        });
        views.collect()
    }

    /// Why nothing is known of it; none where it was heard, or nobody asks.
    pub(super) fn notice(&self) -> Option<String> {
        let why = self.trouble.as_ref()?;
        Some(format!(
            "its control API {why}: how its own checks find the targets is not known"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Class;
    use net_model::Target;
    use std::time::Duration;

    const fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn said(all: &[(&str, bool)]) -> Result<Vec<(Name, bool)>, GatewayError> {
        let all = all.iter();
        Ok(all
            .map(|(name, well)| (name.parse().unwrap(), *well))
            .collect())
    }

    fn table() -> RouteTable {
        let target = |name: &str, class| {
            Target::new(
                name.parse().unwrap(),
                class,
                "http://10.0.0.1/v1".parse().unwrap(),
            )
        };
        let targets = vec![target("ollama", Class::Local), target("sky", Class::Cloud)];
        RouteTable::new(targets, Vec::new(), Vec::new()).unwrap()
    }

    fn seen(health: &Health) -> Vec<(String, bool, u64, u64)> {
        let views = health.views(&table()).into_iter();
        views
            .map(|view| {
                let health = view.health.unwrap();
                (
                    view.name.to_string(),
                    health.well,
                    view.since.millis(),
                    health.at.millis(),
                )
            })
            .collect()
    }

    #[test]
    fn a_verdict_keeps_the_moment_since_which_it_holds() {
        let mut health = Health::default();
        assert!(seen(&health).is_empty() && health.notice().is_none());
        health.hear(said(&[("ollama", true), ("nobody", false)]), at(10));
        health.hear(said(&[("ollama", true)]), at(20));
        assert_eq!(seen(&health), [("ollama".to_owned(), true, 10, 20)]);
        health.hear(said(&[("ollama", false), ("sky", true)]), at(30));
        assert_eq!(
            seen(&health),
            [
                ("ollama".to_owned(), false, 30, 30),
                ("sky".to_owned(), true, 30, 30)
            ]
        );
    }

    #[test]
    fn what_cannot_be_heard_is_not_known_and_is_said_until_it_is_heard_again() {
        let mut health = Health::default();
        health.hear(said(&[("ollama", true)]), at(10));
        health.hear(Err(GatewayError::Silent(Duration::from_secs(2))), at(20));
        assert!(seen(&health).is_empty());
        assert!(
            health
                .notice()
                .unwrap()
                .contains("did not answer within 2s")
        );
        health.hear(said(&[("ollama", true)]), at(30));
        assert_eq!(seen(&health), [("ollama".to_owned(), true, 30, 30)]);
        assert_eq!(health.notice(), None);
    }
}
