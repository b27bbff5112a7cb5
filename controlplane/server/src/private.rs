//! Folders and files that only their owner may read.

use anyhow::Context as _;
use net_model::Secret;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// A folder that only its owner may enter; parents are made with the user's own mask.
pub(crate) fn dir(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(path)
}

/// Replaces a file whole; it is on disk when this returns.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    kill_files::write_atomic(path, text.as_bytes(), 0o600)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The one secret that a file holds.
pub(crate) fn secret(path: &Path) -> anyhow::Result<Secret> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Secret::new(&text).with_context(|| path.display().to_string())
}
