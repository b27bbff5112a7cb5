//! Secrets of the gateway, named by file.

use kill_config::Problem;
use net_model::Secret;
use std::path::Path;

/// Reads one that can stand in an HTTP header; a problem names the file and what is wrong with it, never what is in it.
pub fn read(key: &str, path: &Path, warnings: &mut Vec<Problem>) -> Result<Secret, String> {
    let read = kill_config::read_secret(key, path, warnings)?;
    Secret::new(read.expose()).map_err(|why| format!("`{}`: {why}", path.display()))
}
