//! What a set of latches closes more, or less, than another.

use kill_wire::{Incident, Latch, LatchSet, Scope};
use std::collections::BTreeMap;

/// Whether a scope that is held would be held no more.
pub(crate) fn releases(held: &LatchSet, ordered: &LatchSet) -> bool {
    held.as_slice()
        .iter()
        .any(|latch| ordered.of(&latch.scope).is_none())
}

/// Closes whatever either set closes; a scope in both keeps its newer incident.
///
/// Where one set cannot hold it (too many, or one number for two scopes, as after a kill switch that lost its state),
/// everything is closed instead.
pub(crate) fn union(held: &LatchSet, more: &LatchSet) -> LatchSet {
    let mut by_scope: BTreeMap<&Scope, &Latch> = BTreeMap::new();
    for latch in held.as_slice().iter().chain(more.as_slice()) {
        let kept = by_scope.entry(&latch.scope).or_insert(latch);
        if kept.incident < latch.incident {
            *kept = latch;
        }
    }
    let mut latches: Vec<Latch> = by_scope.into_values().cloned().collect();
    latches.sort_by_key(|latch| latch.incident);
    let newest = latches.last().cloned();
    LatchSet::try_from(latches).unwrap_or_else(|_| {
        let mut all = LatchSet::default();
        let (incident, since) = newest.map_or((Incident::FIRST, Default::default()), |latch| {
            (latch.incident, latch.since)
        });
        let pushed = all.push(Latch {
            incident,
            scope: Scope::All,
            since,
        });
        debug_assert!(pushed.is_ok(), "an empty set takes any latch");
        all
    })
}
