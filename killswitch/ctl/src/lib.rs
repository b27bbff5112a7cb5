//! The local lever: the same cut over a unix socket, when the web side is dead.
//!
//! Blocking, standard library only. What is absent: HTTP, retries, a code for cutting. Whoever may open the socket may cut.

use kill_wire::{ErrorCode, LeverError, LeverReply, LeverRequest};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest answer in bytes: 500 incidents with room to spare.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// Where a kill switch listens for its owner.
#[derive(Clone, Debug)]
pub struct Lever {
    socket: PathBuf,
}

impl Lever {
    /// The lever behind this socket file.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// The socket file.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks once and waits at most `limit` for each of sending and answering. `Refused` comes back as the error.
    pub fn ask(&self, request: &LeverRequest, limit: Duration) -> Result<LeverReply, LeverError> {
        let line = serde_json::to_string(request).map_err(|why| LeverError {
            code: ErrorCode::BadRequest,
            message: format!("the request has no JSON form: {why}"),
        })?;
        let answer = self
            .exchange(&line, limit)
            .map_err(|why| self.unavailable(&why))?;
        match serde_json::from_str(&answer) {
            Ok(LeverReply::Refused(refused)) => Err(refused),
            Ok(reply) => Ok(reply),
            Err(why) => Err(LeverError {
                code: ErrorCode::Unavailable,
                message: format!("the kill switch answered something else than expected: {why}"),
            }),
        }
    }

    fn exchange(&self, line: &str, limit: Duration) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        stream.write_all(line.as_bytes())?;
        stream.write_all(b"\n")?;
        let mut answer = String::new();
        BufReader::new(stream.take(MAX_ANSWER)).read_line(&mut answer)?;
        if answer.ends_with('\n') {
            Ok(answer)
        } else {
            Err(std::io::Error::new(
                ErrorKind::UnexpectedEof,
                "the answer broke off",
            ))
        }
    }

    fn unavailable(&self, why: &std::io::Error) -> LeverError {
        let socket = self.socket.display();
        let kind = why.kind();
        let message = if matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused) {
            format!(
                "no kill switch listens at {socket}; is `portcullis up` running with this data folder?"
            )
        } else if kind == ErrorKind::PermissionDenied {
            format!("this user may not open {socket}; run as the owner of the data folder")
        } else if matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut) {
            format!(
                "the kill switch at {socket} did not answer in time; its state is unknown, ask again"
            )
        } else {
            format!("the kill switch at {socket} could not be asked: {why}")
        };
        LeverError {
            code: ErrorCode::Unavailable,
            message,
        }
    }
}
