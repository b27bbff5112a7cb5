//! From files to running threads.

use crate::alarms::{self, Alarms};
use crate::event::Event;
use crate::held::Streams;
use crate::hourly::Hourly;
use crate::peers::Peers;
use crate::recorder::{First, Recorder};
use crate::seen::{self, Seen};
use crate::settings::{Settings, Wishes};
use crate::switch::Switch;
use crate::{
    canary, certificates, check_in, clock, clock_watch, courier, cut, direct, drill, hold, http,
    lease, lever, link, peer_out, self_call, sockets, state, watchdog,
};
use anyhow::Context as _;
use kill_core::Core;
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running switch and its threads.
pub(crate) type Started = (Arc<Switch>, Vec<(&'static str, JoinHandle<()>)>);

/// What is listened on.
struct Listeners {
    webhooks: TcpListener,
    lever: Option<UnixListener>,
    courier: Option<UnixListener>,
}

/// Opens the state and the sockets, and starts the threads.
pub(crate) fn start(settings: Settings, webhooks: TcpListener) -> anyhow::Result<Started> {
    let dir = &settings.state_dir;
    let key = state::read_key(dir)
        .map_err(anyhow::Error::msg)
        .context("reading the key that signs orders")?;
    let newest_file = clock_watch::newest_file(dir);
    let lock = state::lock(dir)?;
    let opened = state::open(dir);
    // Nobody can be judged whose file cannot be read: that comes up cut, and says why.
    if opened.doubts.is_empty() {
        settings.rules.check(&opened.people)?;
    }
    let listens = webhooks.local_addr()?;
    let (listeners, troubles) = Listeners::open(&settings, webhooks)?;
    let (recorder, recording) = Recorder::start(opened.files).context("starting the recorder")?;
    let people_file = state::people_file(dir);
    let seen = Seen::load(&seen::file(dir));
    let mut core = Core::new(opened.memory, opened.people);
    core.set_rules(settings.rules.clone());
    let names: Vec<String> = settings.peers.iter().map(|it| it.name.clone()).collect();
    core.set_peers(settings.instance, &names);
    let agents = settings.agents.iter().copied();
    let switch = Arc::new(Switch {
        core: Mutex::new(core),
        key,
        links: agents.map(link::Link::new).collect(),
        canaries: Mutex::new(seen.canaries(&settings.vantages)),
        wishes: Wishes::of(&settings),
        peers: Peers::new(settings.peers, settings.instance),
        direct: settings.direct,
        before: direct::Before::default(),
        alarms: Alarms::default(),
        listens,
        self_calls: self_call::UnderWay::default(),
        drill: Mutex::new(seen.drill),
        seen_file: seen::file(dir),
        book: Mutex::new(seen.book),
        vantages: settings.vantages,
        channels: Mutex::new(Arc::new(settings.channels)),
        outbox: courier::outbox::Outbox::default(),
        hourly: Hourly::default(),
        recorder,
        incidents: Mutex::new(opened.incidents),
        names: Mutex::default(),
        scopes: settings.scopes,
        refusals: Mutex::default(),
        unwritten: std::sync::atomic::AtomicBool::new(false),
        doubts: opened.doubts,
        troubles,
        people_file,
        started: clock::now(),
        newest_file,
        hurry: Notify::new(),
        look: Notify::new(),
        restored: Notify::new(),
        streams: Streams::default(),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
    });
    begin(&switch);
    let main = spawn(Arc::clone(&switch), listeners, lock)?;
    Ok((switch, vec![("killswitchd", main), ("recorder", recording)]))
}

/// The kill switch's own thread, with a runtime of its own.
fn spawn(switch: Arc<Switch>, listeners: Listeners, lock: File) -> anyhow::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new().name("killswitchd".to_owned());
    Ok(thread.spawn(move || {
        runtime.block_on(run(switch, listeners));
        // A read or write that hangs in the disk must not hold up the end.
        runtime.shutdown_timeout(Duration::from_millis(200));
        drop(lock);
    })?)
}

impl Listeners {
    /// A unix socket that cannot be made is only said.
    fn open(settings: &Settings, webhooks: TcpListener) -> io::Result<(Self, Vec<String>)> {
        webhooks.set_nonblocking(true)?;
        let mut troubles = Vec::new();
        let mut open = |socket: &Path, mode| {
            let instead = settings.run_dir.as_deref();
            let made = sockets::open(socket, instead, mode).inspect_err(|why| {
                tracing::error!(%why, "A socket cannot be made.");
                troubles.push(why.clone());
            });
            made.ok()
        };
        let mode = |by_group| if by_group { 0o660 } else { 0o600 };
        let lever = open(&settings.lever_socket(), mode(settings.lever_group));
        let courier = open(&settings.courier_socket(), mode(settings.courier_group));
        let all = Self {
            webhooks,
            lever,
            courier,
        };
        Ok((all, troubles))
    }
}

/// Journals the start; comes up cut where the state is in doubt.
fn begin(switch: &Switch) {
    // Zones and hosts are known from the first text on; gateways name their routes when they are reached.
    switch.learn(Vec::new());
    let mut events = vec![Event::Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        doubts: switch.doubts.clone(),
    }];
    if !switch.doubts.is_empty() {
        let why = switch.doubts.join("; ");
        tracing::error!(%why, "State is in doubt: coming up cut.");
        let cut = switch.core().fail_safe(&why, clock::now());
        events.push(cut::asked(&cut));
    }
    drop(switch.record(events, First::Latch));
}

async fn run(switch: Arc<Switch>, listeners: Listeners) {
    let webhooks = match tokio::net::TcpListener::from_std(listeners.webhooks) {
        Ok(webhooks) => webhooks,
        Err(why) => {
            tracing::error!(%why, "The kill switch cannot listen.");
            return;
        }
    };
    let tasks = switch.tasks.clone();
    tasks.spawn(lease::renew(Arc::clone(&switch)));
    peer_out::start(&switch);
    tasks.spawn(canary::watch(Arc::clone(&switch)));
    tasks.spawn(hold::all(Arc::clone(&switch)));
    tasks.spawn(check_in::watch(Arc::clone(&switch)));
    tasks.spawn(drill::by_schedule(Arc::clone(&switch)));
    tasks.spawn(self_call::hourly(Arc::clone(&switch)));
    tasks.spawn(seen::keep(Arc::clone(&switch)));
    tasks.spawn(direct::watch(Arc::clone(&switch)));
    tasks.spawn(certificates::watch(Arc::clone(&switch)));
    tasks.spawn(clock_watch::watch(Arc::clone(&switch)));
    tasks.spawn(alarms::tell(Arc::clone(&switch)));
    tasks.spawn(watchdog::feed(Arc::clone(&switch)));
    tasks.spawn(http::serve(Arc::clone(&switch), webhooks));
    let lever = listeners.lever.map(tokio::net::UnixListener::from_std);
    if let Some(Ok(listener)) = lever {
        tasks.spawn(lever::serve(Arc::clone(&switch), listener));
    }
    let couriers = listeners.courier.map(tokio::net::UnixListener::from_std);
    if let Some(Ok(listener)) = couriers {
        tasks.spawn(courier::serve(Arc::clone(&switch), listener));
    }
    switch.stop.cancelled().await;
    drop(switch);
    tasks.close();
    tasks.wait().await;
}
