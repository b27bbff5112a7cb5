//! HTTP/1.1 to a gateway's own interface: a literal address, a connection that is kept, an answer read whole and bounded.
//!
//! A failure says whether the request can have been carried out: what was [`Failure::NotSent`] did not happen, what is
//! [`Failure::Unknown`] may have, or may still. A caller that wrote must read back what came of it.

use crate::GatewayError;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use net_model::Secret;
use serde::de::DeserializeOwned;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Longest answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 4 << 20;

/// One request. It has no `Debug`: keys may stand in its header fields and its body.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Path and query, from the root.
    pub(crate) path: String,
    /// Beside `host` and `content-length`. A value that is a secret is marked sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask {
    /// A request without header fields or body.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// With one field more.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// By whoever has this key.
    pub(crate) fn bearer(self, key: &Secret) -> Result<Self, GatewayError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .map_err(|why| GatewayError::Garbled(why.to_string()))?;
        value.set_sensitive(true);
        Ok(self.header(header::AUTHORIZATION, value))
    }

    /// With this body.
    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        let json = HeaderValue::from_static("application/json");
        self.headers.insert(header::CONTENT_TYPE, json);
        self.body = Bytes::from(body.to_string());
        self
    }

    /// Whether twice is the same as once. What was answered too long would be so again.
    fn bears_repeating(&self, why: &GatewayError) -> bool {
        self.method.is_idempotent() && !matches!(why, GatewayError::Garbled(_))
    }
}

/// An answer, read whole. It has no `Debug`: a gateway tells keys too.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, GatewayError> {
        serde_json::from_slice(&self.body).map_err(|why| GatewayError::Garbled(why.to_string()))
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The gateway cannot have got it.
    NotSent(GatewayError),
    /// It may have carried it out, or may still.
    Unknown(GatewayError),
}

impl From<Failure> for GatewayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(why) | Failure::Unknown(why) => why,
        }
    }
}

/// A way to one server, with a kept connection. The connection is taken out while in use and put back only after a
/// whole answer: an exchange that was given up half-way leaves nothing behind for the next one.
#[derive(Debug)]
pub(crate) struct Lane {
    at: SocketAddr,
    kept: Mutex<Option<Kept>>,
}

/// Nothing drives a connection that is not in use.
type Wire = Connection<TokioIo<TcpStream>, Full<Bytes>>;

#[derive(Debug)]
struct Kept {
    sender: SendRequest<Full<Bytes>>,
    wire: Wire,
}

impl Lane {
    /// To this address; nobody need listen there yet.
    pub(crate) fn new(at: SocketAddr) -> Self {
        Self {
            at,
            kept: Mutex::new(None),
        }
    }

    /// Where it leads.
    pub(crate) const fn at(&self) -> SocketAddr {
        self.at
    }

    /// Asks, and reads the whole answer, within `limit`. Who comes while another asks waits within his own limit.
    pub(crate) async fn call(&self, ask: &Ask, limit: Duration) -> Result<Answer, Failure> {
        let sent = AtomicBool::new(false);
        let answer = timeout(limit, self.exchange(ask, &sent)).await;
        let why = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(_) => GatewayError::Silent(limit),
        };
        Err(if sent.load(Ordering::Relaxed) {
            Failure::Unknown(why)
        } else {
            Failure::NotSent(why)
        })
    }

    async fn exchange(&self, ask: &Ask, sent: &AtomicBool) -> Result<Answer, GatewayError> {
        let request = ask.request(self.at)?;
        let mut kept = self.kept.lock().await;
        // A kept connection may have died with the gateway it led to; then a fresh one is tried, once.
        if let Some(connection) = kept.take() {
            match connection.exchange(request.clone(), sent).await {
                Ok((answer, still)) => {
                    *kept = still;
                    return Ok(answer);
                }
                Err(why) if sent.load(Ordering::Relaxed) && !ask.bears_repeating(&why) => {
                    return Err(why);
                }
                Err(_) => {}
            }
        }
        let dialled = Kept::dial(self.at).await;
        let connection = dialled.map_err(GatewayError::Unreachable)?;
        let (answer, still) = connection.exchange(request, sent).await?;
        *kept = still;
        Ok(answer)
    }
}

/// Asks once over a connection of its own, which ends with it.
pub(crate) async fn once(at: SocketAddr, ask: &Ask, limit: Duration) -> Result<Answer, Failure> {
    Lane::new(at).call(ask, limit).await
}

impl Kept {
    async fn dial(at: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        let (sender, wire) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self { sender, wire })
    }

    /// Drives the connection until the answer is whole; gives it back where it can be used again.
    async fn exchange(
        self,
        request: Request<Full<Bytes>>,
        sent: &AtomicBool,
    ) -> Result<(Answer, Option<Self>), GatewayError> {
        let Self {
            mut sender,
            mut wire,
        } = self;
        let answer = {
            let asking = asked(&mut sender, request, sent);
            tokio::pin!(asking);
            tokio::select! {
                biased;
                answer = &mut asking => answer?,
                _ = &mut wire => {
                    // What it had taken in and not begun comes back only when it goes.
                    drop(wire);
                    return Ok((asking.await?, None));
                }
            }
        };
        Ok((answer, Some(Self { sender, wire })))
    }
}

/// `sent` is true from the moment in which the gateway can have got some of it.
async fn asked(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    sent: &AtomicBool,
) -> Result<Answer, GatewayError> {
    let broken = |why| GatewayError::Unreachable(io::Error::other::<hyper::Error>(why));
    sender.ready().await.map_err(broken)?;
    let before = sent.swap(true, Ordering::Relaxed);
    let answer = sender.try_send_request(request).await;
    let (head, body) = match answer {
        Ok(answer) => answer.into_parts(),
        Err(mut why) => {
            // What comes back was never begun.
            if why.take_message().is_some() {
                sent.store(before, Ordering::Relaxed);
            }
            return Err(broken(why.into_error()));
        }
    };
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let body = body.map_err(|why| {
        if why.is::<LengthLimitError>() {
            GatewayError::Garbled(format!("longer than {MAX_ANSWER} bytes"))
        } else {
            GatewayError::Unreachable(io::Error::other(why))
        }
    })?;
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    })
}

impl Ask {
    fn request(&self, at: SocketAddr) -> Result<Request<Full<Bytes>>, GatewayError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::HOST, at.to_string())
            .body(Full::new(self.body.clone()))
            .map_err(|why| GatewayError::Garbled(format!("{}: {why}", self.path)))?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests;
