//! Whom a certificate names.

use kill_wire::Name;
use net_model::{HostIdentity, KeyHash};
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

/// Whom a certificate of a house names, by its one URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A host.
    Host(HostIdentity),
    /// The control plane of this house.
    Control(Name),
}

/// Who is at the other end of a connection: vouched for by the house's authority.
#[derive(Clone, Debug)]
pub struct Peer {
    /// By its certificate.
    pub named: Named,
    /// SHA-256 of its certificate.
    pub certificate: KeyHash,
}

impl Peer {
    /// Whom this certificate names; none when it names nobody of a house, or more than one.
    ///
    /// It says nothing of who signed it.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = EndEntityCert::try_from(certificate).ok()?;
        let mut uris = parsed.valid_uri_names();
        let uri = uris.next().filter(|_| uris.next().is_none())?;
        let control = || -> Option<Name> {
            let site: Name = uri
                .strip_prefix("portcullis://")?
                .strip_suffix("/control")?
                .parse()
                .ok()?;
            (HostIdentity::control_uri(&site) == uri).then_some(site)
        };
        let named = match uri.parse() {
            Ok(host) => Named::Host(host),
            Err(_) => Named::Control(control()?),
        };
        Some(Self {
            named,
            certificate: KeyHash::of(certificate),
        })
    }
}
