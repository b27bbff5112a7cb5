//! One process per part of a data folder.

use crate::paths::{Home, Part};
use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

/// Held as long as the process runs; the kernel gives it back however the process ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, never read")] Vec<File>);

impl Lock {
    /// Takes these parts for this process.
    pub(crate) fn take(home: &Home, parts: &[Part]) -> anyhow::Result<Self> {
        let files = parts.iter().map(|part| one(home, *part));
        Ok(Self(files.collect::<anyhow::Result<_>>()?))
    }
}

fn one(home: &Home, part: Part) -> anyhow::Result<File> {
    let path = home.root().join(format!("{}.lock", part.name()));
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        // Only for the message; an unreadable number is no number.
        drop((&file).take(20).read_to_string(&mut pid));
        bail!(
            "the {} of {} runs already (process {}); stop it first, or use another folder with --data DIR",
            part.name(),
            home.root().display(),
            pid.trim()
        );
    }
    // For the message above alone: on a full disk the lock holds without a number in it.
    drop(
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id())),
    );
    Ok(file)
}
