//! The negative control: every way through a gateway is tried all the time, so that a proof can say "worked before".

use crate::clock;
use crate::dial::{self, NoAnswer};
use crate::switch::Switch;
use crate::vantage::{Vantage, probe_request};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use kill_wire::{CanaryState, Incident, LatchSet, PROBE_POINTS_PATH, ProbePoint, ProbePoints};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(30);
/// After a round in which something did not answer as it should; doubles each time.
const SOON: Duration = Duration::from_millis(500);
/// The gateway asks the target and waits three seconds at most; a round ends before the next begins.
const LIMITS: Limits = Limits {
    each: Duration::from_secs(4),
    all: Duration::from_secs(25),
};
/// Probes at the same time.
const AT_ONCE: usize = 32;

/// What one probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It came through to the target.
    Open,
    /// Refused by a cut, with the incident it named.
    Cut(Incident),
    /// Refused because the gateway or its lease is closed, without an incident.
    Closed,
    /// Nothing listens there.
    Gone,
    /// Admitted, but the target failed; or an answer nobody expects.
    Odd(String),
}

/// Sends canaries until shutdown: soon again while something does not answer as it should, then ever more rarely.
pub(crate) async fn watch(switch: Arc<Switch>) {
    let mut pause = SOON;
    loop {
        let well = round(&switch).await;
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = switch.look.notified() => pause = SOON,
            () = tokio::time::sleep(if well { ROUND } else { pause }) => pause = (pause * 2).min(ROUND),
        }
        if well {
            pause = SOON;
        }
    }
}

/// True when every point answered as it should.
pub(crate) async fn round(switch: &Arc<Switch>) -> bool {
    let mut known = Vec::new();
    let mut names = Vec::new();
    let mut complete = true;
    for (at, vantage) in switch.vantages.iter().enumerate() {
        match list(vantage, switch).await {
            Ok(points) => {
                names.extend(points.names);
                known.extend(points.points.into_iter().map(|point| (at, point)));
            }
            Err(no_answer) => {
                complete = false;
                tracing::debug!(gateway = %vantage.gateway, why = no_answer.why, "Gateway lists no probe points.");
            }
        }
    }
    if complete {
        switch.learn(names);
    }
    let before = switch.latches();
    let seen = probe(switch, known.clone(), LIMITS).await;
    // A cut that came during the round makes its answers say nothing of before.
    if switch.latches() == before {
        judge(switch, &before, known, &seen, complete);
    }
    let state = switch.canaries().state.clone();
    complete && state.points > 0 && state.good == state.points
}

fn judge(
    switch: &Switch,
    latches: &LatchSet,
    known: Vec<(usize, ProbePoint)>,
    seen: &BTreeMap<(usize, ProbePoint), Seen>,
    complete: bool,
) {
    let mut canaries = switch.canaries();
    let mut good = 0;
    for key in &known {
        let open = seen.get(key) == Some(&Seen::Open);
        let expected = if latches.closing(&key.1.subject()).is_some() {
            canaries.worked.entry(key.clone()).or_insert(false);
            matches!(seen.get(key), Some(Seen::Cut(_) | Seen::Gone))
        } else {
            canaries.worked.insert(key.clone(), open);
            open
        };
        good += u32::from(expected);
    }
    if complete {
        canaries.worked.retain(|key, _| known.contains(key));
    }
    canaries.state = CanaryState {
        points: u32::try_from(known.len()).unwrap_or(u32::MAX),
        good,
        at: Some(clock::now()),
    };
}

async fn list(vantage: &Vantage, switch: &Switch) -> Result<ProbePoints, NoAnswer> {
    if let Some(named) = vantage.named() {
        return Ok(named);
    }
    let request = probe_request(vantage, Method::GET, PROBE_POINTS_PATH, None)?;
    let answer = once(vantage.gateway, request, Duration::from_secs(2), switch).await?;
    if answer.status != StatusCode::OK {
        return Err(NoAnswer::new(format!("answered {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(NoAnswer::new)
}

/// How long probes may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One of them.
    pub(crate) each: Duration,
    /// All together.
    pub(crate) all: Duration,
}

/// Tries every point, at most [`AT_ONCE`] at a time. What has not answered in time is not among the answers.
pub(crate) async fn probe(
    switch: &Arc<Switch>,
    points: Vec<(usize, ProbePoint)>,
    limits: Limits,
) -> BTreeMap<(usize, ProbePoint), Seen> {
    let mut seen = BTreeMap::new();
    let gathering = gather(switch, points, limits.each, &mut seen);
    if tokio::time::timeout(limits.all, gathering).await.is_err() {
        tracing::warn!(
            answered = seen.len(),
            "Probes were not all answered in time."
        );
    }
    seen
}

async fn gather(
    switch: &Arc<Switch>,
    points: Vec<(usize, ProbePoint)>,
    limit: Duration,
    seen: &mut BTreeMap<(usize, ProbePoint), Seen>,
) {
    let mut running = JoinSet::new();
    for key in points {
        if running.len() >= AT_ONCE
            && let Some(Ok((key, result))) = running.join_next().await
        {
            seen.insert(key, result);
        }
        let switch = Arc::clone(switch);
        running.spawn(async move {
            let result = try_one(&switch, &key, limit).await;
            (key, result)
        });
    }
    while let Some(Ok((key, result))) = running.join_next().await {
        seen.insert(key, result);
    }
}

async fn try_one(switch: &Switch, key: &(usize, ProbePoint), limit: Duration) -> Seen {
    let Some(vantage) = switch.vantages.get(key.0) else {
        return Seen::Gone;
    };
    let request = match vantage.request(&key.1) {
        Ok(request) => request,
        Err(no_answer) => return Seen::Odd(no_answer.why),
    };
    match once(vantage.gateway, request, limit, switch).await {
        Ok(answer) if answer.status.is_success() => Seen::Open,
        Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => {
            match answer.incident.and_then(|n| n.parse().ok()) {
                Some(incident) => Seen::Cut(incident),
                None => Seen::Closed,
            }
        }
        Ok(answer) => Seen::Odd(format!("answered {}", answer.status)),
        Err(no_answer) if no_answer.unreachable => Seen::Gone,
        Err(no_answer) => Seen::Odd(no_answer.why),
    }
}

async fn once(
    gateway: SocketAddr,
    request: Request<Full<Bytes>>,
    limit: Duration,
    switch: &Switch,
) -> Result<dial::Answer, NoAnswer> {
    let call = async {
        let mut sender = dial::connect(gateway, &switch.tasks).await?;
        dial::call(&mut sender, request).await
    };
    tokio::time::timeout(limit, call)
        .await
        .map_err(|_| NoAnswer::new(format!("no answer within {limit:?}")))?
}
