//! Speaks to targets: a small pool of HTTP/1 connections, each of which can be dropped at once.

use crate::{
    headers,
    live::{Flow, Live, Pool},
};
use bytes::Bytes;
use gateway_core::dialect::at_target;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use net_model::{BaseUrl, Target};
use std::{error::Error as StdError, io, sync::Arc, time::Duration};
use tokio::time::timeout;
use tower::Service as _;

/// Bytes of one connection's read buffer.
const BUFFER: usize = 64 * 1024;
/// Longest answer that is read whole: a list of models, or what one of them can do.
const MAX_LIST: usize = 4 * 1024 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Why a target gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Nobody there, or no TLS with them.
    #[error("could not connect")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// The request as built cannot be sent.
    #[error("the request could not be built")]
    Build(#[source] http::Error),
    /// The connection broke before the answer's headers were complete.
    #[error("no answer")]
    NoAnswer(#[source] hyper::Error),
    /// The answer's body broke off or was too long.
    #[error("the answer could not be read")]
    Unreadable,
    /// Not in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// One request for a target.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) target: &'a Target,
    pub(crate) method: Method,
    /// Path and query at the target.
    pub(crate) path: &'a str,
    /// Made by [`headers::for_target`].
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask<'_> {
    fn request(&self) -> Result<Request<Full<Bytes>>, UpstreamError> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(self.path)
            .body(Full::new(self.body.clone()))
            .map_err(UpstreamError::Build)?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// All targets' connections.
#[derive(Debug)]
pub(crate) struct Upstreams {
    connector: HttpsConnector<HttpConnector>,
    pool: Pool,
}

impl Upstreams {
    /// Trusts the host's certificate authorities; without any, only targets without TLS can be reached.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = || {
            rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let config = match tls()?.with_native_roots() {
            Ok(config) => config.with_no_client_auth(),
            Err(error) => {
                tracing::warn!(%error, "This host has no certificate authorities: targets with https cannot be reached.");
                tls()?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth()
            }
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        Ok(Self {
            connector: HttpsConnectorBuilder::new()
                .with_tls_config(config)
                .https_or_http()
                .enable_http1()
                .wrap_connector(http),
            pool: Pool::default(),
        })
    }

    /// Sends and waits for the answer's headers. A connection that idled may have been closed by the target
    /// meanwhile: then, and only before any answer, the request is sent once more on a fresh one. Connecting is bounded
    /// here; how long the answer may take is for the caller to say.
    pub(crate) async fn ask(
        &self,
        ask: &Ask<'_>,
    ) -> Result<(Response<Incoming>, Live), UpstreamError> {
        let key = key(&ask.target.base_url);
        if let Some(mut live) = self.pool.take(&key) {
            match live.send(ask.request()?).await {
                Ok(response) => return Ok((response, live)),
                Err(error) if was_stale(&error) => {}
                Err(error) => return Err(UpstreamError::NoAnswer(error)),
            }
        }
        let mut live = Box::pin(self.connect(ask.target, key)).await?;
        match live.send(ask.request()?).await {
            Ok(response) => Ok((response, live)),
            Err(error) => Err(UpstreamError::NoAnswer(error)),
        }
    }

    /// Asks a target for its models: status and, when that is a success, the body.
    pub(crate) async fn models(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), UpstreamError> {
        let ask = Ask {
            target,
            method: Method::GET,
            path: &at_target(target.base_url.prefix(), "/v1/models"),
            headers: headers::for_target(&HeaderMap::new(), target),
            body: Bytes::new(),
        };
        self.whole(&ask, limit).await
    }

    /// Asks, and reads all of the answer, which is short: status and body.
    pub(crate) async fn whole(
        &self,
        ask: &Ask<'_>,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), UpstreamError> {
        let whole = async {
            let (response, live) = self.ask(ask).await?;
            let status = response.status();
            let mut flow = Flow::new(response.into_body(), live);
            let body = Limited::new(&mut flow, MAX_LIST)
                .collect()
                .await
                .map_err(|_| UpstreamError::Unreadable)?;
            flow.park();
            Ok((status, body.to_bytes()))
        };
        timeout(limit, whole)
            .await
            .unwrap_or(Err(UpstreamError::Late(limit)))
    }

    /// Lets go of connections that idled too long.
    pub(crate) fn prune(&self) {
        self.pool.prune(false);
    }

    /// Closes what is idle.
    pub(crate) fn close(&self) {
        self.pool.prune(true);
    }

    async fn connect(&self, target: &Target, key: String) -> Result<Live, UpstreamError> {
        let uri: Uri = target
            .base_url
            .to_string()
            .parse()
            .map_err(|error: http::uri::InvalidUri| UpstreamError::Build(error.into()))?;
        let mut connector = self.connector.clone();
        let limit = target.timeouts.connect;
        let stream = timeout(limit, connector.call(uri))
            .await
            .map_err(|_| UpstreamError::Connect("not in time".into()))?
            .map_err(UpstreamError::Connect)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(stream)
            .await
            .map_err(UpstreamError::NoAnswer)?;
        Ok(Live::new(sender, connection, key, &self.pool))
    }
}

/// Connections are shared by all targets of one server.
fn key(base: &BaseUrl) -> String {
    format!(
        "{}{}",
        if base.tls() { "s:" } else { "p:" },
        base.authority()
    )
}

/// Whether this is what a connection gives that the other side had closed while it idled.
fn was_stale(error: &hyper::Error) -> bool {
    let broken = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::NotConnected
            )
        });
    broken || error.is_incomplete_message() || error.is_canceled() || error.is_closed()
}
