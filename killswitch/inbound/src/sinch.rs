//! Sinch's webhooks for incoming messages: HMAC-SHA256 over the raw body, a nonce and the time
//! (<https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/>, headers as its libraries check them).

use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

const SIGNATURE: &str = "x-sinch-webhook-signature";
const NONCE: &str = "x-sinch-webhook-signature-nonce";
const TIMESTAMP: &str = "x-sinch-webhook-signature-timestamp";
const ALGORITHM: &str = "x-sinch-webhook-signature-algorithm";
/// The only one; what else the header names is refused.
const HMAC_SHA256: &str = "HmacSHA256";

pub(crate) struct Sinch {
    secrets: Vec<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: Option<String>,
    body: String,
}

impl Sinch {
    pub(crate) const KIND: &str = "sinch";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let secrets = options.take_visible_secrets("the webhook secret agreed with Sinch")?;
        Ok(Self { secrets })
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let (nonce, at) = (request.header(NONCE)?, request.header(TIMESTAMP)?);
        let given = STANDARD
            .decode(request.header(SIGNATURE)?)
            .map_err(|_| Refusal::Header)?;
        // Without a full stop in it, what is signed splits one way: seen from its end.
        let splits = !nonce.is_empty() && nonce.len() <= 128 && !nonce.contains('.');
        if request.header(ALGORITHM)? != HMAC_SHA256 || !splits {
            return Err(Refusal::Header);
        }
        let made = |secret: &Zeroizing<String>| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
                return false;
            };
            for part in [request.body, b".", nonce.as_bytes(), b".", at.as_bytes()] {
                mac.update(part);
            }
            mac.verify_slice(&given).is_ok()
        };
        if !self.secrets.iter().any(made) {
            return Err(Refusal::Signature);
        }
        fresh::within(fresh::seconds(at)?, now, fresh::TOLERANCE_S)?;
        let kind: Kind = serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        if kind.r#type != "mo_text" {
            return Ok(Incoming::Nothing);
        }
        let message: Message =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        if message.id.is_empty() {
            return Err(Refusal::Content);
        }
        Ok(Incoming::Text(InboundText::new(
            channel,
            &message.id,
            message.from.as_deref(),
            &message.body,
            Self::TRUST,
        )))
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}
