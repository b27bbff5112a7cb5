//! One HTTP/1.1 call to a literal address: no names to resolve, no pool, bounded in time and size.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kill_wire::{CHALLENGE_HEADER, Challenge, INCIDENT_HEADER};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

/// Longest answer read from an agent or a gateway, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Why a call gave no answer.
#[derive(Clone, Debug)]
pub(crate) struct NoAnswer {
    /// For people.
    pub(crate) why: String,
    /// The connection could not be made at all: nothing listens there.
    pub(crate) unreachable: bool,
}

impl NoAnswer {
    pub(crate) fn new(why: impl std::fmt::Display) -> Self {
        Self {
            why: why.to_string(),
            unreachable: false,
        }
    }
}

/// A fresh connection; `tasks` waits for its driver at shutdown.
pub(crate) async fn connect(
    address: SocketAddr,
    tasks: &TaskTracker,
) -> Result<SendRequest<Full<Bytes>>, NoAnswer> {
    let stream = TcpStream::connect(address).await.map_err(|why| NoAnswer {
        why: format!("cannot connect: {why}"),
        unreachable: true,
    })?;
    stream.set_nodelay(true).map_err(NoAnswer::new)?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(NoAnswer::new)?;
    tasks.spawn(async move {
        // A broken connection shows in the call that used it.
        drop(connection.await);
    });
    Ok(sender)
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) incident: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) body: Bytes,
}

/// Sends and reads the whole answer.
pub(crate) async fn call(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, NoAnswer> {
    sender.ready().await.map_err(NoAnswer::new)?;
    let (head, body) = sender
        .send_request(request)
        .await
        .map_err(NoAnswer::new)?
        .into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let incident = header(INCIDENT_HEADER).map(str::to_owned);
    let challenge = header(CHALLENGE_HEADER).and_then(|text| text.parse().ok());
    let body = Limited::new(body, MAX_ANSWER)
        .collect()
        .await
        .map_err(NoAnswer::new)?
        .to_bytes();
    Ok(Answer {
        status: head.status,
        incident,
        challenge,
        body,
    })
}
