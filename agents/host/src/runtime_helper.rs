//! The runtime helper: a small program that has the right to a container engine, and does four things with it for
//! the containers it was started with. The agent asks it over a unix socket and never has that right itself.

mod engine;
mod serve;

pub use engine::EngineSettings;
pub use serve::{HelperServer, HelperSettings};

use host_core::posture::inspected;
use net_model::report::{Container, Engine};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Longest request in bytes.
const MAX_REQUEST: u64 = 256;
/// Longest answer in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;
/// How long an answer is waited for: an engine's program may take its time.
const LIMIT: Duration = Duration::from_secs(8);

/// What the helper can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    /// Describe the containers.
    Inspect,
    /// Stop one's processes where they are; its memory stays.
    Freeze,
    /// Let them go on.
    Thaw,
    /// End one.
    Stop,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    verb: Verb,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Reply {
    Inspected {
        engine: Engine,
        containers: Box<RawValue>,
        info: Box<RawValue>,
    },
    Done,
    Refused(String),
}

/// The helper, as the agent sees it.
#[derive(Clone, Debug)]
pub struct Helper {
    socket: PathBuf,
}

impl Helper {
    /// The helper that listens at `socket`.
    #[must_use]
    pub const fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The containers that the helper was started with, as far as they are there.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn containers(&self) -> io::Result<Vec<Container>> {
        let request = Request {
            verb: Verb::Inspect,
            container: None,
        };
        let Reply::Inspected {
            engine,
            containers,
            info,
        } = self.ask(&request)?
        else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let read = inspected(engine, containers.get().as_bytes(), info.get().as_bytes());
        let read = read.ok_or(io::ErrorKind::InvalidData)?;
        Ok(read.into_iter().map(|one| one.container).collect())
    }

    /// Stops a container's processes where they are.
    ///
    /// # Errors
    /// When the helper does not answer, does not know the container, or the engine refuses.
    pub fn freeze(&self, container: &str) -> io::Result<()> {
        self.act(Verb::Freeze, container)
    }

    /// Lets a container's processes go on.
    ///
    /// # Errors
    /// As [`Helper::freeze`].
    pub fn thaw(&self, container: &str) -> io::Result<()> {
        self.act(Verb::Thaw, container)
    }

    /// Ends a container.
    ///
    /// # Errors
    /// As [`Helper::freeze`].
    pub fn stop(&self, container: &str) -> io::Result<()> {
        self.act(Verb::Stop, container)
    }

    fn act(&self, verb: Verb, container: &str) -> io::Result<()> {
        let request = Request {
            verb,
            container: Some(container.to_owned()),
        };
        match self.ask(&request)? {
            Reply::Done => Ok(()),
            Reply::Inspected { .. } | Reply::Refused(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn ask(&self, request: &Request) -> io::Result<Reply> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = Vec::new();
        BufReader::new(stream.take(MAX_ANSWER)).read_until(b'\n', &mut answer)?;
        match serde_json::from_slice(&answer)? {
            Reply::Refused(why) => Err(io::Error::other(why)),
            reply @ (Reply::Inspected { .. } | Reply::Done) => Ok(reply),
        }
    }
}
