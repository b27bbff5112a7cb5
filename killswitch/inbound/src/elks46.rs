//! 46elks (<https://46elks.se/docs/receive-sms>): a form that nobody signs.
//!
//! What shows that 46elks calls is a secret in the address it was told: `?k=…`, or a name and a password before the
//! host, which arrive as basic authorization. Whoever reads the address somewhere on its way can say anything, so a text
//! is trusted least: it may cut with a code, never restore.

use crate::form::Form;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use crate::{same, unguessable};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use zeroize::Zeroizing;

pub(crate) struct Elks46 {
    /// The name of basic authorization; without one the secret stands in the query.
    user: Option<String>,
    secrets: Vec<Zeroizing<String>>,
}

impl Elks46 {
    pub(crate) const KIND: &str = "46elks";
    pub(crate) const TRUST: Trust = Trust::C;
    pub(crate) const REPLIES: Replies = Replies::InResponse;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[Setting {
        name: "user",
        expect: "the name in https://NAME:SECRET@HOST/…, where the secret is not in the query `?k=SECRET`",
        required: false,
        file: false,
    }];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let secrets = options.take_secrets()?;
        if !secrets.iter().all(|secret| unguessable::good(secret)) {
            return Err(format!("expected a secret of {}", unguessable::EXPECT));
        }
        let user = options.settings.remove("user");
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match &user {
            Some(user) if user.is_empty() || user.len() > 64 || !user.bytes().all(plain) => {
                Err("expected as user a name of A-Z, a-z, 0-9, `-` and `_`".to_owned())
            }
            _ => Ok(Self { user, secrets }),
        }
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        _now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let known = match &self.user {
            Some(user) => self.signed_in(user, request.header("authorization")?)?,
            None => unguessable::is_query(request.query, &self.secrets),
        };
        if !known {
            return Err(Refusal::Signature);
        }
        let form = Form::of(request.body);
        if form.need("direction")? != "incoming" {
            return Ok(Incoming::Nothing);
        }
        let (id, text) = (form.need("id")?, form.need("message")?);
        if id.is_empty() || id.len() > 128 {
            return Err(Refusal::Content);
        }
        let text = InboundText::new(channel, id, form.one("from")?, text, Self::TRUST);
        Ok(Incoming::Text(text))
    }

    /// Whether this is basic authorization (RFC 7617) with our name and one of the secrets.
    fn signed_in(&self, user: &str, header: &str) -> Result<bool, Refusal> {
        let (scheme, given) = header.split_once(' ').ok_or(Refusal::Header)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(Refusal::Header);
        }
        let given = Zeroizing::new(STANDARD.decode(given).map_err(|_| Refusal::Header)?);
        let given = std::str::from_utf8(&given).map_err(|_| Refusal::Header)?;
        let (name, password) = given.split_once(':').ok_or(Refusal::Header)?;
        let right = |secret: &Zeroizing<String>| same::text(password, secret);
        Ok(same::text(name, user) && self.secrets.iter().any(right))
    }

    /// The text that 46elks sends back is the body; an empty one sends nothing.
    pub(crate) fn answer(reply: Option<&str>) -> Answer {
        Answer {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: reply.unwrap_or_default().to_owned(),
        }
    }
}
