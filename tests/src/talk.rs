//! HTTP as a test speaks it: one connection at a time, kept where the test wants it kept.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{fmt::Display, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Its body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A field of it; empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A kept connection.
#[derive(Debug)]
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Runs the connection; ends with it.
    _runs: JoinSet<()>,
}

impl Connection {
    /// To this address; none where nobody listens.
    pub async fn to(at: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(at).await.ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let mut runs = JoinSet::new();
        runs.spawn(async move {
            let _how = connection.await;
        });
        Some(Self {
            sender,
            _runs: runs,
        })
    }

    /// The answer while its body still comes.
    pub async fn open(&mut self, request: Request<Full<Bytes>>) -> Option<Response<Incoming>> {
        self.sender.ready().await.ok()?;
        self.sender.send_request(request).await.ok()
    }

    /// The answer, whole; none where the connection broke or nothing came.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Option<Answer> {
        self.within(LIMIT, request).await
    }

    /// The same, which must come within `limit`.
    pub async fn within(
        &mut self,
        limit: Duration,
        request: Request<Full<Bytes>>,
    ) -> Option<Answer> {
        let whole = async {
            let answer = self.open(request).await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.into_body().collect().await.ok()?.to_bytes();
            Some(Answer {
                status,
                headers,
                body,
            })
        };
        timeout(limit, whole).await.ok().flatten()
    }
}

/// A request with these header fields.
#[must_use]
pub fn request(
    method: &Method,
    path: impl Display,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(path.to_string())
        .header("host", "apisix.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// One request on a connection of its own.
pub async fn once(at: SocketAddr, request: Request<Full<Bytes>>) -> Option<Answer> {
    Connection::to(at).await?.ask(request).await
}

/// Waits until `check` says yes.
pub async fn until<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + LIMIT;
    while !check().await {
        assert!(tokio::time::Instant::now() < end, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
