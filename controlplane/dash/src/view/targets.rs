//! How the gateway's targets fare.

use super::text::{When, counted};
use askama::Template;
use kill_wire::Class;
use net_model::{BreakerState, Snapshot, TargetView};

#[derive(Debug, Template)]
#[template(path = "parts/targets.html")]
pub(crate) struct Targets {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) tone: &'static str,
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) breaker: &'static str,
    /// Why and since when, unless it simply serves.
    pub(crate) why: Option<(String, When)>,
    pub(crate) open: u32,
    pub(crate) failures: String,
    pub(crate) health: &'static str,
}

impl Targets {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let targets = snapshot.gateway.as_ref().map(|gateway| &gateway.targets);
        let rows = targets.into_iter().flatten().map(row);
        Self {
            rows: rows.collect(),
        }
    }
}

fn row(view: &TargetView) -> Row {
    let well = view.health.as_ref().map(|health| health.well);
    Row {
        tone: match (view.state, view.failures) {
            (BreakerState::Open, _) => "bad",
            (BreakerState::HalfOpen, _) | (BreakerState::Closed, 1..) => "warn",
            (BreakerState::Closed, 0) => "good",
        },
        name: view.name.to_string(),
        class: class(view.class),
        breaker: breaker(view.state),
        why: view
            .why
            .as_ref()
            .map(|why| (why.clone(), When::clock(view.since))),
        open: view.open,
        failures: counted(view.failures.into(), "failure", "failures"),
        health: match well {
            Some(true) => "well",
            Some(false) => "unwell",
            None => "not probed",
        },
    }
}

/// Where a target stands, in a word.
pub(crate) const fn class(class: Class) -> &'static str {
    match class {
        Class::Local => "local",
        Class::Cloud => "cloud",
    }
}

/// Whether a target is asked, as people read it.
pub(crate) const fn breaker(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "serves",
        BreakerState::HalfOpen => "is tried",
        BreakerState::Open => "left alone",
    }
}
