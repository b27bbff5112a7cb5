//! The listener: every connection a task of its own.

use crate::desk::Desk;
use crate::gate::Gate;
use crate::{Intake, requests};
use net_link::Peer;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Wait after an error of `accept`, such as too many open files.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `stop`; connections end with it.
pub(crate) async fn serve<I: Intake>(
    desk: &Arc<Desk<I>>,
    listener: TcpListener,
    stop: &CancellationToken,
) {
    let gate = Gate::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((tcp, from)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let Some(pass) = gate.enter(from.ip()) else {
            tracing::debug!(%from, "Too many connections.");
            continue;
        };
        let desk = Arc::clone(desk);
        connections.spawn(async move {
            let config = desk.own().server;
            let served = net_link::serve(tcp, config, |certificate| {
                let peer = certificate.and_then(Peer::of);
                move |request| {
                    requests::answer(Arc::clone(&desk), (peer.clone(), from.ip()), request)
                }
            });
            if let Err(why) = served.await {
                tracing::debug!(%from, %why, "A host's connection ended early.");
            }
            drop(pass);
        });
    }
}
