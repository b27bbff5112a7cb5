//! Figures for Prometheus. Names follow the OpenTelemetry conventions for generative AI where there is one.
//!
//! Labels hold only names out of the route table and fixed words, so that no client can make new series.

mod following;
mod rules;
mod ways;

pub(crate) use following::FollowFigures;
pub(crate) use ways::OfWay;

use crate::deny::Denied;
use kill_wire::{Name, ProbePoint};
use net_model::{BreakerState, BudgetView, Reaction, TargetView, TripKind};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use rules::RuleFigures;
use std::{fmt, sync::Arc, time::Duration};
use ways::Ways;

/// One way through the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    consumer: String,
    route: String,
    target: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayAnd {
    consumer: String,
    route: String,
    target: String,
    what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fallback {
    route: String,
    from: String,
    to: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTarget {
    target: String,
}

type Histograms = Family<Way, Histogram, fn() -> Histogram>;

/// All figures of one gateway.
pub(crate) struct Metrics {
    registry: Registry,
    exchanges: Family<WayAnd, Counter>,
    tokens: Family<WayAnd, Counter>,
    durations: Histograms,
    first_bytes: Histograms,
    refusals: Family<Reason, Counter>,
    fallbacks: Family<Fallback, Counter>,
    breakers: Family<OfTarget, Gauge>,
    rules: RuleFigures,
    ways: Ways,
    following: FollowFigures,
    severed: Counter,
    lingering: Counter,
    spool_dropped: Counter,
    open: Gauge,
    overlay_seq: Gauge,
    closed: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 16))
}

impl Metrics {
    /// All at zero.
    #[expect(
        clippy::too_many_lines,
        reason = "a flat list: one entry for each figure, read as a table"
    )]
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            exchanges: Family::default(),
            tokens: Family::default(),
            durations: Histograms::new_with_constructor(seconds),
            first_bytes: Histograms::new_with_constructor(seconds),
            refusals: Family::default(),
            fallbacks: Family::default(),
            breakers: Family::default(),
            rules: RuleFigures::default(),
            ways: Ways::default(),
            following: FollowFigures::default(),
            severed: Counter::default(),
            lingering: Counter::default(),
            spool_dropped: Counter::default(),
            open: Gauge::default(),
            overlay_seq: Gauge::default(),
            closed: Gauge::default(),
        };
        let mut registry = Registry::default();
        registry.register(
            "portcullis_gateway_exchanges",
            "Ended exchanges by how they ended",
            metrics.exchanges.clone(),
        );
        registry.register(
            "gen_ai_client_token_usage",
            "Tokens, by `what`: input or output",
            metrics.tokens.clone(),
        );
        registry.register(
            "gen_ai_server_request_duration_seconds",
            "From request to end of the answer",
            metrics.durations.clone(),
        );
        // The same figure, as whoever asks knows it.
        registry.register(
            "gen_ai_client_operation_duration_seconds",
            "From request to end of the answer",
            metrics.durations.clone(),
        );
        registry.register(
            "gen_ai_server_time_to_first_token_seconds",
            "From request to the first byte of the answer's body",
            metrics.first_bytes.clone(),
        );
        registry.register(
            "portcullis_gateway_refused",
            "Requests refused, by code",
            metrics.refusals.clone(),
        );
        registry.register(
            "portcullis_gateway_fallbacks",
            "Times a target was asked in place of one before it, by `reason`",
            metrics.fallbacks.clone(),
        );
        registry.register(
            "portcullis_gateway_target_breaker",
            "0 closed, 1 half-open, 2 open",
            metrics.breakers.clone(),
        );
        registry.register(
            "portcullis_gateway_severed",
            "Exchanges ended by an overlay",
            metrics.severed.clone(),
        );
        registry.register(
            "portcullis_gateway_lingering",
            "Of these, not gone when the agent was answered",
            metrics.lingering.clone(),
        );
        registry.register(
            "portcullis_gateway_spool_dropped",
            "Usage records that could not be kept",
            metrics.spool_dropped.clone(),
        );
        registry.register(
            "portcullis_gateway_open_exchanges",
            "Exchanges open now",
            metrics.open.clone(),
        );
        registry.register(
            "portcullis_gateway_overlay_seq",
            "Number of the overlay in force",
            metrics.overlay_seq.clone(),
        );
        registry.register(
            "portcullis_gateway_closed",
            "1 until the first overlay is in force",
            metrics.closed.clone(),
        );
        metrics.rules.register(&mut registry);
        metrics.following.register(&mut registry);
        Self {
            registry,
            ..metrics
        }
    }

    /// Everything as OpenMetrics text; `open` exchanges now, under the overlay of number `seq`, with these targets.
    pub(crate) fn text(&self, open: u32, seq: Option<u64>, targets: &[TargetView]) -> String {
        // A target that is no longer there leaves no figure behind.
        self.breakers.clear();
        for view in targets {
            let target = view.name.to_string();
            self.breakers
                .get_or_create(&OfTarget { target })
                .set(match view.state {
                    BreakerState::Closed => 0,
                    BreakerState::HalfOpen => 1,
                    BreakerState::Open => 2,
                });
        }
        self.open.set(i64::from(open));
        self.closed.set(i64::from(seq.is_none()));
        self.overlay_seq
            .set(i64::try_from(seq.unwrap_or(0)).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _infallible = encode(&mut text, &self.registry);
        text
    }

    /// Of those who follow along.
    pub(crate) const fn following(&self) -> &FollowFigures {
        &self.following
    }

    /// A request was refused.
    pub(crate) fn refused(&self, denied: &Denied) {
        let code = denied.code();
        self.refusals.get_or_create(&Reason { code }).inc();
    }

    /// `to` is asked because `from` does not serve now.
    pub(crate) fn fell_back(&self, route: &Name, from: &Name, to: &Name, reason: &'static str) {
        let labels = Fallback {
            route: route.to_string(),
            from: from.to_string(),
            to: to.to_string(),
            reason,
        };
        self.fallbacks.get_or_create(&labels).inc();
    }

    /// How budgets stand, just before they are told of.
    pub(crate) fn budgets(&self, budgets: &[BudgetView]) {
        self.rules.stand(budgets);
    }

    /// A budget is gone.
    pub(crate) fn budget_gone(&self, budget: &str, at_end: &'static str) {
        self.rules.gone(budget, at_end);
    }

    /// A consumer looks like a runaway.
    pub(crate) fn runaway(&self, consumer: &str, kind: TripKind, reaction: Reaction) {
        self.rules.runaway(consumer, kind, reaction);
    }

    /// The gateway has closed something by itself.
    pub(crate) fn tripped(&self, kind: TripKind) {
        self.rules.tripped(kind);
    }

    /// An overlay ended exchanges.
    pub(crate) fn severed(&self, severed: u32, lingering: u32) {
        self.severed.inc_by(u64::from(severed));
        self.lingering.inc_by(u64::from(lingering));
    }

    /// A usage record could not be kept.
    pub(crate) fn dropped(&self, records: u64) {
        self.spool_dropped.inc_by(records);
    }

    /// The figures of this way, for whoever counts on it more than once.
    pub(crate) fn way(&self, point: &ProbePoint) -> Arc<OfWay> {
        self.ways.of(point)
    }

    /// The first byte of an answer's body came.
    pub(crate) fn first_byte(&self, of: &OfWay, after: Duration) {
        let make = || self.first_bytes.get_or_create_owned(&of.labels);
        of.first_byte.get_or_init(make).observe(after.as_secs_f64());
    }

    /// An exchange ended.
    pub(crate) fn ended(
        &self,
        of: &OfWay,
        how: &'static str,
        (prompt, completion): (u64, u64),
        took: Duration,
    ) {
        let with = |what| WayAnd::new(&of.labels, what);
        let exchanges = || self.exchanges.get_or_create_owned(&with(how));
        of.ended(how, exchanges).inc();
        let tokens = |what| self.tokens.get_or_create_owned(&with(what));
        of.input.get_or_init(|| tokens("input")).inc_by(prompt);
        let output = of.output.get_or_init(|| tokens("output"));
        output.inc_by(completion);
        let durations = || self.durations.get_or_create_owned(&of.labels);
        of.took.get_or_init(durations).observe(took.as_secs_f64());
    }
}

impl WayAnd {
    fn new(way: &Way, what: &'static str) -> Self {
        Self {
            consumer: way.consumer.clone(),
            route: way.route.clone(),
            target: way.target.clone(),
            what,
        }
    }
}
