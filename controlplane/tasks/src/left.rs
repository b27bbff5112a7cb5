//! What the gateway leaves in a folder of its spool, one file each, until it was dealt with.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// The files that are there, oldest first. The gateway makes the folder; until then there are none.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads one, at most so many bytes of it.
pub(crate) fn read(file: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file)?.take(longest).read_to_end(&mut text)?;
    Ok(text)
}

/// Takes one away that was dealt with. It may be gone already.
pub(crate) fn remove(file: &Path) -> Result<(), String> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {error}", file.display()))
        }
        _ => Ok(()),
    }
}
