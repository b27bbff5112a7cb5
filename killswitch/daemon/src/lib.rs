//! The kill switch: hears, verifies, decides, orders, proves and answers. Needs no database, names, sign-in or control plane.
//!
//! It runs on a thread and a runtime of its own, so that nothing else in the process can starve it. The way of a cut is
//! `inbound` → `act` → `kill_core` → `cut` → `orders` → `link`; what follows (`recorder`, `proof`, the reply) comes after the act.

mod act;
mod answer;
mod canary;
mod clock;
mod conclude;
mod cut;
mod delivered;
mod dial;
mod event;
mod http;
mod inbound;
mod incidents;
pub mod journal;
mod lease;
mod lever;
mod link;
mod orders;
mod proof;
mod recorder;
mod report;
mod restore;
mod state;
mod switch;
mod vantage;

pub use event::Event;
pub use state::create_state;
pub use vantage::Vantage;

use anyhow::Context as _;
use kill_core::Core;
use kill_inbound::Channel;
use recorder::{First, Recorder};
use std::fs::Permissions;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use switch::Switch;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything it needs to know; literal addresses only.
#[derive(Debug)]
pub struct Settings {
    /// Folder made by [`create_state`].
    pub state_dir: PathBuf,
    /// Who may bring a text.
    pub channels: Vec<Channel>,
    /// Node agents.
    pub agents: Vec<SocketAddr>,
    /// Where probes are sent from.
    pub vantages: Vec<Vantage>,
}

/// A running kill switch.
#[derive(Debug)]
pub struct KillSwitch {
    switch: Arc<Switch>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

/// The lever's socket inside a state folder.
#[must_use]
pub fn lever_socket(state_dir: &Path) -> PathBuf {
    state_dir.join("lever.sock")
}

impl KillSwitch {
    /// Starts on its own thread. Damaged state comes up cut; only a missing order key or a socket that cannot be made fails.
    pub fn start(settings: Settings, listener: TcpListener) -> anyhow::Result<Self> {
        let dir = &settings.state_dir;
        let key = state::read_key(dir)
            .map_err(anyhow::Error::msg)
            .context("reading the key that signs orders")?;
        let opened = state::open(dir);
        let socket = lever_socket(dir);
        let lever = bind_lever(&socket)
            .with_context(|| format!("opening the lever {}", socket.display()))?;
        listener.set_nonblocking(true)?;
        let (recorder, recording) =
            Recorder::start(opened.files).context("starting the recorder")?;
        let switch = Arc::new(Switch {
            core: Mutex::new(Core::new(opened.memory, opened.people)),
            key,
            links: settings
                .agents
                .iter()
                .copied()
                .map(link::Link::new)
                .collect(),
            vantages: settings.vantages,
            channels: Mutex::new(Arc::new(settings.channels)),
            recorder,
            incidents: Mutex::new(opened.incidents),
            canaries: Mutex::default(),
            names: Mutex::default(),
            refusals: Mutex::default(),
            unwritten: std::sync::atomic::AtomicBool::new(false),
            doubts: opened.doubts,
            people_file: state::people_file(dir),
            started: clock::now(),
            hurry: Notify::new(),
            look: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        begin(&switch);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::clone(&switch);
        let main = std::thread::Builder::new()
            .name("killswitchd".to_owned())
            .spawn(move || runtime.block_on(run(shared, listener, lever)))?;
        Ok(Self {
            switch,
            threads: vec![("killswitchd", main), ("recorder", recording)],
        })
    }

    /// Takes other channels from now on; calls under way end by the old ones.
    pub fn set_channels(&self, channels: Vec<Channel>) {
        *self
            .switch
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(channels);
    }

    /// Stops listening, lets work under way end within `limit`, and waits for the disk. Blocking.
    pub fn stop(self, limit: Duration) {
        let Self { switch, threads } = self;
        switch.stop.cancel();
        drop(switch);
        let mut left = limit;
        for (name, thread) in threads {
            while !thread.is_finished() && !left.is_zero() {
                let nap = left.min(Duration::from_millis(5));
                std::thread::sleep(nap);
                left -= nap;
            }
            if !thread.is_finished() {
                tracing::warn!(thread = name, ?limit, "Did not stop in time.");
            } else if thread.join().is_err() {
                tracing::error!(thread = name, "Had died before shutdown.");
            }
        }
    }
}

/// Journals the start; comes up cut where the state is in doubt.
fn begin(switch: &Switch) {
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

fn bind_lever(socket: &Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    // A socket left by a process that was killed; a live one is kept out by the lock on the data folder.
    match std::fs::remove_file(socket) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let lever = std::os::unix::net::UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    lever.set_nonblocking(true)?;
    Ok(lever)
}

async fn run(switch: Arc<Switch>, listener: TcpListener, lever: std::os::unix::net::UnixListener) {
    let (listener, lever) = match (
        tokio::net::TcpListener::from_std(listener),
        tokio::net::UnixListener::from_std(lever),
    ) {
        (Ok(listener), Ok(lever)) => (listener, lever),
        (Err(why), _) | (_, Err(why)) => {
            tracing::error!(%why, "The kill switch cannot listen.");
            return;
        }
    };
    let tasks = switch.tasks.clone();
    tasks.spawn(lease::renew(Arc::clone(&switch)));
    tasks.spawn(canary::watch(Arc::clone(&switch)));
    tasks.spawn(http::serve(Arc::clone(&switch), listener));
    tasks.spawn(lever::serve(Arc::clone(&switch), lever));
    switch.stop.cancelled().await;
    drop(switch);
    tasks.close();
    tasks.wait().await;
}
