//! One question to the mesh service: a connection, a GET, the answer.

use super::LocalError;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// So long a question may take, answer included.
const LIMIT: Duration = Duration::from_secs(2);
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// What the service expects to be called.
const HOST: &str = "local-tailscaled.sock";

pub(super) type Wire = Connection<TokioIo<UnixStream>, Empty<Bytes>>;

/// Asks, and reads the whole answer.
pub(super) async fn get(socket: &Path, question: &str) -> Result<Bytes, LocalError> {
    let whole = async {
        let (mut sender, wire) = open(socket).await?;
        let answer = async {
            let answer = asked(&mut sender, question).await?;
            whole_body(answer.into_body()).await
        };
        driven(wire, answer).await
    };
    timeout(LIMIT, whole)
        .await
        .unwrap_or(Err(LocalError::Silent))
}

/// Asks, and leaves the answer to be read as it comes by whoever drives the connection.
pub(super) async fn begin(
    socket: &Path,
    question: &str,
) -> Result<(Response<Incoming>, Wire), LocalError> {
    let begun = async {
        let (mut sender, mut wire) = open(socket).await?;
        let answer = driven(&mut wire, asked(&mut sender, question)).await?;
        Ok((answer, wire))
    };
    timeout(LIMIT, begun)
        .await
        .unwrap_or(Err(LocalError::Silent))
}

async fn open(socket: &Path) -> Result<(SendRequest<Empty<Bytes>>, Wire), LocalError> {
    let unreachable = |source| LocalError::Unreachable {
        socket: socket.to_owned(),
        source,
    };
    let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    handshake(TokioIo::new(stream))
        .await
        .map_err(LocalError::Broken)
}

async fn asked(
    sender: &mut SendRequest<Empty<Bytes>>,
    question: &str,
) -> Result<Response<Incoming>, LocalError> {
    let request = Request::get(format!("/localapi/v0/{question}"))
        .header(header::HOST, HOST)
        // The service refuses what a browser could have sent; this header says that none did.
        .header("sec-tailscale", "localapi")
        .body(Empty::new())
        .map_err(|_| LocalError::Status(400))?;
    let answer = sender.send_request(request).await;
    let answer = answer.map_err(LocalError::Broken)?;
    match answer.status() {
        StatusCode::OK => Ok(answer),
        StatusCode::NOT_FOUND => Err(LocalError::Nobody),
        StatusCode::FORBIDDEN => Err(LocalError::Denied),
        other => Err(LocalError::Status(other.as_u16())),
    }
}

async fn whole_body(body: Incoming) -> Result<Bytes, LocalError> {
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(why) if why.is::<LengthLimitError>() => Err(LocalError::TooLong),
        Err(why) => Err(why
            .downcast::<hyper::Error>()
            .map_or(LocalError::TooLong, |why| LocalError::Broken(*why))),
    }
}

/// Drives the connection until the answer is there. A connection that ends first still lets the answer say why.
async fn driven<T>(
    wire: impl Future<Output = Result<(), hyper::Error>>,
    answer: impl Future<Output = Result<T, LocalError>>,
) -> Result<T, LocalError> {
    tokio::pin!(wire, answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = &mut wire => answer.await,
    }
}
