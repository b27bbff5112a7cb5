//! Signed text: lines, and under them an Ed25519 signature (RFC 8032) of every byte above it, verified strictly.
//!
//! Each kind of text begins with a head of its own, so that one is never taken for another.

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Puts the signature under the text.
pub(crate) fn seal(mut text: String, key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(text.as_bytes());
    text.push_str("sig ");
    HEXLOWER.encode_append(&signature.to_bytes(), &mut text);
    text.push('\n');
    text.into_bytes()
}

/// The text above the signature, if the signature holds.
pub(crate) fn unseal<'a>(bytes: &'a [u8], key: &VerifyingKey) -> Option<&'a str> {
    let (body, signature) = std::str::from_utf8(bytes).ok()?.rsplit_once("sig ")?;
    let raw = HEXLOWER.decode(signature.strip_suffix('\n')?.as_bytes());
    let signature = Signature::from_slice(&raw.ok()?).ok()?;
    key.verify_strict(body.as_bytes(), &signature).ok()?;
    Some(body)
}
