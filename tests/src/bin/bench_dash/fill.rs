//! Fills the database: hosts that joined and reported, and calls of thirty days.

use crate::asked::Asked;
use kill_wire::{Class, Timestamp};
use net_model::report::BootId;
use net_model::{
    Api, Dial, Ended, Gauges, HostLatest, HostName, HostRole, HostSeen, KeyHash, MicroDollars,
    UsageRecord,
};
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::controlplane::House;
use std::time::{SystemTime, UNIX_EPOCH};
use store::{CertificateRecord, HostPoint, Invitation, ReportBatch, Store};

const DAY_MS: u64 = 86_400_000;
/// Calls of one transaction.
const BATCH: u64 = 10_000;
/// Consumers, of which the built-in one is the first.
const CONSUMERS: u64 = 24;

/// What was filled in, and how long that took.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) hosts: u32,
    pub(crate) calls: u64,
    pub(crate) seconds: f64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is filled in must have happened lately, for whoever looks at it"
)]
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or_default())
}

pub(crate) async fn fill(house: &House, asked: &Asked) -> anyhow::Result<Filled> {
    let began = mark();
    let store = Store::open(&house.database()).await?;
    hosts(&store, asked.hosts).await?;
    let mut calls = 0;
    while calls < asked.calls {
        let batch: Vec<UsageRecord> = (calls..asked.calls.min(calls + BATCH))
            .map(|n| call(n, asked.calls))
            .collect::<Result<_, _>>()?;
        calls += store.take_in(&"bench".parse()?, &batch).await?;
    }
    store.close().await;
    Ok(Filled {
        hosts: asked.hosts,
        calls,
        seconds: ms(began, mark()) / 1000.0,
    })
}

async fn hosts(store: &Store, count: u32) -> anyhow::Result<()> {
    let at = now();
    let mut batch = ReportBatch::default();
    for n in 0..count {
        let name: HostName = format!("host-{n:04}").parse()?;
        let role = HostRole::ALL
            .into_iter()
            .cycle()
            .nth(n as usize % HostRole::ALL.len());
        let invitation = Invitation {
            name: name.clone(),
            zone: format!("zone-{}", n % 8).parse()?,
            roles: role.into_iter().collect(),
            dial: Dial::Out,
            address: None,
            token: KeyHash::of(name.as_str().as_bytes()),
            expires: at.plus_millis(60_000),
        };
        store.invite_host(&invitation, false, at).await?;
        let certificate = CertificateRecord {
            name: name.clone(),
            sha256: KeyHash::of(format!("certificate of {name}").as_bytes()),
            issued: at,
            not_after: at.plus_millis(DAY_MS),
        };
        store.host_joined(invitation.token, &certificate).await?;
        reported(&mut batch, &name, n, at)?;
    }
    Ok(store.keep_reports(&batch).await?)
}

/// Two hours of reports, a minute apart, and the newest.
fn reported(
    batch: &mut ReportBatch,
    name: &HostName,
    n: u32,
    now: Timestamp,
) -> anyhow::Result<()> {
    let gauges = |minute: u64| Gauges {
        cpu_ppm: Some(
            i64::try_from((u64::from(n) * 7919 + minute * 104_729) % 1_000_000).unwrap_or_default(),
        ),
        memory_ppm: Some(400_000 + i64::from(n % 1000) * 100),
        disk_ppm: Some(610_000),
        temp_mc: Some(52_000),
        ..Gauges::default()
    };
    for minute in 0..120 {
        batch.points.push(HostPoint {
            host: name.clone(),
            at: Timestamp::from_millis(now.millis() - minute * 60_000),
            gauges: gauges(minute),
        });
    }
    let latest = HostLatest {
        host: name.clone(),
        seen: HostSeen {
            at: now,
            address: std::net::Ipv4Addr::new(198, 18, 30, 2).into(),
            dial: Dial::Out,
            certificate_ends: Some(now.plus_millis(DAY_MS)),
            lost: 0,
            refused: 0,
        },
        seq: 1,
        boot: BootId::try_from("00000000000000aa".to_owned())
            .map_err(|_| anyhow::anyhow!("no boot id"))?,
        up_ms: 1000,
        claimed_at: now,
        gauges: gauges(0),
        posture_fail: Some(i64::from(n.is_multiple_of(9))),
        posture_unknown: Some(0),
        version: Some("0.1.0".to_owned()),
    };
    batch.latest.push((latest, "{}".to_owned()));
    Ok(())
}

fn call(n: u64, of: u64) -> anyhow::Result<UsageRecord> {
    let who = n % CONSUMERS;
    let consumer = if who == 0 {
        "agent".to_owned()
    } else {
        format!("agent-{who}")
    };
    let back = 30 * DAY_MS / of.max(1) * n;
    Ok(UsageRecord {
        id: n.to_string(),
        at: Timestamp::from_millis(now().millis().saturating_sub(back)),
        consumer: consumer.parse()?,
        route: "chat".parse()?,
        target: if n.is_multiple_of(5) {
            "cloud"
        } else {
            "ollama"
        }
        .parse()?,
        class: if n.is_multiple_of(5) {
            Class::Cloud
        } else {
            Class::Local
        },
        model: format!("model-{}", n % 12),
        stream: true,
        status: 200,
        prompt_tokens: 400 + n % 3000,
        completion_tokens: 20 + n % 700,
        estimated: n.is_multiple_of(50),
        took_ms: 800 + n % 5000,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: Some(MicroDollars(n % 9000)),
        fell_back_from: None,
        first_byte_ms: Some(120 + n % 400),
    })
}
