//! Connects to targets.

use super::Socket;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use net_model::BaseUrl;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{error::Error, sync::Arc, time::Duration};
use tokio_rustls::TlsConnector;
use tokio_util::either::Either;
use tower::Service as _;

const KEEPALIVE: Duration = Duration::from_secs(30);

/// Opens sockets, with TLS where it is asked for.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    tls: TlsConnector,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// Trusts the host's certificate authorities; without any, only targets without TLS can be reached.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let error = found.errors.first().map(ToString::to_string);
            tracing::warn!(
                error,
                "This host has no certificate authorities: targets with https cannot be reached."
            );
        }
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Ok(Self {
            tcp,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Connects to the server of `base`: each of its addresses in turn, and TLS over the one that answers.
    pub(crate) async fn connect(
        &self,
        base: &BaseUrl,
    ) -> Result<Socket, Box<dyn Error + Send + Sync>> {
        let uri: Uri = base.to_string().parse()?;
        let host = uri.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tcp = self.tcp.clone().call(uri).await?.into_inner();
        if !base.tls() {
            return Ok(Either::Left(tcp));
        }
        let tls = self.tls.connect(ServerName::try_from(host)?, tcp).await?;
        Ok(Either::Right(Box::new(tls)))
    }
}
