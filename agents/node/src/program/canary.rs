//! The isolation canary of this host, as its own file has it.

use host_facts::{CanaryPlan, CanaryProber};
use net_model::CanaryFact;
use net_model::report::Few;

/// Starts it. Without chance its tries are as regular as those of other hosts without, which only makes them less spread.
pub(super) fn start(plan: CanaryPlan) -> Option<CanaryProber> {
    let seed = getrandom::u64().unwrap_or_default();
    let started = CanaryProber::start(plan, seed);
    started
        .map_err(|error| tracing::error!(%error, "Isolation is not tried."))
        .ok()
}

/// What it knows, for the next report.
pub(super) fn facts(canary: Option<&CanaryProber>) -> Few<CanaryFact> {
    let facts = canary.map(CanaryProber::facts).unwrap_or_default();
    Few::first_of(facts).0
}
