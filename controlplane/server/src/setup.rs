//! First start: all keys and state are made in one place and moved in together.
//!
//! **Invariant:** a crash at any point leaves either nothing that counts or everything. Folders are built below
//! `.setup/`; once the marker `.setup/complete` is on disk, the next start only finishes the moves. The marker goes
//! when the new keys were shown.
//! What exists is never made anew: lost keys or latches are for a person to look at.

mod make;

use crate::paths::{Home, Part};
use crate::private;
use anyhow::{Context as _, bail};
use std::fs::{self, File};
use std::path::Path;

const BUILDING: &str = ".setup";
const MARKER: &str = "complete";

/// What was found, or done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Keys and state were made, and nobody has seen them yet.
    New,
    /// They were there.
    Kept,
}

/// Opens the data folder itself, which must be there before it can be locked.
pub(crate) fn root(home: &Home, may_create: bool) -> anyhow::Result<()> {
    home.check_length()?;
    let root = home.root();
    if may_create {
        private::dir(root).with_context(|| format!("cannot make {}", root.display()))?;
    } else if !root.is_dir() {
        return Err(no_keys(root));
    }
    Ok(())
}

/// Nothing was ever started here.
pub(crate) fn no_keys(root: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} holds no keys yet; run `portcullis serve --init`, or `portcullis up` to be shown around",
        root.display()
    )
}

/// Makes sure that the folders of `parts` are there; makes all four if none is and `may_create` says so.
pub(crate) fn ensure(home: &Home, parts: &[Part], may_create: bool) -> anyhow::Result<State> {
    let root = home.root();
    let building = home.below(BUILDING);
    let made = building.root().join(MARKER).is_file();
    if made {
        move_in(home, &building)?;
    } else if building.root().exists() {
        // A start that did not reach its marker: nothing of it was ever used.
        fs::remove_dir_all(building.root())
            .with_context(|| format!("cannot clear {}", building.root().display()))?;
    }
    let there = |part: &Part| home.part(*part).exists();
    let absent: Vec<Part> = parts.iter().copied().filter(|part| !there(part)).collect();
    if absent.is_empty() {
        return Ok(if made { State::New } else { State::Kept });
    }
    if Part::ALL.iter().any(there) {
        return Err(lost(home, &absent));
    }
    if !may_create {
        return Err(no_keys(root));
    }
    make::everything(&building)?;
    sync_tree(building.root())?;
    kill_files::write_atomic(&building.root().join(MARKER), b"", 0o600)?;
    move_in(home, &building)?;
    Ok(State::New)
}

fn lost(home: &Home, absent: &[Part]) -> anyhow::Error {
    let names: Vec<&str> = absent.iter().map(|part| part.name()).collect();
    let kept: Vec<&str> = Part::ALL
        .iter()
        .filter(|part| home.part(**part).exists())
        .map(|part| part.name())
        .collect();
    anyhow::anyhow!(
        "{root} has lost {lost} but still holds {kept}. New keys are never made beside old state: restore {lost} from a backup, \
         or, to begin anew with new keys, remove {kept} from {root} too",
        root = home.root().display(),
        lost = names.join(", "),
        kept = kept.join(", "),
    )
}

/// Moves what is still below `.setup/` into place. Done again after a crash, it goes on where it stopped.
fn move_in(home: &Home, building: &Home) -> anyhow::Result<()> {
    for part in Part::ALL {
        let (from, to) = (building.part(part), home.part(part));
        if !from.exists() {
            continue;
        }
        if to.exists() {
            bail!(
                "first start was interrupted, and {} has appeared since; remove {} or restore from a backup",
                to.display(),
                building.root().display()
            );
        }
        fs::rename(&from, &to)
            .with_context(|| format!("cannot move {} into place", part.name()))?;
    }
    Ok(sync_dir(home.root())?)
}

/// Ends a first start: what it made was shown, and is not shown again. Until then each start counts as the first,
/// so that a busy port or a crash hides the keys from nobody.
pub(crate) fn shown(home: &Home) -> std::io::Result<()> {
    let building = home.below(BUILDING);
    if building.root().exists() {
        fs::remove_file(building.root().join(MARKER))?;
        fs::remove_dir_all(building.root())?;
        sync_dir(home.root())?;
    }
    Ok(())
}

fn sync_tree(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_dir(path)
}

fn sync_dir(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
