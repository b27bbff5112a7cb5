//! What the control plane does by itself: takes in usage and remarks, keeps what hosts report, tells of alerts, watches
//! the house, has trips latched, and runs jobs by the clock.
//!
//! Every task takes no input but a wake-up, does the same when run twice, and leaves a status. Nothing here
//! restores, nothing cuts but for a trip of the gateway or a breached zone, and no cut waits for any of it.

mod alerts;
mod breaches;
mod ingest;
mod jobs;
mod keep;
mod left;
mod purge;
mod remarks;
mod schedule;
mod settings;
mod spool;
mod status;
mod trips;
mod wake;
mod watch;

pub use schedule::wrong_schedule;
pub use settings::{Facts, Settings};
pub use status::{NotRung, TaskStatus};

use net_model::{JobView, Snapshot};
use status::Board;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The running tasks.
#[derive(Debug)]
pub struct Tasks {
    snapshots: channel::Receiver<Arc<Snapshot>>,
    board: Board,
    stop: CancellationToken,
    running: Vec<(&'static str, JoinHandle<()>)>,
}

/// Starts every task on the current runtime and returns at once. The first snapshot says that nothing was read yet.
pub fn start<F: Facts>(settings: Settings<F>) -> Tasks {
    let board = Board::default();
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();
    let (sender, snapshots) = channel::channel(Arc::new(watch::unread(&settings)));
    let ingest = ingest::Ingest::new(
        settings.store.clone(),
        settings.spool_dir.clone(),
        settings.clock,
        board.clone(),
    );
    let purge = purge::Purge::new(settings.store.clone(), settings.clock, board.clone());
    let trips = trips::Trips::new(
        &settings.spool_dir,
        settings.lever.clone(),
        settings.clock,
        board.clone(),
    );
    let remarks = remarks::Remarks::new(
        &settings.spool_dir,
        settings.store.clone(),
        settings.clock,
        board.clone(),
    );
    let keep = keep::Keep::new(settings.inventory.clone(), settings.clock, board.clone());
    let alerts = alerts::Alerts::new(&settings, snapshots.clone(), board.clone());
    let breaches = breaches::Breaches::new(
        settings.inventory.clone(),
        settings.lever.clone(),
        settings.clock,
        board.clone(),
    );
    let jobs = jobs::Jobs::new(&settings, board.clone());
    let watch = watch::Watch::new(settings, sender, board.clone());
    let running = vec![
        (ingest::NAME, tracker.spawn(ingest.run(stop.clone()))),
        (trips::NAME, tracker.spawn(trips.run(stop.clone()))),
        (remarks::NAME, tracker.spawn(remarks.run(stop.clone()))),
        (purge::NAME, tracker.spawn(purge.run(stop.clone()))),
        (keep::NAME, tracker.spawn(keep.run(stop.clone()))),
        (alerts::NAME, tracker.spawn(alerts.run(stop.clone()))),
        (breaches::NAME, tracker.spawn(breaches.run(stop.clone()))),
        (jobs::NAME, tracker.spawn(jobs.run(stop.clone()))),
        (watch::NAME, tracker.spawn(watch.run(stop.clone()))),
    ];
    tracker.close();
    Tasks {
        snapshots,
        board,
        stop,
        running,
    }
}

/// Reads how jobs and tasks went, for as long as it is kept.
#[derive(Clone, Debug, Default)]
pub struct JobsReader(Board);

impl JobsReader {
    /// All of them: jobs by the clock first.
    #[must_use]
    pub fn all(&self) -> Vec<JobView> {
        self.0.jobs()
    }

    /// Has a job run as soon as the one that runs is done.
    ///
    /// # Errors
    /// When there is no such job, or too many wait.
    pub fn run_now(&self, name: &str) -> Result<(), NotRung> {
        self.0.ring(name)
    }

    /// Whether it can be run out of its time.
    #[must_use]
    pub fn can_run(&self, name: &str) -> bool {
        self.0.rings(name)
    }
}

impl Tasks {
    /// The newest moment of the house; a new one is sent only when something other than the clock changed.
    #[must_use]
    pub fn snapshots(&self) -> channel::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// How each task's last run went.
    #[must_use]
    pub fn status(&self) -> Vec<TaskStatus> {
        self.board.all()
    }

    /// Reads what the control plane does by itself, and how the last run of each went.
    #[must_use]
    pub fn jobs(&self) -> JobsReader {
        JobsReader(self.board.clone())
    }

    /// Asks every task to stop and waits at most `limit` for all of them. Streams of snapshots end.
    pub async fn stop(self, limit: Duration) {
        self.stop.cancel();
        let deadline = tokio::time::Instant::now() + limit;
        for (task, mut handle) in self.running.into_iter().rev() {
            match tokio::time::timeout_at(deadline, &mut handle).await {
                Ok(Ok(())) => tracing::debug!(task, "Stopped."),
                Ok(Err(panic)) => tracing::error!(task, %panic, "Had died before shutdown."),
                Err(_) => {
                    tracing::warn!(task, ?limit, "Did not stop in time.");
                    handle.abort();
                }
            }
        }
    }
}
