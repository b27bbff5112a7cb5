//! What the twin counts: exchanges by status, tokens of AI routes, turns of nodes, windows of limits.

use super::{ai, ai::Labels};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Most of an answer that is kept to read its usage from.
const MOST_READ: usize = 1 << 20;

/// One exchange, as metrics and loggers tell of it.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) status: u16,
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) route: String,
    pub(super) service: String,
    pub(super) matched: String,
    pub(super) consumer: String,
    pub(super) node: String,
    pub(super) bytes: usize,
    pub(super) asked_bytes: usize,
    pub(super) took: Duration,
    pub(super) first: Duration,
    pub(super) ai: Option<Labels>,
    /// Tokens of prompt and completion, where the upstream told them.
    pub(super) usage: Option<(u64, u64)>,
    /// The plugin's configuration, where `http-logger` is on.
    pub(super) logger: Option<Value>,
    /// Whose tokens these are, where a limit counts them: its key and window.
    pub(super) limited: Option<(String, Duration)>,
    /// Whether `prometheus` is on.
    pub(super) counted: bool,
    /// Places it holds.
    pub(super) held: Vec<Held>,
    read: String,
}

impl Passed {
    pub(super) fn of(route: &str, service: &str, matched: &str, consumer: &str) -> Self {
        Self {
            route: route.to_owned(),
            service: service.to_owned(),
            matched: matched.to_owned(),
            consumer: consumer.to_owned(),
            ..Self::default()
        }
    }

    /// Which of the plugins that tell of an exchange are on.
    /// `on`: whether a plugin's configuration means this exchange.
    pub(super) fn note(
        &mut self,
        plugins: &Map<String, Value>,
        globals: &[Map<String, Value>],
        uri: &str,
        on: impl Fn(&Value) -> bool,
    ) {
        let mut all = globals.iter().chain([plugins]);
        self.counted = all.any(|one| one.contains_key("prometheus"));
        let mut all = globals.iter().chain([plugins]);
        self.logger = all.find_map(|one| one.get("http-logger").filter(|conf| on(conf)).cloned());
        uri.clone_into(&mut self.uri);
    }

    /// Takes in a piece of the answer of an AI route.
    pub(super) fn read(&mut self, data: &Bytes) {
        if self.ai.is_some() && self.read.len() < MOST_READ {
            self.read.push_str(&String::from_utf8_lossy(data));
        }
    }

    pub(super) fn finish(&mut self) {
        if self.ai.is_some() {
            self.usage = ai::usage(&self.read);
        }
    }
}

/// Labels of a line, in their order.
pub(super) type Line = Vec<(&'static str, String)>;

#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) statuses: BTreeMap<Line, u64>,
    pub(super) latency: BTreeMap<Line, (u64, u64)>,
    pub(super) bandwidth: BTreeMap<Line, u64>,
    pub(super) prompt: BTreeMap<Line, u64>,
    pub(super) completion: BTreeMap<Line, u64>,
    pub(super) llm_latency: BTreeMap<Line, (u64, u64)>,
    pub(super) nodes: BTreeMap<String, bool>,
    turns: BTreeMap<String, u64>,
    windows: BTreeMap<String, (Instant, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Exchanges that are open.
    pub(super) open: AtomicUsize,
    pub(super) requests: AtomicU64,
    tallies: Mutex<Tallies>,
    places: Arc<Mutex<BTreeMap<String, u64>>>,
}

/// A place of `limit-conn`; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Held {
    key: String,
    places: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = places.get_mut(&self.key) {
            *open = open.saturating_sub(1);
        }
    }
}

impl Counters {
    pub(super) fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Whose turn it is.
    pub(super) fn turn(&self, upstream: &str) -> u64 {
        let mut tallies = self.tallies();
        let turn = tallies.turns.entry(upstream.to_owned()).or_default();
        *turn += 1;
        *turn - 1
    }

    /// Whether a request ever went to this upstream: its checks begin then.
    pub(super) fn was_asked(&self, upstream: &str) -> bool {
        self.tallies().turns.contains_key(upstream)
    }

    pub(super) fn node(&self, at: &str, reached: bool) {
        self.tallies().nodes.insert(at.to_owned(), reached);
    }

    /// How often this key was counted in its window, and how long the window still lasts.
    pub(super) fn count(&self, key: &str, window: Duration, now: Instant) -> (u64, Duration) {
        let mut tallies = self.tallies();
        let held = tallies.windows.entry(key.to_owned()).or_insert((now, 0));
        if now.duration_since(held.0) >= window {
            *held = (now, 0);
        }
        held.1 += 1;
        (held.1, (held.0 + window).duration_since(now))
    }

    /// How much of this key's window is used up, and how long the window still lasts.
    pub(super) fn used(&self, key: &str, window: Duration, now: Instant) -> (u64, Duration) {
        let mut tallies = self.tallies();
        let held = tallies.windows.entry(key.to_owned()).or_insert((now, 0));
        if now.duration_since(held.0) >= window {
            *held = (now, 0);
        }
        (held.1, (held.0 + window).duration_since(now))
    }

    /// A place, where fewer than `most` are taken.
    pub(super) fn hold(&self, key: &str, most: u64) -> Option<Held> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let open = places.entry(key.to_owned()).or_default();
        if *open >= most {
            return None;
        }
        *open += 1;
        Some(Held {
            key: key.to_owned(),
            places: Arc::clone(&self.places),
        })
    }

    pub(super) fn forget(&self) {
        *self.tallies() = Tallies::default();
        self.requests.store(0, Ordering::Relaxed);
    }

    pub(super) fn add(&self, passed: &Passed) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let (Some((key, _)), Some((prompt, completion))) = (&passed.limited, passed.usage)
            && let Some(held) = self.tallies().windows.get_mut(key)
        {
            held.1 += prompt + completion;
        }
        if !passed.counted {
            return;
        }
        let mut tallies = self.tallies();
        let own = |name, value: &str| (name, value.to_owned());
        let ai = passed.ai.clone().unwrap_or_default();
        let kind = if ai.kind.is_empty() {
            "traditional_http"
        } else {
            &ai.kind
        };
        let place = vec![
            own("route", &passed.route),
            own("service", &passed.service),
            own("consumer", &passed.consumer),
            own("node", &passed.node),
            own("request_type", kind),
            own("request_llm_model", &ai.asked),
            own("llm_model", &ai.model),
        ];
        let mut status = vec![
            own("code", &passed.status.to_string()),
            own("matched_uri", &passed.matched),
            own("matched_host", ""),
        ];
        status.extend(place.clone());
        *tallies.statuses.entry(status).or_default() += 1;
        let mut latency = vec![own("type", "request")];
        latency.extend(place.clone());
        let took = u64::try_from(passed.took.as_millis()).unwrap_or(u64::MAX);
        add(tallies.latency.entry(latency).or_default(), took);
        for (way, bytes) in [("ingress", passed.asked_bytes), ("egress", passed.bytes)] {
            let mut line = vec![own("type", way)];
            line.extend(place.clone());
            *tallies.bandwidth.entry(line).or_default() += bytes as u64;
        }
        if passed.ai.is_some() {
            let mut line = vec![
                own("route_id", &passed.route),
                own("service_id", &passed.service),
            ];
            line.extend(place.into_iter().skip(2));
            let (prompt, completion) = passed.usage.unwrap_or_default();
            *tallies.prompt.entry(line.clone()).or_default() += prompt;
            *tallies.completion.entry(line.clone()).or_default() += completion;
            add(tallies.llm_latency.entry(line).or_default(), took);
        }
    }
}

fn add(to: &mut (u64, u64), value: u64) {
    to.0 += 1;
    to.1 += value;
}
