//! A new agent is on trial: until it has shown that it works, the one before it lies beside it and is put back when it fails.
//!
//! **Invariant:** who decides is the agent of before, which is known to work: the unit runs it ahead of each start. Nothing is
//! decided by the new one but that it works, and it says that of itself alone, by its hash.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// How often a new agent may be started before it has shown that it works.
pub const MOST_STARTS: u32 = 3;
/// Longest mark, in bytes: a hash and a number.
const MARK_BYTES: u64 = 80;

/// What came of a look at a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The agent is on no trial.
    None,
    /// It has shown that it works; the trial is over.
    Proven,
    /// It is started, for this many times now.
    Tried(u32),
    /// It was not seen to work; the agent of before is in its place.
    PutBack,
}

#[derive(Debug, PartialEq, Eq)]
struct Mark {
    hash: String,
    starts: u32,
}

/// Where an agent lies, and where it says that it works.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program; only its owner may change it.
    pub program: PathBuf,
    /// Written by the program while it runs.
    pub proven: PathBuf,
}

impl Place {
    /// Where the agent of before lies.
    #[must_use]
    pub fn former(&self) -> PathBuf {
        beside(&self.program, ".former")
    }

    /// Puts `new` there and on trial; what was there is kept beside it. A crash in between leaves the program whole, and at the
    /// most a mark that is about no file that is there.
    ///
    /// # Errors
    /// When the disk refuses; the program is then as it was.
    pub fn begin(&self, new: &[u8]) -> io::Result<()> {
        if self.program.exists() {
            // In the middle of a trial: what has not worked yet is nothing to go back to.
            if !self.former().exists() || self.on_trial()?.is_none() {
                let before = std::fs::read(&self.program)?;
                kill_files::write_atomic(&self.former(), &before, 0o755)?;
            }
            self.write(&hash(new), 0)?;
        }
        kill_files::write_atomic(&self.program, new, 0o755)
    }

    /// Looks at the trial before the program is started once more.
    ///
    /// # Errors
    /// When the disk refuses, or the agent of before is not there to be put back.
    pub fn settle(&self) -> io::Result<Settled> {
        let Some(mark) = self.mark()? else {
            return Ok(Settled::None);
        };
        if hash(&std::fs::read(&self.program)?) != mark.hash {
            // Somebody put another one there by hand.
            self.end()?;
            return Ok(Settled::None);
        }
        if self.is_proven(&mark.hash)? {
            self.end()?;
            return Ok(Settled::Proven);
        }
        if mark.starts < MOST_STARTS {
            self.write(&mark.hash, mark.starts + 1)?;
            return Ok(Settled::Tried(mark.starts + 1));
        }
        let before = std::fs::read(self.former())?;
        kill_files::write_atomic(&self.program, &before, 0o755)?;
        self.end()?;
        Ok(Settled::PutBack)
    }

    /// The hash under which the program is on trial and has not yet shown that it works.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn on_trial(&self) -> io::Result<Option<String>> {
        let Some(mark) = self.mark()? else {
            return Ok(None);
        };
        let about = hash(&std::fs::read(&self.program)?) == mark.hash;
        Ok((about && !self.is_proven(&mark.hash)?).then_some(mark.hash))
    }

    /// Says that the agent of this hash works.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prove(&self, hash: &str) -> io::Result<()> {
        kill_files::write_atomic(&self.proven, format!("{hash}\n").as_bytes(), 0o600)
    }

    fn is_proven(&self, hash: &str) -> io::Result<bool> {
        Ok(short(&self.proven)?.is_some_and(|said| said.trim() == hash))
    }

    fn mark(&self) -> io::Result<Option<Mark>> {
        let text = short(&beside(&self.program, ".trial"))?;
        let text = text.as_deref().and_then(|text| text.trim().split_once(' '));
        Ok(text.and_then(|(hash, starts)| {
            Some(Mark {
                hash: hash.to_owned(),
                starts: starts.parse().ok()?,
            })
        }))
    }

    fn write(&self, hash: &str, starts: u32) -> io::Result<()> {
        let text = format!("{hash} {starts}\n");
        kill_files::write_atomic(&beside(&self.program, ".trial"), text.as_bytes(), 0o644)
    }

    fn end(&self) -> io::Result<()> {
        std::fs::remove_file(beside(&self.program, ".trial"))
    }
}

fn hash(file: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(file))
}

fn beside(program: &Path, end: &str) -> PathBuf {
    let mut name = program
        .file_name()
        .map_or_else(OsString::new, OsString::from);
    name.push(end);
    program.with_file_name(name)
}

/// A small file; none where there is none, or where it is no plain file.
fn short(path: &Path) -> io::Result<Option<String>> {
    match std::fs::symlink_metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
        Ok(found) if !found.is_file() => return Ok(None),
        Ok(_) => {}
    }
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    match file.take(MARK_BYTES).read_to_string(&mut text) {
        Err(why) if why.kind() != io::ErrorKind::InvalidData => Err(why),
        _ => Ok(Some(text)),
    }
}

#[cfg(test)]
mod tests;
