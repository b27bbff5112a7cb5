//! The list of hosts, by zone; a thousand are ten pages.

use super::{ON_A_PAGE, SILENT_MS, Which};
use crate::frame::Frame;
use crate::view::When;
use askama::Template;
use kill_wire::Timestamp;
use net_model::{HostRole, Zone};
use store::{HostHealth, HostLine, HostState, ZoneCount};

#[derive(Debug, Template)]
#[template(path = "fleet/hosts.html")]
pub(crate) struct Hosts {
    frame: Frame,
    heading: String,
    zones: Vec<ZoneCard>,
    rows: Vec<Row>,
    /// Of which zone the rows are; empty: of all.
    zone: String,
    role: String,
    health: String,
    q: String,
    roles: Vec<String>,
    before: Option<u32>,
    after: Option<u32>,
}

#[derive(Debug)]
struct ZoneCard {
    name: String,
    about: String,
    hosts: String,
    tone: &'static str,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) zone: String,
    pub(super) roles: String,
    pub(super) tone: &'static str,
    pub(super) state: &'static str,
    pub(super) heard: Option<When>,
    pub(super) cpu: String,
    pub(super) memory: String,
    pub(super) gpu: String,
    pub(super) posture: String,
    pub(super) alerts: u64,
}

pub(super) fn page(
    frame: Frame,
    zones: &[Zone],
    counts: Vec<ZoneCount>,
    lines: Vec<HostLine>,
    which: &Which,
    now: Timestamp,
) -> Hosts {
    let page = which.page.unwrap_or(0);
    let more = lines.len() > ON_A_PAGE as usize;
    let rows = lines.iter().take(ON_A_PAGE as usize);
    let known = zones
        .iter()
        .filter(|zone| !counts.iter().any(|count| count.zone == zone.name));
    let empty: Vec<ZoneCount> = known
        .map(|zone| ZoneCount {
            zone: zone.name.clone(),
            joined: 0,
            heard: 0,
            others: 0,
            alerts: 0,
        })
        .collect();
    Hosts {
        frame,
        heading: "Hosts".to_owned(),
        zones: counts
            .into_iter()
            .chain(empty)
            .map(|count| card(&count, zones))
            .collect(),
        rows: rows.map(|line| row(line, now)).collect(),
        zone: which.zone.clone(),
        role: which.role.clone(),
        health: which.health.clone(),
        q: which.q.trim().to_owned(),
        roles: HostRole::ALL.iter().map(ToString::to_string).collect(),
        before: page.checked_sub(1),
        after: more.then(|| page.saturating_add(1)),
    }
}

fn card(count: &ZoneCount, zones: &[Zone]) -> ZoneCard {
    let zone = zones.iter().find(|zone| zone.name == count.zone);
    let about = zone.map_or_else(
        || "not in the configuration".to_owned(),
        |zone| {
            let nets: Vec<String> = zone.nets.iter().map(ToString::to_string).collect();
            let vlan = zone
                .vlan
                .map(|tag| format!(", VLAN {tag}"))
                .unwrap_or_default();
            format!("{}{vlan} {}", zone.tier, nets.join(" "))
        },
    );
    ZoneCard {
        name: count.zone.to_string(),
        about,
        hosts: format!("{} of {} heard", count.heard, count.joined),
        tone: match (count.alerts, count.heard < count.joined) {
            (0, false) => "good",
            (0, true) => "warn",
            _ => "bad",
        },
    }
}

pub(super) fn row(line: &HostLine, now: Timestamp) -> Row {
    let latest = line.latest.as_ref();
    let (tone, state) = match (line.state, latest) {
        (HostState::Invited, _) => ("warn", "invited"),
        (HostState::Revoked, _) => ("bad", "shut out"),
        (HostState::Joined, None) => ("bad", "never heard"),
        (HostState::Joined, Some(latest)) if now.since(latest.seen.at) > SILENT_MS => {
            ("bad", "silent")
        }
        (HostState::Joined, Some(_)) => ("good", "reports"),
    };
    let gauges = latest.map(|latest| latest.gauges).unwrap_or_default();
    Row {
        name: line.name.to_string(),
        zone: line.zone.to_string(),
        roles: line.roles.replace(',', ", "),
        tone,
        state,
        heard: latest.map(|latest| When::day(latest.seen.at)),
        cpu: percent(gauges.cpu_ppm),
        memory: percent(gauges.memory_ppm),
        gpu: percent(gauges.gpu_ppm),
        posture: posture(
            latest.and_then(|it| it.posture_fail),
            latest.and_then(|it| it.posture_unknown),
        ),
        alerts: line.alerts,
    }
}

/// What could not be told is never called good.
fn posture(fail: Option<i64>, unknown: Option<i64>) -> String {
    match (fail, unknown.unwrap_or_default()) {
        (None, _) => "–".to_owned(),
        (Some(0), 0) => "passes".to_owned(),
        (Some(0), unknown) => format!("{unknown} unknown"),
        (Some(fail), 0) => format!("{fail} fail"),
        (Some(fail), unknown) => format!("{fail} fail, {unknown} unknown"),
    }
}

/// Millionths as people read them.
pub(super) fn percent(ppm: Option<i64>) -> String {
    ppm.map_or_else(
        || "–".to_owned(),
        |ppm| format!("{} %", (ppm + 5_000) / 10_000),
    )
}
