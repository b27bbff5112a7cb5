//! Serves a connection of HTTP/1: one exchange at a time, and it ends when one of them is cut.

use crate::{
    app::App,
    inflow::Inflow,
    leg::{Leg, wire},
    line::Line,
    making::{Call, Making},
    proxies, realtime,
    reply::Reply,
    serve,
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{future::poll_fn, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// From the first byte awaited to the end of the headers; also how long a connection may idle.
pub(crate) const HEADERS_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of one connection's read buffer and of its write buffer.
const BUFFER: usize = 64 * 1024;
/// After a cut: time for the error and an orderly close.
pub(crate) const CUT_GRACE: Duration = Duration::from_millis(20);
/// After any other close by us: time for the client to read the answer before the socket goes.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_millis(500);
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Serves until the client leaves, the gateway stops, or an exchange is cut.
pub(crate) async fn serve(app: &Arc<App>, line: &Arc<Line>, leg: Leg, peer: IpAddr) {
    let service = service_fn(|request: Request<Incoming>| {
        let request = proxies::with_client(app, peer, request.map(Inflow::One));
        Making::of(Call {
            app: Arc::clone(app),
            line: Arc::clone(line),
            request,
        })
    });
    let mut conn = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_LIMIT)
        .max_buf_size(BUFFER)
        // What goes out at once is short: copied into one piece it costs less than queued piece by piece.
        .writev(false)
        .serve_connection(TokioIo::new(leg), service);

    line.will_be_tidied();
    let mut cut_limit = None;
    let mut draining = false;
    let outcome = loop {
        tokio::select! {
            biased;
            () = line.cord().cut().cancelled(), if cut_limit.is_none() => {
                cut_limit = Some(Instant::now() + CUT_GRACE);
                std::pin::Pin::new(&mut conn).graceful_shutdown();
            }
            () = passed(cut_limit) => {
                line.ask_reset();
                return;
            }
            () = app.stop.abandon.cancelled() => return,
            () = leave(app, line), if !draining => {
                draining = true;
                std::pin::Pin::new(&mut conn).graceful_shutdown();
            }
            outcome = poll_fn(|cx| conn.poll_without_shutdown(cx)) => break outcome,
        }
    };
    let answered = outcome
        .as_ref()
        .map_or_else(hyper::Error::is_parse, |()| true);
    let parts = conn.into_parts();
    let leg = parts.io.into_inner();
    if let Some(session) = line.switched() {
        Box::pin(realtime::serve(app, line, leg, parts.read_buf, session)).await;
    } else if answered {
        let limit = cut_limit.or_else(|| line.cord().why().map(|_| Instant::now() + CUT_GRACE));
        close(leg, line, limit).await;
    }
}

/// Answers one call, and says so where it is the connection's last.
pub(crate) async fn answer(call: Call) -> Response<Reply> {
    let Call { app, line, request } = call;
    let mut response = serve::answer(&app, &line, request).await;
    line.answered();
    let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if !switches && (line.cord().why().is_some() || app.stop.draining.is_cancelled()) {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}

/// Waits until the gateway stops; a client that was never answered is answered first, with a word that this was all.
async fn leave(app: &App, line: &Line) {
    app.stop.draining.cancelled().await;
    if !line.was_answered() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a limit, if there is one.
pub(crate) async fn passed(limit: Option<Instant>) {
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => std::future::pending().await,
    }
}

/// Closes in order: everything out, then FIN, then what the client still sends is read and thrown away, because
/// closing over unread bytes would reset the connection under the answer.
///
/// After a cut, bytes that have not left this host by `cut_limit` are discarded; and everybody else that was cut with it
/// is told before anything is closed.
pub(crate) async fn close(mut leg: Leg, line: &Line, cut_limit: Option<Instant>) {
    if let Some(limit) = cut_limit {
        wire(&leg).watch_unsent(true);
        while !wire(&leg).all_sent() {
            if Instant::now() >= limit {
                line.ask_reset();
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        line.closed();
        line.cord().others_are_told().await;
        line.tidy_up();
    }
    if leg.shutdown().await.is_ok() {
        line.closed();
        let grace = cut_limit.map_or(CLOSE_GRACE, |_| CUT_GRACE);
        read_out(&mut leg, Instant::now() + grace).await;
    }
}

/// Reads what still comes and throws it away.
pub(crate) async fn read_out(stream: &mut (impl tokio::io::AsyncRead + Unpin), limit: Instant) {
    // Apart, since what serves a connection holds room for this as long as that lives.
    let mut waste = vec![0_u8; 4096];
    while let Ok(Ok(1..)) = timeout_at(limit, stream.read(&mut waste)).await {}
}
