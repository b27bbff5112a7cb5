//! A certificate and its key.

use rustls::client::{Resumption, WantsClientCert};
use rustls::{ClientConfig, ConfigBuilder};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;

/// Who this machine is: its certificate and the key of it. Never shown.
pub struct Credentials {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Text that holds no certificate or no key in PEM form. It shows no byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPem {
    /// No certificate.
    #[error("this is no certificate in PEM form")]
    Certificate,
    /// No key.
    #[error("this is no private key in PEM form")]
    Key,
}

impl Credentials {
    /// From PEM texts.
    ///
    /// # Errors
    /// When either holds nothing of the kind.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, BadPem> {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        Ok(Self {
            chain: chain.ok_or(BadPem::Certificate)?,
            key: PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| BadPem::Key)?,
        })
    }

    /// The certificate itself.
    #[must_use]
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }

    pub(crate) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain.clone(), self.key.clone_key())
    }
}

/// Ends the set-up of a caller: with `own` it shows who it is; no earlier connection is ever resumed.
pub(crate) fn showing(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    own: Option<&Credentials>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let (chain, key) = own.parts();
            builder.with_client_auth_cert(chain, key)?
        }
    };
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}
