//! Has the kill switch latch what the gateway closed by itself.
//!
//! The gateway leaves each trip as a file and holds its scope closed meanwhile. A file is taken away only when the kill
//! switch has cut: until then it is asked again, and to cut twice changes nothing. **A trip may cut, never restore.**

use crate::left;
use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use kill_wire::{LeverReply, LeverRequest, Timestamp};
use killctl::Lever;
use net_model::{MAX_CAUSE, Trip, cause};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "latch trips";

/// The folder of trips in the spool.
const FOLDER: &str = "trips";
/// How often it is looked at: people are told of a trip within a second.
const EVERY: Duration = Duration::from_millis(200);
/// How long the kill switch may take for a cut and its proof.
const LIMIT: Duration = Duration::from_secs(15);
/// Longest file: a name, a scope and a cause of [`MAX_CAUSE`] characters.
const LONGEST: u64 = 4 * 1024;
/// Who asks, as the journal shows it.
const BY: &str = "the gateway";

pub(crate) struct Trips {
    folder: PathBuf,
    lever: Lever,
    clock: fn() -> Timestamp,
    board: Board,
    latched: u64,
}

impl Trips {
    pub(crate) fn new(spool: &Path, lever: Lever, clock: fn() -> Timestamp, board: Board) -> Self {
        Self {
            folder: spool.join(FOLDER),
            lever,
            clock,
            board,
            latched: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let problem = self.look().await.err();
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "five times a second",
                at: (self.clock)(),
                done: format!("{} latched", self.latched),
                problem,
            });
        }
    }

    /// Latches everything that is there, oldest first.
    async fn look(&mut self) -> Result<(), String> {
        let (folder, lever) = (self.folder.clone(), self.lever.clone());
        let looked = tokio::task::spawn_blocking(move || latch_all(&folder, &lever));
        let (latched, problem) = looked.await.map_err(|error| chain(&error))?;
        self.latched += latched;
        problem.map_or(Ok(()), Err)
    }
}

/// How many were latched, and why the others were not.
fn latch_all(folder: &Path, lever: &Lever) -> (u64, Option<String>) {
    let files = match left::list(folder) {
        Ok(files) => files,
        Err(error) => {
            return (
                0,
                Some(format!("{} cannot be read: {error}", folder.display())),
            );
        }
    };
    let (mut latched, mut problem) = (0, None);
    for file in files {
        match latch(&file, lever) {
            Ok(()) => latched += 1,
            Err(why) => problem = Some(why),
        }
    }
    (latched, problem)
}

fn latch(file: &Path, lever: &Lever) -> Result<(), String> {
    let trip = read(file).map_err(|error| {
        format!(
            "the trip {} cannot be read: {error}; the gateway holds it closed, cut it by hand",
            file.display()
        )
    })?;
    let cut = LeverRequest::Cut {
        scope: trip.scope.clone(),
        by: BY.to_owned(),
        why: cause(&trip.cause),
    };
    match lever.ask(&cut, LIMIT) {
        Ok(LeverReply::Cut(report)) => {
            tracing::warn!(scope = %trip.scope, incident = %report.incident, cause = trip.cause, "A trip was latched.");
        }
        Ok(_) => return Err("the kill switch answered something that was not asked for".to_owned()),
        Err(error) => {
            return Err(format!(
                "scope {} tripped ({}) and is not latched: {error}",
                trip.scope, trip.cause
            ));
        }
    }
    left::remove(file)
}

fn read(file: &Path) -> io::Result<Trip> {
    Ok(serde_json::from_slice(&left::read(file, LONGEST)?)?)
}

const _: () = assert!(LONGEST > 8 * MAX_CAUSE as u64);
