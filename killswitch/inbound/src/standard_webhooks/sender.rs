//! The other end: what our own command line signs and sends.

use super::{BadSecret, Message, StandardWebhooks};
use crate::self_call::SelfCall;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::Mac as _;
use kill_wire::Timestamp;

/// The value of [`super::SIGNATURE`] for a message of our own, signed at `at`.
pub fn sign(secret: &str, id: &str, at: Timestamp, body: &[u8]) -> Result<String, BadSecret> {
    let secret = super::secret(secret.trim())?;
    let mac = super::mac(&secret, id, &at.secs().to_string(), body).ok_or(BadSecret)?;
    Ok(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

/// The body that says `text`, sent by `from`.
#[must_use]
pub fn body(text: &str, from: Option<&str>) -> String {
    let message = Message {
        text: text.to_owned(),
        from: from.map(str::to_owned),
    };
    // Texts only: there is nothing in it that JSON cannot say.
    serde_json::to_string(&message).unwrap_or_default()
}

/// A new secret of fresh random bytes, as its file holds it.
#[must_use]
pub fn secret_from_random(bytes: [u8; 32]) -> String {
    format!("whsec_{}", STANDARD.encode(bytes))
}

impl StandardWebhooks {
    /// A call signed with the newest secret.
    pub(crate) fn self_call(&self, id: &str, now: Timestamp) -> Option<SelfCall> {
        let body = body("self", None);
        let at = now.secs().to_string();
        let mac = super::mac(self.secrets.first()?, id, &at, body.as_bytes())?;
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Some(SelfCall {
            headers: vec![
                (super::ID, id.to_owned()),
                (super::TIMESTAMP, at),
                (super::SIGNATURE, format!("v1,{signature}")),
            ],
            body,
        })
    }
}
