//! Holds every exchange to the rules of the house.

use arc_swap::ArcSwap;
use net_model::Rules;

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Governor(ArcSwap<Rules>);

impl Governor {
    /// Holds to these rules.
    pub(crate) fn new(rules: Rules) -> Self {
        Self(ArcSwap::from_pointee(rules))
    }

    /// Holds to other rules from now on.
    pub(crate) fn reload(&self, rules: Rules) {
        let (budgets, limits) = (rules.budgets.len(), rules.limits.len());
        self.0.store(std::sync::Arc::new(rules));
        tracing::info!(budgets, limits, "Other rules are in place.");
    }
}
