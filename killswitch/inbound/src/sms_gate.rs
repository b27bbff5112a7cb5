//! SMS Gateway for Android: a phone of one's own that posts what it receives
//! (<https://docs.sms-gate.app/features/webhooks/>).
//!
//! `X-Signature` is the HMAC-SHA-256, in hexadecimal, over the body followed by `X-Timestamp`, which is made anew at
//! every attempt. `messageId` is derived from the content and comes again with the next equal text: `id` names the event.

use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use crate::same;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) struct SmsGate {
    keys: Vec<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    event: String,
    #[serde(borrow)]
    payload: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    message: String,
    sender: Option<String>,
    /// What `sender` was called before the app's releases of 2026.
    phone_number: Option<String>,
}

impl SmsGate {
    pub(crate) const KIND: &str = "sms-gate";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let keys = options.take_secrets()?;
        if keys.iter().all(|key| key.len() >= 16) {
            Ok(Self { keys })
        } else {
            Err("expected a secret of at least 16 characters: the signing key in the app under Settings, Webhooks".to_owned())
        }
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let (given, at) = (
            request.header("x-signature")?,
            request.header("x-timestamp")?,
        );
        let made = |key: &Zeroizing<String>| {
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).is_ok_and(|mut mac| {
                mac.update(request.body);
                mac.update(at.as_bytes());
                same::hex(given, &mac.finalize().into_bytes())
            })
        };
        if !self.keys.iter().any(made) {
            return Err(Refusal::Signature);
        }
        fresh::within(fresh::seconds(at)?, now, fresh::TOLERANCE_S)?;
        let event: Event<'_> =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        if event.event != "sms:received" {
            return Ok(Incoming::Nothing);
        }
        let said: Received =
            serde_json::from_str(event.payload.get()).map_err(|_| Refusal::Content)?;
        if event.id.is_empty() || event.id.len() > 128 {
            return Err(Refusal::Content);
        }
        let sender = said.sender.or(said.phone_number);
        let text = InboundText::new(
            channel,
            &event.id,
            sender.as_deref(),
            &said.message,
            Self::TRUST,
        );
        Ok(Incoming::Text(text))
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}
