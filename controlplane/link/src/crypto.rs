//! What machines of one house encrypt and sign by: a choice out of what the library has.
//!
//! Both ends are ours. Keys of the house are P-256, or Ed25519 where a host brings one; what no machine of it speaks (RSA,
//! P-384) is nothing an attacker could ask for, and nothing that every host must carry.

use rustls::crypto::ring::cipher_suite::{
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::crypto::ring::kx_group::{SECP256R1, X25519};
use rustls::crypto::ring::sign::{any_ecdsa_type, any_eddsa_type};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use webpki::ring::{ECDSA_P256_SHA256, ED25519};

const SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[ECDSA_P256_SHA256, ED25519],
    mapping: &[
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256]),
        (SignatureScheme::ED25519, &[ED25519]),
    ],
};

/// All of it.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            TLS13_AES_256_GCM_SHA384,
            TLS13_AES_128_GCM_SHA256,
            TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![X25519, SECP256R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Own,
        key_provider: &Own,
    })
}

/// What the library leaves to whoever chooses.
#[derive(Debug)]
struct Own;

impl SecureRandom for Own {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(buffer).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Own {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        if let Ok(key) = any_ecdsa_type(&key) {
            return Ok(key);
        }
        let PrivateKeyDer::Pkcs8(key) = &key else {
            return Err(Error::General(
                "no machine of a house has a key like this".to_owned(),
            ));
        };
        any_eddsa_type(key)
    }
}
