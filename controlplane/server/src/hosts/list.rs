//! `portcullis hosts list`: who is in.

use crate::clock;
use crate::out::{Out, Paint};
use kill_wire::Timestamp;
use net_model::{HostName, HostRole};
use serde_json::json;
use std::collections::BTreeMap;
use store::{HostLine, HostRecord, HostState, Store};

/// Hosts that are listed with what they said.
const MOST: u32 = 10_000;

pub(super) async fn print(store: &Store, json: bool) -> anyhow::Result<()> {
    let mut hosts = store.hosts().await?;
    hosts.sort_by(|a, b| (&a.zone, &a.name).cmp(&(&b.zone, &b.name)));
    let lines = store
        .host_lines(&store::HostQuery::default(), 0, MOST)
        .await?
        .into_iter();
    let heard: BTreeMap<HostName, HostLine> = lines.map(|it| (it.name.clone(), it)).collect();
    let now = clock::now();
    let mut out = Out::stdout();
    if json {
        let hosts = hosts.iter().map(|host| {
            let mut value = value(host);
            if let (Some(fields), Some(line)) = (value.as_object_mut(), heard.get(&host.name)) {
                fields.insert("latest".to_owned(), json!(line.latest));
                fields.insert("alerts".to_owned(), json!(line.alerts));
            }
            value
        });
        let hosts: Vec<_> = hosts.collect();
        return Ok(out.json(&json!({ "hosts": hosts }))?);
    }
    if hosts.is_empty() {
        out.line("No host yet: portcullis hosts invite NAME --zone ZONE --role ROLE")?;
    }
    for host in &hosts {
        let roles: Vec<&str> = host
            .roles
            .iter()
            .map(|role| HostRole::as_str(*role))
            .collect();
        let (paint, state) = state(host, now);
        let heard = heard.get(&host.name);
        out.line(format_args!(
            "{:<24} {:<12} {:<24} {:<34} {}",
            host.name.as_str(),
            host.zone.as_str(),
            roles.join(","),
            out.paint(paint, &state),
            heard.map(|line| figures(line, now)).unwrap_or_default()
        ))?;
    }
    Ok(())
}

/// What was heard last, in a few words.
fn figures(line: &HostLine, now: Timestamp) -> String {
    let Some(latest) = &line.latest else {
        return "never heard".to_owned();
    };
    let percent =
        |ppm: Option<i64>| ppm.map_or_else(|| "-".to_owned(), |ppm| format!("{}%", ppm / 10_000));
    let gauges = &latest.gauges;
    let mut text = format!(
        "heard {} s ago, cpu {} mem {} gpu {}",
        now.since(latest.seen.at) / 1000,
        percent(gauges.cpu_ppm),
        percent(gauges.memory_ppm),
        percent(gauges.gpu_ppm)
    );
    if let Some(fail) = latest.posture_fail.filter(|fail| *fail > 0) {
        text.push_str(&format!(", {fail} posture checks fail"));
    }
    if line.alerts > 0 {
        text.push_str(&format!(", {} alerts", line.alerts));
    }
    text
}

fn value(host: &HostRecord) -> serde_json::Value {
    json!({
        "name": host.name,
        "zone": host.zone,
        "roles": host.roles,
        "dial": host.dial,
        "address": host.address,
        "state": host.state.as_str(),
        "invited_until": host.invited_until.map(|at| at.to_string()),
        "joined": host.joined.map(|at| at.to_string()),
        "revoked": host.revoked.map(|at| at.to_string()),
        "certificate_ends": host.certificate.as_ref().map(|it| it.not_after.to_string()),
        "certificate": host.certificate.as_ref().map(|it| it.sha256.to_hex()),
    })
}

fn state(host: &HostRecord, now: Timestamp) -> (Paint, String) {
    let open = host.invited_until.filter(|until| *until > now);
    match (host.state, &host.certificate, open) {
        (HostState::Revoked, _, None) => (Paint::Red, "shut out".to_owned()),
        (HostState::Revoked, _, Some(until)) => {
            let text = format!("shut out; invited until {}", until.clock());
            (Paint::Yellow, text)
        }
        (HostState::Joined, Some(certificate), _) if certificate.not_after > now => {
            let hours = certificate.not_after.since(now) / 3_600_000;
            (Paint::Green, format!("in; certificate good for {hours} h"))
        }
        (HostState::Joined, ..) => (
            Paint::Yellow,
            "its certificate is over: reinvite it".to_owned(),
        ),
        (HostState::Invited, _, Some(until)) => {
            (Paint::Yellow, format!("invited until {}", until.clock()))
        }
        (HostState::Invited, _, None) => (Paint::Dim, "its invitation is over".to_owned()),
    }
}
