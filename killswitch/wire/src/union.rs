//! What several latch sets close together.

use crate::latch::{Incident, Latch, LatchSet};
use crate::scope::Scope;
use std::collections::BTreeMap;

impl LatchSet {
    /// Closes whatever any of these latches closes; a scope in several keeps its newest incident.
    ///
    /// Where one set cannot hold it (too many, or one number for two scopes, as after a kill switch that lost its state),
    /// everything is closed instead.
    #[must_use]
    pub fn union<'a>(latches: impl IntoIterator<Item = &'a Latch>) -> Self {
        let mut by_scope: BTreeMap<&Scope, &Latch> = BTreeMap::new();
        for latch in latches {
            let kept = by_scope.entry(&latch.scope).or_insert(latch);
            if kept.id() < latch.id() {
                *kept = latch;
            }
        }
        let mut latches: Vec<Latch> = by_scope.into_values().cloned().collect();
        latches.sort_by_key(Latch::id);
        let newest = latches.last().cloned();
        Self::try_from(latches).unwrap_or_else(|_| {
            let mut all = Self::default();
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
}
