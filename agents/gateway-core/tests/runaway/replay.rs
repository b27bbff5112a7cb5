//! Normal days, replayed: nothing may be found.

use crate::house::{Book, DAY, Event, NAMES, What};
use gateway_core::runaway::{DayBudget, Finding, Opened, Watch};
use net_model::{Reaction, RunawayRules};
use std::{collections::HashMap, env, time::Duration};

/// Days before the one that is judged, in which a consumer gets a history. They are judged too.
pub(crate) const DAYS: u64 = 3;

pub(crate) const ALL_TRIP: RunawayRules = RunawayRules {
    spike: Reaction::Trip,
    repeats: Reaction::Trip,
    errors: Reaction::Trip,
    storm: Reaction::Trip,
};

/// Watches all consumers.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) watches: Vec<Watch>,
    opened: HashMap<u64, Opened>,
}

impl Replay {
    pub(crate) fn new(budgets: &[u64]) -> Self {
        let budget = |tokens: &u64| DayBudget {
            tokens: (*tokens > 0).then_some(*tokens),
            money: None,
        };
        Self {
            watches: budgets
                .iter()
                .map(|tokens| Watch::new(ALL_TRIP, budget(tokens)))
                .collect(),
            opened: HashMap::new(),
        }
    }

    pub(crate) fn next(&mut self, event: &Event) -> Option<Finding> {
        let now = Duration::from_millis(event.at);
        let watch = &mut self.watches[event.consumer];
        match event.what {
            What::Begins(begun) => {
                let (opened, finding) = watch.begin(&begun, now);
                self.opened.insert(event.exchange, opened);
                finding
            }
            What::Passes(tokens) => {
                let opened = self.opened.get_mut(&event.exchange)?;
                watch.passed(opened, tokens, now)
            }
            What::Ends(outcome, tokens) => {
                let opened = self.opened.remove(&event.exchange)?;
                watch.ended(opened, outcome, (tokens, None), now)
            }
        }
    }
}

/// Some days of the house, in order.
pub(crate) fn days(seed: u64) -> Vec<Event> {
    let mut book = Book::new(seed);
    for day in 0..DAYS {
        book.day(day);
    }
    let mut events = book.events;
    events.sort_by_key(|event| event.at);
    events
}

/// What each consumer uses in a day.
pub(crate) fn usual_day(events: &[Event]) -> Vec<u64> {
    let mut all = vec![0; NAMES.len()];
    for event in events {
        if let What::Ends(_, tokens) = event.what {
            all[event.consumer] += tokens / DAYS;
        }
    }
    all
}

/// Seeds to replay: `RUNAWAY_SEEDS=from..to`, by default some that no bound was chosen by.
pub(crate) fn seeds() -> std::ops::Range<u64> {
    let asked = env::var("RUNAWAY_SEEDS").ok();
    let asked = asked.as_deref().and_then(|text| text.split_once(".."));
    asked.map_or(9001..9004, |(from, to)| {
        from.parse().unwrap()..to.parse().unwrap()
    })
}

#[test]
fn three_days_of_normal_traffic_trip_nothing() {
    let mut found = Vec::new();
    for seed in seeds() {
        let events = days(seed);
        let usual = usual_day(&events);
        // One house has budgets, the other has none.
        let budgets: Vec<u64> = usual.iter().map(|day| day * 2 * (seed % 2)).collect();
        let mut replay = Replay::new(&budgets);
        for event in &events {
            if let Some(finding) = replay.next(event) {
                let day = event.at / DAY;
                found.push(format!(
                    "seed {seed} day {day}: {}: {:?} {}",
                    NAMES[event.consumer], finding.kind, finding.figures
                ));
            }
        }
        println!(
            "seed {seed}: {} exchanges in {DAYS} days, tokens a day {usual:?}, false findings so far {}",
            events
                .iter()
                .filter(|event| matches!(event.what, What::Begins(_)))
                .count(),
            found.len()
        );
    }
    assert!(
        found.is_empty(),
        "{} false findings:\n{}",
        found.len(),
        found.join("\n")
    );
}
