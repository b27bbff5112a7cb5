//! The embedded gateway: an OpenAI-compatible data plane that a node agent can close at once.
//!
//! Every exchange stands in one registry with a cancel token, passes one admission function, and is metered into
//! an append-only spool. What is cut is said by an overlay that comes over a unix socket; the routes never say it.
//!
//! **Invariant:** a gateway starts closed. Nothing passes until its agent has laid a first overlay over it.

mod accept;
mod account;
mod admission;
mod app;
mod arriving;
mod attempt;
mod beside;
mod capture;
mod clock;
mod control;
mod cord;
mod deny;
mod detour;
mod events;
mod exchange;
mod figures;
mod followed;
mod governor;
mod headers;
mod hold;
mod http1;
mod http2;
mod inflow;
mod intake;
mod known;
mod lanes;
mod leg;
mod line;
mod lines;
mod making;
mod metrics;
mod models;
mod named;
mod noted;
mod notices;
mod offers;
mod orphan;
mod otel;
mod overlay;
mod probe;
mod proxies;
mod question;
mod rates;
mod realtime;
mod registry;
mod relay;
mod reply;
mod round;
mod runaway;
mod search;
mod serve;
mod show;
mod silence;
mod spool;
mod target_http;
mod targets;
mod telling;
mod tls;
mod upstream;
mod wire;

pub use ipnet::IpNet;
pub use lines::LinesFile;
pub use otel::{OtelHeaders, OtelWish};
pub use tls::{BadTls, Tls};

use account::Books;
use admission::Table;
use anyhow::Context as _;
use app::App;
use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use gateway_core::choice;
use governor::Governor;
use lanes::{Lane, Lanes};
use net_model::{KeyHash, ReloadReport, RouteTable, Rules};
use prices::Prices;
use runaway::Runaways;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// After the limit of a drain: time for what was cut off to be gone.
const CUT_OFF_LIMIT: Duration = Duration::from_millis(250);
/// How long a gateway that stops waits for the question of a client it has just taken in.
const LATECOMERS: Duration = Duration::from_millis(100);
const PRUNE_EVERY: Duration = Duration::from_secs(10);

/// What a gateway is started with.
#[derive(Debug)]
pub struct Settings {
    /// The wanted routes.
    pub table: RouteTable,
    /// Budgets, limits, runaways.
    pub rules: Rules,
    /// Where the node agent gives its overlays; made with mode 0600.
    pub control_socket: PathBuf,
    /// Folder of the usage spool; made when missing.
    pub spool_dir: PathBuf,
    /// What is kept of the key that probes carry.
    pub probe_key: KeyHash,
    /// How clients reach it.
    pub front: Front,
}

/// How clients reach a gateway.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Its certificate; without one it speaks plainly.
    pub tls: Option<Tls>,
    /// Whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Who follows along, besides the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operating {
    /// A line for each answer.
    pub access_log: Option<LinesFile>,
    /// A span for each call to a model, and figures.
    pub otel: Option<OtelWish>,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Exchanges that came to their own end.
    pub ended: u32,
    /// Exchanges that had to be cut off at the limit.
    pub cut_off: u32,
}

/// A running gateway on threads of its own: one that takes clients in, a lane for each core, and one for its control
/// socket. Stop it with [`Gateway::drain`]; dropped, it cuts off whatever is open.
#[derive(Debug)]
pub struct Gateway {
    app: Arc<App>,
    control: Arc<control::Control>,
    door: Arc<Lane>,
    lanes: Arc<Lanes>,
    addr: SocketAddr,
}

impl Gateway {
    /// Serves on `listener`, closed until the first overlay arrives.
    ///
    /// Fails when the spool or the control socket cannot be opened, another gateway listens at the socket, or a thread
    /// cannot be started.
    pub fn start(settings: Settings, listener: std::net::TcpListener) -> anyhow::Result<Self> {
        Self::start_on(settings, listener, Lanes::start()?)
    }

    fn start_on(
        settings: Settings,
        listener: std::net::TcpListener,
        lanes: Lanes,
    ) -> anyhow::Result<Self> {
        let control_socket = settings.control_socket.clone();
        let door = Lane::start("gateway-door", 0)?;
        let app = app(settings, &door)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let listener = {
            let _on = app.door.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let control = control::Control::start(Arc::clone(&app), control_socket)?;
        let lanes = Arc::new(lanes);
        let accepting = accept::accept(Arc::clone(&app), listener, Arc::clone(&lanes));
        app.tasks.spawn_on(accepting, &app.door);
        app.tasks.spawn_on(prune(Arc::clone(&app)), &app.door);
        app.tasks
            .spawn_on(orphan::watch(Arc::clone(&app)), &app.door);
        let watch = targets::health::watch(Arc::clone(&app));
        app.tasks.spawn_on(watch, &app.door);
        Ok(Self {
            app,
            control: Arc::new(control),
            door: Arc::new(door),
            lanes,
            addr,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Puts other wanted routes and rules in place of those before. The overlay in force stays as it is; open exchanges go on
    /// under the routes they began with.
    pub fn reload(&self, table: RouteTable, rules: Rules) {
        let before = self.app.table.load_full();
        let zone = choice::zone(rules.time_zone.as_deref()).unwrap_or_else(|error| {
            tracing::error!(%error, "The time zone stays as it was.");
            before.zone().clone()
        });
        self.app.governor.reload(&rules, &table);
        self.app.runaways.reload(&rules, &table);
        let table = Table::new(table, zone, Some(&before));
        self.app.table.store(Arc::new(table));
        tracing::info!("Other routes are in place.");
    }

    /// Puts other prices in place of those before: from now on exchanges cost what these say. A gateway starts with
    /// the built-in ones.
    pub fn set_prices(&self, prices: Prices) {
        self.app.books.known.set_prices(prices);
    }

    /// Meets new connections in another way; open ones go on as they are.
    pub fn reload_front(&self, front: Front) {
        self.app.front.store(Arc::new(front));
    }

    /// Lets others follow along from now on. A gateway starts with nobody.
    pub fn operate(&self, wish: Operating) {
        self.app.followers.follow(&self.app, wish);
    }

    /// Tells, in figures and notices, how reading the configuration again went.
    pub fn tell_of_reload(&self, report: &ReloadReport) {
        let figures = self.app.books.metrics.following();
        self.app.notices.reloaded(report, figures);
    }

    /// Opens the access log again by its name, because something else has moved the file away.
    pub fn reopen_logs(&self) {
        self.app.followers.reopen();
    }

    /// Stops: no new connections at once, open exchanges may end until `limit`, then they are cut off. Overlays are
    /// taken until the last exchange is gone; the usage spool is written out.
    pub async fn drain(&self, limit: Duration) -> Drained {
        let app = &self.app;
        let until = Instant::now() + limit;
        let open = app.registry.open();
        app.stop.draining.cancel();
        // Who was just taken in has not asked yet.
        let not_before = Instant::now() + LATECOMERS;
        while Instant::now() < not_before || (app.registry.open() > 0 && Instant::now() < until) {
            sleep(Duration::from_millis(5)).await;
        }
        let swept = app.sever_all();
        let cut_off = swept.severed;
        let _lingering = swept.gone().await;
        app.stop.abandon.cancel();
        app.tasks.close();
        let _late = timeout(CUT_OFF_LIMIT, app.tasks.wait()).await;
        app.upstreams.close();
        let (control, spool) = (Arc::clone(&self.control), Arc::clone(&app.books.spool));
        let (governor, last) = (Arc::clone(&app.governor), Arc::clone(app));
        let (door, lanes) = (Arc::clone(&self.door), Arc::clone(&self.lanes));
        let stopped = tokio::task::spawn_blocking(move || {
            // What a lane still holds settles when it is dropped.
            lanes.stop();
            door.stop();
            control.stop();
            spool.stop();
            governor.stop();
            last.followers.finish(CUT_OFF_LIMIT);
            last.captures.finish(&last);
        });
        if stopped.await.is_err() {
            tracing::error!("The spool or the control socket did not stop in order.");
        }
        Drained {
            ended: open.saturating_sub(cut_off),
            cut_off,
        }
    }
}

/// What the gateway's threads share.
fn app(settings: Settings, door: &Lane) -> anyhow::Result<Arc<App>> {
    let zone = choice::zone(settings.rules.time_zone.as_deref())?;
    let mut boot = [0; 4];
    getrandom::fill(&mut boot).context("no randomness for the boot id")?;
    let metrics = Arc::new(metrics::Metrics::new());
    let spool = spool::Spool::start(&settings.spool_dir, Arc::clone(&metrics))?;
    let registry = registry::Registry::new();
    let (rules, table) = (&settings.rules, &settings.table);
    let dir = &settings.spool_dir;
    let governor = Governor::start(rules, table, dir, &registry, &metrics)?;
    let runaways = Runaways::new(rules, table, &governor, &metrics);
    Ok(Arc::new(App {
        boot: HEXLOWER.encode(&boot),
        started: clock::now(),
        table: ArcSwap::from_pointee(Table::new(settings.table, zone, None)),
        governor,
        runaways,
        in_force: overlay::InForce::default(),
        followed: followed::Followed::default(),
        registry,
        upstreams: upstream::Upstreams::new().context("preparing TLS")?,
        books: Books {
            spool: Arc::new(spool),
            metrics,
            known: Arc::default(),
            pace: Arc::default(),
        },
        offers: offers::Offers::default(),
        held: intake::Held::default(),
        rooms: realtime::Rooms::default(),
        followers: noted::Followers::default(),
        captures: capture::Captures::default(),
        captures_dir: captures_dir(&settings.spool_dir),
        notices: notices::Notices::default(),
        probe_key: settings.probe_key,
        front: ArcSwap::from_pointee(settings.front),
        stop: app::Stop::default(),
        door: door.handle().clone(),
        tasks: tokio_util::task::TaskTracker::new(),
    }))
}

/// Beside the spool, which another program may read.
fn captures_dir(spool: &Path) -> PathBuf {
    spool.with_file_name("captures")
}

/// Whether this machine knows a time zone that rules may name; the error says what was expected.
pub fn knows_time_zone(name: Option<&str>) -> Result<(), String> {
    choice::zone(name)
        .map(drop)
        .map_err(|error| error.to_string())
}

async fn prune(app: Arc<App>) {
    while timeout(PRUNE_EVERY, app.stop.draining.cancelled())
        .await
        .is_err()
    {
        app.upstreams.prune();
    }
}
