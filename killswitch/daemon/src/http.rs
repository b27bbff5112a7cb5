//! The listener for webhooks. Bounds everything before anything is read; one connection cannot hold up another.

use crate::answer::{Response, json, plain};
use crate::inbound;
use crate::peer_in;
use crate::places::{Place, Places};
use crate::report;
use crate::switch::Switch;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kill_wire::PEER_PATH;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Connections at the same time.
const CONNECTIONS: usize = 256;
/// Until the head of a request must be there.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// Longest life of a connection: providers send one request and leave.
const LIFE: Duration = Duration::from_secs(60);

/// Accepts until shutdown.
pub(crate) async fn serve(switch: Arc<Switch>, listener: TcpListener) {
    let places = Places::new(CONNECTIONS);
    loop {
        let accepted = tokio::select! {
            () = switch.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(why) => {
                // Out of file descriptors, most likely: others must end first.
                tracing::warn!(%why, "Cannot accept a connection.");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = places.take() else {
            continue;
        };
        let shared = Arc::clone(&switch);
        switch.tasks.spawn(async move {
            connection(&shared, stream, &place).await;
        });
    }
}

async fn connection(switch: &Arc<Switch>, stream: TcpStream, place: &Place) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(route(switch, request, place).await) });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(64)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = tokio::time::timeout(LIFE, serving.as_mut()) => ended,
        () = place.lost() => return,
        () = switch.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::time::timeout(HEAD_LIMIT, serving).await
        }
    };
    if let Ok(Err(why)) = ended {
        tracing::debug!(%why, "A webhook connection broke.");
    }
}

async fn route(switch: &Arc<Switch>, request: Request<Incoming>, place: &Place) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(channel) = path.strip_prefix("/v1/inbound/") {
        // Which method is right is for the channel's kind to say.
        return inbound::take(switch, channel, request, place).await;
    }
    match (request.method(), path.as_str()) {
        (&Method::POST, PEER_PATH) => peer_in::take(switch, request).await,
        (&Method::GET, "/v1/state") => json(&report::public_state(switch)),
        (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok\n"),
        (_, "/v1/state" | "/healthz") => plain(StatusCode::METHOD_NOT_ALLOWED, "Send a GET.\n"),
        _ => plain(StatusCode::NOT_FOUND, "Nothing here.\n"),
    }
}
