//! The generic channel: JSON signed by the Standard Webhooks scheme, version 1
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

mod sender;

use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use sender::{body, secret_from_random, sign};

/// Header with the message id.
pub const ID: &str = "webhook-id";
/// Header with the time it was signed, in seconds since the epoch.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Header with one or more signatures.
pub const SIGNATURE: &str = "webhook-signature";

const MAX_SIGNATURES: usize = 16;

type Secret = Zeroizing<Vec<u8>>;

pub(crate) struct StandardWebhooks {
    secrets: Vec<Secret>,
}

/// What the body says.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Message {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Serialize)]
struct Said<'a> {
    reply: Option<&'a str>,
}

impl StandardWebhooks {
    pub(crate) const KIND: &str = "standard-webhooks";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::InResponse;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let secrets = options.take_secrets()?;
        let secrets: Result<_, BadSecret> = secrets.iter().map(|text| secret(text)).collect();
        secrets
            .map(|secrets| Self { secrets })
            .map_err(|e| e.to_string())
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let (id, at) = (request.header(ID)?, request.header(TIMESTAMP)?);
        let given = request.header(SIGNATURE)?.split(' ').take(MAX_SIGNATURES);
        let given = given.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        let made = |signature: &Vec<u8>, secret: &Secret| {
            mac(secret, id, at, request.body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
        };
        let mut given =
            given.map(|signature| self.secrets.iter().any(|secret| made(&signature, secret)));
        if !given.any(|good| good) {
            return Err(Refusal::Signature);
        }
        fresh::within(fresh::seconds(at)?, now, fresh::TOLERANCE_S)?;
        if id.is_empty() || id.len() > 128 {
            return Err(Refusal::Header);
        }
        let message: Message =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        Ok(Incoming::Text(InboundText::new(
            channel,
            id,
            message.from.as_deref(),
            &message.text,
            Self::TRUST,
        )))
    }

    pub(crate) fn answer(reply: Option<&str>) -> Answer {
        // An optional text is always sayable in JSON.
        let body = serde_json::to_string(&Said { reply }).unwrap_or_default();
        Answer {
            status: 200,
            content_type: "application/json",
            body,
        }
    }
}

/// A text that is not a secret of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a secret like whsec_… with base64 of 24 to 64 bytes")]
pub struct BadSecret;

fn secret(text: &str) -> Result<Secret, BadSecret> {
    let base64 = text.strip_prefix("whsec_").ok_or(BadSecret)?;
    let bytes = Zeroizing::new(STANDARD.decode(base64).map_err(|_| BadSecret)?);
    if (24..=64).contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(BadSecret)
    }
}

fn mac(secret: &Secret, id: &str, at: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}
