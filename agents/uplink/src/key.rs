//! A new key, and the request for its certificate.

use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use zeroize::Zeroizing;

/// A key that was made on this host just now, and its request.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// In PEM form.
    pub(crate) key: Zeroizing<String>,
    /// In PEM form (RFC 2986); it says nothing but the key, for nothing else of it counts.
    pub(crate) request: String,
}

/// Makes both.
pub(crate) fn fresh() -> Result<Fresh, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    Ok(Fresh {
        request: params.serialize_request(&key)?.pem()?,
        key: Zeroizing::new(key.serialize_pem()),
    })
}

/// A certificate that nobody vouches for: what a host shows while it waits to be let in.
pub(crate) fn nobody() -> Result<(String, Zeroizing<String>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec![net_link::HOST_NAME.to_owned()])?;
    let certificate = params.self_signed(&key)?.pem();
    Ok((certificate, Zeroizing::new(key.serialize_pem())))
}
