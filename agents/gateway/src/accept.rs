//! Takes client connections in, bounds them, and ends each one when it is cut.

use crate::{
    app::App,
    deny::Denied,
    http1::{self, CLOSE_GRACE, HEADERS_LIMIT, read_out},
    http2,
    lanes::Lanes,
    leg::Leg,
    line::Line,
    tls::Tls,
    wire::Wire,
};
use net_model::Family;
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

/// Most client connections at once.
pub(crate) const MAX_CONNECTIONS: usize = 4096;
/// Most connections that are being told so at once; beyond, they are just closed.
const MAX_REFUSALS: usize = 64;
/// Between two looks at a client that began with a single byte.
const PATIENCE: Duration = Duration::from_millis(5);
/// First byte of a client that speaks TLS.
const TLS_HANDSHAKE: u8 = 22;

/// Accepts until the gateway stops; each connection goes to a lane.
pub(crate) async fn accept(app: Arc<App>, listener: TcpListener, lanes: Arc<Lanes>) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = app.stop.draining.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, mostly: without a pause this loop would spin.
                    tracing::warn!(%error, "Could not accept a connection.");
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            // The lane waits for it by itself.
            let Ok(stream) = stream.into_std() else {
                continue;
            };
            lanes.hand(&app.tasks, {
                let app = Arc::clone(&app);
                async move {
                    match TcpStream::from_std(stream) {
                        Ok(stream) => connection(&app, stream, peer.ip()).await,
                        Err(error) => tracing::warn!(%error, "A connection could not be served."),
                    }
                    drop(seat);
                }
            });
        } else {
            app.books.metrics.refused(&Denied::Busy);
            // Within TLS it would take a handshake to say so.
            let plain = app.front.load().tls.is_none();
            if plain && let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
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
    let body = Denied::Busy.json(Family::OpenAi, None);
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _all_or_nothing = stream.try_write(&[head.as_bytes(), &body].concat())?;
    stream.shutdown().await?;
    read_out(&mut stream, Instant::now() + CLOSE_GRACE).await;
    Ok(())
}

async fn connection(app: &Arc<App>, stream: TcpStream, peer: IpAddr) {
    let line = Arc::new(Line::default());
    // A client that was taken in is answered, even when the gateway begins to stop in this moment.
    let spoken = {
        let mut opening = Box::pin(open(app, &line, stream, peer));
        let spoken = app.stop.abandon.run_until_cancelled(opening.as_mut());
        timeout(HEADERS_LIMIT, spoken).await
    };
    match spoken {
        Ok(Some(Ok((leg, Version::One)))) => http1::serve(app, &line, leg, peer).await,
        Ok(Some(Ok((leg, Version::Two)))) => {
            Box::pin(http2::serve(app, &line, leg, peer)).await;
        }
        Ok(Some(Err(error))) => tracing::debug!(%error, %peer, "A connection came to nothing."),
        Ok(None) | Err(_) => {}
    }
    line.closed();
}

/// What a client speaks over the socket or within TLS.
enum Version {
    One,
    Two,
}

/// How a client begins.
enum Beginning {
    Tls,
    Plain(Version),
}

/// Meets a client: within TLS where there is a certificate, but for clients on this host, which may speak plainly.
async fn open(
    app: &App,
    line: &Arc<Line>,
    stream: TcpStream,
    peer: IpAddr,
) -> io::Result<(Leg, Version)> {
    let beginning = first_word(&stream).await?;
    let tls = app.front.load().tls.as_ref().map(Tls::config);
    let wire = Wire::new(stream, Arc::clone(line))?;
    match (tls, beginning) {
        (Some(config), Beginning::Tls) => {
            let tls = TlsAcceptor::from(config).accept(wire).await?;
            let version = match tls.get_ref().1.alpn_protocol() {
                Some(b"h2") => Version::Two,
                _ => Version::One,
            };
            Ok((Either::Right(Box::new(tls)), version))
        }
        (Some(_), Beginning::Plain(_)) if !peer.to_canonical().is_loopback() => {
            Err(io::Error::other("plain HTTP from another host"))
        }
        (None, Beginning::Tls) => Err(io::Error::other("TLS, and no certificate here")),
        (_, Beginning::Plain(version)) => Ok((Either::Left(wire), version)),
    }
}

/// TLS begins with a handshake record (RFC 8446, 5.1), HTTP/2 without it with `PRI` (RFC 9113, 3.4), which is no method
/// of HTTP/1.
async fn first_word(stream: &TcpStream) -> io::Result<Beginning> {
    let mut word = [0; 3];
    loop {
        let there = stream.peek(&mut word).await?;
        let begun = word.get(..there).unwrap_or_default();
        if begun.first() == Some(&TLS_HANDSHAKE) {
            return Ok(Beginning::Tls);
        }
        if there == 0 || !b"PRI".starts_with(begun) {
            return Ok(Beginning::Plain(Version::One));
        }
        if there == word.len() {
            return Ok(Beginning::Plain(Version::Two));
        }
        // So far it could be either, and a look that takes nothing would come back at once.
        sleep(PATIENCE).await;
    }
}
