//! Twilio's webhooks for incoming messages, signed with the account's auth token.
//!
//! `X-Twilio-Signature` is base64 of HMAC-SHA-1 over the public URL and every form field
//! (<https://www.twilio.com/docs/usage/security>). It carries no time: an old request verifies for
//! ever, so nothing here may be trusted to be fresh. The algorithm is fixed, whatever headers say.
//! JSON bodies and keys other than the token, which few use, are checked in `otherwise.rs`.

mod answer;
mod config;
mod otherwise;

use crate::incoming::Incoming;
use crate::refusal::Refusal;
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kill_core::InboundText;
use kill_wire::Timestamp;
use sha1::Sha1;
use std::{borrow::Cow, collections::BTreeSet};
use zeroize::Zeroizing;

const SIGNATURE: &str = "x-twilio-signature";
/// Twilio sends some thirty fields and adds more over time. With some left out no signature holds.
const MAX_FIELDS: usize = 512;

type Fields<'a> = BTreeSet<(Cow<'a, str>, Cow<'a, str>)>;

pub(crate) struct Twilio {
    /// The public URL with and without its port: Twilio signs now one, now the other.
    urls: [String; 2],
    query: Option<String>,
    tokens: Vec<Zeroizing<String>>,
    shared: Vec<otherwise::SharedKey>,
}

impl Twilio {
    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        _now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let given = STANDARD
            .decode(request.header(SIGNATURE)?)
            .map_err(|_| Refusal::Header)?;
        if let Some(fields) = self.otherwise(request, &given)? {
            return text(channel, &fields);
        }
        if request.query.unwrap_or_default() != self.query.as_deref().unwrap_or_default() {
            return Err(Refusal::Address);
        }
        // Sorted by name, then value, each pair once: the order and the reading Twilio signs.
        let fields: Fields<'_> = form_urlencoded::parse(request.body)
            .take(MAX_FIELDS)
            .collect();
        let signed = |token: &Zeroizing<String>, url: &String| -> bool {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
                return false;
            };
            mac.update(url.as_bytes());
            for (name, value) in &fields {
                mac.update(name.as_bytes());
                mac.update(value.as_bytes());
            }
            mac.verify_slice(&given).is_ok()
        };
        let by = |token| self.urls.iter().any(|url| signed(token, url));
        if !self.tokens.iter().any(by) {
            return Err(Refusal::Signature);
        }
        text(channel, &fields)
    }
}

fn text(channel: &str, fields: &Fields<'_>) -> Result<Incoming, Refusal> {
    let id = field(fields, "MessageSid")?.unwrap_or_default();
    let (from, body) = (field(fields, "From")?, field(fields, "Body")?);
    let text = body.filter(|_| !id.is_empty()).ok_or(Refusal::Content)?;
    let text = InboundText::new(channel, id, from, text, Twilio::TRUST);
    Ok(Incoming::Text(text))
}

/// The one value of a field; a field we read may not stand there twice with two values.
fn field<'a>(fields: &'a Fields<'_>, wanted: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = fields.iter().filter(|(name, _)| name == wanted);
    let value = values.next().map(|(_, value)| value.as_ref());
    if values.next().is_some() {
        Err(Refusal::Content)
    } else {
        Ok(value)
    }
}
