//! The certificate that signs, kept ahead, and the way from it to a trusted root.

use super::validity;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring};

/// More than any chain has.
const MAX_CHAIN: usize = 8;
/// More than any system trusts.
const MAX_ROOTS: usize = 1000;

/// A certificate and those between it and a root.
pub(super) struct Certificate {
    leaf: CertificateDer<'static>,
    between: Vec<CertificateDer<'static>>,
}

/// What chains must end in.
pub(super) struct Roots(Vec<TrustAnchor<'static>>);

impl Certificate {
    /// Reads a PEM file, the signing certificate first, and follows it to a root as of its first day.
    pub(super) fn read(pem: &str, roots: &Roots) -> Result<Self, String> {
        let mut all = certificates(pem, MAX_CHAIN)?.into_iter();
        let leaf = all.next().ok_or("expected a certificate in PEM")?;
        let begins = validity::begins(&leaf).ok_or("its first certificate cannot be read")?;
        let certificate = Self {
            leaf,
            between: all.collect(),
        };
        certificate.named()?;
        certificate.chain(roots, begins).map_err(|why| {
            format!("no way from it to a certificate in roots_file ({why}); put the certificates of Amazon's authority below it")
        })?;
        Ok(certificate)
    }

    /// It must be for SNS: any other holder of a certificate of a trusted authority could sign too.
    fn named(&self) -> Result<(), String> {
        let leaf = EndEntityCert::try_from(&self.leaf)
            .map_err(|why| format!("its first certificate cannot be read ({why})"))?;
        let of_amazon = |name: &str| {
            let host = name.strip_suffix(".cn").unwrap_or(name);
            host.starts_with("sns") && host.ends_with(".amazonaws.com")
        };
        if leaf.valid_dns_names().any(of_amazon) {
            Ok(())
        } else {
            Err(
                "its first certificate is not one of SNS; expected sns.amazonaws.com in it"
                    .to_owned(),
            )
        }
    }

    /// Whether its key made this signature: RSA of 2048 bits or more with SHA-256.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        EndEntityCert::try_from(&self.leaf).is_ok_and(|leaf| {
            leaf.verify_signature(ring::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok()
        })
    }

    /// The way from it to a root, at this second since the epoch.
    pub(super) fn chain(&self, roots: &Roots, at: u64) -> Result<(), webpki::Error> {
        EndEntityCert::try_from(&self.leaf)?.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &roots.0,
            &self.between,
            UnixTime::since_unix_epoch(Duration::from_secs(at)),
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        Ok(())
    }
}

impl Roots {
    pub(super) fn read(pem: &str) -> Result<Self, String> {
        let roots = certificates(pem, MAX_ROOTS)?;
        // A bundle may hold a few that the library does not read; they cannot end a chain then.
        let anchors = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok());
        let anchors: Vec<_> = anchors.map(|anchor| anchor.to_owned()).collect();
        if anchors.is_empty() {
            Err("expected certificates in PEM".to_owned())
        } else {
            Ok(Self(anchors))
        }
    }
}

fn certificates(pem: &str, most: usize) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(most + 1)
        .collect();
    // What the library says of it holds whole lines of the file, which may be a key by mistake.
    let all = all.map_err(|_| "it is no PEM".to_owned())?;
    if all.len() > most {
        return Err(format!("expected at most {most} certificates"));
    }
    Ok(all)
}
