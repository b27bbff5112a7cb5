//! What is known of models and targets beyond the configuration: prices, how servers count, which question they refuse.

use arc_swap::ArcSwap;
use gateway_core::usage::{Seen, Yardstick, Yardsticks};
use kill_wire::Name;
use prices::Prices;
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

/// Shared by all exchanges.
#[derive(Debug, Default)]
pub(crate) struct Known {
    prices: ArcSwap<Prices>,
    yardsticks: RwLock<Yardsticks>,
    /// Targets that refused to be asked for figures in a stream.
    refusing: ArcSwap<BTreeSet<Name>>,
}

impl Known {
    /// What models cost.
    pub(crate) fn prices(&self) -> arc_swap::Guard<Arc<Prices>> {
        self.prices.load()
    }

    /// Other prices from now on.
    pub(crate) fn set_prices(&self, prices: Prices) {
        self.prices.store(Arc::new(prices));
    }

    /// How this target counts this model.
    pub(crate) fn yardstick(&self, target: &Name, model: &str) -> Yardstick {
        let yardsticks = self.yardsticks.read();
        let yardsticks = yardsticks.unwrap_or_else(PoisonError::into_inner);
        yardsticks.of(target.as_str(), model)
    }

    /// Takes in what an exchange taught. Never waits: what cannot be taken in now, the next one teaches.
    pub(crate) fn learn(&self, target: &Name, model: &str, seen: &Seen) {
        if let Ok(mut yardsticks) = self.yardsticks.try_write() {
            yardsticks.learn(target.as_str(), model, seen);
        }
    }

    /// Whether this target may be asked for figures in a stream.
    pub(crate) fn gives_figures(&self, target: &Name) -> bool {
        !self.refusing.load().contains(target)
    }

    /// This target refused to be asked for figures, and served without the question.
    pub(crate) fn refuses_figures(&self, target: &Name) {
        tracing::info!(target_name = %target, "A target refuses to give figures in a stream; its streams are counted here.");
        self.refusing.rcu(|before| {
            let mut all = BTreeSet::clone(before);
            all.insert(target.clone());
            all
        });
    }
}
