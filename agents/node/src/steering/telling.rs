//! Says what changed at a gateway: once when it begins, once when it is over.

use crate::hand::Reach;
use gateway_core::choice::Change;
use gateway_core::steer::Lead;
use gateways::Drift;
use net_model::RouteTable;

/// Most entries of a drift that are kept to be shown.
const MAX_SHOWN: usize = 8;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Told {
    leads: Vec<Lead>,
    failing: bool,
}

impl Told {
    /// Says which routes turned; gives a line for each that does not lead to its first choice.
    pub(super) fn leads(
        &mut self,
        gateway: &str,
        table: &RouteTable,
        leads: &[Lead],
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, (route, lead)) in table.routes().iter().zip(leads).enumerate() {
            let name = |at: usize| table.targets().get(at).map_or("?", |it| it.name.as_str());
            let to = lead.to.map_or("no target", name);
            let first = lead.first_choice();
            let before = self.leads.get(at);
            let turned = before.map_or(first.is_some(), |before| before.to != lead.to);
            match first {
                Some((first, why)) => {
                    let (from, why) = (name(*first), why.as_str());
                    if turned {
                        tracing::warn!(gateway, route = %route.name, from, to, why, "A route leads elsewhere than to its first choice.");
                    }
                    lines.push(format!("{}: {from} ({why}) -> {to}", route.name));
                }
                None if turned => {
                    tracing::warn!(gateway, route = %route.name, to, "A route leads to its first choice again.");
                }
                None => {}
            }
        }
        self.leads = leads.to_vec();
        lines
    }

    /// Says that a breaker opened or closed, as the embedded gateway does.
    pub(super) fn breaker(&self, table: &RouteTable, target: usize, change: Option<Change>) {
        let Some(target) = table.targets().get(target) else {
            return;
        };
        let target_name = &target.name;
        match change {
            None => {}
            Some(Change::Opened(why)) => {
                tracing::warn!(%target_name, why = why.as_str(), "The breaker of a target is open: others take its place where they may.");
            }
            Some(Change::StaysOpen(why)) => {
                tracing::debug!(%target_name, why = why.as_str(), "The target is not well yet.");
            }
            Some(Change::Closed) => {
                tracing::warn!(%target_name, "The breaker of a target is closed: it serves again.");
            }
        }
    }

    /// Says what a reconcile changed. It is drift where nothing else was wanted than before, by this agent and since it
    /// started.
    pub(super) fn drift(&self, reach: &Reach, drift: &Drift, same: bool, begun: bool) {
        let all = [&drift.missing, &drift.changed, &drift.surplus];
        let lines = [
            ("missing", all[0]),
            ("changed", all[1]),
            ("not wanted", all[2]),
        ];
        let lines: Vec<String> = lines
            .into_iter()
            .flat_map(|(how, entries)| entries.iter().map(move |it| format!("{it} ({how})")))
            .take(MAX_SHOWN)
            .collect();
        if lines.is_empty() {
            return;
        }
        let gateway = &reach.name;
        if same && begun {
            tracing::warn!(
                gateway,
                ?lines,
                "The gateway's routes were not as wanted, and were put right."
            );
            let mut seen = reach.seen();
            seen.drifted = seen.drifted.saturating_add(1);
            seen.drift = lines;
        } else {
            tracing::info!(
                gateway,
                ?lines,
                "The gateway's routes were brought to what is wanted."
            );
        }
    }

    /// Says that what is wanted cannot be brought about, and that it can again.
    pub(super) fn failing(&mut self, reach: &Reach, failed: Option<String>) {
        let gateway = &reach.name;
        match &failed {
            Some(why) if !self.failing => {
                tracing::warn!(
                    gateway,
                    why,
                    "The gateway's routes cannot be brought to what is wanted."
                );
            }
            None if self.failing => {
                tracing::info!(
                    gateway,
                    "The gateway's routes can be brought to what is wanted again."
                );
            }
            _ => {}
        }
        self.failing = failed.is_some();
        reach.seen().failed = failed;
    }

    /// Whether the last reconcile failed.
    pub(super) const fn is_failing(&self) -> bool {
        self.failing
    }
}
