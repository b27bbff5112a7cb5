//! Speaks to the embedded gateway: JSON lines over its control socket.

use crate::{Gateway, GatewayError, Severed};
use net_model::{ControlReply, ControlRequest, Observed, Overlay};
use std::io;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

/// Longest accepted answer in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// The embedded gateway of this host.
#[derive(Debug)]
pub struct Embedded {
    socket: PathBuf,
    /// Two lanes, so that a slow look never holds up a cut.
    orders: Lane,
    looks: Lane,
}

/// A kept connection. It is taken out while in use and put back only after a whole answer: an exchange that was
/// given up half-way cannot leave its answer behind for the next one.
#[derive(Debug, Default)]
struct Lane(Mutex<Option<BufReader<UnixStream>>>);

impl Embedded {
    /// The gateway whose control socket stands at `socket`; it need not be there yet.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            orders: Lane::default(),
            looks: Lane::default(),
        }
    }
}

impl Gateway for Embedded {
    async fn observe(&self) -> Result<Observed, GatewayError> {
        match self
            .looks
            .ask(&self.socket, &ControlRequest::Follow)
            .await?
        {
            ControlReply::Observed(observed) => Ok(*observed),
            ControlReply::Refused { message } => Err(GatewayError::Refused(message)),
            ControlReply::Applied { .. }
            | ControlReply::Capture { .. }
            | ControlReply::Tested(_) => Err(GatewayError::Garbled("not a look".into())),
        }
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        let request = ControlRequest::Apply(overlay.clone());
        match self.orders.ask(&self.socket, &request).await? {
            ControlReply::Applied {
                seq,
                severed,
                lingering,
            } if seq == overlay.seq => Ok(Severed {
                severed,
                lingering,
                goes_on: None,
            }),
            ControlReply::Applied { seq, .. } => {
                let said = format!("applied overlay {seq} instead of {}", overlay.seq);
                Err(GatewayError::Garbled(said))
            }
            ControlReply::Refused { message } => Err(GatewayError::Refused(message)),
            ControlReply::Observed(_) | ControlReply::Capture { .. } | ControlReply::Tested(_) => {
                Err(GatewayError::Garbled("not a receipt".into()))
            }
        }
    }
}

impl Lane {
    async fn ask(
        &self,
        socket: &Path,
        request: &ControlRequest,
    ) -> Result<ControlReply, GatewayError> {
        let mut line = serde_json::to_vec(request)
            .map_err(|error| GatewayError::Unreachable(io::Error::other(error)))?;
        line.push(b'\n');
        let mut kept = self.0.lock().await;
        // A kept connection may have died with the gateway it led to; then a fresh one is tried, once.
        if let Some(mut connection) = kept.take()
            && let Ok(answer) = exchange(&mut connection, &line).await
        {
            *kept = Some(connection);
            return parse(&answer);
        }
        let mut connection = UnixStream::connect(socket)
            .await
            .map(BufReader::new)
            .map_err(GatewayError::Unreachable)?;
        let answer = exchange(&mut connection, &line)
            .await
            .map_err(GatewayError::Unreachable)?;
        *kept = Some(connection);
        parse(&answer)
    }
}

async fn exchange(connection: &mut BufReader<UnixStream>, line: &[u8]) -> io::Result<Vec<u8>> {
    connection.get_mut().write_all(line).await?;
    let mut answer = Vec::new();
    let mut bounded = (&mut *connection).take(MAX_ANSWER);
    bounded.read_until(b'\n', &mut answer).await?;
    if answer.last() == Some(&b'\n') {
        return Ok(answer);
    }
    let long = answer.len() as u64 >= MAX_ANSWER;
    let why = if long {
        "the answer is too long"
    } else {
        "the connection was closed"
    };
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, why))
}

fn parse(answer: &[u8]) -> Result<ControlReply, GatewayError> {
    serde_json::from_slice(answer).map_err(|error| GatewayError::Garbled(error.to_string()))
}
