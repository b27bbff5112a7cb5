//! What Twilio signs in other ways than the classic one: JSON bodies, and webhooks signed with a shared key
//! (<https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys>, in public beta).
//!
//! **Invariant:** which key and which algorithm count is for the configuration to say. The header that names them comes
//! from the caller: it may agree or be refused, never choose.

use super::{Fields, Twilio};
use crate::refusal::Refusal;
use crate::request::RawRequest;
use crate::same;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const NAMED: &str = "x-twilio-webhooks-signature-settings";
const BODY_HASH: &str = "bodySHA256=";

/// How a shared key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "HMAC_SHA1" => Some(Self::Sha1),
            "HMAC_SHA256" => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// A key of our own that signs instead of the account's token.
pub(super) struct SharedKey {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    pub(super) secret: Zeroizing<String>,
}

/// The secrets one request may be signed with.
struct Signers<'a> {
    algorithm: Algorithm,
    secrets: Vec<&'a str>,
}

impl Twilio {
    /// The fields of what was rightly signed in another way; none where only the classic way may hold.
    pub(super) fn otherwise<'a>(
        &self,
        request: &RawRequest<'a>,
        given: &[u8],
    ) -> Result<Option<Fields<'a>>, Refusal> {
        let shared = self.shared_signer(request)?;
        let query = request.query.unwrap_or_default();
        let hash = query
            .split('&')
            .find_map(|pair| pair.strip_prefix(BODY_HASH));
        if shared.is_none() && hash.is_none() {
            return Ok(None);
        }
        let signers = shared.unwrap_or_else(|| Signers {
            algorithm: Algorithm::Sha1,
            secrets: self.tokens.iter().map(|token| token.as_str()).collect(),
        });
        let Some(hash) = hash else {
            return self.form(request, given, &signers).map(Some);
        };
        self.json(request, given, &signers, hash).map(Some)
    }

    /// The shared key this request is to be checked with; none where the account's token counts.
    fn shared_signer(&self, request: &RawRequest<'_>) -> Result<Option<Signers<'_>>, Refusal> {
        if self.shared.is_empty() {
            return Ok(None);
        }
        if !request.has(NAMED) && !self.tokens.is_empty() {
            return Ok(None);
        }
        let (id, algorithm) = named(request.header(NAMED)?).ok_or(Refusal::Header)?;
        let mut keys = self.shared.iter();
        let key = keys
            .find(|key| key.id == id && key.algorithm == algorithm)
            .ok_or(Refusal::Signature)?;
        Ok(Some(Signers {
            algorithm,
            secrets: vec![key.secret.as_str()],
        }))
    }

    /// A form, signed like the classic way but with another key.
    fn form<'a>(
        &self,
        request: &RawRequest<'a>,
        given: &[u8],
        signers: &Signers<'_>,
    ) -> Result<Fields<'a>, Refusal> {
        if request.query.unwrap_or_default() != self.query.as_deref().unwrap_or_default() {
            return Err(Refusal::Address);
        }
        let fields: Fields<'_> = form_urlencoded::parse(request.body)
            .take(super::MAX_FIELDS)
            .collect();
        let parts: Vec<&str> = fields
            .iter()
            .flat_map(|(name, value)| [name.as_ref(), value.as_ref()])
            .collect();
        let signed = |url: &String| signers.made(url, &parts, given);
        if self.urls.iter().any(signed) {
            Ok(fields)
        } else {
            Err(Refusal::Signature)
        }
    }

    /// A JSON body: its hash stands in the query, and the address with that query is what is signed.
    fn json<'a>(
        &self,
        request: &RawRequest<'a>,
        given: &[u8],
        signers: &Signers<'_>,
        hash: &str,
    ) -> Result<Fields<'a>, Refusal> {
        let query = request.query.unwrap_or_default();
        let others: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.starts_with(BODY_HASH))
            .collect();
        let once = query.matches(BODY_HASH).count() == 1;
        if !once || others.join("&") != self.query.as_deref().unwrap_or_default() {
            return Err(Refusal::Address);
        }
        let signed = |url: &String| {
            let base = url.split('?').next().unwrap_or_default();
            signers.made(base, &["?", query], given)
        };
        if !same::hex(hash, &Sha256::digest(request.body)) || !self.urls.iter().any(signed) {
            return Err(Refusal::Signature);
        }
        let said: BTreeMap<String, Value> =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        let texts = said.iter().filter_map(|(name, value)| {
            let text = value.as_str()?.to_owned();
            Some((Cow::Owned(name.clone()), Cow::Owned(text)))
        });
        Ok(texts.collect())
    }
}

impl Signers<'_> {
    fn made(&self, url: &str, parts: &[&str], given: &[u8]) -> bool {
        self.secrets.iter().any(|secret| match self.algorithm {
            Algorithm::Sha1 => signed::<Hmac<Sha1>>(secret, url, parts, given),
            Algorithm::Sha256 => signed::<Hmac<Sha256>>(secret, url, parts, given),
        })
    }
}

fn signed<M: Mac + KeyInit>(secret: &str, url: &str, parts: &[&str], given: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
        mac.update(url.as_bytes());
        for part in parts {
            mac.update(part.as_bytes());
        }
        mac.verify_slice(given).is_ok()
    })
}

/// `key=ID,algorithm=NAME`, each once and nothing else.
fn named(header: &str) -> Option<(&str, Algorithm)> {
    let (first, second) = header.split_once(',')?;
    let (key, algorithm) = if first.trim().starts_with("key=") {
        (first, second)
    } else {
        (second, first)
    };
    let id = key.trim().strip_prefix("key=")?;
    let name = algorithm.trim().strip_prefix("algorithm=")?;
    Some((id, Algorithm::named(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_in_one_way_only() {
        let good = Some(("k1", Algorithm::Sha256));
        assert_eq!(named("key=k1,algorithm=HMAC_SHA256"), good);
        assert_eq!(named("algorithm=HMAC_SHA256, key=k1"), good);
        for header in [
            "",
            "key=k1",
            "key=k1,algorithm=none",
            "key=k1,algorithm=hmac_sha256",
            "key=k1,algorithm=HMAC_SHA256,key=k2",
            "key=k1,algorithm=HMAC_SHA256,algorithm=HMAC_SHA1",
            "key=k1;algorithm=HMAC_SHA256",
        ] {
            assert_eq!(named(header), None, "{header}");
        }
    }
}
