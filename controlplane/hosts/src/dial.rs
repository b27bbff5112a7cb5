//! Calls the hosts that are dialled, each in a task of its own with a limit of time: a slow one delays no other.

mod call;
mod rota;

use crate::Intake;
use crate::desk::Desk;
use call::call;
use net_model::{Dial, HostName};
use rota::Rota;
use std::sync::Arc;
use std::time::Duration;
use store::{HostRecord, HostState};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

/// How often is looked who is due.
const TICK: Duration = Duration::from_secs(1);
/// How long one call may take, whatever happens in it.
const CALL: Duration = Duration::from_secs(20);
/// Most calls at a time.
const AT_A_TIME: usize = 64;

/// Calls until `stop`.
pub(crate) async fn keep_calling<I: Intake>(desk: &Arc<Desk<I>>, stop: &CancellationToken) {
    let mut calls: JoinSet<(HostName, bool)> = JoinSet::new();
    let mut rota = Rota::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(ended) = calls.join_next(), if !calls.is_empty() => {
                if let Ok((host, good)) = ended {
                    rota.ended(&host, good, Instant::now());
                }
                continue;
            }
            _ = ticks.tick() => {}
        }
        let hosts = match desk.store.hosts().await {
            Ok(hosts) => hosts,
            Err(why) => {
                tracing::warn!(
                    "Hosts that are dialled are not called. {:#}",
                    anyhow::Error::from(why)
                );
                continue;
            }
        };
        let now = desk.now();
        let wanted = hosts.into_iter().filter(|host| {
            let open = host.invited_until.is_some_and(|until| until > now);
            host.dial == Dial::In
                && host.address.is_some()
                && (host.state == HostState::Joined || open)
        });
        for host in rota.due(wanted, Instant::now(), AT_A_TIME) {
            let desk = Arc::clone(desk);
            calls.spawn(async move { one(&desk, host).await });
        }
    }
}

async fn one<I: Intake>(desk: &Desk<I>, host: HostRecord) -> (HostName, bool) {
    let ended = timeout(CALL, call(desk, &host)).await;
    let why = match ended {
        Ok(Ok(())) => return (host.name, true),
        Ok(Err(why)) => format!("{why:#}"),
        Err(_) => format!("not done within {CALL:?}"),
    };
    tracing::debug!(host = %host.name, why, "A host that is dialled was not reached.");
    (host.name, false)
}
