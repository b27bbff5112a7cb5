//! The control plane of a start: database, background tasks, dashboard. Its failure stops nothing else.

use crate::clock;
use crate::paths::Home;
use axum::serve::ListenerExt as _;
use dash::ConfigAsk;
use gateways::{Driver, Gateway as _};
use net_model::Observed;
use std::net::TcpListener;
use std::time::Duration;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running control plane.
#[derive(Debug)]
pub(super) struct ControlPlane {
    store: Store,
    tasks: tasks::Tasks,
    web: JoinHandle<std::io::Result<()>>,
    stop: CancellationToken,
}

/// What the dashboard knows of a gateway, by the same driver as the agent's.
struct FromDriver(Driver);

impl tasks::Facts for FromDriver {
    async fn observed(&self) -> Result<Observed, String> {
        self.0.observe().await.map_err(|why| why.to_string())
    }
}

impl ControlPlane {
    /// Opens the database, starts tasks and dashboard.
    pub(super) async fn start(
        home: &Home,
        listener: TcpListener,
        hosts: Vec<String>,
        demo: bool,
        asks: mpsc::Sender<ConfigAsk>,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&home.database()).await?;
        let lever = killctl::Lever::at(home.lever());
        let tasks = tasks::start(tasks::Settings {
            store: store.clone(),
            spool_dir: home.spool(),
            lever: lever.clone(),
            facts: FromDriver(Driver::embedded(home.control_socket())),
            demo,
            clock: clock::now,
        });
        let router = dash::router(dash::App {
            store: store.clone(),
            snapshots: tasks.snapshots(),
            lever,
            sign_in_dir: home.sign_in(),
            hosts,
            config: asks,
            clock: clock::now,
        });
        listener.set_nonblocking(true)?;
        // Without this a server-sent event waits for the client's delayed acknowledgement.
        let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|tcp| {
            if let Err(why) = tcp.set_nodelay(true) {
                tracing::debug!(%why, "TCP_NODELAY was refused.");
            }
        });
        let stop = CancellationToken::new();
        let ended = stop.clone().cancelled_owned();
        let tracker = TaskTracker::new();
        let web = tracker.spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(ended)
                .await
        });
        tracker.close();
        Ok(Self {
            store,
            tasks,
            web,
            stop,
        })
    }

    /// Stops the dashboard (pages that follow along never end by themselves), then the tasks, then the database.
    pub(super) async fn stop(self, limit: Duration) {
        self.stop.cancel();
        let abort = self.web.abort_handle();
        match tokio::time::timeout(limit, self.web).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(why))) => tracing::error!(task = "dashboard", %why, "Had failed."),
            Ok(Err(why)) => tracing::error!(task = "dashboard", %why, "Had died before shutdown."),
            Err(_) => abort.abort(),
        }
        self.tasks.stop(limit).await;
        self.store.close().await;
    }
}
