//! Makes the unix sockets. One that cannot be made is a warning: webhooks, leases and what is cut do not hang on it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Makes a socket where it belongs, or under the same name in `instead`; says what stays wrong.
pub(crate) fn open(
    wanted: &Path,
    instead: Option<&Path>,
    mode: u32,
) -> Result<UnixListener, String> {
    let failed = match bind(wanted, mode) {
        Ok(listener) => return Ok(listener),
        Err(why) => format!("no socket {}: {why}", wanted.display()),
    };
    let Some(other) = instead
        .zip(wanted.file_name())
        .map(|(dir, name)| dir.join(name))
    else {
        return Err(failed);
    };
    match bind(&other, mode) {
        Ok(listener) => {
            tracing::warn!(%failed, instead = %other.display(), "Made a socket elsewhere.");
            Ok(listener)
        }
        Err(why) => Err(format!("{failed}; nor {}: {why}", other.display())),
    }
}

fn bind(socket: &Path, mode: u32) -> io::Result<UnixListener> {
    // A socket left by a process that was killed; a live one is kept out by the lock on the data folder.
    match std::fs::remove_file(socket) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(mode))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
