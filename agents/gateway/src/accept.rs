//! Takes client connections in, bounds them, and ends each one when it is cut.

use crate::{app::App, deny::Denied, inflow::Inflow, line::Line, serve, wire::Wire};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use net_model::Family;
use std::{future::poll_fn, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// Most client connections at once.
pub(crate) const MAX_CONNECTIONS: usize = 4096;
/// Most connections that are being told so at once; beyond, they are just closed.
const MAX_REFUSALS: usize = 64;
/// From the first byte awaited to the end of the headers; also how long a connection may idle.
const HEADERS_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of one connection's read buffer and of its write buffer.
const BUFFER: usize = 64 * 1024;
/// After a cut: time for the error and an orderly close.
const CUT_GRACE: Duration = Duration::from_millis(20);
/// After any other close by us: time for the client to read the answer before the socket goes.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// Accepts until the gateway stops.
pub(crate) async fn accept(app: Arc<App>, listener: TcpListener) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    loop {
        let stream = tokio::select! {
            biased;
            () = app.stop.draining.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, mostly: without a pause this loop would spin.
                    tracing::warn!(%error, "Could not accept a connection.");
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            app.tasks.spawn({
                let app = Arc::clone(&app);
                async move {
                    connection(&app, stream).await;
                    drop(seat);
                }
            });
        } else {
            app.books.metrics.refused(&Denied::Busy);
            if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
                app.tasks.spawn(async move {
                    let _best_effort = turn_away(stream).await;
                    drop(place);
                });
            }
        }
    }
}

/// Says that every seat is taken.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let body = Denied::Busy.json(Family::OpenAi);
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _all_or_nothing = stream.try_write(&[head.as_bytes(), &body].concat())?;
    stream.shutdown().await?;
    read_out(&mut stream, Instant::now() + CLOSE_GRACE).await;
    Ok(())
}

async fn connection(app: &Arc<App>, stream: TcpStream) {
    let line = Arc::new(Line::default());
    if let Ok(wire) = Wire::new(stream, Arc::clone(&line)) {
        serve_wire(app, &line, wire).await;
    }
    line.closed();
}

async fn serve_wire(app: &Arc<App>, line: &Arc<Line>, wire: Wire) {
    let service = service_fn(|request: Request<Incoming>| {
        let (app, line) = (Arc::clone(app), Arc::clone(line));
        let request = request.map(Inflow::One);
        Box::pin(async move {
            Ok::<_, std::convert::Infallible>(serve::answer(&app, &line, request).await)
        })
    });
    let mut conn = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_LIMIT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(wire), service);

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
            () = app.stop.draining.cancelled(), if !draining => {
                draining = true;
                std::pin::Pin::new(&mut conn).graceful_shutdown();
            }
            outcome = poll_fn(|cx| conn.poll_without_shutdown(cx)) => break outcome,
        }
    };
    let answered = outcome
        .as_ref()
        .map_or_else(hyper::Error::is_parse, |()| true);
    let wire = conn.into_parts().io.into_inner();
    if answered {
        let limit = cut_limit.or_else(|| line.cord().why().map(|_| Instant::now() + CUT_GRACE));
        close(wire, line, limit).await;
    }
}

async fn passed(limit: Option<Instant>) {
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => std::future::pending().await,
    }
}

/// Closes in order: everything out, then FIN, then what the client still sends is read and thrown away, because
/// closing over unread bytes would reset the connection under the answer.
///
/// After a cut, bytes that have not left this host by `cut_limit` are discarded.
async fn close(mut wire: Wire, line: &Line, cut_limit: Option<Instant>) {
    if let Some(limit) = cut_limit {
        wire.watch_unsent();
        while !wire.all_sent() {
            if Instant::now() >= limit {
                line.ask_reset();
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
    if wire.shutdown().await.is_ok() {
        line.closed();
        read_out(
            &mut wire,
            cut_limit.unwrap_or_else(|| Instant::now() + CLOSE_GRACE),
        )
        .await;
    }
}

async fn read_out(stream: &mut (impl tokio::io::AsyncRead + Unpin), limit: Instant) {
    let mut waste = [0_u8; 4096];
    while let Ok(Ok(1..)) = timeout_at(limit, stream.read(&mut waste)).await {}
}
