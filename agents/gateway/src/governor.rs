//! Holds every exchange to the rules of the house, and closes by itself what a trip is about.
//!
//! **Invariant:** nothing here opens what an overlay closes, and a closure of its own ends only when the latch it
//! asked for was restored, or when the operator took its rule away.

mod closures;
mod keeper;
mod permit;

pub(crate) use permit::{Permit, Wanted};

use crate::{
    clock,
    deny::Denied,
    metrics::Metrics,
    registry::{Registry, Standing},
};
use closures::{Closures, Rule};
use gateway_core::limits::{Engine, Gone, Now, UnknownZone};
use keeper::{Keeper, State};
use kill_wire::{Name, Subject};
use net_model::{
    AtEnd, BudgetView, Overlay, Remark, RemarkKind, RouteTable, Rules, Trip, TripKind, cause,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::time::Instant;

/// Budgets, limits and closures of one gateway.
#[derive(Debug)]
pub(crate) struct Governor {
    engine: Mutex<Engine>,
    /// Whether there is any budget or limit: without one nothing is locked.
    ruled: AtomicBool,
    closures: Closures,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    keeper: Keeper,
    started: Instant,
}

impl Governor {
    /// Holds to these rules, and goes on with the figures that the last run left in `dir`.
    ///
    /// Fails when nobody knows the time zone, or the folder cannot be used.
    pub(crate) fn start(
        rules: &Rules,
        table: &RouteTable,
        dir: &Path,
        registry: &Arc<Registry>,
        metrics: &Arc<Metrics>,
    ) -> anyhow::Result<Arc<Self>> {
        let started = Instant::now();
        let keeper = Keeper::open(dir)?;
        let mut engine = Engine::default();
        load(&mut engine, rules, table, now(started))?;
        let closures = match keeper.read() {
            Ok(state) => {
                engine.recover(&state.budgets, now(started));
                state.closures
            }
            Err(why) => {
                tracing::error!(
                    why,
                    "What budgets had counted cannot be read: each that refuses at its end counts as gone until its window turns."
                );
                engine.forget();
                Vec::new()
            }
        };
        let governor = Arc::new(Self {
            engine: Mutex::new(engine),
            ruled: AtomicBool::new(is_ruled(rules)),
            closures: Closures::new(closures),
            registry: Arc::clone(registry),
            metrics: Arc::clone(metrics),
            keeper,
            started,
        });
        // Whether the kill switch was ever asked is not known: to ask twice does no harm.
        for trip in governor.closures.unlatched() {
            governor.keeper.queue(trip);
        }
        governor.keeper.start(&governor)?;
        Ok(governor)
    }

    /// Holds to other rules from now on. With an unknown time zone those before stay.
    pub(crate) fn reload(&self, rules: &Rules, table: &RouteTable) {
        let loaded = load(&mut self.engine(), rules, table, self.now());
        if let Err(error) = loaded {
            tracing::error!(%error, "The rules were not taken; those before stay.");
            return;
        }
        self.ruled.store(is_ruled(rules), Ordering::Release);
        for closure in self.closures.without_rules(rules) {
            tracing::info!(scope = %closure.trip.scope, cause = closure.trip.cause, "Its rule is gone or another: the gateway itself no longer closes this.");
        }
        tracing::info!(
            budgets = rules.budgets.len(),
            limits = rules.limits.len(),
            "Other rules are in place."
        );
    }

    /// Whether `subject` may pass, as far as the gateway closed anything by itself.
    pub(crate) fn admits(&self, subject: &Subject<'_>) -> Result<(), Denied> {
        self.closures.admits(subject)
    }

    /// Closes the scope of a trip at once: refuses what is new, ends what is open, and then asks the kill switch, by
    /// way of the spool, to latch it.
    pub(crate) fn trip(&self, trip: Trip) {
        self.trip_by(trip, None);
    }

    fn trip_by(&self, trip: Trip, rule: Option<Rule>) {
        let Some(trip) = self.closures.close(trip, rule) else {
            return;
        };
        // In force before the sweep: whichever of an exchange and the sweep comes second finds the other.
        let swept = self.registry.sever_where(|standing| match standing {
            Standing::Chosen(point) => self.closures.admits(&point.subject()).err(),
            Standing::Undecided(..) => None,
        });
        self.keeper.queue(trip.clone());
        self.metrics.tripped(trip.kind);
        let (scope, cause) = (trip.scope.to_string(), trip.cause.as_str());
        let severed = swept.severed;
        tracing::error!(
            scope,
            cause,
            severed,
            "Tripped: closed here, and the kill switch is asked to latch it."
        );
    }

    /// Takes note of what is latched: a closure whose latch was restored ends, and its budget counts anew.
    pub(crate) fn saw(&self, overlay: &Overlay) {
        for closure in self.closures.saw(overlay) {
            tracing::info!(scope = %closure.trip.scope, "What the gateway had closed by itself was latched and restored.");
            if let Some(rule) = closure.rule {
                self.engine().grant(&rule.budget);
            }
        }
    }

    /// What the gateway closes by itself now.
    pub(crate) fn trips(&self) -> Vec<Trip> {
        self.closures.trips()
    }

    /// Has somebody told: nothing is closed, and nothing waits for it.
    pub(crate) fn remark(&self, kind: RemarkKind, consumer: Option<Name>, text: &str) {
        self.keeper.remark(Remark {
            at: clock::now(),
            consumer,
            kind,
            text: cause(text),
        });
    }

    /// How every budget stands.
    pub(crate) fn budgets(&self) -> Vec<BudgetView> {
        let now = self.now();
        let standings = self.engine().standings(now);
        let view = |standing: gateway_core::limits::Standing| BudgetView {
            name: standing.budget,
            unit: standing.unit,
            window: standing.window,
            spent: standing.spent,
            limit: standing.limit,
            until: standing.until,
        };
        standings.into_iter().map(view).collect()
    }

    /// Writes everything down and ends its thread. Blocks until that is done.
    pub(crate) fn stop(&self) {
        self.keeper.stop();
    }

    fn state(&self) -> State {
        State {
            budgets: self.engine().keep(),
            closures: self.closures.all(),
        }
    }

    fn now(&self) -> Now {
        now(self.started)
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which budgets are gone; those that trip close their scope.
    fn tell(&self, gone: Vec<Gone>) {
        for gone in gone {
            let (said, budget) = (gone.say(), gone.budget.as_str());
            self.metrics.budget_gone(budget, word(&gone.at_end));
            let until = gone.until;
            match gone.at_end.clone() {
                AtEnd::Soft => {
                    tracing::warn!(budget, said, %until, "A budget is gone; nothing is refused.");
                    let text = format!("{said}; nothing is refused");
                    self.remark(RemarkKind::Budget, gone.consumer, &text);
                }
                AtEnd::Hard => {
                    tracing::warn!(budget, said, %until, "A budget is gone; it refuses until its window turns.");
                    let text = format!("{said}; it refuses until {until}");
                    self.remark(RemarkKind::Budget, gone.consumer, &text);
                }
                AtEnd::Trip(scope) => {
                    let rule = Rule {
                        budget: gone.budget.clone(),
                        unit: gone.unit,
                        limit: gone.limit,
                    };
                    let trip = Trip {
                        at: clock::now(),
                        consumer: gone.consumer.clone(),
                        scope,
                        kind: TripKind::Budget,
                        cause: cause(&said),
                    };
                    self.trip_by(trip, Some(rule));
                }
            }
        }
    }
}

fn now(started: Instant) -> Now {
    Now {
        wall: clock::now(),
        since_start: started.elapsed(),
    }
}

fn is_ruled(rules: &Rules) -> bool {
    !rules.budgets.is_empty() || !rules.limits.is_empty()
}

fn load(
    engine: &mut Engine,
    rules: &Rules,
    table: &RouteTable,
    now: Now,
) -> Result<(), UnknownZone> {
    let consumers: Vec<(&Name, Option<&Name>)> = table
        .consumers()
        .iter()
        .map(|consumer| (&consumer.name, consumer.role.as_ref()))
        .collect();
    engine.load(rules, &consumers, now)
}

const fn word(at_end: &AtEnd) -> &'static str {
    match at_end {
        AtEnd::Hard => "hard",
        AtEnd::Soft => "soft",
        AtEnd::Trip(_) => "trip",
    }
}
