//! HTTP to the provider: a time limit on every call, a limit on every answer, no redirects, no proxies from the environment.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use openidconnect::{HttpRequest, HttpResponse};
use rustls_pki_types::CertificateDer;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// So long a call may take, answer included.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// The provider gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider cannot be reached: {0}")]
pub struct Unreachable(pub(crate) String);

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, Unreachable>> + Send>>;

#[derive(Clone, Debug)]
pub(crate) struct Web(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Web {
    /// Trusts the certificate authorities of this host, and these.
    pub(crate) fn new(more: &[CertificateDer<'static>]) -> Result<Self, Unreachable> {
        let failed = |why: rustls::Error| Unreachable(why.to_string());
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in more {
            roots.add(certificate.clone()).map_err(failed)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(LIMIT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self(client))
    }

    /// As the OIDC library wants to have it.
    pub(crate) fn caller(&self) -> impl Fn(HttpRequest) -> Answer + Send + Sync + use<> {
        let web = self.clone();
        move |request| {
            let web = web.clone();
            Box::pin(async move {
                match timeout(LIMIT, web.whole(request)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(Unreachable("no answer in time".to_owned())),
                }
            })
        }
    }

    async fn whole(&self, request: HttpRequest) -> Result<HttpResponse, Unreachable> {
        let request = request.map(|body| Full::from(Bytes::from(body)));
        let answer = self.0.request(request).await;
        let answer = answer.map_err(|why| Unreachable(innermost(&why)))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let broken = "its answer broke off or is too long";
        let body = body.map_err(|_| Unreachable(broken.to_owned()))?;
        Ok(HttpResponse::from_parts(head, body.to_bytes().into()))
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
