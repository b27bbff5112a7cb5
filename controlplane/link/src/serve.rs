//! One connection that was taken in: handshake, then one exchange after the other, each step with a limit.

use crate::answer::Answer;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may stay idle, or take over the head of a question.
const HEAD: Duration = Duration::from_secs(40);
/// Most bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;

/// How a connection ended, for the log.
#[derive(Debug, thiserror::Error)]
pub enum Served {
    /// No handshake in time.
    #[error("no handshake within {HANDSHAKE:?}")]
    Slow,
    /// The handshake failed.
    #[error("handshake: {0}")]
    Handshake(std::io::Error),
    /// It broke off.
    #[error("{0}")]
    Broken(hyper::Error),
}

/// Serves a connection to its end. `known` is given the caller's certificate, which the configuration has judged.
///
/// # Errors
/// How it ended, when not in good order.
pub async fn serve<S, F>(
    tcp: TcpStream,
    config: Arc<ServerConfig>,
    known: impl FnOnce(Option<&CertificateDer<'_>>) -> S,
) -> Result<(), Served>
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    // A lost delay costs milliseconds, nothing else.
    drop(tcp.set_nodelay(true));
    let accepting = TlsAcceptor::from(config).accept(tcp);
    let tls = match tokio::time::timeout(HANDSHAKE, accepting).await {
        Err(_) => return Err(Served::Slow),
        Ok(Err(why)) => return Err(Served::Handshake(why)),
        Ok(Ok(tls)) => tls,
    };
    let shown = tls.get_ref().1.peer_certificates();
    let handler = known(shown.and_then(<[_]>::first));
    let service = service_fn(|request| {
        let answer = handler(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(tls), service)
        .await
        .map_err(Served::Broken)
}
