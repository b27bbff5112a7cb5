//! A call: one connection, exchanges one after the other, each with a limit.

use crate::answer::read;
use crate::who::Peer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// An open call. Dropping it closes the connection.
#[derive(Debug)]
pub struct Talk {
    sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ends with this.
    _driver: JoinSet<()>,
    certificate: CertificateDer<'static>,
    host: &'static str,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// In how many seconds to come again, when that was said.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// No connection.
    #[error("cannot reach {to}")]
    Unreachable {
        /// Whom.
        to: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Connected, and no secure connection came of it.
    #[error("no secure connection to {to}")]
    Insecure {
        /// Whom.
        to: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("no answer within {0:?}")]
    Slow(Duration),
    /// The other end broke off.
    #[error("the other end broke off")]
    Broken(#[source] hyper::Error),
    /// The answer is too long or broke off.
    #[error("the answer was too long, too slow, or broke off")]
    Answer,
}

impl Talk {
    /// Connects to a literal address; `name` is what the certificate there must be called.
    ///
    /// # Errors
    /// When there is no connection within `limit`, or the certificate is not good.
    pub async fn open(
        to: SocketAddr,
        config: &Arc<ClientConfig>,
        name: &'static str,
        limit: Duration,
    ) -> Result<Self, TalkError> {
        let opening = Self::connect(to, config, name);
        match tokio::time::timeout(limit, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(TalkError::Slow(limit)),
        }
    }

    async fn connect(
        to: SocketAddr,
        config: &Arc<ClientConfig>,
        name: &'static str,
    ) -> Result<Self, TalkError> {
        let insecure = |source| TalkError::Insecure { to, source };
        let tcp = TcpStream::connect(to)
            .await
            .map_err(|source| TalkError::Unreachable { to, source })?;
        // A lost delay costs milliseconds, nothing else.
        drop(tcp.set_nodelay(true));
        let server = ServerName::try_from(name)
            .map_err(|why| insecure(std::io::Error::other(why.to_string())))?;
        let connector = TlsConnector::from(Arc::clone(config));
        let tls = connector.connect(server, tcp).await.map_err(insecure)?;
        let shown = tls.get_ref().1.peer_certificates();
        let certificate = shown.and_then(<[_]>::first).cloned();
        let certificate = certificate
            .map(CertificateDer::into_owned)
            .ok_or_else(|| insecure(std::io::Error::other("no certificate")))?;
        let (sender, connection) = handshake(TokioIo::new(tls))
            .await
            .map_err(TalkError::Broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A call ended early.");
            }
        });
        Ok(Self {
            sender,
            _driver: driver,
            certificate,
            host: name,
        })
    }

    /// The certificate that was shown. Whether it is vouched for, the configuration of the call says.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Whom that certificate names.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        Peer::of(&self.certificate)
    }

    /// Whether another question can be asked over it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks with a value in JSON.
    ///
    /// # Errors
    /// As [`Talk::ask`].
    pub async fn tell<T: Serialize + Sync>(
        &mut self,
        path: &str,
        value: &T,
        most: usize,
        limit: Duration,
    ) -> Result<Reply, TalkError> {
        let body = serde_json::to_vec(value).unwrap_or_default();
        self.ask(Method::POST, path, body.into(), most, limit).await
    }

    /// Asks, and reads the whole answer of at most `most` bytes, all within `limit`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        most: usize,
        limit: Duration,
    ) -> Result<Reply, TalkError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body));
        let Ok(request) = request else {
            return Err(TalkError::Answer);
        };
        let exchange = async {
            self.sender.ready().await.map_err(TalkError::Broken)?;
            let answer = self.sender.send_request(request).await;
            let (head, body) = answer.map_err(TalkError::Broken)?.into_parts();
            let after = head.headers.get(RETRY_AFTER);
            Ok(Reply {
                status: head.status,
                retry_after: after.and_then(|it| it.to_str().ok()?.parse().ok()),
                body: read(body, most, limit)
                    .await
                    .map_err(|_| TalkError::Answer)?,
            })
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(reply) => reply,
            Err(_) => Err(TalkError::Slow(limit)),
        }
    }
}
