//! Takes connections and keeps idle ones from filling the place.

use crate::hand::Hand;
use crate::orders::{READ_LIMIT, answer};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Most connections at a time; one more ends the oldest, so that idle ones cannot keep an order out.
const MOST_CONNECTIONS: usize = 64;
/// Wait after an error of `accept`, such as too many open files.
const BREATH: Duration = Duration::from_millis(20);

/// Serves until `stop`.
pub(crate) async fn serve(hand: &Arc<Hand>, listener: TcpListener, stop: &CancellationToken) {
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        oldest_first.retain(|connection| !connection.is_finished());
        if oldest_first.len() >= MOST_CONNECTIONS
            && let Some(oldest) = oldest_first.pop_front()
        {
            oldest.abort();
        }
        oldest_first.push_back(connections.spawn(connection(Arc::clone(hand), stream)));
    }
}

async fn connection(hand: Arc<Hand>, stream: TcpStream) {
    // A lost delay costs milliseconds, not the order.
    drop(stream.set_nodelay(true));
    let service = hyper::service::service_fn(move |request| answer(Arc::clone(&hand), request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // Of a caller that has said all and hung up, the order still counts.
        .half_close(true)
        .header_read_timeout(READ_LIMIT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "A connection ended early.");
    }
}
