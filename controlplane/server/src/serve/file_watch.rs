//! Says when the configuration, or a file it names, has another content.
//!
//! Folders are watched, not files: editors put a new file in the place of the old one, and a mounted configuration map
//! is a symbolic link that is swapped. What counts is the content: whatever else happens in these folders changes
//! nothing. Where the system gives no notice, a look now and then finds it.

use crate::config::named_files;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind,
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// A file is looked at when nothing more has happened for this long.
const QUIET: Duration = Duration::from_millis(150);
/// Times that this is waited at most: where something happens all the time, it is looked all the same.
const RESTLESS: usize = 20;
/// Between two looks without news.
const LOOK: Duration = Duration::from_secs(15);
/// What is compared of a file.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
enum News {
    Something,
    Stop,
}

/// A running watch; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct FileWatch {
    stop: SyncSender<News>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        let _gone_already = self.stop.send(News::Stop);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl FileWatch {
    /// Calls `changed` after each change of content, of `file`, of what it names and of `beside`; it ends when that
    /// returns false.
    pub(super) fn start(
        file: PathBuf,
        beside: Vec<PathBuf>,
        changed: impl Fn() -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        // One piece of news is as good as many.
        let (stop, news) = sync_channel(1);
        let names = Names::default();
        let mut watch = Watch {
            seen: Seen::of(&file, &beside, &[]),
            file,
            beside,
            watcher: watcher(stop.clone(), names.clone()),
            names,
            folders: BTreeSet::new(),
        };
        watch.follow();
        let thread = std::thread::Builder::new()
            .name("config-watch".to_owned())
            .spawn(move || watch.run(&news, changed))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

/// Names of the files that are looked at, without their folders.
#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<BTreeSet<OsString>>>);

impl Names {
    fn put(&self, paths: impl Iterator<Item = PathBuf>) {
        let names = paths.filter_map(|path| Some(path.file_name()?.to_owned()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names.collect();
    }

    fn has(&self, path: &Path) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        path.file_name().is_some_and(|name| names.contains(name))
    }

    /// Whether this may have changed what is looked at. A log in the same folder is written to all the time.
    fn concerns(&self, event: &Event) -> bool {
        match event.kind {
            // Looking at a file is an event too.
            EventKind::Access(_) => false,
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => {
                event.paths.iter().any(|path| self.has(path))
            }
            EventKind::Any
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_)
            | EventKind::Other => true,
        }
    }
}

fn watcher(tell: SyncSender<News>, names: Names) -> Option<RecommendedWatcher> {
    let heard = move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| !names.concerns(&event)) {
            return;
        }
        let _told_already = tell.try_send(News::Something);
    };
    notify::recommended_watcher(heard)
        .inspect_err(|error| {
            tracing::warn!(%error, "The system tells of no changed files: the configuration is looked at every {LOOK:?}.");
        })
        .ok()
}

/// What was there at a look.
struct Seen {
    /// What identifies each file's content; `None` for one that cannot be read.
    contents: BTreeMap<PathBuf, Option<[u8; 32]>>,
}

impl Seen {
    /// A file that is no TOML names no other: those known before are looked at again.
    fn of(file: &Path, beside: &[PathBuf], before: &[PathBuf]) -> Self {
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let named = kill_config::read_table(file)
            .map_or_else(|_| before.to_vec(), |table| named_files(&table, folder));
        let all = [file.to_owned()].into_iter().chain(beside.to_vec());
        let all = all.chain(named);
        Self {
            contents: all.map(|path| (path.clone(), content(&path))).collect(),
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.contents.keys().cloned().collect()
    }
}

fn content(path: &Path) -> Option<[u8; 32]> {
    // What is no plain file could hang.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    Some(Sha256::digest(&text).into())
}

struct Watch {
    file: PathBuf,
    beside: Vec<PathBuf>,
    seen: Seen,
    watcher: Option<RecommendedWatcher>,
    names: Names,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    fn run(mut self, news: &Receiver<News>, changed: impl Fn() -> bool) {
        loop {
            match news.recv_timeout(LOOK) {
                Ok(News::Something) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            for _ in 0..RESTLESS {
                std::thread::sleep(QUIET);
                match news.try_recv() {
                    Ok(News::Something) => {}
                    Err(TryRecvError::Empty) => break,
                    Ok(News::Stop) | Err(TryRecvError::Disconnected) => return,
                }
            }
            let now = Seen::of(&self.file, &self.beside, &self.seen.paths());
            let other = now.contents != self.seen.contents;
            self.seen = now;
            self.follow();
            if other && !changed() {
                return;
            }
        }
    }

    /// Watches the folders in which the files stand, by name and behind every link.
    fn follow(&mut self) {
        self.names
            .put(self.seen.contents.keys().flat_map(|path| steps(path)));
        let wanted: BTreeSet<PathBuf> =
            self.seen.contents.keys().flat_map(|p| folders(p)).collect();
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.folders.difference(&wanted) {
            let _gone_already = watcher.unwatch(gone);
        }
        let mut followed = BTreeSet::new();
        for folder in wanted {
            // A folder that came back under its name is another one.
            let known = self.folders.contains(&folder);
            let watched = watcher.watch(&folder, RecursiveMode::NonRecursive);
            if watched.is_ok() || known && folder.is_dir() {
                followed.insert(folder);
            }
        }
        self.folders = followed;
    }
}

/// Of the name itself, of each link on the way, and of the file.
fn folders(path: &Path) -> Vec<PathBuf> {
    let folder = |step: PathBuf| Some(step.parent()?.to_owned());
    steps(path).into_iter().filter_map(folder).collect()
}

/// The name itself, where each link on the way leads, and the file.
fn steps(path: &Path) -> Vec<PathBuf> {
    const MOST_LINKS: usize = 16;
    let mut at = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = vec![at.clone()];
    for _ in 0..MOST_LINKS {
        let (Some(folder), Ok(to)) = (at.parent(), std::fs::read_link(&at)) else {
            break;
        };
        at = folder.join(to);
        found.push(at.clone());
    }
    found.extend(std::fs::canonicalize(path).ok());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, RenameMode};

    #[test]
    fn what_is_written_into_other_files_of_the_folder_concerns_nobody() {
        let names = Names::default();
        names.put([PathBuf::from("/etc/portcullis.toml")].into_iter());
        let concerns = |kind, path: &str| {
            let event = Event::new(kind).add_path(PathBuf::from(path));
            names.concerns(&event)
        };
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(concerns(written, "/etc/portcullis.toml"));
        assert!(!concerns(written, "/etc/access.jsonl"));
        // A link on the way may have been swapped, whatever its name.
        for kind in [
            EventKind::Create(CreateKind::Any),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)),
        ] {
            assert!(concerns(kind, "/etc/..data"));
        }
    }
}
