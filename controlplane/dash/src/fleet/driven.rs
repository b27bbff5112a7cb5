//! How targets fare at gateways that are not ours, as the hosts claim that drive them: a table for the page of targets, lines
//! for the page of a host, and the same as JSON. The map shows the gateways themselves.

use super::SILENT_MS;
use crate::site::Site;
use crate::view::{When, breaker, class};
use askama::Template;
use kill_wire::Timestamp;
use net_model::report::{DrivenFact, Facts, Few, Printable, TargetFact};
use net_model::{BreakerState, HostName, ZoneName};
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;
use store::StoreError;

/// Hosts whose gateways are shown.
const HOSTS: u32 = 100;
/// How long a live page waits for the database.
const LIMIT: Duration = Duration::from_millis(500);

/// A gateway that is not ours.
#[derive(Debug, Serialize)]
pub(crate) struct Elsewhere {
    pub(crate) host: HostName,
    pub(crate) zone: Option<ZoneName>,
    pub(crate) gateway: Printable,
    pub(crate) kind: Printable,
    /// When the house heard of it.
    pub(crate) heard: Timestamp,
    /// From where.
    #[serde(skip)]
    pub(crate) address: IpAddr,
    pub(crate) follows: bool,
    pub(crate) managed: bool,
    pub(crate) targets: Few<TargetFact>,
}

/// Every gateway that a host drives.
pub(crate) async fn elsewhere(site: &Site) -> Result<Vec<Elsewhere>, StoreError> {
    let mut all = Vec::new();
    for told in site.app.store.hosts_that_drive(HOSTS).await? {
        // Written by an older or a newer version: then it is not known until the next report.
        let Ok(facts) = serde_json::from_str::<Facts>(&told.facts) else {
            continue;
        };
        all.extend(facts.driven.into_iter().map(|it| Elsewhere {
            host: told.host.clone(),
            zone: told.zone.clone(),
            gateway: it.name,
            kind: it.kind,
            heard: told.at,
            address: told.address,
            follows: it.follows,
            managed: it.managed,
            targets: it.targets,
        }));
    }
    Ok(all)
}

/// The table of a page that is open; none where the database does not answer, and what is shown stays.
pub(crate) async fn live(site: &Site) -> Option<Table> {
    let read = tokio::time::timeout(LIMIT, elsewhere(site)).await;
    let all = read.ok()?.ok()?;
    Some(Table::of(&all, site.now()))
}

#[derive(Debug, Template)]
#[template(path = "targets/elsewhere.html")]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    tone: &'static str,
    name: String,
    class: &'static str,
    gateway: String,
    host: String,
    state: &'static str,
    why: String,
    health: &'static str,
    heard: When,
    silent: bool,
}

impl Table {
    pub(crate) fn of(all: &[Elsewhere], now: Timestamp) -> Self {
        let rows = all.iter().flat_map(|at| {
            let silent = now.since(at.heard) > SILENT_MS;
            at.targets.iter().map(move |target| Row {
                tone: if silent { "warn" } else { tone(target) },
                name: target.name.to_string(),
                class: class(target.class),
                gateway: at.gateway.to_string(),
                host: at.host.to_string(),
                state: breaker(target.state),
                why: why(target),
                health: health(target),
                heard: When::day(at.heard),
                silent,
            })
        });
        Self {
            rows: rows.collect(),
        }
    }
}

fn tone(target: &TargetFact) -> &'static str {
    let unwell = [target.probed, target.checked].contains(&Some(false));
    match (target.state, unwell) {
        (BreakerState::Open, _) => "bad",
        (BreakerState::HalfOpen, _) | (BreakerState::Closed, true) => "warn",
        (BreakerState::Closed, false) => "good",
    }
}

/// With what comes before it; empty while it simply serves.
fn why(target: &TargetFact) -> String {
    let Some(why) = &target.why else {
        return String::new();
    };
    match target.since {
        Some(since) => format!(": {why} since {}", since.clock()),
        None => format!(": {why}"),
    }
}

/// The host asks the target itself, its gateway does so too: they need not see the same.
const fn health(target: &TargetFact) -> &'static str {
    match (target.probed, target.checked) {
        (None, None) => "not probed",
        (Some(true), None | Some(true)) => "well",
        (Some(false), None | Some(false)) => "unwell",
        (None, Some(true)) => "well, says the gateway",
        (None, Some(false)) => "unwell, says the gateway",
        (Some(true), Some(false)) => "well from the host, unwell from the gateway",
        (Some(false), Some(true)) => "unwell from the host, well from the gateway",
    }
}

/// A line for each target of this gateway.
pub(super) fn lines(of: &DrivenFact) -> impl Iterator<Item = String> {
    of.targets.iter().map(|target| {
        let (name, class, state) = (&target.name, class(target.class), breaker(target.state));
        let (why, health) = (why(target), health(target));
        format!(
            "{}: target {name} ({class}) {state}{why}; {health}",
            of.name
        )
    })
}
