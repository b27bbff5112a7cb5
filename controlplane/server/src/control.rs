//! Questions to the gateway of this machine, over its control socket, which only its owner can open. Blocks.

use crate::paths::Home;
use anyhow::Context as _;
use net_model::{ControlReply, ControlRequest};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long the gateway may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest answer in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Asks, and waits for the answer.
pub(crate) fn ask(home: &Home, request: &ControlRequest) -> anyhow::Result<ControlReply> {
    let path = home.control_socket();
    let mut stream = UnixStream::connect(&path)
        .with_context(|| format!("no gateway of this user listens at {}", path.display()))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream)
        .take(MAX_ANSWER)
        .read_line(&mut answer)
        .context("the gateway did not answer")?;
    serde_json::from_str(&answer).context("the gateway's answer cannot be understood")
}
