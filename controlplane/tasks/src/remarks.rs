//! Takes in what the gateway noticed: each remark once, then its file is removed.

use crate::left;
use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use kill_wire::Timestamp;
use net_model::{MAX_CAUSE, Remark, cause};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::Store;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "take in remarks";

/// Where the gateway leaves them, below its spool.
const FOLDER: &str = "remarks";
const EVERY: Duration = Duration::from_millis(500);
/// Longest file: a name and a text of [`MAX_CAUSE`] characters.
const LONGEST: u64 = 4 * 1024;

pub(crate) struct Remarks {
    folder: PathBuf,
    store: Store,
    clock: fn() -> Timestamp,
    board: Board,
    taken: u64,
}

impl Remarks {
    pub(crate) fn new(spool: &Path, store: Store, clock: fn() -> Timestamp, board: Board) -> Self {
        Self {
            folder: spool.join(FOLDER),
            store,
            clock,
            board,
            taken: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let problem = self.look().await.err();
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "twice a second",
                at: (self.clock)(),
                done: format!("{} taken in", self.taken),
                problem,
            });
        }
    }

    /// Takes in everything that is there, oldest first.
    async fn look(&mut self) -> Result<(), String> {
        let folder = self.folder.clone();
        let found = tokio::task::spawn_blocking(move || read_all(&folder));
        let found = found.await.map_err(|error| chain(&error))??;
        for (file, remark) in found {
            if let (Some(id), Some(remark)) = (id(&file), remark) {
                let kept = self.store.keep_remark(&id, &remark).await;
                self.taken += u64::from(kept.map_err(|error| chain(&error))?);
            }
            // Kept first: read twice it is still kept once.
            let removed = tokio::task::spawn_blocking(move || left::remove(&file));
            removed.await.map_err(|error| chain(&error))??;
        }
        Ok(())
    }
}

type Found = Vec<(PathBuf, Option<Remark>)>;

/// Every file with what it says; one that cannot be understood says nothing.
fn read_all(folder: &Path) -> Result<Found, String> {
    let files = left::list(folder)
        .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let read = |file: PathBuf| {
        let remark = parse(&file)
            .inspect_err(|error| {
                tracing::warn!(file = %file.display(), %error, "A remark of the gateway cannot be read.");
            })
            .ok()
            .map(|remark| Remark {
                text: cause(&remark.text),
                ..remark
            });
        (file, remark)
    };
    Ok(files.into_iter().map(read).collect())
}

fn parse(file: &Path) -> io::Result<Remark> {
    Ok(serde_json::from_slice(&left::read(file, LONGEST)?)?)
}

fn id(file: &Path) -> Option<String> {
    Some(file.file_stem()?.to_str()?.to_owned())
}

const _: () = assert!(LONGEST > 8 * MAX_CAUSE as u64);
