//! The folder that nginx looks into: what stands open now, for how long that holds, and the file it includes.
//!
//! Nothing here waits for the disk to be sure: after a crash of the machine the lease has run out, and everything is closed
//! until the agent has spoken again.

use super::standing::Standing;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A lease file is for ten seconds of nginx's clock. So many beyond those that run: closed 30 to 40 seconds after the
/// agent's last look.
const AHEAD: u64 = 3;
/// States kept beside the one in force: who reads one while it is replaced finishes reading.
const KEPT: usize = 3;
/// Longest file of ours that is read back.
const MOST_BYTES: u64 = 1 << 20;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    /// The file that nginx includes.
    overlay: PathBuf,
    folder: PathBuf,
    /// The turn of what was put last.
    last: Arc<Mutex<u64>>,
}

impl Shelf {
    pub(super) fn beside(overlay: &Path) -> Self {
        let folder = overlay.parent().unwrap_or_else(|| Path::new("/"));
        Self {
            overlay: overlay.to_owned(),
            folder: folder.to_owned(),
            last: Arc::default(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// From the next request on this is what stands open. Where it cannot be written, nothing does. What was asked for
    /// with an earlier `turn` and comes late, from a disk that hung, is not put over it.
    pub(super) fn put(&self, standing: &Standing, turn: u64) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if turn < *last {
            return Ok(());
        }
        *last = turn;
        let put = self.write(standing).and_then(|()| self.lead_to(standing));
        if put.is_err() {
            // Needs no room on the disk.
            match fs::remove_file(self.folder.join("now")) {
                Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
                _ => {}
            }
        }
        put
    }

    fn write(&self, standing: &Standing) -> io::Result<()> {
        let whole = self.folder.join("states").join(&standing.name);
        if whole.exists() {
            return Ok(());
        }
        let half = self.folder.join("states").join("half");
        match fs::remove_dir_all(&half) {
            Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        for folder in ["", "route", "who"] {
            open_folder(&half.join(folder))?;
        }
        for file in &standing.files {
            flag(&half.join(file))?;
        }
        fs::rename(half, whole)
    }

    fn lead_to(&self, standing: &Standing) -> io::Result<()> {
        let next = self.folder.join("next");
        match fs::remove_file(&next) {
            Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        symlink(Path::new("states").join(&standing.name), &next)?;
        fs::rename(next, self.folder.join("now"))
    }

    /// What is open stays so for the beat that runs and some more.
    pub(super) fn renew(&self, beat: u64) -> io::Result<()> {
        let lease = self.folder.join("lease");
        open_folder(&lease)?;
        let until = beat.saturating_add(AHEAD);
        for beat in beat..=until {
            let file = lease.join(beat.to_string());
            if !file.exists() {
                flag(&file)?;
            }
        }
        for entry in fs::read_dir(lease)? {
            let entry = entry?;
            let of: Option<u64> = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if of.is_none_or(|of| !(beat..=until).contains(&of)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Forgets states that nobody can be reading any more.
    pub(super) fn tidy(&self) -> io::Result<()> {
        let now = fs::read_link(self.folder.join("now")).ok();
        let now = now.as_deref().and_then(Path::file_name);
        let mut others = Vec::new();
        for entry in fs::read_dir(self.folder.join("states"))? {
            let entry = entry?;
            if Some(entry.file_name().as_os_str()) != now {
                others.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        others.sort();
        let many = others.len().saturating_sub(KEPT);
        for (_, old) in others.into_iter().take(many) {
            fs::remove_dir_all(old)?;
        }
        Ok(())
    }

    /// The file that nginx includes, as it stands there; none where there is none.
    pub(super) fn read(&self) -> io::Result<Option<String>> {
        match fs::metadata(&self.overlay) {
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why),
            Ok(file) if file.len() > MOST_BYTES => {
                return Err(io::Error::new(
                    ErrorKind::FileTooLarge,
                    "is no file of ours",
                ));
            }
            Ok(_) => {}
        }
        fs::read_to_string(&self.overlay).map(Some)
    }

    /// Replaces it as a whole. It holds keys: nobody but its owner reads it, and nginx's first process.
    pub(super) fn replace(&self, text: &str) -> io::Result<()> {
        open_folder(&self.folder)?;
        open_folder(&self.folder.join("states"))?;
        let next = self.overlay.with_extension("next");
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(next, &self.overlay)
    }
}

/// A folder that nginx's workers, who are somebody else, may look into, whatever this process' mask.
fn open_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

fn flag(file: &Path) -> io::Result<()> {
    fs::write(file, [])
}

#[cfg(test)]
mod tests;
