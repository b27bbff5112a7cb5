//! JSON Web Tokens as providers sign webhooks with them: HMAC only, and the algorithm is ours to say, never the token's
//! (RFC 7515, RFC 7519, RFC 8725).

use crate::refusal::Refusal;
use crate::same;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// Longer than any that providers send.
const MAX_TOKEN: usize = 4096;

/// How a token is signed.
#[derive(Clone, Copy)]
pub(crate) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood: none is.
    crit: Option<IgnoredAny>,
}

impl Algorithm {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Hs256, Self::Hs384, Self::Hs512]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    fn made(self, secret: &[u8], signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256 => holds::<Hmac<Sha256>>(secret, signed, signature),
            Self::Hs384 => holds::<Hmac<Sha384>>(secret, signed, signature),
            Self::Hs512 => holds::<Hmac<Sha512>>(secret, signed, signature),
        }
    }

    /// The claims of a token that one of these secrets signed by this algorithm.
    pub(crate) fn claims<T: DeserializeOwned>(
        self,
        token: &str,
        secrets: &[Zeroizing<String>],
    ) -> Result<T, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Header);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Header)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Header)?;
        let signature = decoded(signature)?;
        let header: Header =
            serde_json::from_slice(&decoded(header)?).map_err(|_| Refusal::Header)?;
        let ours = header.alg == self.name() && header.crit.is_none();
        let made = |secret: &Zeroizing<String>| {
            self.made(secret.as_bytes(), signed.as_bytes(), &signature)
        };
        if !ours || !secrets.iter().any(made) {
            return Err(Refusal::Signature);
        }
        serde_json::from_slice(&decoded(claims)?).map_err(|_| Refusal::Header)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Header)
}

fn holds<M: Mac + KeyInit>(secret: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(secret)
        .is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
}

/// Whether a claim is the SHA-256 of these bytes, in lower-case hexadecimal.
pub(crate) fn is_hash(claim: &str, bytes: &[u8]) -> bool {
    same::hex(claim, &Sha256::digest(bytes))
}
