//! The certificate with which the gateway shows itself to clients.

use rustls::{
    ConfigBuilder, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{path::Path, sync::Arc};

/// What clients may speak, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate with its key, ready to serve with TLS 1.2 and 1.3.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ServerConfig>);

/// What is wrong with the files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTls {
    /// The file of the certificate chain.
    #[error("{0}")]
    Certificate(String),
    /// The file of the key.
    #[error("{0}")]
    Key(String),
}

impl Tls {
    /// Reads a certificate chain, the server's own certificate first, and its private key, both as PEM.
    ///
    /// # Errors
    /// When a file cannot be read, holds nothing of the kind, or the two do not belong together. The text shows no
    /// byte of the files.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, BadTls> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| BadTls::Certificate(said(certificate, &error, "certificate")))?;
        if chain.is_empty() {
            let text = format!("{} holds no certificate in PEM form", certificate.display());
            return Err(BadTls::Certificate(text));
        }
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| BadTls::Key(said(key, &error, "private key")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(ConfigBuilder::<ServerConfig, _>::with_no_client_auth)
            .and_then(|builder| builder.with_single_cert(chain, secret))
            .map_err(|error| {
                BadTls::Key(format!(
                    "{} does not go with the certificate: {error}",
                    key.display()
                ))
            })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Self(Arc::new(config)))
    }

    /// What a handshake goes by.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

fn said(file: &Path, error: &rustls::pki_types::pem::Error, what: &str) -> String {
    let file = file.display();
    if let rustls::pki_types::pem::Error::Io(error) = error {
        format!("cannot read {file}: {error}")
    } else {
        format!("{file} holds no {what} in PEM form")
    }
}
