//! The control plane of a start: database, background tasks, dashboard. Its failure stops nothing else.

use super::counters::{self, Counted};
use super::spend_logs::{self, Asked, Ledgers};
use super::{mesh, over_mesh};
use crate::clock;
use crate::config::{Config, MeshSection, UsageSource, Way};
use crate::office::Desk;
use crate::paths::Home;
use crate::price_list;
use axum::serve::ListenerExt as _;
use dash::{ConfigAsk, Feeds, Source};
use gateways::{Driver, Gateway as _};
use inventory::Inventory;
use net_model::Observed;
use prices::Prices;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running control plane.
#[derive(Debug)]
pub(super) struct ControlPlane {
    store: Store,
    inventory: Inventory,
    feeds: watch::Sender<Arc<Feeds>>,
    ledgers: watch::Sender<Arc<Ledgers>>,
    tasks: tasks::Tasks,
    web: JoinHandle<std::io::Result<()>>,
    stop: CancellationToken,
    running: TaskTracker,
}

/// What the configuration wants of it.
#[derive(Debug)]
pub(super) struct Wish {
    /// Names under which a browser may call the dashboard.
    pub(super) hosts: Vec<String>,
    /// The demo model answers.
    pub(super) demo: bool,
    /// Zones, and what is an alert.
    pub(super) inventory: inventory::Settings,
    /// This machine's address on the mesh, if the dashboard is to be opened there too.
    pub(super) over_mesh: Option<SocketAddr>,
    /// The mesh, where there is one.
    pub(super) mesh: Option<MeshSection>,
    /// When drills are run.
    pub(super) drill: Option<String>,
    /// Gateways that are not ours and tell of their usage.
    pub(super) usage: Vec<UsageSource>,
    /// The provider that signs people in.
    pub(super) oidc: Option<oidc::Settings>,
    /// Where passkeys count.
    pub(super) passkeys: Option<passkeys::Settings>,
    /// The configuration file.
    pub(super) file: Option<PathBuf>,
}

impl Wish {
    pub(super) fn of(config: &Config, demo: bool) -> Self {
        Self {
            hosts: config.hosts.clone(),
            demo,
            inventory: house(config),
            over_mesh: config.over_mesh,
            mesh: config.mesh.clone(),
            drill: config.jobs.drill.clone(),
            usage: config.usage.clone(),
            oidc: config.oidc.clone(),
            passkeys: config.passkeys.clone(),
            file: config.file.clone(),
        }
    }
}

/// What the inventory is told of the house.
pub(super) fn house(config: &Config) -> inventory::Settings {
    inventory::Settings {
        zones: Arc::clone(&config.zones),
        alerts: config.alerts.clone(),
    }
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
        wish: Wish,
        asks: mpsc::Sender<ConfigAsk>,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&home.database()).await?;
        let inventory = Inventory::open(store.clone(), wish.inventory, clock::now()).await?;
        let lever = killctl::Lever::at(home.lever());
        let tasks = tasks::start(tasks::Settings {
            store: store.clone(),
            spool_dir: home.spool(),
            inventory: inventory.clone(),
            drill: wish.drill,
            lever: lever.clone(),
            facts: FromDriver(Driver::embedded(home.control_socket())),
            demo: wish.demo,
            clock: clock::now,
        });
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let zones = inventory.clone();
        let mesh = wish.mesh.map(|section| {
            let house = tasks.snapshots();
            let zones = move || zones.zones();
            mesh::start(section, home, store.clone(), zones, house, &tracker, &stop)
        });
        let mesh = mesh.transpose()?;
        let (post, pull) = sources(&wish.usage, &price_list::read(home)?);
        let (feeds, posted) = watch::channel(Arc::new(post));
        let (ledgers, asked) = watch::channel(Arc::new(pull));
        ask(&tracker, &store, asked, &stop);
        let app = dash::App {
            mesh: mesh.as_ref().map(|mesh| mesh.views.clone()),
            store: store.clone(),
            snapshots: tasks.snapshots(),
            inventory: inventory.clone(),
            jobs: tasks.jobs(),
            oidc: wish.oidc.map(oidc::Provider::new).transpose()?,
            passkeys: wish.passkeys,
            lever,
            office: Arc::new(Desk::new(home, wish.file, &asks, &store)),
            sign_in_dir: home.sign_in(),
            hosts: wish.hosts,
            config: asks,
            journal: crate::journal::of(home),
            feeds: posted,
            clock: clock::now,
        };
        if let Some((at, (local, whois))) = wish.over_mesh.zip(mesh.and_then(|mesh| mesh.service)) {
            let router = dash::over_mesh(app.clone(), whois);
            tracker.spawn(over_mesh::serve(at, local, router, stop.clone()));
        }
        let web = open(listener, app, &tracker, &stop)?;
        tracker.close();
        Ok(Self {
            store,
            inventory,
            feeds,
            ledgers,
            tasks,
            web,
            stop,
            running: tracker,
        })
    }

    /// Other zones, other rules for alerts.
    pub(super) fn set(&self, settings: inventory::Settings) {
        self.inventory.set(settings);
    }

    /// Others that tell of usage, other prices.
    pub(super) fn set_sources(&self, usage: &[UsageSource], prices: &Prices) {
        let (post, ask) = sources(usage, prices);
        self.feeds.send_replace(Arc::new(post));
        self.ledgers.send_replace(Arc::new(ask));
    }

    /// What it keeps, for whoever takes in what hosts say.
    pub(super) fn keeps(&self) -> (Store, Inventory) {
        (self.store.clone(), self.inventory.clone())
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
        if tokio::time::timeout(limit, self.running.wait())
            .await
            .is_err()
        {
            tracing::warn!(task = "mesh", ?limit, "Did not stop in time.");
        }
        self.tasks.stop(limit).await;
        self.store.close().await;
    }
}

/// Who posts, and who is asked.
fn sources(usage: &[UsageSource], prices: &Prices) -> (Feeds, Ledgers) {
    let (mut sources, mut asked, mut counted) = (Vec::new(), Vec::new(), Vec::new());
    for source in usage {
        let name = source.name.clone();
        match &source.way {
            Way::Posts(kind, token) => sources.push(Source {
                name,
                kind: *kind,
                token: *token,
            }),
            Way::Asked(at, key) => asked.push(Asked {
                name,
                at: *at,
                key: key.clone(),
            }),
            Way::Counted(at, known) => counted.push(Counted {
                name,
                at: *at,
                known: known.clone(),
            }),
        }
    }
    let feeds = Feeds {
        sources,
        prices: prices.clone(),
    };
    let ledgers = Ledgers {
        asked,
        counted,
        prices: prices.clone(),
    };
    (feeds, ledgers)
}

/// Asks the gateways that are to be asked for their usage, until it is told to stop.
fn ask(
    tracker: &TaskTracker,
    store: &Store,
    asked: watch::Receiver<Arc<Ledgers>>,
    stop: &CancellationToken,
) {
    tracker.spawn(counters::run(store.clone(), asked.clone(), stop.clone()));
    tracker.spawn(spend_logs::run(store.clone(), asked, stop.clone()));
}

/// Serves the dashboard until it is told to stop; meanwhile the journal is read, which the first look would wait for.
fn open(
    listener: TcpListener,
    app: dash::App,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> std::io::Result<JoinHandle<std::io::Result<()>>> {
    listener.set_nonblocking(true)?;
    // Without this a server-sent event waits for the client's delayed acknowledgement.
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|tcp| {
        if let Err(why) = tcp.set_nodelay(true) {
            tracing::debug!(%why, "TCP_NODELAY was refused.");
        }
    });
    let (journal, stopped) = (app.journal.clone(), stop.clone());
    tracker.spawn_blocking(move || journal.read_ahead(|| stopped.is_cancelled()));
    let ended = stop.clone().cancelled_owned();
    let router = dash::router(app).into_make_service_with_connect_info::<SocketAddr>();
    Ok(tracker.spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(ended)
            .await
    }))
}
