//! A TWIN of Apache APISIX for tests: not APISIX, and no claim that a real one does the same.
//!
//! It was written from what was seen of a real APISIX 3.18.0 and from its documentation, as `docs/apisix.md` lists it:
//! the admin API over a made-up etcd (or the API-driven standalone mode), a data plane of several workers that follow
//! with a delay, the control API and the Prometheus page. It can be told to fail in every way a driver must survive.
//! `tests/tests/apisix_peer` holds it, and a real one where an address is given, to the same checks.

mod admin;
mod ai;
mod clock;
mod counters;
mod data;
mod etcd;
mod faults;
mod handle;
pub mod levers;
mod listening;
mod logger;
mod metrics;

pub use etcd::{EtcdState, Lags};
pub use faults::{Fault, Trouble};
pub use handle::{Seen, Twin};

use counters::{Counters, Passed};
use etcd::Etcd;
use faults::Faults;
use listening::Kind;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What every answer says it comes from.
const SERVER: &str = "APISIX/3.18.0";

/// How a twin is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key that may write.
    pub admin_key: String,
    /// The key that may read.
    pub viewer_key: String,
    /// API-driven standalone mode: no etcd, one document in memory.
    pub standalone: bool,
    /// How many workers take connections, in turn.
    pub workers: usize,
    /// How long writes take to reach them.
    pub lags: Lags,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            admin_key: "twin-admin-key".to_owned(),
            viewer_key: "twin-viewer-key".to_owned(),
            standalone: false,
            workers: 2,
            lags: Lags::default(),
        }
    }
}

#[derive(Clone, Debug)]
struct Keys {
    admin: String,
    viewer: String,
}

/// What one twin shares.
#[derive(Debug)]
struct World {
    options: Options,
    keys: Mutex<Keys>,
    etcd: Mutex<Etcd>,
    faults: Mutex<Faults>,
    calls: Mutex<Vec<Seen>>,
    down: Mutex<Vec<Kind>>,
    workers: Vec<data::Worker>,
    counters: Counters,
    batches: logger::Batches,
    /// Calls that will be done late.
    late: AtomicUsize,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Ends with the process that is pretended; a restart begins a new one.
    life: Mutex<CancellationToken>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn new(options: Options) -> Self {
        let stop = CancellationToken::new();
        Self {
            keys: Mutex::new(Keys {
                admin: options.admin_key.clone(),
                viewer: options.viewer_key.clone(),
            }),
            etcd: Mutex::new(Etcd::new(options.workers, options.lags)),
            faults: Mutex::default(),
            calls: Mutex::default(),
            down: Mutex::default(),
            workers: (0..options.workers)
                .map(|_| data::Worker::default())
                .collect(),
            counters: Counters::default(),
            batches: logger::Batches::default(),
            late: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            life: Mutex::new(stop.child_token()),
            stop,
            options,
        }
    }

    fn etcd<T>(&self, work: impl FnOnce(&mut Etcd) -> T) -> T {
        work(&mut held(&self.etcd))
    }

    fn keys(&self) -> Keys {
        held(&self.keys).clone()
    }

    fn life(&self) -> CancellationToken {
        held(&self.life).clone()
    }

    fn is_down(&self, kind: Kind) -> bool {
        held(&self.down).contains(&kind)
    }

    fn meet(&self, method: &str, path: &str) -> Option<Trouble> {
        held(&self.faults).meet(method, path)
    }

    /// Writes a call down; its number, for the answer.
    fn begun(&self, call: &admin::Call) -> usize {
        let mut calls = held(&self.calls);
        calls.push(Seen {
            method: call.method.to_string(),
            path: call.path.clone(),
            status: None,
        });
        calls.len() - 1
    }

    fn answered(&self, number: usize, status: u16) {
        if let Some(seen) = held(&self.calls).get_mut(number) {
            seen.status = Some(status);
        }
    }

    /// Counts an exchange that ended.
    fn ended(self: &Arc<Self>, mut passed: Passed) {
        passed.finish();
        self.counters.add(&passed);
        logger::log(self, &passed);
    }

    /// Everything of the process ends: connections, counters, and in standalone mode the configuration.
    fn restart(&self) {
        let next = self.stop.child_token();
        std::mem::replace(&mut *held(&self.life), next).cancel();
        self.counters.forget();
        let lost = self.options.standalone;
        let (workers, lags) = (self.options.workers, self.options.lags);
        self.etcd(|etcd| {
            if lost {
                *etcd = Etcd::new(workers, lags);
            }
            etcd.reread();
        });
    }
}

/// Longest time a test waits for the workers.
const SETTLED: Duration = Duration::from_secs(20);
