//! JSON lines on their way into a file, written by a thread of their own.
//!
//! Whoever has a line never waits: the queue is bounded, and what finds no place in it is dropped and counted. A disk that
//! is full or hangs costs lines, nothing else.

use prometheus_client::metrics::counter::Counter;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Lines on their way; beyond, they are dropped.
const MAX_QUEUED: usize = 8192;
/// Lines written in one go.
const BATCH: usize = 256;
/// Between two looks whether the writer has ended.
const LOOK: Duration = Duration::from_millis(2);

enum Message {
    Line(Vec<u8>),
    Reopen,
    Stop,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinesFile {
    /// The file; `None` for standard output.
    pub path: Option<PathBuf>,
    /// A file that would grow beyond this many bytes is followed by a fresh one.
    pub max_bytes: u64,
    /// How many older files stay, as `PATH.1` (the newest) and so on.
    pub keep: u32,
}

/// Takes lines in.
#[derive(Debug)]
pub(crate) struct Lines {
    queue: SyncSender<Message>,
    dropped: Counter,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lines {
    /// Starts the writer, which opens the file itself: a path that hangs holds up nobody. `dropped` counts lines that
    /// were lost.
    pub(crate) fn start(name: &str, place: LinesFile, dropped: &Counter) -> io::Result<Self> {
        let (queue, messages) = sync_channel(MAX_QUEUED);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn({
            let dropped = dropped.clone();
            move || write_all(&messages, Files::new(place), &dropped)
        })?;
        Ok(Self {
            queue,
            dropped: dropped.clone(),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts a whole line, with its line feed, into the queue.
    pub(crate) fn put(&self, line: Vec<u8>) {
        if self.queue.try_send(Message::Line(line)).is_err() {
            self.dropped.inc();
        }
    }

    /// The file is opened again by its name, because something else has moved it away.
    pub(crate) fn reopen(&self) {
        if self.queue.try_send(Message::Reopen).is_err() {
            tracing::warn!("A file that takes no lines now is not opened again.");
        }
    }

    /// Writes out what is queued; gives up after `limit`. Blocks until then.
    pub(crate) fn finish(&self, limit: Duration) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let told = self.queue.try_send(Message::Stop).is_ok();
        let Some(thread) = thread.filter(|_| told) else {
            return;
        };
        let mut waited = Duration::ZERO;
        while !thread.is_finished() && waited < limit {
            std::thread::sleep(LOOK);
            waited += LOOK;
        }
    }
}

fn write_all(messages: &Receiver<Message>, mut files: Files, dropped: &Counter) {
    let mut failing = false;
    loop {
        let first = match messages.recv() {
            Ok(first) => first,
            Err(RecvError) => return,
        };
        let (mut lines, mut count, mut stop) = (Vec::new(), 0, false);
        for message in std::iter::once(first)
            .chain(messages.try_iter())
            .take(BATCH)
        {
            match message {
                Message::Line(line) => {
                    lines.extend_from_slice(&line);
                    count += 1;
                }
                Message::Reopen => files.close(),
                Message::Stop => stop = true,
            }
        }
        match files.append(&lines) {
            Ok(()) => failing = false,
            Err(error) => {
                dropped.inc_by(count);
                if !failing {
                    let path = files.place.path.as_deref().unwrap_or(Path::new("-"));
                    tracing::error!(%error, path = %path.display(), "Lines cannot be written; they are lost until this is mended.");
                }
                failing = true;
            }
        }
        if stop {
            return;
        }
    }
}

struct Files {
    place: LinesFile,
    open: Option<(File, u64)>,
    /// The file may end in the middle of a line.
    torn: bool,
}

impl Files {
    const fn new(place: LinesFile) -> Self {
        Self {
            place,
            open: None,
            torn: false,
        }
    }

    fn close(&mut self) {
        self.open = None;
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let Some(path) = self.place.path.clone() else {
            let mut out = io::stdout().lock();
            return out.write_all(lines).and_then(|()| out.flush());
        };
        let length = match &self.open {
            Some((_, length)) => *length,
            None => self.open(&path)?,
        };
        if length > 0 && length.saturating_add(lines.len() as u64) > self.place.max_bytes {
            self.close();
            self.make_room(&path)?;
            self.open(&path)?;
        }
        let torn = std::mem::replace(&mut self.torn, true);
        let Some((file, length)) = &mut self.open else {
            return Ok(());
        };
        if torn {
            file.write_all(b"\n")?;
        }
        file.write_all(lines)?;
        *length += lines.len() as u64;
        self.torn = false;
        Ok(())
    }

    /// Opens the file at its end; how long it is.
    fn open(&mut self, path: &Path) -> io::Result<u64> {
        let file = File::options()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let length = file.metadata()?.len();
        self.open = Some((file, length));
        Ok(length)
    }

    /// Moves each file to the next number; the oldest goes.
    fn make_room(&self, path: &Path) -> io::Result<()> {
        if self.place.keep == 0 {
            return fs::remove_file(path);
        }
        for number in (1..self.place.keep).rev() {
            match fs::rename(numbered(path, number), numbered(path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(path, numbered(path, 1))
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &Path, max_bytes: u64, keep: u32) -> LinesFile {
        LinesFile {
            path: Some(path.to_owned()),
            max_bytes,
            keep,
        }
    }

    #[test]
    fn a_full_file_makes_room_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut files = Files::new(place(&path, 10, 2));
        for line in ["111111\n", "222222\n", "333333\n", "444444\n"] {
            files.append(line.as_bytes()).unwrap();
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(read(&path), "444444\n");
        assert_eq!(read(&numbered(&path, 1)), "333333\n");
        assert_eq!(read(&numbered(&path, 2)), "222222\n");
        assert!(!numbered(&path, 3).exists());
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let dropped = Counter::default();
        let lines = Lines::start("test", place(&path, 1000, 0), &dropped).unwrap();
        lines.put(b"1\n".to_vec());
        while !path.exists() || fs::read(&path).unwrap().is_empty() {
            std::thread::sleep(LOOK);
        }
        let moved = folder.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        lines.reopen();
        lines.put(b"2\n".to_vec());
        lines.finish(Duration::from_secs(10));
        assert_eq!(fs::read_to_string(&moved).unwrap(), "1\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
        assert_eq!(dropped.get(), 0);
    }

    #[test]
    fn a_path_that_hangs_costs_lines_and_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        // A named pipe that nobody reads: opening it hangs.
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        let dropped = Counter::default();
        let lines = Lines::start("test", place(&path, 1000, 0), &dropped).unwrap();
        for _ in 0..MAX_QUEUED + BATCH + 10 {
            lines.put(b"1\n".to_vec());
        }
        lines.finish(Duration::from_millis(20));
        assert!(dropped.get() >= 10, "{}", dropped.get());
    }
}
