//! HTTP to providers: a time limit on every call, a limit on every answer, no redirects, no proxies from the environment.
//!
//! What goes wrong is told without addresses: some providers' addresses hold a token.

use crate::letter::{Again, Failure};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// So long a provider may take to answer a call.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Longest answer read, in bytes.
pub(crate) const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Longest time a provider may tell us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The way outside.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a provider answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Web {
    /// Trusts the certificate authorities of this host (`SSL_CERT_FILE` names others).
    pub(crate) fn new() -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = || {
            rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let config = match tls()?.with_native_roots() {
            Ok(config) => config.with_no_client_auth(),
            Err(error) => {
                tracing::warn!(%error, "This host has no certificate authorities: no provider can be reached by https.");
                tls()?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth()
            }
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CALL_LIMIT));
        http.set_keepalive(Some(Duration::from_secs(30)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Ok(Self { client })
    }

    /// Calls and reads the whole answer within `limit`.
    pub(crate) async fn call(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Answer, String> {
        let whole = async {
            let (head, body) = self
                .client
                .request(request)
                .await
                .map_err(|e| told(&e))?
                .into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|_| "its answer broke off or is too long".to_owned())?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        let silent = || format!("no answer within {} s", limit.as_secs());
        timeout(limit, whole)
            .await
            .unwrap_or_else(|_| Err(silent()))
    }

    /// Calls and leaves the body to be read as it comes.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, String> {
        let silent = || format!("no answer within {} s", CALL_LIMIT.as_secs());
        match timeout(CALL_LIMIT, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|e| told(&e)),
            Err(_) => Err(silent()),
        }
    }

    /// Calls to hand over a reply: anything but success is a failure.
    pub(crate) async fn post(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let answer = self
            .call(request, CALL_LIMIT)
            .await
            .map_err(Failure::later)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(answer.failure())
    }
}

impl Answer {
    /// What a status that is no success means for another attempt.
    pub(crate) fn failure(&self) -> Failure {
        let why = self.refusal();
        let busy = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if [401, 403, 404].contains(&self.status.as_u16()) {
            let again = Again::Broken;
            return Failure { why, again };
        }
        if !self.status.is_server_error() && !busy.contains(&self.status) {
            return Failure::never(why);
        }
        let again = self.wait().map_or(Again::Later, Again::After);
        Failure { why, again }
    }

    /// The status in words; the body may hold anything and is not told.
    pub(crate) fn refusal(&self) -> String {
        let code = self.status.as_u16();
        match code {
            401 | 403 => format!("it refuses our credentials ({code})"),
            404 => "it knows no such address (404)".to_owned(),
            429 => "it asks us to slow down (429)".to_owned(),
            500.. => format!("it is in trouble ({code})"),
            _ => format!("it refuses the request ({code})"),
        }
    }

    /// How long it asks us to wait, if it does so in seconds.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let text = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
        let wait = Duration::from_secs(text.trim().parse().ok()?);
        Some(wait.min(LONGEST_WAIT))
    }
}

/// The innermost reason. Of these errors none names the address; a host's name may stand in a certificate error.
fn told(error: &dyn Error) -> String {
    let mut innermost = error;
    let mut name = false;
    while let Some(source) = innermost.source() {
        innermost = source;
        name |= innermost.to_string().contains("dns error");
    }
    let text: String = innermost.to_string().chars().take(120).collect();
    if name {
        format!("its name cannot be looked up: {text}")
    } else {
        format!("it cannot be reached: {text}")
    }
}
