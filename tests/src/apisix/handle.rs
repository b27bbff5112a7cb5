//! What a test holds of a twin.

use super::{
    EtcdState, Fault, Lags, Options, SETTLED, World, admin, held,
    listening::{self, Kind},
};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

/// One call of the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// GET, PUT and so on.
    pub method: String,
    /// Without its query.
    pub path: String,
    /// What it was answered; none where it was not, or not yet.
    pub status: Option<u16>,
}

/// A running twin on a thread of its own; stops when dropped.
#[derive(Debug)]
pub struct Twin {
    /// The admin API.
    pub admin: SocketAddr,
    /// The data plane.
    pub data: SocketAddr,
    /// The control API.
    pub control: SocketAddr,
    /// The Prometheus page.
    pub metrics: SocketAddr,
    world: Arc<World>,
    thread: Option<JoinHandle<()>>,
}

impl Twin {
    /// Starts on free loopback ports.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let free = || TcpListener::bind("127.0.0.1:0");
        Self::on([free()?, free()?, free()?, free()?], options)
    }

    /// Starts on these listeners: admin, data, control, metrics.
    pub fn on(listeners: [TcpListener; 4], options: Options) -> anyhow::Result<Self> {
        let [admin, data, control, metrics] = &listeners;
        let at = [admin, data, control, metrics].map(TcpListener::local_addr);
        let [admin, data, control, metrics] = at;
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        let world = Arc::new(World::new(options));
        let thread = std::thread::Builder::new()
            .name("apisix-twin".to_owned())
            .spawn({
                let world = Arc::clone(&world);
                move || run(listeners, &world)
            })
            .context("starting the twin's thread")?;
        Ok(Self {
            admin: admin?,
            data: data?,
            control: control?,
            metrics: metrics?,
            world,
            thread: Some(thread),
        })
    }

    /// From now on calls of the admin API meet this, beside what they meet already; the oldest comes first.
    pub fn fault(&self, fault: Fault) {
        held(&self.world.faults).add(fault);
    }

    /// No call meets anything any more.
    pub fn calm(&self) {
        held(&self.world.faults).clear();
    }

    /// How etcd fares from now on.
    pub fn etcd(&self, state: EtcdState) {
        self.world.etcd(|etcd| etcd.turn(state));
    }

    /// How many calls wait for etcd.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.world.etcd(|etcd| etcd.waiting())
    }

    /// How many calls may still be done though nobody waits for them any more.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.waiting() + self.world.late.load(Ordering::SeqCst)
    }

    /// How long writes take to reach the workers from now on.
    pub fn lags(&self, lags: Lags) {
        self.world.etcd(|etcd| etcd.lags = lags);
    }

    /// The keys that count from now on.
    pub fn keys(&self, admin: &str, viewer: &str) {
        let mut keys = held(&self.world.keys);
        admin.clone_into(&mut keys.admin);
        viewer.clone_into(&mut keys.viewer);
    }

    /// Ends the pretended process and starts it again: streams break, standalone mode has lost its configuration.
    pub fn restart(&self) {
        self.world.restart();
    }

    /// Resets every new connection to the admin API, or takes them again.
    pub fn admin_down(&self, down: bool) {
        self.turn(Kind::Admin, down);
    }

    /// The same for the data port.
    pub fn data_down(&self, down: bool) {
        self.turn(Kind::Data, down);
    }

    /// The same for the control API.
    pub fn control_down(&self, down: bool) {
        self.turn(Kind::Control, down);
    }

    fn turn(&self, kind: Kind, down: bool) {
        let mut all = held(&self.world.down);
        all.retain(|one| *one != kind);
        if down {
            all.push(kind);
        }
    }

    /// What is stored under `routes/llm` or `consumers/claw/credentials/one`, whatever etcd does.
    #[must_use]
    pub fn stored(&self, path: &str) -> Option<Value> {
        let key = format!("/{path}");
        self.world
            .etcd(|etcd| etcd.objects().get(&key).map(|object| object.value.clone()))
    }

    /// Every path that is stored.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let all = |etcd: &mut super::etcd::Etcd| {
            let keys = etcd.objects().keys();
            keys.map(|key| key.trim_start_matches('/').to_owned())
                .collect()
        };
        self.world.etcd(all)
    }

    /// Stores an object as somebody else would, checked and completed; whatever etcd does.
    ///
    /// # Errors
    /// Where the admin API would not take it.
    pub fn place(&self, path: &str, value: Value) -> anyhow::Result<()> {
        let placed = self.world.etcd(|etcd| admin::place(etcd, path, value));
        placed.map_err(anyhow::Error::msg)
    }

    /// Takes an object away as somebody else would; whether it was there.
    pub fn remove(&self, path: &str) -> bool {
        self.world.etcd(|etcd| etcd.delete(&format!("/{path}")))
    }

    /// Every call of the admin API so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Seen> {
        held(&self.world.calls).clone()
    }

    /// Exchanges and WebSockets that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.world.counters.open.load(Ordering::SeqCst)
    }

    /// Whether some worker has yet to see the newest write.
    #[must_use]
    pub fn behind(&self) -> bool {
        self.world.etcd(super::etcd::Etcd::behind)
    }

    /// Waits until every worker has the newest write.
    ///
    /// # Errors
    /// Where that does not come, as while etcd hangs.
    pub async fn settled(&self) -> anyhow::Result<()> {
        let until = super::clock::now() + SETTLED;
        while self.behind() {
            if super::clock::now() >= until {
                bail!("the workers still lag after {SETTLED:?}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.world.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _joined = thread.join();
        }
    }
}

fn run(listeners: [TcpListener; 4], world: &Arc<World>) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return eprintln!("APISIX twin: no runtime: {error}"),
    };
    runtime.block_on(async {
        let kinds = [Kind::Admin, Kind::Data, Kind::Control, Kind::Metrics];
        for (listener, kind) in listeners.into_iter().zip(kinds) {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let (stop, world) = (world.stop.clone(), Arc::clone(world));
                    world.tasks.clone().spawn(async move {
                        tokio::select! {
                            () = listening::accept(listener, kind, world) => {}
                            () = stop.cancelled() => {}
                        }
                    });
                }
                Err(error) => eprintln!("APISIX twin: no listener: {error}"),
            }
        }
        world.stop.cancelled().await;
    });
}
