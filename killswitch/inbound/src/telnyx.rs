//! Telnyx' webhooks: Ed25519 over the time and the raw body
//! (<https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks>).
//!
//! Both public keys of a rotation may be live. The time is always checked: without it a signature would hold for ever.

use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

const SIGNATURE: &str = "telnyx-signature-ed25519";
const TIMESTAMP: &str = "telnyx-timestamp";
const RECEIVED: &str = "message.received";

pub(crate) struct Telnyx {
    keys: Vec<VerifyingKey>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    event_type: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: Option<From>,
    /// A picture may come without.
    text: Option<String>,
}

#[derive(Deserialize)]
struct From {
    phone_number: Option<String>,
}

impl Telnyx {
    pub(crate) const KIND: &str = "telnyx";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let keys = options.take_secrets()?;
        let keys: Option<_> = keys.iter().map(|text| key(text)).collect();
        let expected = "expected the account's public key, base64 of 32 bytes";
        keys.map(|keys| Self { keys })
            .ok_or_else(|| expected.to_owned())
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let at = request.header(TIMESTAMP)?;
        let given = STANDARD.decode(request.header(SIGNATURE)?).ok();
        let given = given.and_then(|bytes| Signature::from_slice(&bytes).ok());
        let given = given.ok_or(Refusal::Header)?;
        let signed = [at.as_bytes(), b"|", request.body].concat();
        let made = |key: &VerifyingKey| key.verify_strict(&signed, &given).is_ok();
        if !self.keys.iter().any(made) {
            return Err(Refusal::Signature);
        }
        fresh::within(fresh::seconds(at)?, now, fresh::TOLERANCE_S)?;
        let body: Body<'_> = serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        if body.data.event_type != RECEIVED {
            return Ok(Incoming::Nothing);
        }
        let message: Message =
            serde_json::from_str(body.data.payload.get()).map_err(|_| Refusal::Content)?;
        if message.id.is_empty() {
            return Err(Refusal::Content);
        }
        let sender = message.from.and_then(|from| from.phone_number);
        Ok(message.text.map_or(Incoming::Nothing, |text| {
            let sender = sender.as_deref();
            let text = InboundText::new(channel, &message.id, sender, &text, Self::TRUST);
            Incoming::Text(text)
        }))
    }

    /// Telnyx waits two seconds and reads nothing: the reply goes by its API.
    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}

/// A key of which there is one holder: weak ones, whose signatures anybody can make, are none.
fn key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    (!key.is_weak()).then_some(key)
}
