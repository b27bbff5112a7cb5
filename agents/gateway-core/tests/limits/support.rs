//! Rules and clocks for the tests.

use gateway_core::limits::{Amount, Answer, Cost, Engine, Exchange, Need, Now};
use kill_wire::{Class, Name, Timestamp};
use net_model::{AtEnd, Budget, Limit, MicroDollars, Rules, Selector, Window};
use std::time::Duration;

/// 2026-03-02T00:00:00Z, a Monday.
pub(crate) const MIDNIGHT: u64 = 1_772_409_600_000;

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// So many milliseconds after midnight.
pub(crate) fn now(ms: u64) -> Now {
    Now {
        wall: Timestamp::from_millis(MIDNIGHT + ms),
        since_start: Duration::from_millis(ms),
    }
}

pub(crate) fn budget(of: Selector, tokens: u64, at_end: AtEnd) -> Budget {
    Budget {
        name: name("day"),
        of,
        window: Window::Day,
        tokens: Some(tokens),
        money: None,
        at_end,
    }
}

pub(crate) fn limit(requests: Option<u32>, tokens: Option<u64>, open: Option<u32>) -> Limit {
    Limit {
        name: name("pace"),
        of: Selector::default(),
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        open,
    }
}

pub(crate) fn rules(budgets: Vec<Budget>, limits: Vec<Limit>) -> Rules {
    Rules {
        budgets,
        limits,
        ..Rules::default()
    }
}

/// An engine that knows the consumers `claw` and `paw`, both agents, and `rag`.
pub(crate) fn engine(rules: &Rules) -> Engine {
    let mut engine = Engine::default();
    load(&mut engine, rules, now(0));
    engine
}

pub(crate) fn load(engine: &mut Engine, rules: &Rules, at: Now) {
    let (claw, paw, rag, agent) = (name("claw"), name("paw"), name("rag"), name("agent"));
    let consumers = [(&claw, Some(&agent)), (&paw, Some(&agent)), (&rag, None)];
    engine.load(rules, &consumers, at).unwrap();
}

pub(crate) struct Who {
    consumer: Name,
    role: Option<Name>,
    route: Name,
}

impl Who {
    pub(crate) fn of(consumer: &str) -> Self {
        Self {
            consumer: name(consumer),
            role: (consumer != "rag").then(|| name("agent")),
            route: name("chat"),
        }
    }

    pub(crate) fn asks<'a>(&'a self, model: &'a str, class: Class) -> Exchange<'a> {
        Exchange {
            consumer: &self.consumer,
            role: self.role.as_ref(),
            route: &self.route,
            model,
            class,
        }
    }
}

pub(crate) fn tokens(tokens: u64) -> Amount {
    Amount {
        tokens,
        money: MicroDollars::ZERO,
    }
}

/// An answer that flows, after a prompt of so many tokens.
pub(crate) fn flows(prompt: u64) -> Need {
    Need {
        prompt: tokens(prompt),
        answer: Answer::Flows,
        cost: Cost::Free,
    }
}

pub(crate) fn spent(engine: &mut Engine, at: Now) -> (u64, u64) {
    let standing = engine.standings(at).into_iter().next().unwrap();
    (standing.spent, standing.held)
}
