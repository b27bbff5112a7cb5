//! The helper's socket: the kernel says who calls, one line in, one line out.

use super::engine::{EngineSettings, refused};
use super::{MAX_REQUEST, Reply, Request};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a caller may take to say what it wants.
const LIMIT: Duration = Duration::from_secs(2);
/// Most callers at once.
const MOST: usize = 8;

/// What the helper is started with.
#[derive(Clone, Debug)]
pub struct HelperSettings {
    /// Where it listens.
    pub socket: PathBuf,
    /// The user that may ask besides root.
    pub uid: u32,
    /// What it may touch.
    pub engine: EngineSettings,
}

/// The helper.
#[derive(Debug)]
pub struct HelperServer {
    listener: UnixListener,
    settings: Arc<HelperSettings>,
}

impl HelperServer {
    /// Listens. The socket belongs to the user that may ask, and to nobody else; what a helper before this one left is taken away.
    ///
    /// # Errors
    /// When the socket cannot be made, something else stands in its place, or a container's name is none.
    pub fn bind(settings: HelperSettings) -> io::Result<Self> {
        if !settings.engine.names_hold() {
            let why = "a container has a name that no engine gives";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        match std::fs::symlink_metadata(&settings.socket) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&settings.socket)?,
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(&settings.socket)?;
        // Who connects before this is asked by the kernel for its user all the same.
        std::fs::set_permissions(&settings.socket, std::fs::Permissions::from_mode(0o600))?;
        if settings.uid != rustix::process::geteuid().as_raw() {
            std::os::unix::fs::chown(&settings.socket, Some(settings.uid), None)?;
        }
        let settings = Arc::new(settings);
        Ok(Self { listener, settings })
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When no more callers can be taken in.
    pub fn serve(&self) -> io::Result<()> {
        let callers = Arc::new(AtomicUsize::new(0));
        loop {
            let (stream, _) = self.listener.accept()?;
            // Who finds too many others before it is hung up on.
            if !self.may_ask(&stream) || callers.load(Ordering::SeqCst) >= MOST {
                continue;
            }
            callers.fetch_add(1, Ordering::SeqCst);
            let (settings, counted) = (self.settings.clone(), callers.clone());
            let begun = std::thread::Builder::new().spawn(move || {
                // A caller that went away hears nothing.
                drop(one(&settings, stream));
                counted.fetch_sub(1, Ordering::SeqCst);
            });
            if begun.is_err() {
                callers.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    fn may_ask(&self, stream: &UnixStream) -> bool {
        rustix::net::sockopt::socket_peercred(stream)
            .is_ok_and(|caller| caller.uid.is_root() || caller.uid.as_raw() == self.settings.uid)
    }
}

fn one(settings: &HelperSettings, mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut line = Vec::new();
    BufReader::new((&stream).take(MAX_REQUEST)).read_until(b'\n', &mut line)?;
    let reply: Reply = match serde_json::from_slice::<Request>(&line) {
        Ok(request) => settings.engine.answer(&request),
        Err(_) => refused("not a request"),
    };
    let mut answer = serde_json::to_vec(&reply)?;
    answer.push(b'\n');
    stream.write_all(&answer)
}
