//! What the fence holds, for reports of this host: a claim, as everything a host says of itself.

use crate::clock;
use net_model::report::{FenceFacts, Few, Printable};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the fence was last seen to hold; empty where this host has none.
#[derive(Clone, Debug, Default)]
pub struct FenceView(Arc<Mutex<Option<Held>>>);

/// What it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Whether the kernel has it.
    pub(crate) stands: bool,
    /// Names of ways that are closed.
    pub(crate) closed: Vec<String>,
    /// Control groups that stand still.
    pub(crate) frozen: Vec<String>,
    /// When the last lease ends; zero where none runs.
    pub(crate) ends: Duration,
}

impl FenceView {
    /// What it holds now.
    #[must_use]
    pub fn facts(&self) -> Option<FenceFacts> {
        let held = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        let few = |names: &[String]| {
            let (few, _) = Few::first_of(names.iter().map(|name| Printable::clipped(name)));
            few
        };
        let left = held.ends.saturating_sub(clock::up());
        Some(FenceFacts {
            table: held.stands,
            closed: few(&held.closed),
            frozen: few(&held.frozen),
            lease_left_ms: u64::try_from(left.as_millis())
                .ok()
                .filter(|left| *left > 0),
        })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Held)) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(held.get_or_insert_default());
    }
}
