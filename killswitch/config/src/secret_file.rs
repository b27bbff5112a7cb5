//! Secrets and other contents named by file.

use crate::problem::Problem;
use crate::secret::Secret;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Longest secret, in bytes.
const SECRET_BYTES: u64 = 16 * 1024;

/// Longest other content, in bytes: certificates of every authority are about 250 KB.
const CONTENT_BYTES: u64 = 1024 * 1024;

/// How files begin that anybody may read.
const PUBLIC: [&str; 2] = ["-----BEGIN CERTIFICATE", "-----BEGIN PUBLIC KEY"];

/// Reads one secret; a problem names the file and what is wrong with it, never what is in it.
/// A file that others may read gives a warning too.
pub fn read(key: &str, path: &Path, warnings: &mut Vec<Problem>) -> Result<Secret, String> {
    bounded(key, path, SECRET_BYTES, warnings)
}

/// Reads a content that may be longer and public, such as certificates.
pub(crate) fn content(
    key: &str,
    path: &Path,
    warnings: &mut Vec<Problem>,
) -> Result<Secret, String> {
    bounded(key, path, CONTENT_BYTES, warnings)
}

fn bounded(
    key: &str,
    path: &Path,
    limit: u64,
    warnings: &mut Vec<Problem>,
) -> Result<Secret, String> {
    let shown = path.display();
    let cannot = |why: std::io::Error| format!("`{shown}` cannot be read: {why}");
    let file = File::open(path).map_err(cannot)?;
    let about = file.metadata().map_err(cannot)?;
    if !about.is_file() {
        return Err(format!("`{shown}` is not a file"));
    }
    if about.len() > limit {
        return Err(format!("`{shown}` is longer than {limit} bytes"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(limit).read_to_string(&mut text).map_err(cannot)?;
    let public = PUBLIC.iter().any(|begin| text.trim().starts_with(begin));
    if about.permissions().mode() & 0o077 != 0 && !public {
        let text = format!("`{shown}` can be read by other users; run: chmod 600 {shown}");
        warnings.push(Problem::new(key, text));
    }
    Secret::new(&text).ok_or_else(|| format!("`{shown}`: there is nothing in it"))
}
