//! Secrets named by file.

use net_model::{Problem, Secret};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const MAX_BYTES: u64 = 16 * 1024;

/// Reads one secret; a problem names the file and what is wrong with it, never what is in it.
/// A file that others may read gives a warning too.
pub(crate) fn read(key: &str, path: &Path, warnings: &mut Vec<Problem>) -> Result<Secret, String> {
    let shown = path.display();
    let file =
        std::fs::File::open(path).map_err(|why| format!("`{shown}` cannot be read: {why}"))?;
    let about = file
        .metadata()
        .map_err(|why| format!("`{shown}` cannot be read: {why}"))?;
    if !about.is_file() {
        return Err(format!("`{shown}` is not a file"));
    }
    if about.permissions().mode() & 0o077 != 0 {
        let text = format!("`{shown}` can be read by other users; run: chmod 600 {shown}");
        warnings.push(Problem::new(key, text));
    }
    if about.len() > MAX_BYTES {
        return Err(format!("`{shown}` is longer than {MAX_BYTES} bytes"));
    }
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|why| format!("`{shown}` cannot be read: {why}"))?;
    Secret::new(&text).map_err(|why| format!("`{shown}`: {why}"))
}
