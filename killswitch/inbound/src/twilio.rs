//! Twilio's webhooks for incoming messages, signed with the account's auth token.
//!
//! `X-Twilio-Signature` is base64 of HMAC-SHA-1 over the public URL and every form field
//! (<https://www.twilio.com/docs/usage/security>). It carries no time: an old request verifies for
//! ever, so nothing here may be trusted to be fresh. The algorithm is fixed, whatever headers say.

use crate::channel::Options;
use crate::request::{Answer, RawRequest, Refusal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use sha1::Sha1;
use std::{borrow::Cow, collections::BTreeSet};
use zeroize::Zeroizing;

const SIGNATURE: &str = "x-twilio-signature";
/// Twilio sends some thirty fields and adds more over time.
const MAX_FIELDS: usize = 512;

type Fields<'a> = BTreeSet<(Cow<'a, str>, Cow<'a, str>)>;

pub(crate) struct Twilio {
    /// The public URL with and without its port: Twilio signs now one, now the other.
    urls: [String; 2],
    query: Option<String>,
    tokens: Vec<Zeroizing<String>>,
}

impl Twilio {
    pub(crate) const KIND: &str = "twilio";
    pub(crate) const TRUST: Trust = Trust::B;

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let tokens = options.take_secrets()?;
        if tokens
            .iter()
            .any(|token| token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err("expected an auth token of at least 16 visible characters".to_owned());
        }
        let url = options
            .public_url
            .ok_or("expected public_url, the address Twilio calls")?;
        let (urls, query) = forms(&url).ok_or_else(|| {
            format!("`{url}` is no public_url; expected something like https://kill.example.net/v1/inbound/twilio")
        })?;
        Ok(Self {
            urls,
            query,
            tokens,
        })
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        _now: Timestamp,
    ) -> Result<InboundText, Refusal> {
        let given = STANDARD
            .decode(request.header(SIGNATURE)?)
            .map_err(|_| Refusal::Header)?;
        if request.query.unwrap_or_default() != self.query.as_deref().unwrap_or_default() {
            return Err(Refusal::Address);
        }
        // Sorted by name, then value, each pair once: the order and the reading Twilio signs.
        let fields: Fields<'_> = form_urlencoded::parse(request.body)
            .take(MAX_FIELDS + 1)
            .collect();
        if fields.len() > MAX_FIELDS {
            return Err(Refusal::Content);
        }
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
        if !self
            .tokens
            .iter()
            .any(|token| self.urls.iter().any(|url| signed(token, url)))
        {
            return Err(Refusal::Signature);
        }
        let id = field(&fields, "MessageSid")?
            .filter(|id| !id.is_empty())
            .ok_or(Refusal::Content)?;
        let text = field(&fields, "Body")?.ok_or(Refusal::Content)?;
        Ok(InboundText::new(
            channel,
            id,
            field(&fields, "From")?,
            text,
            Self::TRUST,
        ))
    }

    pub(crate) fn answer(reply: Option<&str>) -> Answer {
        let body = reply.map_or_else(
            || "<Response/>".to_owned(),
            |text| format!("<Response><Message>{}</Message></Response>", escaped(text)),
        );
        Answer {
            status: 200,
            content_type: "text/xml; charset=utf-8",
            body,
        }
    }
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

/// A URL as written and with its port added or taken away, and its query.
fn forms(url: &str) -> Option<([String; 2], Option<String>)> {
    let url = url.split('#').next()?;
    let (scheme, rest) = url.split_once("://")?;
    let default = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !authority.contains('@');
    let colon = authority
        .rfind(':')
        .filter(|at| *at > authority.rfind(']').unwrap_or(0));
    let host = authority.get(..colon.unwrap_or(authority.len()))?;
    if !plain || host.is_empty() {
        return None;
    }
    let other = match colon {
        Some(_) => host.to_owned(),
        None => format!("{host}:{default}"),
    };
    let query = path.split_once('?').map(|(_, query)| query.to_owned());
    Some(([url.to_owned(), format!("{scheme}://{other}{path}")], query))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_address_are_known() {
        for (url, other) in [
            ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
            ("http://a.example/x", "http://a.example:80/x"),
            ("https://a.example:8443/x", "https://a.example/x"),
            ("https://[::1]:8443/x", "https://[::1]/x"),
            ("https://[::1]/x", "https://[::1]:443/x"),
        ] {
            let ([own, second], _) = forms(url).unwrap();
            assert_eq!((own.as_str(), second.as_str()), (url, other));
        }
        assert_eq!(
            forms("https://a.example/x#rc=3&rp=all").unwrap().0[0],
            "https://a.example/x"
        );
        for url in [
            "",
            "a.example/x",
            "ftp://a/x",
            "https:///x",
            "https://u:p@a/x",
            "https://a/x y",
        ] {
            assert!(forms(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_reply_cannot_break_out_of_the_answer() {
        assert_eq!(
            Twilio::answer(Some("a</Message><Redirect>&")).body,
            "<Response><Message>a&lt;/Message&gt;&lt;Redirect&gt;&amp;</Message></Response>"
        );
        assert_eq!(Twilio::answer(None).body, "<Response/>");
    }
}
