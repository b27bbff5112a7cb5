//! Writes down what budgets have counted and what tripped, on a thread of its own: nothing waits for it.
//!
//! `limits.json` is replaced as a whole about each second and at the end. A crash loses at most that second, and what
//! was held for answers under way when it was written counts as spent. Each trip is a file of its own below `trips/`,
//! written at once; the control plane takes it away when the kill switch has cut. Remarks lie below `remarks/` in the
//! same way until the control plane has read them.

use super::{Governor, closures::Closure};
use anyhow::Context as _;
use gateway_core::limits::Kept;
use kill_files::write_atomic;
use net_model::{Remark, Trip};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread::JoinHandle,
    time::Duration,
};

const FILE: &str = "limits.json";
const TRIPS: &str = "trips";
const REMARKS: &str = "remarks";
/// Of both: what budgets count is nobody else's business.
const MODE: u32 = 0o600;
/// Longest time between a change and its being written.
const EVERY: Duration = Duration::from_secs(1);
/// Most trips that wait to be written; beyond, the oldest is let go (the scope stays closed here).
const MAX_WAITING: usize = 1024;
/// Most remarks that wait to be written, beyond which no more are taken, and that lie there to be read, beyond which the
/// oldest is let go.
const MAX_REMARKS: usize = 256;

/// What is kept over a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) budgets: Vec<Kept>,
    pub(super) closures: Vec<Closure>,
}

#[derive(Debug, Default)]
struct Orders {
    trips: Vec<Trip>,
    remarks: Vec<Remark>,
    stop: bool,
}

#[derive(Debug, Default)]
struct Bell {
    orders: Mutex<Orders>,
    rung: Condvar,
}

/// The files, and the thread that writes them.
#[derive(Debug)]
pub(super) struct Keeper {
    dir: PathBuf,
    bell: Arc<Bell>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    /// Uses `dir`, which is made when missing.
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        for name in [TRIPS, REMARKS] {
            let folder = dir.join(name);
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            bell: Arc::default(),
            thread: Mutex::new(None),
        })
    }

    /// What the last run left; nothing when there was none. An error says why it cannot be read.
    pub(super) fn read(&self) -> Result<State, String> {
        let path = self.dir.join(FILE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| format!("{} is garbled: {error}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Starts the thread; it ends by [`Keeper::stop`], or when the governor is gone.
    pub(super) fn start(&self, governor: &Arc<Governor>) -> anyhow::Result<()> {
        let writer = Writer {
            governor: Arc::downgrade(governor),
            dir: self.dir.clone(),
            bell: Arc::clone(&self.bell),
            written: Vec::new(),
            remarks: 0,
            failing: false,
        };
        let thread = std::thread::Builder::new()
            .name("gateway-limits".to_owned())
            .spawn(move || writer.run())
            .context("starting the thread that keeps what budgets count")?;
        *lock(&self.thread) = Some(thread);
        Ok(())
    }

    /// Has a trip written at once.
    pub(super) fn queue(&self, trip: Trip) {
        let mut orders = lock(&self.bell.orders);
        if orders.trips.len() >= MAX_WAITING {
            orders.trips.remove(0);
        }
        orders.trips.push(trip);
        self.bell.rung.notify_one();
    }

    /// Has a remark written.
    pub(super) fn remark(&self, remark: Remark) {
        let mut orders = lock(&self.bell.orders);
        if orders.remarks.len() < MAX_REMARKS {
            orders.remarks.push(remark);
            self.bell.rung.notify_one();
        }
    }

    /// Has everything written a last time. Blocks until that is done.
    pub(super) fn stop(&self) {
        lock(&self.bell.orders).stop = true;
        self.bell.rung.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            let _panicked = thread.join();
        }
    }
}

struct Writer {
    governor: Weak<Governor>,
    dir: PathBuf,
    bell: Arc<Bell>,
    /// What `limits.json` holds.
    written: Vec<u8>,
    /// Written in this run.
    remarks: u64,
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        let mut waiting = Orders::default();
        loop {
            let stop = self.wait(&mut waiting);
            let Some(governor) = self.governor.upgrade() else {
                return;
            };
            // Trips first: somebody waits for them.
            let result = self
                .write_trips(&mut waiting.trips)
                .and_then(|()| self.write_state(&governor.state()))
                .and_then(|()| self.write_remarks(&mut waiting.remarks));
            drop(governor);
            if let Err(error) = &result
                && !self.failing
            {
                tracing::error!(%error, "What budgets count cannot be written down; a restart would not know it.");
            }
            self.failing = result.is_err();
            if stop {
                return;
            }
        }
    }

    fn wait(&self, waiting: &mut Orders) -> bool {
        let orders = lock(&self.bell.orders);
        let quiet = |orders: &mut Orders| {
            orders.trips.is_empty() && orders.remarks.is_empty() && !orders.stop
        };
        let waited = self.bell.rung.wait_timeout_while(orders, EVERY, quiet);
        let (mut orders, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.trips.append(&mut orders.trips);
        waiting.remarks.append(&mut orders.remarks);
        waiting.remarks.truncate(MAX_REMARKS);
        orders.stop
    }

    fn write_trips(&self, waiting: &mut Vec<Trip>) -> io::Result<()> {
        let dir = self.dir.join(TRIPS);
        while let Some(trip) = waiting.first() {
            let name = format!("{:013}-{}.json", trip.at.millis(), trip.scope);
            write_atomic(&dir.join(name), &serde_json::to_vec(trip)?, MODE)?;
            waiting.remove(0);
        }
        Ok(())
    }

    fn write_remarks(&mut self, waiting: &mut Vec<Remark>) -> io::Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let dir = self.dir.join(REMARKS);
        while let Some(remark) = waiting.first() {
            let name = format!("{:013}-{}.json", remark.at.millis(), self.remarks);
            write_atomic(&dir.join(name), &serde_json::to_vec(remark)?, MODE)?;
            self.remarks += 1;
            waiting.remove(0);
        }
        let mut lying: Vec<PathBuf> = fs::read_dir(&dir)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        lying.sort();
        for oldest in lying.iter().rev().skip(MAX_REMARKS) {
            fs::remove_file(oldest)?;
        }
        Ok(())
    }

    fn write_state(&mut self, state: &State) -> io::Result<()> {
        let text = serde_json::to_vec(state)?;
        if text != self.written {
            write_atomic(&self.dir.join(FILE), &text, MODE)?;
            self.written = text;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
