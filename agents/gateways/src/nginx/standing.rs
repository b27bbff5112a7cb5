//! What stands open, as files that nginx looks for: which there are, and what their folder is called.

use super::overlay::UNKNOWN;
use crate::{Closing, Wanted};
use kill_wire::{Class, Incident, Name};
use net_model::{KeyHash, Overlay, Route};

/// What one overlay leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// `SEQ-INCIDENT-HASH`; the incident is 0 where there is none.
    pub(super) name: String,
    /// Files in it, each by its path.
    pub(super) files: Vec<String>,
    /// What it closes.
    pub(super) closing: Closing,
}

impl Standing {
    /// What `overlay` leaves open of `wanted`. nginx knows by whom a request is and what it is about, each by itself: a
    /// consumer that is closed on one route is closed on all, and what leads outside is closed with its route.
    pub(super) fn of(overlay: &Overlay, wanted: &Wanted) -> Self {
        let closing = Closing::of(overlay, &wanted.table);
        let files = files(&closing, wanted);
        let incident = closing.incident().map_or(0, Incident::get);
        let hash = KeyHash::of(files.join("\n").as_bytes()).to_hex();
        let hash: String = hash.chars().take(12).collect();
        Self {
            name: format!("{}-{incident}-{hash}", overlay.seq),
            files,
            closing,
        }
    }
}

fn files(closing: &Closing, wanted: &Wanted) -> Vec<String> {
    if closing.all.is_some() {
        return Vec::new();
    }
    if closing.is_empty() {
        return vec!["all".to_owned()];
    }
    let routes = wanted.table.routes().iter();
    let open = routes.filter(|route| !shut(closing, route, wanted));
    let mut files: Vec<String> = open.map(|route| format!("route/{}", route.name)).collect();
    if closing.routes.is_empty() && closing.no_cloud.is_empty() {
        files.push(format!("route/{UNKNOWN}"));
    }
    let shut = |name: &Name| closing.ways.iter().any(|(who, _, _)| who == name);
    let consumers = wanted.table.consumers().iter().map(|one| &one.name);
    files.extend(
        consumers
            .filter(|name| !shut(name))
            .map(|name| format!("who/{name}")),
    );
    if closing.ways.is_empty() {
        files.push(format!("who/{UNKNOWN}"));
    }
    files
}

fn shut(closing: &Closing, route: &Route, wanted: &Wanted) -> bool {
    let named = |list: &[(Name, _)]| list.iter().any(|(name, _)| *name == route.name);
    let outside = || {
        let mut targets = wanted.table.targets_of(route);
        targets.any(|target| target.class == Class::Cloud)
    };
    named(&closing.routes) || named(&closing.no_cloud) && outside()
}

#[cfg(test)]
mod tests;
