//! Seals what a browser carries, or the database keeps, so that only whoever has the key can read it and nobody can alter it
//! (ChaCha20-Poly1305, RFC 8439).

use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Longest sealed text that is looked at.
const LONGEST: usize = 32 * 1024;

/// A key that seals.
pub(crate) struct Seal(Option<LessSafeKey>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// A key that nobody else has and that ends with this process. Without random bytes it seals nothing.
    pub(crate) fn random() -> Self {
        let mut raw = [0_u8; 32];
        match getrandom::fill(&mut raw) {
            Ok(()) => Self::of(&raw),
            Err(_) => Self(None),
        }
    }

    /// The key that belongs to a session's token.
    pub(crate) fn of_session(token: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        Self::of(hmac::sign(&key, b"portcullis session: tokens of the provider").as_ref())
    }

    fn of(raw: &[u8]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, raw).ok();
        Self(key.map(LessSafeKey::new))
    }

    /// Seals; none where the system gives no random bytes.
    pub(crate) fn close(&self, value: &impl Serialize) -> Option<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut text = serde_json::to_vec(value).ok()?;
        let key = self.0.as_ref()?;
        let used = Nonce::assume_unique_for_key(nonce);
        let sealed = key.seal_in_place_append_tag(used, Aad::empty(), &mut text);
        sealed.ok()?;
        let mut all = nonce.to_vec();
        all.append(&mut text);
        Some(BASE64URL_NOPAD.encode(&all))
    }

    /// What was sealed with this key; none for anything else.
    pub(crate) fn open<T: DeserializeOwned>(&self, sealed: &str) -> Option<T> {
        if sealed.len() > LONGEST {
            return None;
        }
        let all = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = all.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let key = self.0.as_ref()?;
        let plain = key.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
        serde_json::from_slice(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_opens_and_nothing_altered() {
        let (one, two) = (Seal::of_session("one"), Seal::of_session("two"));
        let sealed = one.close(&"refresh-token").unwrap();
        assert!(!sealed.contains("refresh"));
        assert_eq!(one.open::<String>(&sealed).unwrap(), "refresh-token");
        assert_eq!(two.open::<String>(&sealed), None);
        assert_ne!(one.close(&"refresh-token").unwrap(), sealed);
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert_eq!(one.open::<String>(&altered), None, "{at}");
        }
        for text in ["", "AAAA", "%", &"A".repeat(LONGEST + 1)] {
            assert_eq!(one.open::<String>(text), None);
        }
    }
}
