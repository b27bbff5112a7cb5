//! What all kill switches of the house close together.

use crate::issuer::Issuer;
use kill_wire::{LatchId, LatchSet};
use std::collections::BTreeSet;

/// Every latch that any issuer holds, without those that any issuer restored. A latch that was cut again since is
/// another one: it holds.
pub(crate) fn in_force(issuers: &[Issuer]) -> LatchSet {
    let released: BTreeSet<&LatchId> = issuers
        .iter()
        .flat_map(|issuer| &issuer.held.released)
        .collect();
    let held = issuers.iter().flat_map(|issuer| issuer.held.latches());
    LatchSet::union(held.filter(|latch| !released.contains(&latch.id())))
}

/// Whether a scope that is held would be held no more.
pub(crate) fn releases(held: &LatchSet, ordered: &LatchSet) -> bool {
    held.as_slice()
        .iter()
        .any(|latch| ordered.of(&latch.scope).is_none())
}
