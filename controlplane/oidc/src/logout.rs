//! Back-channel logout: the provider says by a signed token whose sessions end (OpenID Connect Back-Channel Logout 1.0,
//! section 2.6). A token that cannot be verified ends nothing.

use data_encoding::BASE64URL_NOPAD;
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;
/// How old a token may be, and how far ahead its clock, in seconds.
const FRESH: i64 = 120;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Signatures with a key of the provider's own. None with a shared secret, and never none.
pub(crate) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Whose sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The person's id at the provider.
    pub subject: Option<String>,
    /// The one session of the provider that ended; all of the person's where it is not said.
    pub sid: Option<String>,
    /// The token's own id.
    pub(crate) id: String,
}

/// Why a logout token ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALogout {
    /// No signed token.
    #[error("it is not a signed token")]
    Form,
    /// An algorithm that proves nothing.
    #[error("its signature is of a kind that is not accepted")]
    Algorithm,
    /// No key of the provider made it.
    #[error("no key of the provider signed it")]
    Signature,
    /// Meant for somebody else, or for something else.
    #[error("it is not a logout for this client")]
    Other,
    /// Too old, or from the future.
    #[error("it is not of now")]
    Late,
    /// It was used before.
    #[error("it was used before")]
    Replayed,
}

#[derive(Deserialize)]
struct Head {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: Option<i64>,
    jti: String,
    sub: Option<String>,
    sid: Option<String>,
    events: BTreeMap<String, Value>,
    nonce: Option<Value>,
}

/// Who must have made it, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) keys: &'a [CoreJsonWebKey],
    /// In seconds.
    pub(crate) now: i64,
}

fn part<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, NotALogout> {
    let raw = BASE64URL_NOPAD.decode(text.as_bytes());
    let raw = raw.map_err(|_| NotALogout::Form)?;
    serde_json::from_slice(&raw).map_err(|_| NotALogout::Form)
}

/// The signature first; what is said counts only after.
pub(crate) fn verified(token: &str, wanted: Wanted<'_>) -> Result<LoggedOut, NotALogout> {
    if token.len() > LONGEST {
        return Err(NotALogout::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(NotALogout::Form)?;
    let (head, claims) = signed.split_once('.').ok_or(NotALogout::Form)?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
    let signature = signature.map_err(|_| NotALogout::Form)?;
    let head: Head = part(head)?;
    if !ALGORITHMS.contains(&head.alg) {
        return Err(NotALogout::Algorithm);
    }
    let named = |key: &&CoreJsonWebKey| match (&head.kid, key.key_id()) {
        (Some(wanted), Some(kid)) => wanted == kid.as_str(),
        (None, _) | (_, None) => true,
    };
    let made = |key: &CoreJsonWebKey| {
        let checked = key.verify_signature(&head.alg, signed.as_bytes(), &signature);
        checked.is_ok()
    };
    if !wanted.keys.iter().filter(named).any(made) {
        return Err(NotALogout::Signature);
    }
    said(part(claims)?, wanted)
}

fn said(claims: Claims, wanted: Wanted<'_>) -> Result<LoggedOut, NotALogout> {
    let ours = match &claims.aud {
        Audience::One(one) => one == wanted.client,
        Audience::Many(all) => all.iter().any(|one| one == wanted.client),
    };
    let event = claims.events.get(EVENT).is_some_and(Value::is_object);
    let whose = claims.sub.is_some() || claims.sid.is_some();
    // An ID token has a nonce; it must not pass for a logout.
    if claims.iss != wanted.issuer || !ours || !event || !whose || claims.nonce.is_some() {
        return Err(NotALogout::Other);
    }
    let age = wanted.now.saturating_sub(claims.iat);
    let over = claims
        .exp
        .is_some_and(|exp| exp.saturating_add(FRESH) <= wanted.now);
    if over || !(-FRESH..=FRESH).contains(&age) {
        return Err(NotALogout::Late);
    }
    Ok(LoggedOut {
        subject: claims.sub,
        sid: claims.sid,
        id: claims.jti,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, HEXLOWER};
    use openidconnect::core::CoreEdDsaPrivateSigningKey;
    use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
    use serde_json::json;

    const NOW: i64 = 1_795_000_000;

    /// A key out of this seed, in the form of RFC 8410.
    fn signer(kid: &str) -> CoreEdDsaPrivateSigningKey {
        let mut der = HEXLOWER
            .decode(b"302e020100300506032b657004220420")
            .unwrap();
        der.extend([7; 32]);
        let text = BASE64.encode(&der);
        let pem = format!(
            "-----BEGIN {0}-----\n{text}\n-----END {0}-----\n",
            "PRIVATE KEY"
        );
        let kid = Some(JsonWebKeyId::new(kid.to_owned()));
        CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, kid).unwrap()
    }

    fn token(head: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(head), encode(claims));
        let alg = CoreJwsSigningAlgorithm::EdDsa;
        let signature = signer("k1").sign(&alg, signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.house.example", "aud": ["portcullis"], "iat": NOW, "exp": NOW + 120, "jti": "j1",
            "sub": "ada", "sid": "s1", "events": { EVENT: {} },
        })
    }

    fn read(token: &str) -> Result<LoggedOut, NotALogout> {
        let keys = [signer("k1").as_verification_key()];
        let wanted = Wanted {
            issuer: "https://id.house.example",
            client: "portcullis",
            keys: &keys,
            now: NOW,
        };
        verified(token, wanted)
    }

    #[test]
    fn a_logout_of_the_provider_is_read() {
        let head = json!({"alg": "EdDSA", "kid": "k1", "typ": "logout+jwt"});
        let out = read(&token(&head, &claims())).unwrap();
        assert_eq!(
            (out.subject.as_deref(), out.sid.as_deref()),
            (Some("ada"), Some("s1"))
        );
        // The smallest there may be.
        let mut least = claims();
        least["aud"] = json!("portcullis");
        for name in ["sid", "exp"] {
            least.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(
            read(&token(&json!({"alg": "EdDSA"}), &least)).unwrap().sid,
            None
        );
    }

    #[test]
    fn whatever_else_ends_nothing() {
        let head = json!({"alg": "EdDSA", "kid": "k1"});
        for (name, value, why) in [
            ("iss", json!("https://id.house.example/"), NotALogout::Other),
            ("aud", json!(["other"]), NotALogout::Other),
            ("events", json!({}), NotALogout::Other),
            ("events", json!({ EVENT: true }), NotALogout::Other),
            ("nonce", json!("n"), NotALogout::Other),
            ("iat", json!(NOW - 121), NotALogout::Late),
            ("iat", json!(NOW + 121), NotALogout::Late),
            ("exp", json!(NOW - 200), NotALogout::Late),
            ("iat", json!("now"), NotALogout::Form),
            ("jti", json!(null), NotALogout::Form),
        ] {
            let mut altered = claims();
            altered[name] = value;
            assert_eq!(read(&token(&head, &altered)), Err(why), "{name}");
        }
        let mut nobody = claims();
        for name in ["sub", "sid"] {
            nobody.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(read(&token(&head, &nobody)), Err(NotALogout::Other));
        let other_key = json!({"alg": "EdDSA", "kid": "k2"});
        assert_eq!(
            read(&token(&other_key, &claims())),
            Err(NotALogout::Signature)
        );
        for alg in ["none", "HS256"] {
            let unsigned = token(&json!({"alg": alg}), &claims());
            assert_eq!(read(&unsigned), Err(NotALogout::Algorithm), "{alg}");
        }
        let good = token(&head, &claims());
        for at in (0..good.len()).step_by(7) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(read(&altered).is_err(), "byte {at}");
        }
        for text in ["", ".", "..", "a.b", &"x".repeat(9000)] {
            assert_eq!(read(text), Err(NotALogout::Form));
        }
    }
}
