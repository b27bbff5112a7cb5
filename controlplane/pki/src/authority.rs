//! The authority: a P-256 key (the one signature that every TLS stack has), and what it signs.

use kill_wire::{Name, Timestamp};
use net_model::{HostIdentity, KeyHash};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType, SerialNumber, string::Ia5String,
};
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// How long the authority itself is good: it is made once, and replaced by joining anew.
const AUTHORITY_MS: u64 = 20 * 365 * 86_400_000;
/// How long the control plane's own certificate is good; it is made anew at each start and each month.
const CONTROL_MS: u64 = 180 * 86_400_000;
/// A certificate is good from a little before now: clocks differ.
const BACK_MS: u64 = 300_000;

/// 128 bits of chance, the number of one certificate.
pub type Serial = [u8; 16];

/// How long a host's certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(u64);

impl Life {
    /// In milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }
}

/// Signs the house's certificates.
pub struct Authority {
    site: Name,
    made: Timestamp,
    der: Vec<u8>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate the control plane issued to a host.
#[derive(Clone, Debug)]
pub struct Issued {
    /// In PEM form.
    pub pem: String,
    /// SHA-256 of it (DER), by which the host is known.
    pub sha256: KeyHash,
    /// From then on it is good for nothing.
    pub not_after: Timestamp,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Own {
    /// In PEM form.
    pub certificate: String,
    /// In PEM form; wiped when dropped.
    pub key: Zeroizing<String>,
}

/// What cannot be signed or read. It shows no byte of a key.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// Text that is no certificate of an authority of ours, or no key.
    #[error("this is no authority of a house: {0}")]
    NotAnAuthority(&'static str),
    /// A request that is malformed, not signed by its own key, or for a key of another kind.
    #[error("this is no certificate request with a P-256 or Ed25519 key, signed by that key")]
    BadRequest,
    /// The crypto library refused.
    #[error("the certificate cannot be made")]
    Make(#[from] rcgen::Error),
}

impl Authority {
    /// Makes a new one, with its key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn make(site: &Name, now: Timestamp, serial: Serial) -> Result<(Self, Own), PkiError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let made = Timestamp::from_millis(now.millis().saturating_sub(BACK_MS) / 1000 * 1000);
        let mut params = params(site.as_str(), made, now.plus_millis(AUTHORITY_MS), serial);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key)?.pem();
        let own = Own {
            certificate,
            key: Zeroizing::new(key.serialize_pem()),
        };
        Ok((Self::read(&own.certificate, &own.key)?, own))
    }

    /// Reads one that was made.
    ///
    /// # Errors
    /// When the texts are not what [`Authority::make`] gave.
    pub fn read(certificate: &str, key: &str) -> Result<Self, PkiError> {
        let not = PkiError::NotAnAuthority;
        let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes())
            .map_err(|_| not("the certificate is not in PEM form"))?;
        let parsed = pem
            .parse_x509()
            .map_err(|_| not("the certificate cannot be read"))?;
        let site = parsed.subject().iter_common_name().next();
        let site = site.and_then(|name| name.as_str().ok()?.parse().ok());
        let made = u64::try_from(parsed.validity().not_before.timestamp()).ok();
        let own_key = KeyPair::from_pem(key).map_err(|_| not("the key cannot be read"))?;
        if own_key.public_key_raw() != parsed.public_key().subject_public_key.data.as_ref() {
            return Err(not("the key is not the certificate's"));
        }
        Ok(Self {
            site: site.ok_or(not("its name is no name of a house"))?,
            made: Timestamp::from_millis(made.ok_or(not("its beginning is before 1970"))? * 1000),
            issuer: Issuer::from_ca_cert_pem(certificate, own_key)?,
            der: pem.contents.clone(),
            pem: certificate.to_owned(),
        })
    }

    /// The house.
    #[must_use]
    pub const fn site(&self) -> &Name {
        &self.site
    }

    /// Since when it is good.
    #[must_use]
    pub const fn made(&self) -> Timestamp {
        self.made
    }

    /// Its certificate (DER).
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its certificate (PEM).
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a host's request: for `host` and no one else, from now for `life`.
    ///
    /// # Errors
    /// When the request is none, or not signed by its own key.
    pub fn sign(
        &self,
        request: &str,
        host: &HostIdentity,
        (now, life): (Timestamp, Life),
        serial: Serial,
    ) -> Result<Issued, PkiError> {
        let asked =
            CertificateSigningRequestParams::from_pem(request).map_err(|_| PkiError::BadRequest)?;
        let kind = asked.public_key.algorithm();
        if kind != &PKCS_ECDSA_P256_SHA256 && kind != &PKCS_ED25519 {
            return Err(PkiError::BadRequest);
        }
        let not_after = Timestamp::from_millis(now.plus_millis(life.0).secs() * 1000);
        let before = Timestamp::from_millis(now.millis().saturating_sub(BACK_MS));
        let mut params = params(host.host.as_str(), before.max(self.made), not_after, serial);
        machine(&mut params, &host.uri(), "portcullis-host")?;
        let certificate = params.signed_by(&asked.public_key, &self.issuer)?;
        Ok(Issued {
            pem: certificate.pem(),
            sha256: KeyHash::of(certificate.der()),
            not_after,
        })
    }

    /// Makes the control plane's own certificate, with a new key. Good since the authority is: a host's clock may be late.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn control(&self, now: Timestamp, serial: Serial) -> Result<Own, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let not_after = now.plus_millis(CONTROL_MS);
        let mut params = params("control", self.made, not_after, serial);
        let uri = HostIdentity::control_uri(&self.site);
        machine(&mut params, &uri, "portcullis-control")?;
        Ok(Own {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: Zeroizing::new(key.serialize_pem()),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.site)
    }
}

fn params(name: &str, from: Timestamp, to: Timestamp, serial: Serial) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = instant(from);
    params.not_after = instant(to);
    // Positive and at most 20 bytes (RFC 5280 section 4.1.2.2).
    let mut serial = serial;
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

/// Both ends of a connection may be either: a contained host listens, the control plane dials it.
fn machine(params: &mut CertificateParams, uri: &str, dns: &str) -> Result<(), PkiError> {
    params.subject_alt_names = vec![
        SanType::URI(Ia5String::try_from(uri.to_owned())?),
        SanType::DnsName(Ia5String::try_from(dns.to_owned())?),
    ];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(())
}

fn instant(at: Timestamp) -> OffsetDateTime {
    let secs = i64::try_from(at.secs()).unwrap_or(i64::MAX);
    // The year 9999 is as far as a certificate goes (RFC 5280 section 4.1.2.5).
    OffsetDateTime::from_unix_timestamp(secs.min(253_402_300_799))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
