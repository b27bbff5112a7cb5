//! The way to the control plane, on a thread of its own: neither TLS nor a slow disk stands beside orders.

use super::clock;
use super::config::Config;
use anyhow::Context as _;
use host_facts::Buffer;
use kill_wire::VerifyingKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uplink::{Settings, Shelf};

/// Most bytes of reports that wait: a day of them.
const SHELF: u64 = 2 * 1024 * 1024;

/// Where this host keeps who it is, below the agent's state.
pub(super) fn folder(state: &Path) -> PathBuf {
    state.join("uplink")
}

/// Whether this host has joined a house.
pub(super) fn has_joined(state: &Path) -> bool {
    uplink::State::at(&folder(state), clock::now).read().is_ok()
}

/// The kill switches of the house that this host joined.
pub(super) fn order_keys(state: &Path) -> anyhow::Result<Vec<VerifyingKey>> {
    match uplink::State::at(&folder(state), clock::now).read() {
        Ok(identity) => Ok(identity.order_keys().to_vec()),
        Err(uplink::IdentityError::Absent) => Ok(Vec::new()),
        Err(why) => Err(why).context("whose orders count on this host is not known"),
    }
}

/// The thread. Dropping it stops it without waiting.
#[derive(Debug)]
pub(super) struct Up {
    stop: CancellationToken,
    ended: mpsc::Receiver<()>,
}

impl Up {
    /// Begins; gives the shelf that reports are put on.
    pub(super) fn start(config: &Config) -> anyhow::Result<(Self, Shelf)> {
        let folder = folder(&config.agent.state);
        make(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let shelf = Buffer::open(folder.join("reports"), SHELF).context("no room for reports")?;
        let shelf = Arc::new(Mutex::new(shelf));
        let settings = Settings {
            state_dir: folder,
            shelf: Arc::clone(&shelf),
            at: config.uplink.at.clone(),
            listen: config.uplink.listen,
            clock: clock::now,
            chance,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime for the uplink")?;
        let (on_end, ended) = mpsc::channel();
        let stop = CancellationToken::new();
        let until = stop.clone();
        std::thread::Builder::new()
            .name("uplink".to_owned())
            .spawn(move || {
                runtime.block_on(uplink::run(settings, until));
                // Nobody may wait for it any more.
                on_end.send(()).unwrap_or_default();
            })
            .context("cannot start the uplink's thread")?;
        Ok((Self { stop, ended }, shelf))
    }

    /// Ends it; what was not brought waits on the disk.
    pub(super) fn stop(self, limit: Duration) {
        self.stop.cancel();
        if self.ended.recv_timeout(limit).is_err() {
            tracing::warn!(?limit, "The uplink did not stop in time.");
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut dir = std::fs::DirBuilder::new();
    dir.recursive(true).mode(0o700).create(folder)
}

fn chance() -> u64 {
    let mut bytes = [0; 8];
    // Without chance hosts come back at the same moment; nothing else is lost.
    getrandom::fill(&mut bytes).map_or(0, |()| u64::from_le_bytes(bytes))
}
