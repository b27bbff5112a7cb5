//! The house's authority, and what a connection is set up by.

use crate::credentials::{Credentials, showing};
use crate::crypto::provider;
use crate::who::Peer;
use kill_wire::Timestamp;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage};

/// The wall clock of this program.
pub type Clock = fn() -> Timestamp;

/// One house: certificates of its authority, and no others.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    time: Arc<HouseTime>,
}

/// A clock that stood still (a board without a battery starts in 1970) is taken to be at the least what the house vouches for.
#[derive(Debug)]
struct HouseTime {
    clock: Clock,
    not_before: Timestamp,
}

impl TimeProvider for HouseTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = (self.clock)().max(self.not_before);
        Some(UnixTime::since_unix_epoch(Duration::from_millis(
            now.millis(),
        )))
    }
}

impl Trust {
    /// Of an authority's certificate; no time is believed to be before `not_before`.
    ///
    /// # Errors
    /// When it is no certificate that can sign others.
    pub fn new(
        authority: &[u8],
        clock: Clock,
        not_before: Timestamp,
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.to_vec()))?;
        Ok(Self {
            roots: Arc::new(roots),
            time: Arc::new(HouseTime { clock, not_before }),
        })
    }

    /// For calls to machines of the house.
    ///
    /// # Errors
    /// When key and certificate do not belong together.
    pub fn client(&self, own: Option<&Credentials>) -> Result<Arc<ClientConfig>, rustls::Error> {
        let time = Arc::clone(&self.time);
        let builder = ClientConfig::builder_with_details(provider(), time)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(Arc::clone(&self.roots));
        showing(builder, own)
    }

    /// For calls from machines of the house; with `open` also from who shows no certificate, and then nobody is known.
    ///
    /// # Errors
    /// When key and certificate do not belong together.
    pub fn server(
        &self,
        own: &Credentials,
        open: bool,
    ) -> Result<Arc<ServerConfig>, rustls::Error> {
        let roots = Arc::clone(&self.roots);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let verifier = if open {
            verifier.allow_unauthenticated()
        } else {
            verifier
        };
        let verifier = verifier
            .build()
            .map_err(|why| rustls::Error::General(why.to_string()))?;
        let (chain, key) = own.parts();
        let time = Arc::clone(&self.time);
        let mut config = ServerConfig::builder_with_details(provider(), time)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// Whom the house vouches for by this certificate, shown by a caller that proved to hold its key.
    #[must_use]
    pub fn vouches(&self, certificate: &CertificateDer<'_>) -> Option<Peer> {
        let parsed = EndEntityCert::try_from(certificate).ok()?;
        parsed
            .verify_for_usage(
                provider().signature_verification_algorithms.all,
                &self.roots.roots,
                &[],
                self.time.current_time()?,
                KeyUsage::client_auth(),
                None,
                None,
            )
            .ok()?;
        Peer::of(certificate)
    }
}
