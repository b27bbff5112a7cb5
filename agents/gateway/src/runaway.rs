//! Shows each consumer's exchanges to what tells a runaway from the busy, and does what the rules say about it.

use crate::{clock, deny::Denied, governor::Governor, metrics::Metrics};
use arc_swap::ArcSwap;
use gateway_core::runaway::{Begun, DayBudget, Finding, Opened, Outcome, Prompt, Watch};
use kill_wire::{Name, Scope};
use net_model::{
    Api, Budget, Ended, MicroDollars, Reaction, RemarkKind, RouteTable, Rules, RunawayRules,
    Selector, Trip, Window, cause,
};
use std::{
    collections::HashMap,
    hash::RandomState,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Longest time between two looks at an answer that flows.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Until the meter knows better.
const BYTES_PER_TOKEN: u64 = 4;

/// The watches of all consumers.
#[derive(Debug)]
pub(crate) struct Runaways {
    /// By consumer; empty when nothing is looked for.
    watched: ArcSwap<HashMap<Name, Arc<Mutex<Watch>>>>,
    /// Of the fingerprints: another in each run, never written down.
    secret: RandomState,
    governor: Arc<Governor>,
    metrics: Arc<Metrics>,
    started: Instant,
}

impl Runaways {
    /// Watches the consumers of `table` under these rules.
    pub(crate) fn new(
        rules: &Rules,
        table: &RouteTable,
        governor: &Arc<Governor>,
        metrics: &Arc<Metrics>,
    ) -> Arc<Self> {
        let runaways = Self {
            watched: ArcSwap::default(),
            secret: RandomState::new(),
            governor: Arc::clone(governor),
            metrics: Arc::clone(metrics),
            started: Instant::now(),
        };
        runaways.reload(rules, table);
        Arc::new(runaways)
    }

    /// Other rules and consumers from now on; what is known of those that stay is kept.
    pub(crate) fn reload(&self, rules: &Rules, table: &RouteTable) {
        let before = self.watched.load();
        let mut watched = HashMap::new();
        if is_looked_for(&rules.runaway) {
            for consumer in table.consumers() {
                let budget = day_budget(&rules.budgets, &consumer.name);
                let runaway = rules.runaway.clone();
                let watch = match before.get(&consumer.name) {
                    Some(watch) => {
                        locked(watch).hold_to(runaway, budget);
                        Arc::clone(watch)
                    }
                    None => Arc::new(Mutex::new(Watch::new(runaway, budget))),
                };
                watched.insert(consumer.name.clone(), watch);
            }
        }
        self.watched.store(Arc::new(watched));
    }

    /// What is remembered of a prompt, where anything is looked for. Takes time proportional to the body.
    pub(crate) fn prompt(&self, body: &[u8]) -> Option<Prompt> {
        let looked_for = !self.watched.load().is_empty();
        looked_for.then(|| Prompt::read(body, &self.secret))
    }

    /// A request of `consumer` begins: `prompt` in `api`, of so many bytes. Refused while the consumer is slowed down.
    pub(crate) fn begin(
        self: &Arc<Self>,
        consumer: &Name,
        api: Api,
        prompt: Option<Prompt>,
        prompt_bytes: u64,
    ) -> Result<Option<Trail>, Denied> {
        let watch = self.watched.load().get(consumer).map(Arc::clone);
        let Some((watch, prompt)) = watch.zip(prompt) else {
            return Ok(None);
        };
        let begun = Begun {
            prompt,
            tokens: prompt_bytes / BYTES_PER_TOKEN,
            generates: !matches!(api, Api::Embeddings | Api::OllamaEmbed | Api::Realtime),
        };
        let now = self.now();
        let (opened, finding) = {
            let mut watch = locked(&watch);
            watch
                .admit(now)
                .map_err(|wait| Denied::slowed_down(&wait))?;
            watch.begin(&begun, now)
        };
        let trail = Trail {
            runaways: Arc::clone(self),
            consumer: consumer.clone(),
            watch,
            opened: Some(opened),
            looked: now,
        };
        trail.answer(finding);
        Ok(Some(trail))
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn found(&self, consumer: &Name, finding: &Finding) {
        let (kind, figures) = (finding.kind.as_str(), finding.figures.as_str());
        let remark = |remark, done| {
            let text = format!("{figures}; {done}");
            self.governor.remark(remark, Some(consumer.clone()), &text);
        };
        self.metrics
            .runaway(consumer.as_str(), finding.kind, finding.reaction);
        match finding.reaction {
            Reaction::Off => {}
            Reaction::Alert => {
                tracing::warn!(%consumer, kind, figures, "This consumer looks like a runaway; nothing is done about it.");
                remark(RemarkKind::Alert, "nothing is done about it");
            }
            Reaction::Throttle => {
                tracing::warn!(%consumer, kind, figures, "This consumer looks like a runaway; it is slowed down for a while.");
                remark(RemarkKind::Throttle, "slowed down for a while");
            }
            Reaction::Trip => self.governor.trip(Trip {
                at: clock::now(),
                consumer: Some(consumer.clone()),
                scope: Scope::Named(consumer.clone()),
                kind: finding.kind,
                cause: cause(&format!("{consumer}: {figures}")),
            }),
        }
    }
}

/// One exchange, as it is watched. Dropped without an end, the gateway itself has refused it.
#[derive(Debug)]
pub(crate) struct Trail {
    runaways: Arc<Runaways>,
    consumer: Name,
    watch: Arc<Mutex<Watch>>,
    /// Taken when it has ended.
    opened: Option<Opened>,
    looked: Duration,
}

impl Trail {
    /// More of the answer has passed.
    pub(crate) fn passed(&mut self, tokens: impl FnOnce() -> u64) {
        let now = self.runaways.now();
        if now.saturating_sub(self.looked) < LOOK_EVERY {
            return;
        }
        self.looked = now;
        let Some(opened) = &mut self.opened else {
            return;
        };
        let finding = locked(&self.watch).passed(opened, tokens(), now);
        self.answer(finding);
    }

    /// It has ended, with so many tokens in all, and their cost where that is known.
    pub(crate) fn ended(mut self, outcome: Outcome, last: (u64, Option<MicroDollars>)) {
        self.end(outcome, last);
    }

    fn end(&mut self, outcome: Outcome, last: (u64, Option<MicroDollars>)) {
        let Some(opened) = self.opened.take() else {
            return;
        };
        let now = self.runaways.now();
        let finding = locked(&self.watch).ended(opened, outcome, last, now);
        self.answer(finding);
    }

    /// Never under the watch's lock: a trip sweeps what is open.
    fn answer(&self, finding: Option<Finding>) {
        if let Some(finding) = finding {
            self.runaways.found(&self.consumer, &finding);
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.end(Outcome::NotLet, (0, None));
    }
}

fn locked(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_looked_for(rules: &RunawayRules) -> bool {
    let reactions = rules.reactions();
    reactions.iter().any(|reaction| *reaction != Reaction::Off)
}

/// The narrowest budgets of a day that are about this consumer and nothing else.
fn day_budget(budgets: &[Budget], consumer: &Name) -> DayBudget {
    let of = Selector {
        consumer: Some(consumer.clone()),
        ..Selector::default()
    };
    let own = budgets
        .iter()
        .filter(|budget| budget.window == Window::Day && budget.of == of);
    DayBudget {
        tokens: own.clone().filter_map(|budget| budget.tokens).min(),
        money: own.filter_map(|budget| budget.money).min(),
    }
}

/// What a recorded exchange says of its consumer. `status` is the one the client was given.
pub(crate) const fn outcome(ended: Ended, status: u16) -> Outcome {
    match (ended, status) {
        (Ended::Cut | Ended::Budget | Ended::Tripped | Ended::Stopped, _) => Outcome::NotLet,
        (_, ..400) => Outcome::Answered,
        // Too late and too many are the target's, an absent client's request was not wrong.
        (Ended::ClientGone | Ended::UpstreamFailed, _) | (Ended::Complete, 408 | 429 | 500..) => {
            Outcome::Failed
        }
        (Ended::Complete, _) => Outcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_target_refused_as_wrong_is_the_consumer_s_own_fault() {
        for (ended, status, expected) in [
            (Ended::Complete, 200, Outcome::Answered),
            (Ended::ClientGone, 200, Outcome::Answered),
            (Ended::UpstreamFailed, 200, Outcome::Answered),
            (Ended::Complete, 400, Outcome::Refused),
            (Ended::Complete, 404, Outcome::Refused),
            (Ended::Complete, 429, Outcome::Failed),
            (Ended::Complete, 503, Outcome::Failed),
            (Ended::UpstreamFailed, 502, Outcome::Failed),
            (Ended::ClientGone, 499, Outcome::Failed),
            (Ended::Cut, 200, Outcome::NotLet),
            (Ended::Budget, 200, Outcome::NotLet),
            (Ended::Cut, 503, Outcome::NotLet),
        ] {
            assert_eq!(outcome(ended, status), expected, "{ended:?} {status}");
        }
    }

    #[test]
    fn only_a_budget_of_this_consumer_alone_is_its_measure() {
        let budget = |consumer: Option<&str>, window, tokens| Budget {
            name: "b".parse().unwrap(),
            of: Selector {
                consumer: consumer.map(|name| name.parse().unwrap()),
                ..Selector::default()
            },
            window,
            tokens: Some(tokens),
            money: None,
            at_end: net_model::AtEnd::Soft,
        };
        let budgets = [
            budget(Some("claw"), Window::Day, 900),
            budget(Some("claw"), Window::Day, 700),
            budget(Some("claw"), Window::Hour, 5),
            budget(Some("paw"), Window::Day, 6),
            budget(None, Window::Day, 7),
        ];
        let claw = "claw".parse().unwrap();
        let expected = DayBudget {
            tokens: Some(700),
            money: None,
        };
        assert_eq!(day_budget(&budgets, &claw), expected);
    }
}
