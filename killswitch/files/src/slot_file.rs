//! One slot on disk: opened without following anything odd, allocated when made, written in place.

use crate::slot_image::SLOT_BYTES;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Most damaged files kept aside per slot; after that the damaged one is overwritten.
const MOST_KEPT: u32 = 32;

/// Opens an existing regular file; a link, a pipe or a folder in its place is an error, not a trap.
pub(crate) fn open(path: &Path, access: OFlags) -> io::Result<File> {
    let odd = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, access | odd, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("is not a regular file"))
    }
}

/// Reads a slot, one byte beyond its size at most.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES + 1);
    open(path, OFlags::RDONLY)?
        .take(SLOT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a slot whose every block is written, so that later writes in place need no space.
pub(crate) fn make(path: &Path, content: &[u8]) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    let filled = file.write_all_at(content, 0).and_then(|()| file.sync_all());
    if let Err(error) = filled {
        // A slot that is only half allocated is worse than none.
        drop(file);
        return Err(std::fs::remove_file(path).err().unwrap_or(error));
    }
    sync_folder(path)?;
    Ok(file)
}

/// Whether `path` still names this very file at its full size: nobody deleted, replaced or cut it short.
pub(crate) fn stands(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino()) && named.len() == SLOT_BYTES as u64
}

/// Moves whatever stands at `path` to `path.bad-N` for someone to look at, or deletes it when enough are kept.
pub(crate) fn set_aside(path: &Path) -> io::Result<()> {
    for n in 1..=MOST_KEPT {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".bad-{n}"));
        let aside = PathBuf::from(name);
        if std::fs::symlink_metadata(&aside).is_err() {
            return std::fs::rename(path, aside);
        }
    }
    std::fs::remove_file(path)
}

/// Makes a change of names in the folder of `path` last.
///
/// # Errors
/// When the folder cannot be opened, or the disk refuses.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
