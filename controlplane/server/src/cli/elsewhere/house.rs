//! What the pages of a house that runs elsewhere show: its hosts, what is wrong with them, what runs by the clock, what was spent.

use super::Page;
use crate::out::{Out, Paint};
use crate::remote::{Remote, escaped};
use crate::spend::{self, SpendArgs};
use crate::{clock, fleet, mesh};
use anyhow::Context as _;
use kill_wire::Timestamp;
use net_model::{AlertView, HostName, MeshView, UsageTotals};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Rows of one question: the most there are.
const AT_ONCE: u32 = 500;
/// Most questions for one list.
const PAGES: u32 = 200;
/// Alerts that are listed.
const ALERTS: u32 = 100;

/// Every row of a list, page by page; `path` ends with `?` or `&`.
pub(super) fn every<T: DeserializeOwned>(remote: &Remote, path: &str) -> anyhow::Result<Vec<T>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let page: Page<T> = remote.get(&format!("{path}limit={AT_ONCE}{after}"))?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = format!("&after={}", escaped(&next)),
            None => break,
        }
    }
    Ok(all)
}

#[derive(Deserialize)]
struct Spent {
    name: String,
    #[serde(flatten)]
    totals: UsageTotals,
}

#[derive(Deserialize)]
struct Total {
    total: UsageTotals,
}

pub(super) fn spend(remote: &Remote, args: &SpendArgs, json: bool) -> anyhow::Result<()> {
    let since = Timestamp::from_millis(clock::now().millis().saturating_sub(args.since));
    let path = format!(
        "/api/v1/spend?by={}&since={}&",
        args.by.word(),
        since.millis()
    );
    let total: Total = remote.get(&format!("{path}limit=1"))?;
    let rows: Vec<Spent> = every(remote, &path)?;
    let mut rows: Vec<_> = rows.into_iter().map(|it| (it.name, it.totals)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    spend::show(since, &total.total, &rows, json)
}

/// What a line of a list needs of a host; the rest is for `--json`.
#[derive(Deserialize)]
struct Host {
    name: String,
    zone: String,
    roles: Vec<String>,
    state: String,
    silent: bool,
    alerts: Value,
}

pub(super) fn hosts(remote: &Remote, json: bool) -> anyhow::Result<()> {
    let hosts: Vec<Value> = every(remote, "/api/v1/hosts?")?;
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&json!({ "hosts": hosts }))?);
    }
    if hosts.is_empty() {
        out.line("No host yet.")?;
    }
    for host in hosts {
        let host: Host = serde_json::from_value(host)?;
        let (paint, state) = match (host.state.as_str(), host.silent) {
            ("joined", false) => (Paint::Green, "reports"),
            ("joined", true) => (Paint::Red, "silent"),
            ("revoked", _) => (Paint::Red, "shut out"),
            (_, _) => (Paint::Yellow, "invited"),
        };
        let alerts = match host.alerts.as_u64() {
            Some(0) | None => String::new(),
            Some(1) => "1 alert".to_owned(),
            Some(some) => format!("{some} alerts"),
        };
        out.line(format_args!(
            "{:<24} {:<12} {:<24} {} {alerts}",
            host.name,
            host.zone,
            host.roles.join(","),
            out.paint(paint, &format!("{state:<10}")),
        ))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Shown {
    zone: String,
    state: String,
    compared: Vec<Pair>,
    alerts: Vec<AlertView>,
}

#[derive(Deserialize)]
struct Pair {
    what: String,
    claimed: String,
    seen: String,
    agrees: Option<bool>,
}

pub(super) fn host(remote: &Remote, name: &HostName, json: bool) -> anyhow::Result<()> {
    let told: Value = remote.get(&format!("/api/v1/hosts/{}", escaped(name.as_str())))?;
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&told)?);
    }
    let it: Shown = serde_json::from_value(told)?;
    out.line(format_args!("{name}  zone {}  {}", it.zone, it.state))?;
    for pair in &it.compared {
        fleet::compared(
            &mut out,
            (&pair.what, &pair.claimed, &pair.seen),
            pair.agrees,
        )?;
    }
    for alert in &it.alerts {
        out.line(format_args!("  {}", fleet::shown(&out, alert)))?;
    }
    Ok(())
}

pub(super) fn zones(remote: &Remote, json: bool) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Zone {
        name: String,
        tier: String,
        joined: u64,
        heard: u64,
    }
    let zones: Vec<Value> = remote.get::<Page<Value>>("/api/v1/zones")?.items;
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&json!({ "zones": zones }))?);
    }
    for zone in zones {
        let zone: Zone = serde_json::from_value(zone)?;
        out.line(format_args!(
            "{:<16} {:<10} {}/{} heard",
            zone.name, zone.tier, zone.heard, zone.joined
        ))?;
    }
    Ok(())
}

pub(super) fn mesh(remote: &Remote, json: bool) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Mesh {
        mesh: Option<MeshView>,
    }
    let Mesh { mesh } = remote.get("/api/v1/mesh")?;
    let view = mesh.context("the configuration of that house has no [mesh]; see docs/mesh.md")?;
    let kept = view.cut.as_ref().is_some_and(|cut| cut.policy_kept);
    mesh::show(&view, kept, json)
}

pub(super) fn alerts(remote: &Remote, json: bool) -> anyhow::Result<()> {
    let page: Page<AlertView> = remote.get(&format!("/api/v1/alerts?limit={ALERTS}"))?;
    fleet::show_alerts(&page.items, json)
}

pub(super) fn jobs(remote: &Remote, json: bool) -> anyhow::Result<()> {
    fleet::show_jobs(&every(remote, "/api/v1/jobs?")?, json)
}
