//! The dashboard's listener at this machine's address on the mesh. It waits for the mesh; its failure stops nothing else.

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::serve::ListenerExt as _;
use mesh::LocalApi;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often it is tried again while this machine does not have the address.
const AGAIN: Duration = Duration::from_secs(5);

/// How long answers may take when it ends.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves until it is told to stop.
pub(super) async fn serve(
    at: SocketAddr,
    local: LocalApi,
    router: Router,
    stop: CancellationToken,
) {
    let Some(listener) = stop.run_until_cancelled(opened(at, &local)).await else {
        return;
    };
    tracing::info!(address = %at, "The dashboard is open over the mesh.");
    let listener = listener.tap_io(|tcp| {
        if let Err(why) = tcp.set_nodelay(true) {
            tracing::debug!(%why, "TCP_NODELAY was refused.");
        }
    });
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = serving => if let Err(why) = ended {
            tracing::error!(%why, "The dashboard over the mesh has failed.");
        },
        () = late => {}
    }
}

/// The listener, as soon as it can be had. Each trouble is told once.
async fn opened(at: SocketAddr, local: &LocalApi) -> TcpListener {
    let mut told = String::new();
    loop {
        match open(at, local).await {
            Ok(listener) => return listener,
            Err(why) => {
                let why = format!("{why:#}");
                if why != told {
                    tracing::warn!(address = %at, "The dashboard is not open over the mesh yet. {why}");
                    told = why;
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Listens at an address that the mesh says is this machine's, and at no other.
async fn open(at: SocketAddr, local: &LocalApi) -> anyhow::Result<TcpListener> {
    let status = local.status().await?;
    let ours = status.nodes.iter().filter(|node| node.own);
    let mut addresses = ours.flat_map(|node| &node.addresses);
    ensure!(
        addresses.any(|own| *own == at.ip()),
        "{} is not an address of this machine on the mesh; set [controlplane] mesh_listen to one",
        at.ip()
    );
    TcpListener::bind(at).await.context("cannot listen there")
}
