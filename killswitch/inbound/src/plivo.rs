//! Plivo's webhooks for incoming messages (<https://www.plivo.com/docs/messaging/concepts/signature-validation>).
//!
//! What is documented for messages is the second scheme: HMAC-SHA-256 over the address and a nonce, not over what the
//! text says. Whoever sees one such call can put any text into it. So it counts only where the owner says so, only with a
//! secret of our own in the query, and its message id here is the nonce: what is put under it later is a duplicate, unless
//! it holds an unused KILL code, which always counts.
//! Where the headers of the third scheme come, which signs the fields too, that one must hold. Either way a text is
//! trusted least: it may cut with a code, never restore.

mod answer;
mod config;
mod signed;

use crate::form::Form;
use crate::incoming::Incoming;
use crate::refusal::Refusal;
use crate::request::RawRequest;
use crate::unguessable;
use kill_core::InboundText;
use kill_wire::Timestamp;
use zeroize::Zeroizing;

const NONCE_V3: &str = "x-plivo-signature-v3-nonce";
const NONCE_V2: &str = "x-plivo-signature-v2-nonce";
/// By the account that owns the number, and by the main account above it.
const SIGNATURES_V3: [&str; 2] = ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"];
const SIGNATURES_V2: [&str; 2] = ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"];

pub(crate) struct Plivo {
    /// The public address without its query.
    base: String,
    /// The query of the public address, as configured.
    query: Option<String>,
    /// What must stand in the query instead; empty where nothing must.
    url_secrets: Vec<Zeroizing<String>>,
    accept_v2: bool,
    /// Our number, as Plivo writes it: replies go out from it.
    number: Option<String>,
    tokens: Vec<Zeroizing<String>>,
}

impl Plivo {
    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        _now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let form = Form::of(request.body);
        let third = request.has(NONCE_V3);
        if !third && !self.accept_v2 {
            return Err(Refusal::Header);
        }
        let (nonce, signatures) = if third {
            (request.header(NONCE_V3)?, SIGNATURES_V3)
        } else {
            (request.header(NONCE_V2)?, SIGNATURES_V2)
        };
        if !self.called(request) {
            return Err(Refusal::Address);
        }
        // A nonce is what tells one call from another: digits or letters, and enough of them.
        if !(8..=128).contains(&nonce.len()) || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::Header);
        }
        let content = if third {
            signed::third(&self.base, request.query, &form, nonce)
        } else {
            signed::second(&self.base, nonce)
        };
        if !signed::by_one_of(&self.tokens, &content, request, signatures)? {
            return Err(Refusal::Signature);
        }
        let (id, text) = (form.need("MessageUUID")?, form.need("Text")?);
        if id.is_empty() || id.len() > 128 {
            return Err(Refusal::Content);
        }
        let id = if third { id } else { nonce };
        let text = InboundText::new(channel, id, form.one("From")?, text, Self::TRUST);
        Ok(Incoming::Text(text))
    }

    /// Whether the query is the configured one, or our secret where there is one.
    fn called(&self, request: &RawRequest<'_>) -> bool {
        if self.url_secrets.is_empty() {
            request.query.unwrap_or_default() == self.query.as_deref().unwrap_or_default()
        } else {
            unguessable::is_query(request.query, &self.url_secrets)
        }
    }
}
