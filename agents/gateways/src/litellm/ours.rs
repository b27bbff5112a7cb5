//! What this driver blocked, in memory and in a small file, so that a restore opens exactly that: also one that comes after
//! the agent has started anew.
//!
//! Written down after it was done, on a thread of its own: no disk delays a cut. What was not written down before the agent
//! died, or cannot be read, is nobody's: it stays blocked after a restore, and is named.

use super::api::What;
use kill_files::write_atomic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Longest record that is read: more keys than are ever listed.
const MOST_BYTES: u64 = 1 << 20;

/// By the ids LiteLLM has for them: of a key its SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocked {
    #[serde(default)]
    keys: BTreeSet<String>,
    #[serde(default)]
    models: BTreeSet<String>,
}

impl Blocked {
    const fn of(&mut self, what: What) -> &mut BTreeSet<String> {
        match what {
            What::Key => &mut self.keys,
            What::Model => &mut self.models,
        }
    }
}

/// The record. Without a file it lasts as long as the process.
#[derive(Debug, Default)]
pub(super) struct Ours {
    blocked: Mutex<Blocked>,
    file: Option<PathBuf>,
    /// What stands in the file; none where that is not known.
    written: Mutex<Option<Blocked>>,
    trouble: Mutex<Option<String>>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ours {
    /// With what an earlier process wrote down in `file`.
    pub(super) fn of(file: PathBuf) -> Self {
        let (blocked, trouble) = match read(&file) {
            Ok(blocked) => (Some(blocked), None),
            Err(why) => (None, Some(format!("{}: {why}", file.display()))),
        };
        Self {
            blocked: Mutex::new(blocked.clone().unwrap_or_default()),
            file: Some(file),
            written: Mutex::new(blocked),
            trouble: Mutex::new(trouble),
        }
    }

    /// What of this kind is ours.
    pub(super) fn get(&self, what: What) -> BTreeSet<String> {
        lock(&self.blocked).of(what).clone()
    }

    pub(super) fn add<'a>(&self, what: What, ids: impl Iterator<Item = &'a String>) {
        lock(&self.blocked).of(what).extend(ids.cloned());
    }

    pub(super) fn remove(&self, what: What, ids: &[&String]) {
        lock(&self.blocked).of(what).retain(|id| !ids.contains(&id));
    }

    /// Has it written down when what this gives is let go, whatever became of the call meanwhile. Nobody waits for it.
    pub(super) fn afterwards(self: &Arc<Self>) -> Afterwards {
        Afterwards(Arc::clone(self))
    }

    /// Why it is not in the file, or could not be read from it.
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    fn write(&self) {
        let Some(file) = &self.file else { return };
        let mut written = lock(&self.written);
        // Read only now: who writes last writes the newest.
        let now = lock(&self.blocked).clone();
        if written.as_ref() == Some(&now) {
            return;
        }
        let done = serde_json::to_vec_pretty(&now)
            .map_err(io::Error::other)
            .and_then(|text| write_atomic(file, &text, 0o600));
        *lock(&self.trouble) = done
            .as_ref()
            .err()
            .map(|why| format!("{}: {why}", file.display()));
        *written = done.is_ok().then_some(now);
    }
}

/// See [`Ours::afterwards`].
#[derive(Debug)]
pub(super) struct Afterwards(Arc<Ours>);

impl Drop for Afterwards {
    fn drop(&mut self) {
        let ours = Arc::clone(&self.0);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn_blocking(move || ours.write()));
        }
    }
}

fn read(file: &Path) -> io::Result<Blocked> {
    let open = match File::open(file) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Blocked::default()),
        open => open?,
    };
    if fs::metadata(file)?.len() > MOST_BYTES {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "is no record of ours",
        ));
    }
    let mut text = Vec::new();
    open.take(MOST_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn what_was_written_down_is_ours_in_the_next_process_too() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("litellm-blocked.json");
        let ours = Ours::of(file.clone());
        ours.add(What::Key, ids(&["a", "b"]).iter());
        ours.add(What::Model, ids(&["m"]).iter());
        ours.remove(What::Key, &[&"a".to_owned()]);
        ours.write();
        assert_eq!(ours.trouble(), None);
        let next = Ours::of(file);
        assert_eq!(next.get(What::Key), ids(&["b"]));
        assert_eq!(next.get(What::Model), ids(&["m"]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_record_that_is_damaged_strange_or_endless_makes_nothing_ours_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("litellm-blocked.json");
        let long = " ".repeat(2 << 20);
        for text in [
            "",
            "{\"keys\":[",
            "7",
            "{\"else\":1}",
            "{\"keys\":7}",
            &long,
        ] {
            fs::write(&file, text).unwrap();
            let ours = Ours::of(file.clone());
            assert!(ours.get(What::Key).is_empty() && ours.trouble().is_some());
            // The next that is written down replaces it.
            ours.add(What::Key, ids(&["a"]).iter());
            ours.write();
            assert_eq!(Ours::of(file.clone()).get(What::Key), ids(&["a"]));
            assert_eq!(ours.trouble(), None);
        }
    }

    #[test]
    fn where_it_cannot_be_written_it_is_said_and_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("later");
        let ours = Ours::of(folder.join("litellm-blocked.json"));
        ours.add(What::Key, ids(&["a"]).iter());
        ours.write();
        assert!(ours.trouble().unwrap().contains("litellm-blocked.json"));
        fs::create_dir(&folder).unwrap();
        ours.write();
        assert_eq!(ours.trouble(), None);
    }
}
