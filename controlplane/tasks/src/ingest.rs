//! Takes the gateway's usage spool into the database, exactly once.
//!
//! **Invariant:** a file is removed only when a later one exists, all of it was read, and that is committed.
//! Whatever happens before, the lines are read again and their ids are known.

use crate::spool::{self, Batch, LONGEST_LINE};
use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use kill_wire::Timestamp;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Cursor, Store};
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "take in usage";

const EVERY: Duration = Duration::from_secs(1);

/// Bytes of one read; longer than any line, so a read always gets on.
const CHUNK: u64 = 1024 * 1024;

pub(crate) struct Ingest {
    store: Store,
    spool: PathBuf,
    clock: fn() -> Timestamp,
    board: Board,
    /// Read to the end but not removable; left alone until the next start.
    stuck: BTreeSet<u64>,
    taken: u64,
    garbled: u64,
}

/// What was read of one file.
struct Reading {
    file: u64,
    start: u64,
    batch: Batch,
    /// Everything of this file is in `batch` or was read before, and a later file exists.
    done: bool,
}

impl Ingest {
    pub(crate) fn new(
        store: Store,
        spool: PathBuf,
        clock: fn() -> Timestamp,
        board: Board,
    ) -> Self {
        Self {
            store,
            spool,
            clock,
            board,
            stuck: BTreeSet::new(),
            taken: 0,
            garbled: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let problem = loop {
                match self.step().await {
                    Ok(true) if !stop.is_cancelled() => {}
                    Ok(_) => break None,
                    Err(problem) => break Some(problem),
                }
            };
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "each second",
                at: (self.clock)(),
                done: format!("{} taken in, {} garbled lines", self.taken, self.garbled),
                problem,
            });
        }
    }

    /// One batch. True when there may be more.
    async fn step(&mut self) -> Result<bool, String> {
        let cursor = self.store.cursor().await.map_err(|e| chain(&e))?;
        let (spool, stuck) = (self.spool.clone(), self.stuck.clone());
        let reading = tokio::task::spawn_blocking(move || read(&spool, cursor, &stuck))
            .await
            .map_err(|e| chain(&e))?
            .map_err(|e| format!("the spool {} cannot be read: {e}", self.spool.display()))?;
        let Some(reading) = reading else {
            return Ok(false);
        };
        let moved = reading.batch.consumed > 0;
        if moved {
            let offset = reading.start + reading.batch.consumed as u64;
            let cursor = Cursor {
                file: reading.file,
                offset,
            };
            let batch = &reading.batch;
            let new = self
                .store
                .ingest_told(&batch.records, &batch.stories, &cursor)
                .await;
            self.taken += new.map_err(|e| chain(&e))?;
            self.count_garbled(&reading);
        }
        if reading.done {
            self.remove(reading.file);
        }
        Ok(moved || reading.done)
    }

    fn count_garbled(&mut self, reading: &Reading) {
        let Some(first) = reading.batch.garbled.first() else {
            return;
        };
        let lines = reading.batch.garbled.len();
        self.garbled += lines as u64;
        let (file, at) = (spool::name(reading.file), reading.start + *first as u64);
        tracing::warn!(
            file,
            at,
            lines,
            "Garbled lines of the usage spool were skipped."
        );
    }

    fn remove(&mut self, file: u64) {
        let path = self.spool.join(spool::name(file));
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::debug!(path = %path.display(), "Spool file taken in."),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "A spool file that was taken in cannot be removed.");
                self.stuck.insert(file);
            }
        }
    }
}

/// Reads on in the lowest file. The cursor counts only for its own file: whatever is left of an earlier one is read
/// again from its start, and known ids are passed over.
fn read(folder: &Path, cursor: Cursor, stuck: &BTreeSet<u64>) -> io::Result<Option<Reading>> {
    // Listed before reading: when a later file is there, nothing more will be written to this one.
    let mut files = list(folder)?;
    files.retain(|file| !stuck.contains(file));
    let Some(&file) = files.first() else {
        return Ok(None);
    };
    let finished = files.len() > 1;
    let mut input = match File::open(folder.join(spool::name(file))) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let length = input.metadata()?.len();
    let start = if file == cursor.file && cursor.offset <= length {
        cursor.offset
    } else {
        0
    };
    input.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    input.take(CHUNK).read_to_end(&mut bytes)?;
    let to_end = (bytes.len() as u64) < CHUNK;
    let batch = spool::take(&bytes, finished && to_end);
    let done = finished && to_end && batch.consumed == bytes.len();
    Ok(Some(Reading {
        file,
        start,
        batch,
        done,
    }))
}

fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        // The gateway makes the folder; until then there is nothing to take in.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        if let Some(number) = entry?.file_name().to_str().and_then(spool::number) {
            files.push(number);
        }
    }
    files.sort_unstable();
    Ok(files)
}

const _: () = assert!(CHUNK > LONGEST_LINE as u64);
