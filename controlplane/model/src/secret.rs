//! Secrets and what is kept of them.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// A secret text: never printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Why a text will not do as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing in it.
    #[error("the secret is empty")]
    Empty,
    /// It cannot stand in an HTTP header.
    #[error("the secret holds characters other than visible ASCII")]
    NotVisible,
}

impl Secret {
    /// Takes the text of a secret file: one line, surrounding white space ignored.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SecretError::NotVisible);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself; name it at the place of use, store it nowhere.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be stored of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.expose().as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a key of at least 128 random bits: enough to know it again, useless to find it.
/// Looking one up by its hash leaks no timing about the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a presented key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let raw = HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()).ok()?;
        raw.try_into().ok().map(Self)
    }

    /// As 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new(" hush-hush \n").unwrap();
        assert_eq!(secret.expose(), "hush-hush");
        assert!(!format!("{secret:?} {:?}", secret.hash()).contains("hush"));
        assert_eq!(
            KeyHash::from_hex(&secret.hash().to_hex()),
            Some(secret.hash())
        );
    }

    #[test]
    fn what_would_break_a_header_is_no_secret() {
        assert_eq!(Secret::new("a\r\nb").unwrap_err(), SecretError::NotVisible);
        assert_eq!(Secret::new(" \n").unwrap_err(), SecretError::Empty);
    }
}
