//! Vonage's Messages API: a JWT by HMAC-SHA256 with the account's signature secret, bound to the body by its hash
//! (<https://developer.vonage.com/en/getting-started/concepts/webhooks>).

use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::jwt::{self, Algorithm};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

const AUTHORIZATION: &str = "authorization";

pub(crate) struct VonageMessages {
    secrets: Vec<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    exp: Option<u64>,
    jti: String,
    payload_hash: String,
}

#[derive(Deserialize)]
struct Message {
    message_uuid: String,
    /// Reports of what became of a message we sent have none.
    message_type: Option<String>,
    from: Option<String>,
    text: Option<String>,
}

impl VonageMessages {
    pub(crate) const KIND: &str = "vonage-messages";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let secrets = options.take_visible_secrets("the account's signature secret")?;
        Ok(Self { secrets })
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let token = request.header(AUTHORIZATION)?.strip_prefix("Bearer ");
        let claims: Claims =
            Algorithm::Hs256.claims(token.ok_or(Refusal::Header)?, &self.secrets)?;
        if !jwt::is_hash(&claims.payload_hash, request.body) {
            return Err(Refusal::Signature);
        }
        fresh::within(claims.iat, now, fresh::TOLERANCE_S)?;
        if claims.exp.is_some_and(|exp| exp <= now.secs()) {
            return Err(Refusal::Stale);
        }
        // A token of no name could not be told from another; the message's own id is what a replay repeats.
        if claims.jti.is_empty() {
            return Err(Refusal::Header);
        }
        let message: Message =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        let Some(kind) = message.message_type else {
            return Ok(Incoming::Nothing);
        };
        if kind != "text" {
            return Ok(Incoming::Nothing);
        }
        let text = message.text.ok_or(Refusal::Content)?;
        if message.message_uuid.is_empty() {
            return Err(Refusal::Content);
        }
        let (id, sender) = (&message.message_uuid, message.from.as_deref());
        let text = InboundText::new(channel, id, sender, &text, Self::TRUST);
        Ok(Incoming::Text(text))
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}
