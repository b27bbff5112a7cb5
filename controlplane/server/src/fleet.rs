//! `portcullis zones`, `alerts`, `jobs` and `hosts show`: what the control plane knows of the house, read from its database.

use crate::out::{Out, Paint};
use crate::paths::Home;
use crate::{clock, config, http};
use anyhow::{Context as _, bail};
use kill_wire::Timestamp;
use net_model::report::Facts;
use net_model::{AlertView, HistoryStep, HostName, JobView, Zone};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use store::{Store, ZoneCount};

pub(crate) const ZONES: &str = "\
Examples:
  portcullis zones
  portcullis zones --json | jq '.zones[] | {name, nets}'";

pub(crate) const ALERTS: &str = "\
Examples:
  portcullis alerts
  portcullis alerts --json | jq '.alerts[] | select(.ended == null) | .text'";

pub(crate) const JOBS: &str = "\
Examples:
  portcullis jobs
  portcullis jobs --json | jq '.jobs[] | select(.problem != null)'";

/// A host that was heard of longer ago is silent.
const SILENT_MS: u64 = 60_000;
/// Alerts that are listed.
const LIMIT: u32 = 100;
/// Hosts whose probes are looked through.
const OTHERS: u32 = 200;

async fn with_store<T>(
    home: &Home,
    read: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let path = home.database();
    if !path.exists() {
        bail!("there is no control plane in {}", home.root().display());
    }
    let store = Store::open(&path).await?;
    let done = read(&store).await;
    store.close().await;
    done
}

/// What the configuration says of the networks of the house, and how many hosts are heard in each.
pub(crate) fn zones(home: &Home, file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let zones = config::read(file)?.zones;
    let since = Timestamp::from_millis(clock::now().millis().saturating_sub(SILENT_MS));
    // Zones are the configuration's: they can be listed where nothing has run yet.
    let counts = if home.database().exists() {
        http::block_on(with_store(home, async |store| {
            Ok(store.zone_counts(since).await?)
        }))?
    } else {
        Vec::new()
    };
    let mut out = Out::stdout();
    if json {
        let zones: Vec<Value> = zones.iter().map(|zone| zone_value(zone, &counts)).collect();
        return Ok(out.json(&json!({ "zones": zones }))?);
    }
    if zones.is_empty() {
        out.line("No zone: write [zones.NAME] into the configuration.")?;
    }
    for zone in zones.iter() {
        let nets: Vec<String> = zone.nets.iter().map(ToString::to_string).collect();
        let vlan = zone
            .vlan
            .map_or_else(|| "-".to_owned(), |tag| tag.to_string());
        let count = counts.iter().find(|count| count.zone == zone.name);
        let (heard, joined) = count.map_or((0, 0), |count| (count.heard, count.joined));
        out.line(format_args!(
            "{:<16} {:<10} vlan {vlan:<5} silence {:<5} {heard}/{joined} heard  {}",
            zone.name.as_str(),
            zone.tier.as_str(),
            zone.on_silence.as_str(),
            nets.join(" ")
        ))?;
    }
    let unknown = counts
        .iter()
        .filter(|count| !zones.iter().any(|zone| zone.name == count.zone));
    for count in unknown {
        let text = format!("{:<16} not in the configuration", count.zone.as_str());
        out.line(out.paint(Paint::Yellow, &text))?;
    }
    Ok(())
}

fn zone_value(zone: &Zone, counts: &[ZoneCount]) -> Value {
    let mut value = json!(zone);
    let count = counts.iter().find(|count| count.zone == zone.name);
    if let Some(fields) = value.as_object_mut() {
        fields.insert(
            "joined".to_owned(),
            json!(count.map_or(0, |count| count.joined)),
        );
        fields.insert(
            "heard".to_owned(),
            json!(count.map_or(0, |count| count.heard)),
        );
    }
    value
}

/// What is wrong with hosts, and what was.
pub(crate) fn alerts(home: &Home, json: bool) -> anyhow::Result<()> {
    let alerts = http::block_on(with_store(home, async |store| {
        Ok(store.alerts(None, None, LIMIT).await?)
    }))?;
    show_alerts(&alerts, json)
}

/// The same, wherever they come from.
pub(crate) fn show_alerts(alerts: &[AlertView], json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&json!({ "alerts": alerts }))?);
    }
    if alerts.is_empty() {
        out.line("No alert.")?;
    }
    for alert in alerts {
        out.line(shown(&out, alert))?;
    }
    Ok(())
}

/// One alert in a line.
pub(crate) fn shown(out: &Out, alert: &AlertView) -> String {
    let host = alert.host.as_ref().map_or("-", |host| host.as_str());
    let state = match (alert.ended, alert.quiet) {
        (Some(_), _) => out.paint(Paint::Dim, "over  "),
        (None, true) => out.paint(Paint::Yellow, "quiet "),
        (None, false) => out.paint(Paint::Red, "fires "),
    };
    format!(
        "{} {state} {host:<24} {:<16} {}",
        alert.since, alert.rule, alert.text
    )
}

/// What runs by the clock, and how the last run of each went.
pub(crate) fn jobs(home: &Home, json: bool) -> anyhow::Result<()> {
    let jobs = http::block_on(with_store(home, async |store| Ok(store.jobs().await?)))?;
    show_jobs(&jobs, json)
}

/// The same, wherever they come from.
pub(crate) fn show_jobs(jobs: &[JobView], json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&json!({ "jobs": jobs }))?);
    }
    if jobs.is_empty() {
        out.line("No job has run yet.")?;
    }
    for job in jobs {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let went = match &job.problem {
            Some(problem) => out.paint(Paint::Red, problem),
            None => job.done.clone(),
        };
        out.line(format_args!(
            "{:<30} last {} next {}  {went}",
            job.name,
            time(job.last),
            time(job.next)
        ))?;
    }
    Ok(())
}

/// One host: what it claims, beside what was seen of it.
pub(crate) async fn show(
    store: &Store,
    name: &HostName,
    zones: &[Zone],
    json: bool,
) -> anyhow::Result<()> {
    let (line, facts) = store
        .host_line(name)
        .await?
        .with_context(|| format!("there is no host {name}"))?;
    let facts: Option<Facts> = facts.and_then(|text| serde_json::from_str(&text).ok());
    let others = store.facts_that_reach(OTHERS).await?.into_iter();
    let others: BTreeMap<HostName, Facts> = others
        .filter_map(|(host, text)| Some((host, serde_json::from_str(&text).ok()?)))
        .collect();
    let zone = zones.iter().find(|zone| zone.name == line.zone);
    let pairs = match (&line.latest, &facts) {
        (Some(latest), Some(facts)) => inventory::pairs(latest, facts, zone, &others),
        _ => Vec::new(),
    };
    let alerts = store.alerts(Some(name), None, LIMIT).await?;
    let mut out = Out::stdout();
    if json {
        let since = Timestamp::from_millis(clock::now().millis().saturating_sub(2 * 3_600_000));
        let history = store
            .host_history(name, HistoryStep::Minute, since, 120)
            .await?;
        return Ok(out.json(&json!({
            "name": line.name, "zone": line.zone, "roles": line.roles, "dial": line.dial,
            "state": line.state.as_str(), "latest": line.latest, "facts": facts, "compared": pairs,
            "history": history, "alerts": alerts,
        }))?);
    }
    out.line(format_args!(
        "{name}  zone {}  {}  {}",
        line.zone,
        line.roles,
        line.state.as_str()
    ))?;
    for pair in &pairs {
        let words = (pair.what, pair.claimed.as_str(), pair.seen.as_str());
        compared(&mut out, words, pair.agrees)?;
    }
    for alert in &alerts {
        out.line(format_args!("  {}", shown(&out, alert)))?;
    }
    Ok(())
}

/// What a host claims beside what was seen of it.
pub(crate) fn compared(
    out: &mut Out,
    (what, claimed, seen): (&str, &str, &str),
    agrees: Option<bool>,
) -> std::io::Result<()> {
    let mark = match agrees {
        Some(true) => out.paint(Paint::Green, "agrees  "),
        Some(false) => out.paint(Paint::Red, "DIFFERS "),
        None => out.paint(Paint::Dim, "unknown "),
    };
    out.line(format_args!("  {mark} {what:<11} it says: {claimed}"))?;
    out.line(format_args!("           {:<11} seen:    {seen}", ""))
}
