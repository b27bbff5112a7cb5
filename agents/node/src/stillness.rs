//! Stops the host's processes once its fence is closed, and lets them go on after a restore.

use fence::{Plan, Side, Still, Stilled, Way};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an answer waits; the work goes on.
const LIMIT: Duration = Duration::from_millis(250);

/// What should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything stands, since this incident.
    Still(u32),
    /// Everything goes.
    Going,
    /// Nobody says: a pause begins or ends nothing here.
    AsItIs,
}

#[derive(Debug)]
pub(crate) struct Stillness {
    at: usize,
    jobs: Sender<(Wanted, oneshot::Sender<Stilled>)>,
    /// What it freezes.
    cgroups: Vec<String>,
    /// What was asked for last.
    last: Mutex<Wanted>,
}

impl Stillness {
    /// None where the plan has no way of this host.
    pub(crate) fn start(still: Still, plan: &Plan) -> std::io::Result<Option<Self>> {
        let mut ways = plan.ways.iter().enumerate();
        let Some((at, way)) = ways.find(|(_, way)| way.side == Side::Host) else {
            return Ok(None);
        };
        let (jobs, work) = channel();
        let way = way.clone();
        let cgroups = still.cgroups.iter();
        let cgroups = cgroups.map(|path| path.display().to_string()).collect();
        std::thread::Builder::new()
            .name("stillness".to_owned())
            .spawn(move || work_off(&still, &way, &work))?;
        Ok(Some(Self {
            at,
            jobs,
            cgroups,
            last: Mutex::new(Wanted::AsItIs),
        }))
    }

    /// Which way of the plan is the host's.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Control groups that were last told to stand still.
    pub(crate) fn frozen(&self) -> Vec<String> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last {
            Wanted::Still(_) => self.cgroups.clone(),
            Wanted::Going | Wanted::AsItIs => Vec::new(),
        }
    }

    /// Does what is new in `wanted`; nothing where it was asked for before.
    pub(crate) async fn follow(&self, wanted: Wanted) -> Stilled {
        let before = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            match wanted {
                Wanted::AsItIs => return Stilled::default(),
                Wanted::Still(_) | Wanted::Going => std::mem::replace(&mut *last, wanted),
            }
        };
        if before == wanted {
            return Stilled::default();
        }
        let (answer, answered) = oneshot::channel();
        drop(self.jobs.send((wanted, answer)));
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => failed("the thread that stops processes has ended".to_owned()),
            Err(_) => failed(format!("processes were not stopped within {LIMIT:?}")),
        }
    }
}

fn failed(why: String) -> Stilled {
    Stilled {
        failed: vec![why],
        ..Stilled::default()
    }
}

fn work_off(still: &Still, way: &Way, work: &Receiver<(Wanted, oneshot::Sender<Stilled>)>) {
    while let Ok((wanted, answer)) = work.recv() {
        match wanted {
            Wanted::Still(incident) => {
                let done = still.stop(way);
                // The answer first: nobody waits for the disk.
                drop(answer.send(done.clone()));
                match still.keep_evidence(incident, &done) {
                    Ok(Some(path)) => {
                        tracing::info!(incident, path = %path.display(), "Evidence was kept.");
                    }
                    Ok(None) => {}
                    Err(error) => tracing::warn!(incident, %error, "Evidence could not be kept."),
                }
            }
            Wanted::Going => {
                let failed = still.go_on();
                drop(answer.send(Stilled {
                    failed,
                    ..Stilled::default()
                }));
            }
            Wanted::AsItIs => {}
        }
    }
}
