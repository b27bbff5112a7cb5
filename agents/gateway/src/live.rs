//! A connection to a target with one exchange on it.
//!
//! No task of its own drives it: whoever waits for the answer does, and a body that owns its connection hands bytes
//! on without waking anybody. Dropping it closes the socket at once.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1::{Connection, SendRequest},
};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use std::{
    collections::HashMap,
    future::{Future as _, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{net::TcpStream, time::Instant};

/// Idle connections are used again for this long; shorter than what common servers keep them.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
/// Idle connections of one target.
const MAX_IDLE: usize = 32;

/// The socket to a target, with TLS where its base URL asks for it.
pub(crate) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// One HTTP/1 connection.
#[derive(Debug)]
struct Wired {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection<Socket, Full<Bytes>>,
    /// It must not be polled again.
    over: bool,
}

impl Wired {
    /// Lets it read and write what it can now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        // How it ended is told to whoever waits for the answer.
        if !self.over && self.connection.poll_without_shutdown(cx).is_ready() {
            self.over = true;
        }
    }

    /// Whether it may take a request: asks the socket, and wakes nobody afterwards.
    fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.over && self.sender.is_ready()
    }
}

/// A connection with one exchange on it.
#[derive(Debug)]
pub(crate) struct Live {
    /// Some 2 KB, which pass through many hands.
    wired: Box<Wired>,
    key: String,
    pool: Pool,
}

impl Live {
    /// A fresh connection, which will idle under `key`.
    pub(crate) fn new(
        sender: SendRequest<Full<Bytes>>,
        connection: Connection<Socket, Full<Bytes>>,
        key: String,
        pool: &Pool,
    ) -> Self {
        Self {
            wired: Box::new(Wired {
                sender,
                connection,
                over: false,
            }),
            key,
            pool: pool.clone(),
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        let mut answer = pin!(self.wired.sender.send_request(request));
        let wired = &mut self.wired;
        poll_fn(|cx| {
            wired.drive(cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// The answer was read to its end: the connection may serve again.
    pub(crate) fn park(mut self) {
        if self.wired.is_ready() {
            self.pool.park(self.key, self.wired);
        }
    }
}

/// An answer's body with the connection it comes on.
#[derive(Debug)]
pub(crate) struct Flow {
    body: Incoming,
    live: Live,
}

impl Flow {
    /// `body` must have come on `live`.
    pub(crate) fn new(body: Incoming, live: Live) -> Self {
        Self { body, live }
    }

    /// The body was read to its end.
    pub(crate) fn park(self) {
        self.live.park();
    }

    /// The target has switched to another protocol: the socket, and what came on it after the head.
    pub(crate) fn switched(self) -> (Socket, Bytes) {
        let parts = self.live.wired.connection.into_parts();
        (parts.io, parts.read_buf)
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.live.wired.drive(cx);
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Debug)]
struct Idle {
    wired: Box<Wired>,
    since: Instant,
}

impl Idle {
    fn is_good(&mut self) -> bool {
        self.since.elapsed() < IDLE_LIMIT && self.wired.is_ready()
    }
}

/// Connections that idle, by the server they lead to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<String, Vec<Idle>>>>);

impl Pool {
    /// The connection that idled least, if one is good.
    pub(crate) fn take(&self, key: &str) -> Option<Live> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, idle) = (key.to_owned(), pool.get_mut(key)?);
        while let Some(mut last) = idle.pop() {
            if last.is_good() {
                return Some(Live {
                    wired: last.wired,
                    key,
                    pool: self.clone(),
                });
            }
        }
        None
    }

    fn park(&self, key: String, wired: Box<Wired>) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pool.entry(key).or_default();
        if idle.len() < MAX_IDLE {
            idle.push(Idle {
                wired,
                since: Instant::now(),
            });
        }
    }

    /// Lets go of connections that idled too long or were closed; with `all`, of all.
    pub(crate) fn prune(&self, all: bool) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for idle in pool.values_mut() {
            idle.retain_mut(|idle| !all && idle.is_good());
        }
        pool.retain(|_, idle| !idle.is_empty());
    }
}
