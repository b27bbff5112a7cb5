//! The lanes: threads that each serve a share of the clients alone, so that a piece of an answer wakes nobody but the
//! thread that passes it on.
//!
//! A connection stays where it began, with its exchange and its connection to the target. What is long, and would keep
//! the others of a lane waiting, goes to a thread beside it. A few connections share one lane: what wakes often serves
//! many at once, and two threads that each sleep and wake for a few take a fifth more processor time for each answer.

use anyhow::Context as _;
use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Most lanes: beyond, a host has more cores than its network feeds.
const MOST: usize = 16;
/// A lane has this many connections before the next gets any.
const FILL: usize = 16;
/// Threads beside a lane, at most: for names to be looked up, and long bodies to be read.
const BESIDE: usize = 8;
/// How long threads beside a lane may go on when it ends.
const END_LIMIT: Duration = Duration::from_millis(100);
/// A lane that has not begun with a connection by now is held up, and another is offered it.
const HELD_UP: Duration = Duration::from_millis(5);

/// A lane looks up this often. A timer that is due sooner than all others makes the runtime wake its own thread by a
/// write to the kernel; as long as this one is due, no timer of an exchange, all of which are longer, does.
const LOOK_UP: Duration = Duration::from_secs(10);

thread_local! {
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// The number of the lane that this thread is; 0 on every other thread.
pub(crate) fn here() -> usize {
    HERE.get()
}

/// One thread with a runtime of its own.
#[derive(Debug)]
pub(crate) struct Lane {
    name: String,
    handle: Handle,
    stop: CancellationToken,
    /// It serves nobody any more.
    ended: Arc<AtomicBool>,
    /// Connections on it, and on their way to it.
    load: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lane {
    /// Starts a lane of this name and number.
    pub(crate) fn start(name: &str, number: usize) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let over = stop.clone();
        Self::until(name, number, stop, async move {
            while timeout(LOOK_UP, over.cancelled()).await.is_err() {}
        })
    }

    /// The same; it ends with `over`, which is no fault once `stop` was asked for.
    fn until(
        name: &str,
        number: usize,
        stop: CancellationToken,
        over: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BESIDE)
            .thread_name(format!("{name}-aux"))
            .build()
            .context("starting the runtime of a lane")?;
        let handle = runtime.handle().clone();
        let ended = Arc::new(AtomicBool::new(false));
        let running = Running {
            name: name.to_owned(),
            stop: stop.clone(),
            ended: Arc::clone(&ended),
            runtime: Some(runtime),
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                HERE.set(number);
                running.run(over);
            })
            .context("starting a lane")?;
        Ok(Self {
            name: name.to_owned(),
            handle,
            stop,
            ended,
            load: Arc::default(),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Where its tasks are spawned.
    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends it: what still runs on it is dropped. Blocks until its thread is gone.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(lane = self.name, "A lane did not end in order.");
        }
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn occupy(&self) -> Occupied {
        self.load.fetch_add(1, Ordering::Relaxed);
        Occupied(Arc::clone(&self.load))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a lane's thread does.
struct Running {
    name: String,
    stop: CancellationToken,
    ended: Arc<AtomicBool>,
    runtime: Option<Runtime>,
}

impl Running {
    fn run(self, over: impl Future<Output = ()>) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(over);
        }
    }
}

impl Drop for Running {
    /// However it came to its end, its connections are closed with it.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if !self.stop.is_cancelled() {
            tracing::error!(
                lane = self.name,
                "A lane has ended; its connections are closed, and it gets no more."
            );
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(END_LIMIT);
        }
    }
}

/// A place on a lane.
struct Occupied(Arc<AtomicUsize>);

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that waits for a lane.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<Work>>>);

impl Waiting {
    fn new(work: Work) -> Self {
        Self(Arc::new(Mutex::new(Some(work))))
    }

    fn take(&self) -> Option<Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn still_waits(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Whoever comes first does it.
    async fn done(self, place: Occupied) {
        if let Some(work) = self.take() {
            work.await;
        }
        drop(place);
    }
}

/// All lanes of a gateway.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Arc<Lane>>,
    /// As many connections as make one lane no more loaded than another.
    fill: usize,
}

impl Lanes {
    /// A lane for each core.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::of(cores.min(MOST), FILL)
    }

    fn of(count: usize, fill: usize) -> anyhow::Result<Self> {
        let lanes = (1..=count)
            .map(|number| Lane::start(&format!("lane-{number}"), number).map(Arc::new))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { lanes, fill })
    }

    /// Has `work` done on the lane that is filled least, or on the next when that one is held up. Where no lane is
    /// left, it is dropped, and its connection with it.
    pub(crate) fn hand(
        &self,
        tasks: &TaskTracker,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut lanes = self.by_load().into_iter();
        let Some(first) = lanes.next() else {
            tracing::error!("No lane is left: a connection is closed.");
            return;
        };
        let waiting = Waiting::new(Box::pin(work));
        let place = first.occupy();
        tasks.spawn_on(waiting.clone().done(place), first.handle());
        let others: Vec<_> = lanes.collect();
        if others.is_empty() {
            return;
        }
        let spawner = tasks.clone();
        tasks.spawn(async move {
            for lane in others {
                sleep(HELD_UP).await;
                if !waiting.still_waits() {
                    return;
                }
                let place = lane.occupy();
                spawner.spawn_on(waiting.clone().done(place), lane.handle());
            }
        });
    }

    /// Those that serve, the one that is filled least first; among equals the one that is filled already.
    fn by_load(&self) -> Vec<Arc<Lane>> {
        let mut lanes: Vec<_> = self.lanes.iter().map(Arc::clone).collect();
        lanes.retain(|lane| !lane.is_over());
        lanes.sort_by_key(|lane| lane.load.load(Ordering::Relaxed) / self.fill);
        lanes
    }

    /// Ends all of them. Blocks until their threads are gone.
    pub(crate) fn stop(&self) {
        for lane in &self.lanes {
            lane.stop.cancel();
        }
        for lane in &self.lanes {
            lane.stop();
        }
    }
}

#[cfg(test)]
mod tests;
