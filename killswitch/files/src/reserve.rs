//! Disk space kept back for the hour when there is none left.

use crate::slot_file;
use rustix::fs::{FallocateFlags, Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const BLOCK: usize = 64 * 1024;

/// The file `reserve` in a folder: its space is given up when the disk is full, and taken again later.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// Takes `bytes` of space, or finds them taken already by an earlier run.
    ///
    /// # Errors
    /// When the disk refuses, for want of space or otherwise; nothing is kept then.
    pub fn create(dir: &Path, bytes: u64) -> io::Result<Self> {
        let mut reserve = Self {
            path: dir.join("reserve"),
            bytes,
            held: false,
        };
        reserve.refill()?;
        Ok(reserve)
    }

    /// Whether the space is kept now.
    #[must_use]
    pub const fn held(&self) -> bool {
        self.held
    }

    /// Gives the space up. Does nothing when it is given up already.
    ///
    /// # Errors
    /// When the file cannot be emptied.
    pub fn release(&mut self) -> io::Result<()> {
        self.held = false;
        self.file()?.set_len(0)
    }

    /// Takes the space again. Does nothing when it is kept.
    ///
    /// # Errors
    /// When there is not enough space yet; nothing is kept then.
    pub fn refill(&mut self) -> io::Result<()> {
        if self.held {
            return Ok(());
        }
        let file = self.file()?;
        let taken = take(&file, self.bytes).and_then(|()| file.sync_all());
        if let Err(error) = taken {
            file.set_len(0)?;
            return Err(error);
        }
        self.held = true;
        slot_file::sync_folder(&self.path)
    }

    fn file(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(rustix::fs::open(&self.path, flags, mode)?))
    }
}

fn take(file: &File, bytes: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => file.set_len(bytes),
        Err(rustix::io::Errno::OPNOTSUPP) => fill(file, bytes),
        Err(errno) => Err(errno.into()),
    }
}

/// For file systems that cannot set space aside unwritten.
fn fill(file: &File, bytes: u64) -> io::Result<()> {
    let block = vec![b'\n'; BLOCK];
    let mut at = 0;
    while at < bytes {
        let length = usize::try_from(bytes - at).unwrap_or(BLOCK).min(BLOCK);
        file.write_all_at(block.get(..length).unwrap_or(&block), at)?;
        at += length as u64;
    }
    file.set_len(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn the_reserve_takes_real_blocks_and_gives_them_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        let mut reserve = Reserve::create(dir.path(), 300_000).unwrap();
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 >= 300_000);
        reserve.release().unwrap();
        assert!(!reserve.held());
        assert_eq!(std::fs::metadata(&path).unwrap().blocks(), 0);
        reserve.refill().unwrap();
        assert!(reserve.held());
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 >= 300_000);
    }

    #[test]
    fn where_space_cannot_be_set_aside_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create_new(dir.path().join("x")).unwrap();
        fill(&file, 150_001).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 150_001);
        assert!(file.metadata().unwrap().blocks() * 512 >= 150_001);
    }
}
