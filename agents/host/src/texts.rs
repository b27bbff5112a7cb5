//! Texts of the kernel, read up to a bound.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Longest text that is read of the kernel: a table of sockets may be long.
const MOST: u64 = 1024 * 1024;

/// The text of a file; none when it cannot be read.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Names in a folder, in their order; none when it cannot be read.
pub(crate) fn names(path: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.take(1024).collect();
    names.sort_unstable();
    names
}
