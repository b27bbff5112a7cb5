//! The hand on every host: carries out signed orders with the gateways of this host, and remembers what is cut.
//!
//! **Invariant:** a cut is in force before it is written down, a release is written down before it is in force. No
//! failure of disk or gateway stops an order from reaching the gateways that can be reached.

mod before;
mod carry_out;
mod clock;
mod driven;
mod fence_view;
mod fencing;
mod hand;
mod listen;
mod looks;
mod orders;
mod receipt;
mod record;
mod release;
mod steering;
mod stillness;
mod tell;
mod watch;

pub use agent_core::{OnSilence, Silence};
pub use before::close_fence;
pub use driven::{Driven, DrivenView, Managed};
pub use fence_view::FenceView;
pub use fencing::FenceWish;

use agent_core::AgentCore;
use anyhow::Context as _;
use fencing::Fencing;
use gateways::Driver;
use hand::Hand;
use kill_wire::VerifyingKey;
use record::Record;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What one agent is made of.
#[derive(Debug)]
pub struct Settings {
    /// Name of this host, as receipts show it.
    pub node: String,
    /// The kill switches whose orders count, by their keys; each may cut, and one of them is enough to permit.
    pub keys: Vec<VerifyingKey>,
    /// Where [`create_state`] was called once.
    pub state_dir: PathBuf,
    /// The gateways of this host that are ours.
    pub gateways: Vec<Driver>,
    /// What happens when orders stop coming.
    pub on_silence: Silence,
    /// Addresses that this host may be asked to try past the gateway, to prove that it cannot.
    pub direct: Vec<SocketAddr>,
    /// What this host closes in its kernel besides; none where it has no fence.
    pub fence: Option<FenceWish>,
}

/// A running agent: one thread with its own runtime. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct NodeAgent {
    stop: CancellationToken,
    fence: FenceView,
    driven: DrivenView,
    hand: Arc<Hand>,
    /// Hung up by the threads when the last of them ends.
    ended: mpsc::Receiver<Infallible>,
    threads: Vec<JoinHandle<()>>,
}

/// Makes the state of a new agent: nothing cut, no order seen.
///
/// # Errors
/// When there is state already, or the disk refuses.
pub fn create_state(dir: &Path) -> std::io::Result<()> {
    Record::create(dir)
}

impl NodeAgent {
    /// Starts to listen for orders, closed until the first good one.
    ///
    /// Missing, damaged or unwritable state does not keep it from starting: it starts closed and says so in the log.
    ///
    /// # Errors
    /// When the listener or the thread cannot be used.
    pub fn start(settings: Settings, listener: std::net::TcpListener) -> anyhow::Result<Self> {
        Self::start_driving(settings, Vec::new(), listener)
    }

    /// The same, with gateways besides that are not ours. What of them is managed is managed on a thread of its own.
    ///
    /// # Errors
    /// When the listener or a thread cannot be used.
    pub fn start_driving(
        settings: Settings,
        driven: Vec<Driven>,
        listener: std::net::TcpListener,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime for the node agent")?;
        listener
            .set_nonblocking(true)
            .context("cannot use the node agent's listener")?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)
                .context("cannot use the node agent's listener")?
        };
        let (record, loaded) = Record::open(&settings.state_dir)?;
        let keys = settings.keys;
        let core = AgentCore::new(loaded.saved, loaded.doubtful, &keys, settings.on_silence);
        let who = (settings.node, keys);
        let kept = &settings.state_dir;
        let driven = driven.into_iter().map(|it| it.remembering(kept)).collect();
        let fence = FenceView::default();
        let seen = fence.clone();
        let fencing = settings.fence.map(|wish| Fencing::start(wish, seen));
        let fencing = fencing.transpose();
        let fencing = fencing.context("cannot start the threads of the fence")?;
        let arms = (hand::reaches(settings.gateways, driven), fencing);
        let hand = Arc::new(Hand::new(who, settings.direct, core, arms, record));
        let driven = DrivenView::of(&hand.reaches);
        let (stop, (on_end, ended)) = (CancellationToken::new(), mpsc::channel());
        // Whatever is wrong with what other gateways shall do, the hand goes on.
        let beside = steering::start(&hand, &stop, on_end.clone());
        let beside = beside.map_err(|why| tracing::error!("No gateway is managed. {why:#}"));
        let mut threads: Vec<_> = beside.ok().flatten().into_iter().collect();
        let own = Arc::clone(&hand);
        threads.push(hand_thread(runtime, own, listener, stop.clone(), on_end)?);
        Ok(Self {
            stop,
            fence,
            driven,
            hand,
            ended,
            threads,
        })
    }

    /// What the fence of this host holds, as long as anybody asks.
    #[must_use]
    pub fn fence(&self) -> FenceView {
        self.fence.clone()
    }

    /// How the gateways fare that are not ours, as long as anybody asks.
    #[must_use]
    pub fn driven(&self) -> DrivenView {
        self.driven.clone()
    }

    /// Whether a kill switch permits this host anything now: an order has come, and came in time.
    #[must_use]
    pub fn hears(&self) -> bool {
        !self.hand.core().silent()
    }

    /// Stops listening and finishes the orders in hand; gateways keep what they hold. Blocks for `limit` at most.
    ///
    /// Gives whether the agent had ended by then.
    #[must_use]
    pub fn stop(mut self, limit: Duration) -> bool {
        self.stop.cancel();
        let ended = self.ended.recv_timeout(limit);
        if ended == Err(mpsc::RecvTimeoutError::Timeout) {
            return false;
        }
        let threads = std::mem::take(&mut self.threads);
        let joined: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
        joined.iter().all(Result::is_ok)
    }
}

impl Drop for NodeAgent {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn hand_thread(
    runtime: tokio::runtime::Runtime,
    hand: Arc<Hand>,
    listener: tokio::net::TcpListener,
    stop: CancellationToken,
    on_end: mpsc::Sender<Infallible>,
) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("node-agent".to_owned())
        .spawn(move || {
            runtime.block_on(run(hand, listener, stop));
            // A write that hangs in the disk must not hold up the end.
            runtime.shutdown_timeout(Duration::from_millis(200));
            drop(on_end);
        })
        .context("cannot start the node agent's thread")
}

async fn run(hand: Arc<Hand>, listener: tokio::net::TcpListener, stop: CancellationToken) {
    fencing::start(&hand, &stop);
    watch::start(&hand, &stop);
    listen::serve(&hand, listener, &stop).await;
    hand.tasks().close();
    hand.tasks().wait().await;
}
