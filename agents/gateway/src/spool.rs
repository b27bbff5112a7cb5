//! The usage spool: records as JSON lines in numbered files, appended by one thread and synced about each second.
//!
//! A crash loses at most what was not yet synced. A line that was torn by one is closed by the next start, so that
//! it reads as one garbled line and never runs into the next record.

use crate::metrics::Metrics;
use anyhow::Context as _;
use net_model::{Story, UsageRecord};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::time::Instant;

/// Records on their way to the file; beyond, they are dropped and counted.
const MAX_QUEUED: usize = 8192;
/// A file that grew to this is followed by the next.
const ROTATE_AT: u64 = 8 * 1024 * 1024;
/// Longest time between a record and its sync.
const SYNC_AFTER: Duration = Duration::from_secs(1);
/// Records written in one go.
const BATCH: usize = 2048;
/// How long the first record of a batch waits for others.
const GATHER: Duration = Duration::from_millis(20);

/// A line that tells what became of a request.
#[derive(Serialize)]
struct Told<'a> {
    told: &'a Story,
}

enum Message {
    Record(Box<UsageRecord>),
    Told(Box<Story>),
    Stop,
}

/// Takes records in; never waits.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Spool {
    /// Goes on with the newest file of `dir`, which is made when missing.
    pub(crate) fn start(dir: &Path, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("making the spool {}", dir.display()))?;
        let files =
            Files::open(dir).with_context(|| format!("opening the spool {}", dir.display()))?;
        let (queue, records) = sync_channel(MAX_QUEUED);
        let thread = std::thread::Builder::new()
            .name("usage-spool".to_owned())
            .spawn(move || write_all(&records, files, &metrics))
            .context("starting the spool thread")?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts a record into the queue; false when it is full or the writer is gone.
    pub(crate) fn keep(&self, record: UsageRecord) -> bool {
        self.queue
            .try_send(Message::Record(Box::new(record)))
            .is_ok()
    }

    /// Puts a story into the queue; false when it is full or the writer is gone.
    pub(crate) fn tell(&self, story: Story) -> bool {
        self.queue.try_send(Message::Told(Box::new(story))).is_ok()
    }

    /// Writes and syncs what is queued. Blocks until that is done.
    pub(crate) fn stop(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _gone_already = self.queue.send(Message::Stop);
            let _panicked = thread.join();
        }
    }
}

fn write_all(records: &Receiver<Message>, mut files: Files, metrics: &Metrics) {
    let mut failing = false;
    loop {
        let mut stop = false;
        let mut lines = Vec::new();
        let mut count = 0;
        let first = records.recv_timeout(SYNC_AFTER);
        stop |= matches!(first, Err(RecvTimeoutError::Disconnected));
        if matches!(first, Ok(Message::Record(_) | Message::Told(_))) {
            // One wake-up and one write for all that end about now, not for each.
            std::thread::sleep(GATHER);
        }
        for message in first.into_iter().chain(records.try_iter()).take(BATCH) {
            match message {
                Message::Record(record) => {
                    count += u64::from(serde_json::to_writer(&mut lines, &record).is_ok());
                    lines.push(b'\n');
                }
                Message::Told(told) => {
                    // Beside the usage: a line of its own, which an older reader passes over.
                    let _texts_and_numbers =
                        serde_json::to_writer(&mut lines, &Told { told: &told });
                    lines.push(b'\n');
                }
                Message::Stop => stop = true,
            }
        }
        let written = files.append(&lines);
        let synced = files.sync(stop);
        match written.and(synced) {
            Ok(()) => failing = false,
            Err(error) => {
                metrics.dropped(count);
                if !failing {
                    tracing::error!(%error, "Usage cannot be written down; it is lost until this is mended.");
                }
                failing = true;
            }
        }
        if stop {
            return;
        }
    }
}

#[derive(Debug)]
struct Files {
    dir: PathBuf,
    number: u64,
    file: File,
    length: u64,
    /// Since when something is written and not synced.
    unsynced: Option<Instant>,
    /// The file may end in the middle of a line.
    torn: bool,
}

impl Files {
    fn open(dir: &Path) -> io::Result<Self> {
        let newest = fs::read_dir(dir)?
            .filter_map(|entry| number_of(&entry.ok()?.file_name().into_string().ok()?))
            .max()
            .unwrap_or(1);
        let (file, length) = open(dir, newest)?;
        let mut files = Self {
            dir: dir.to_owned(),
            number: newest,
            torn: ends_torn(&file, length)?,
            file,
            length,
            unsynced: None,
        };
        files.mend()?;
        Ok(files)
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.mend()?;
        if self.length >= ROTATE_AT {
            self.file.sync_data()?;
            let next = self.number.saturating_add(1);
            (self.file, self.length) = open(&self.dir, next)?;
            self.number = next;
        }
        self.torn = true;
        self.unsynced.get_or_insert_with(Instant::now);
        self.file.write_all(lines)?;
        self.length += lines.len() as u64;
        self.torn = false;
        Ok(())
    }

    /// Ends a torn line.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.length = self.file.metadata()?.len();
            self.torn = false;
            self.unsynced.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    fn sync(&mut self, now: bool) -> io::Result<()> {
        if self
            .unsynced
            .is_some_and(|since| now || since.elapsed() >= SYNC_AFTER)
        {
            self.file.sync_data()?;
            self.unsynced = None;
        }
        Ok(())
    }
}

fn open(dir: &Path, number: u64) -> io::Result<(File, u64)> {
    let file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(dir.join(format!("usage-{number:020}.jsonl")))?;
    File::open(dir)?.sync_all()?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn ends_torn(mut file: &File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("usage-")?
        .strip_suffix(".jsonl")?
        .parse()
        .ok()
}
