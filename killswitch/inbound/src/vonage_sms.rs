//! Vonage's SMS API: HMAC over the sorted fields of a query, a form or JSON
//! (<https://developer.vonage.com/en/getting-started/concepts/signing-messages>).
//!
//! Its MD5 and SHA-1 forms are not spoken. In what is signed, `&` and `=` inside a value stand as `_`: a text may come with
//! one of the three for another, which all only part words and codes.

use crate::fields::{self, Fields};
use crate::fresh;
use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use crate::same;
use hmac::{Hmac, KeyInit, Mac};
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

const ALGORITHM: Setting = Setting {
    name: "algorithm",
    expect: "`sha256` or `sha512`, as chosen in the account's settings",
    required: true,
    file: false,
};

pub(crate) struct VonageSms {
    secrets: Vec<Zeroizing<String>>,
    made: fn(&[u8], &Fields, &str) -> bool,
}

impl VonageSms {
    pub(crate) const KIND: &str = "vonage-sms";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST", "GET"];
    pub(crate) const SETTINGS: &[Setting] = &[ALGORITHM];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let made: fn(&[u8], &Fields, &str) -> bool = match options.setting(ALGORITHM.name) {
            Some("sha256") => made::<Hmac<Sha256>>,
            Some("sha512") => made::<Hmac<Sha512>>,
            Some("md5" | "md5hash" | "sha1") => {
                return Err(
                    "algorithm: MD5 and SHA-1 are not accepted; choose SHA-256 HMAC or SHA-512 HMAC at Vonage"
                        .to_owned(),
                );
            }
            _ => return Err(format!("algorithm: expected {}", ALGORITHM.expect)),
        };
        let secrets = options.take_visible_secrets("the account's signature secret")?;
        Ok(Self { secrets, made })
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let mut fields = fields::of(request)?;
        let given = fields.remove("sig").ok_or(Refusal::Header)?;
        let given = given.to_ascii_lowercase();
        // A name with a separator in it could stand for two fields, and hide one of them.
        if fields.keys().any(|name| name.contains(['&', '='])) {
            return Err(Refusal::Content);
        }
        let made = |secret: &Zeroizing<String>| (self.made)(secret.as_bytes(), &fields, &given);
        if !self.secrets.iter().any(made) {
            return Err(Refusal::Signature);
        }
        let at = fresh::seconds(field(&fields, "timestamp").ok_or(Refusal::Header)?)?;
        fresh::within(at, now, fresh::TOLERANCE_S)?;
        field(&fields, "nonce").ok_or(Refusal::Header)?;
        let id = field(&fields, "messageId").ok_or(Refusal::Content)?;
        let Some(text) = fields.get("text") else {
            // What became of a message we sent, or bytes for a machine.
            let other = fields.contains_key("status") || fields.contains_key("data");
            return other.then_some(Incoming::Nothing).ok_or(Refusal::Content);
        };
        let sender = field(&fields, "msisdn");
        let text = InboundText::new(channel, id, sender, text, Self::TRUST);
        Ok(Incoming::Text(text))
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}

/// The value of a field that says something.
fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let value = fields.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

fn made<M: Mac + KeyInit>(secret: &[u8], fields: &Fields, given: &str) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else {
        return false;
    };
    for (name, value) in fields {
        let value = value.replace(['&', '='], "_");
        for part in ["&", name, "=", &value] {
            mac.update(part.as_bytes());
        }
    }
    same::hex(given, &mac.finalize().into_bytes())
}
