//! Serves a connection of HTTP/2: many exchanges at once, each with a line of its own, all driven by one task.
//!
//! A cut ends the streams it closes and no other. Whatever else runs on the connection waits until what was cut has
//! left this host, 20 ms at most; a client that does not take it by then loses the whole connection.

mod stream;

use crate::{
    app::App,
    http1::{CLOSE_GRACE, CUT_GRACE, HEADERS_LIMIT, passed},
    leg::Leg,
    line::Line,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use h2::server::{Builder, Connection};
use std::{future::poll_fn, net::IpAddr, sync::Arc, task::Poll, time::Duration};
use stream::Gate;
use tokio::time::{Instant, sleep, timeout};

/// Most streams of one connection at once.
const MAX_STREAMS: u32 = 100;
/// Bytes of one stream's answer that wait for a slow client.
const SEND_BUFFER: usize = 16 * 1024;
/// Bytes a client may send before somebody takes them: of one stream, and of all.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Longest head of a request.
const MAX_HEAD: u32 = 64 * 1024;
/// Streams that a client opened and took back, remembered at once; beyond, the connection ends (CVE-2023-44487).
const MAX_TAKEN_BACK: usize = 20;
/// How often it is looked whether what was cut has left.
const LOOK: Duration = Duration::from_millis(1);

/// Serves until the client leaves, the gateway stops, or a cut has closed everything on the connection.
pub(crate) async fn serve(app: &Arc<App>, carrier: &Arc<Line>, leg: Leg, peer: IpAddr) {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buffer_size(SEND_BUFFER)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEAD)
        .max_pending_accept_reset_streams(MAX_TAKEN_BACK)
        .max_concurrent_reset_streams(MAX_TAKEN_BACK)
        .max_local_error_reset_streams(Some(MAX_TAKEN_BACK));
    let begun = tokio::select! {
        biased;
        () = app.stop.draining.cancelled() => return,
        begun = timeout(HEADERS_LIMIT, builder.handshake(leg)) => begun,
    };
    if let Ok(Ok(connection)) = begun {
        run(app, carrier, connection, peer).await;
    }
}

async fn run(
    app: &Arc<App>,
    carrier: &Arc<Line>,
    mut connection: Connection<Leg, Bytes>,
    peer: IpAddr,
) {
    let gate = Gate::default();
    let mut ended = Ended::default();
    let mut streams = FuturesUnordered::new();
    let mut closing = Closing::default();
    loop {
        let idle = streams.is_empty() && ended.lines.is_empty();
        tokio::select! {
            biased;
            Some(line) = streams.next() => {
                // Set by the next flush: everything this stream had to say is with the connection by now.
                carrier.forget_written();
                ended.push(line);
                closing.busy();
            }
            () = passed(ended.limit) => {
                carrier.ask_reset();
                break;
            }
            () = passed(closing.limit) => break,
            () = app.stop.abandon.cancelled() => break,
            () = app.stop.draining.cancelled(), if !closing.begun => {
                closing.begun = true;
                connection.graceful_shutdown();
            }
            () = passed(Some(closing.idle_limit)), if idle && !closing.begun => {
                connection.graceful_shutdown();
                closing.begin();
            }
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    streams.push(stream::run(app, (carrier, &gate), peer, request, respond));
                    closing.busy();
                }
                Some(Err(_)) | None => break,
            },
            // Written while `accept` was looked at, just now.
            () = written(carrier), if !ended.lines.is_empty() => {
                if ended.left() && streams.is_empty() {
                    connection.graceful_shutdown();
                    closing.begin();
                }
            }
            () = sleep(LOOK), if ended.limit.is_some() => {}
        }
        carrier.set_strict(ended.limit.is_some());
        gate.shut(ended.limit.is_some());
    }
    // The socket first: only then is it true that nothing more goes out.
    drop(connection);
    drop(streams);
    ended.left();
}

async fn written(carrier: &Line) {
    poll_fn(|_| {
        if carrier.has_written() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// How a connection comes to its end.
#[derive(Debug)]
struct Closing {
    /// The client was told to open no more streams.
    begun: bool,
    /// When it is closed, whatever the client does.
    limit: Option<Instant>,
    /// How long it may idle.
    idle_limit: Instant,
}

impl Default for Closing {
    fn default() -> Self {
        Self {
            begun: false,
            limit: None,
            idle_limit: Instant::now() + HEADERS_LIMIT,
        }
    }
}

impl Closing {
    fn busy(&mut self) {
        self.idle_limit = Instant::now() + HEADERS_LIMIT;
    }

    fn begin(&mut self) {
        self.begun = true;
        self.limit
            .get_or_insert_with(|| Instant::now() + CLOSE_GRACE);
    }
}

/// Streams that have said their last word, until it has left.
#[derive(Debug, Default)]
struct Ended {
    lines: Vec<Arc<Line>>,
    /// When what was cut among them must have left.
    limit: Option<Instant>,
}

impl Ended {
    fn push(&mut self, line: Arc<Line>) {
        if line.cord().why().is_some() {
            self.limit.get_or_insert_with(|| Instant::now() + CUT_GRACE);
        }
        self.lines.push(line);
    }

    /// Everything has left; whether a cut was among it.
    fn left(&mut self) -> bool {
        for line in self.lines.drain(..) {
            line.closed();
        }
        self.limit.take().is_some()
    }
}
