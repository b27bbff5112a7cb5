//! Hosts that have joined and reported for two hours, and what was wrong with them.

use crate::ledger::mixed;
use anyhow::ensure;
use kill_wire::Timestamp;
use net_model::report::Report;
use net_model::{AlertView, Dial, Gauges, HostLatest, HostName, HostRole, HostSeen, TokenSecret};
use site_tests::bench::report::report;
use std::net::{IpAddr, Ipv4Addr};
use store::{CertificateRecord, HostPoint, Invitation, ReportBatch, Store};

/// Zones of the house.
pub(crate) const ZONES: u32 = 8;
/// Minutes of history.
const MINUTES: u64 = 120;
/// Alerts that are over.
const OVER: u64 = 5_000;
/// One of so many hosts has an alert that fires.
const FIRES: u32 = 25;

/// What the host of this number is called.
pub(crate) fn name(number: u32) -> anyhow::Result<HostName> {
    Ok(format!("host{number}").parse()?)
}

/// Writes hosts, reports and alerts.
pub(crate) async fn fill(store: &Store, hosts: u32, now: Timestamp) -> anyhow::Result<()> {
    for number in 0..hosts {
        join(store, number, now).await?;
    }
    let all: Vec<u32> = (0..hosts).collect();
    for some in all.chunks(100) {
        let mut batch = ReportBatch::default();
        for number in some {
            say(&mut batch, *number, now)?;
        }
        store.keep_reports(&batch).await?;
    }
    store.fold_reports().await?;
    store.keep_alerts(&alerts(hosts, now)?).await?;
    Ok(())
}

async fn join(store: &Store, number: u32, now: Timestamp) -> anyhow::Result<()> {
    let mut chance = [0; 16];
    chance[..8].copy_from_slice(&mixed(number.into()).to_be_bytes());
    let secret = TokenSecret::new(&chance);
    let invitation = Invitation {
        name: name(number)?,
        zone: format!("zone{}", number % ZONES).parse()?,
        roles: [HostRole::Other].into(),
        dial: Dial::Out,
        address: None,
        token: secret.hash(),
        expires: now.plus_millis(900_000),
    };
    let new = store.invite_host(&invitation, false, now).await?;
    ensure!(new, "{} is known already", invitation.name);
    let certificate = CertificateRecord {
        sha256: net_model::KeyHash::of(invitation.name.as_str().as_bytes()),
        name: invitation.name,
        issued: now,
        not_after: now.plus_millis(86_400_000),
    };
    let joined = store.host_joined(invitation.token, &certificate).await?;
    ensure!(joined, "{} has not joined", certificate.name);
    Ok(())
}

/// Two hours of points, and the newest report with all its facts.
fn say(batch: &mut ReportBatch, number: u32, now: Timestamp) -> anyhow::Result<()> {
    let host = name(number)?;
    let gauges = |minute: u64| {
        let chance = mixed(u64::from(number) * 1000 + minute);
        let part = |by: u64| i64::try_from(chance / by % 900_000).ok();
        Gauges {
            cpu_ppm: part(1),
            memory_ppm: part(7),
            disk_ppm: part(49),
            temp_mc: Some(40_000),
            gpu_ppm: part(343),
            vram_ppm: part(2401),
            rx_bps: part(11),
            tx_bps: part(13),
        }
    };
    batch.points.extend((0..MINUTES).map(|ago| HostPoint {
        host: host.clone(),
        at: Timestamp::from_millis(now.millis().saturating_sub(ago * 60_000)),
        gauges: gauges(ago),
    }));
    let said = Report::parse(report(number, 1).as_bytes())?;
    let [_, _, high, low] = number.to_be_bytes();
    let latest = HostLatest {
        host,
        seen: HostSeen {
            at: now,
            address: IpAddr::V4(Ipv4Addr::new(192, 0, high, low)),
            dial: Dial::Out,
            certificate_ends: Some(now.plus_millis(86_400_000)),
            lost: 0,
            refused: 0,
        },
        seq: said.seq,
        boot: said.boot,
        up_ms: said.up_ms,
        claimed_at: now,
        gauges: gauges(0),
        posture_fail: Some(i64::from(number.is_multiple_of(40))),
        posture_unknown: Some(0),
        version: Some("0.1.0".to_owned()),
    };
    batch
        .latest
        .push((latest, serde_json::to_string(&said.facts)?));
    Ok(())
}

fn alerts(hosts: u32, now: Timestamp) -> anyhow::Result<Vec<AlertView>> {
    let alert = |id: u64, host: u32, ended| {
        let since = now
            .millis()
            .saturating_sub((OVER + 100 - id.min(OVER)) * 60_000);
        Ok::<_, anyhow::Error>(AlertView {
            id,
            rule: "disk".to_owned(),
            host: Some(name(host)?),
            subject: format!("/data{}", id % 3),
            text: format!("/data{} is full to 97 %: 14 GB are left", id % 3),
            since: Timestamp::from_millis(since),
            ended,
            quiet: false,
            told: None,
        })
    };
    let mut all = Vec::new();
    for id in 1..=OVER {
        let host = u32::try_from(mixed(id) % u64::from(hosts))?;
        all.push(alert(id, host, Some(now))?);
    }
    for host in (0..hosts).step_by(FIRES as usize) {
        all.push(alert(OVER + 1 + u64::from(host), host, None)?);
    }
    Ok(all)
}
