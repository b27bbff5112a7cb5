//! HTTP to the coordination server: a time limit on every call, a limit on every answer, no redirects, no proxies from the
//! environment. The key is in no error and in no log.

use super::ControlError;
use crate::read;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use net_model::{BaseUrl, Secret};
use serde::Deserialize;
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// So long a call may take, answer included.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Web {
    base: BaseUrl,
    key: Secret,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

const JSON: &str = "application/json";
/// JSON with comments: without it, a policy comes back without them.
const HUJSON: &str = "application/hujson";

/// What is sent along.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask<'a> {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(&'a Value),
    /// Nothing; a policy is wanted as it was written.
    PolicyText,
    /// A policy as it was written, and which version it takes the place of.
    Policy {
        text: &'a str,
        version: Option<&'a str>,
    },
}

/// What the server answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

impl Web {
    /// Trusts the certificate authorities of this host (`SSL_CERT_FILE` names others).
    pub(super) fn new(base: BaseUrl, key: Secret) -> Result<Self, ControlError> {
        let failed = |why: &dyn Error| ControlError::Unreachable(read::clean(&why.to_string()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| failed(&why))?;
        let tls = if base.tls() {
            tls.with_native_roots().map_err(|why| failed(&why))?
        } else {
            tls.with_root_certificates(rustls::RootCertStore::empty())
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(LIMIT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self { base, key, client })
    }

    /// Calls, and reads the whole answer.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        ask: Ask<'_>,
    ) -> Result<Answer, ControlError> {
        let (accept, kind, body) = match ask {
            Ask::Nothing => (JSON, None, String::new()),
            Ask::Json(value) => (JSON, Some(JSON), value.to_string()),
            Ask::PolicyText => (HUJSON, None, String::new()),
            Ask::Policy { text, .. } => (HUJSON, Some(HUJSON), text.to_owned()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(self.base.join(path))
            .header(header::ACCEPT, accept)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.key.expose()),
            );
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Ask::Policy {
            version: Some(version),
            ..
        } = ask
        {
            request = request.header(header::IF_MATCH, version);
        }
        let request = request.body(Full::from(body)).map_err(|_| {
            // A header's error may hold what is in it.
            ControlError::Unreachable("the question cannot be put".to_owned())
        })?;
        match timeout(LIMIT, self.whole(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                let text = format!("no answer within {} s", LIMIT.as_secs());
                Err(ControlError::Unreachable(text))
            }
        }
    }

    async fn whole(&self, request: Request<Full<Bytes>>) -> Result<Answer, ControlError> {
        let answer = self.client.request(request).await;
        let (head, body) = answer.map_err(|why| unreachable(&why))?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let broken = "its answer broke off or is too long";
        let body = body.map_err(|_| ControlError::Unreachable(broken.to_owned()))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

impl Answer {
    /// The body of a success.
    pub(super) fn body(self) -> Result<Vec<u8>, ControlError> {
        match self.status.as_u16() {
            200..=299 => Ok(self.body.into()),
            401 | 403 => Err(ControlError::Denied(self.status.as_u16())),
            404 => Err(ControlError::Nothing),
            409 | 412 => Err(ControlError::Changed),
            status => {
                let why = said(&self.body);
                Err(ControlError::Refused { status, why })
            }
        }
    }

    pub(super) fn done(self) -> Result<(), ControlError> {
        self.body().map(drop)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    detail: Option<String>,
    message: Option<String>,
    title: Option<String>,
}

/// Why it refused: as problem+json, as gRPC's gateway and as Tailscale's service put it.
fn said(body: &[u8]) -> String {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let why = said.detail.or(said.message).or(said.title);
    why.map_or_else(|| "it does not say why".to_owned(), |why| read::clean(&why))
}

/// The innermost reason.
fn unreachable(error: &dyn Error) -> ControlError {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    ControlError::Unreachable(read::clean(&innermost.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_in_each_of_its_forms() {
        for (body, why) in [
            (
                r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"no such node"}"#,
                "no such node",
            ),
            (
                r#"{"code":5,"message":"node not found","details":[]}"#,
                "node not found",
            ),
            (
                r#"{"message":"test(s) failed","data":[],"status":400}"#,
                "test(s) failed",
            ),
            ("<html>", "it does not say why"),
        ] {
            assert_eq!(said(body.as_bytes()), why);
        }
    }
}
