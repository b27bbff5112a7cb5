//! The providers' side: a text as each of them signs it and calls with it, by their definitions.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey};
use form_urlencoded::Serializer;
use hmac::{Hmac, KeyInit, Mac};
use kill_inbound::{Channel, Incoming, Options, RawRequest, Refusal};
use kill_wire::Timestamp;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

pub(crate) const SECRET: &str = "Zk3_x-91mQpLr7TwB2uYd0123456789";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One HTTP call.
pub(crate) struct Call {
    headers: Vec<(&'static str, String)>,
    query: Option<String>,
    body: String,
}

impl Call {
    /// With nothing but a body, as Amazon SNS posts.
    pub(crate) fn of_body(body: &str) -> Self {
        Self {
            headers: Vec::new(),
            query: None,
            body: body.to_owned(),
        }
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    pub(crate) fn verify(&self, channel: &Channel, now: Timestamp) -> Result<Incoming, Refusal> {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let request = RawRequest {
            method: "POST",
            headers: &headers,
            query: self.query.as_deref(),
            body: self.body.as_bytes(),
        };
        channel.verify(&request, now)
    }
}

pub(crate) fn url(kind: &str) -> String {
    format!("https://kill.example.net/v1/inbound/{kind}")
}

/// What a channel of this kind is configured with, so that what is signed here holds.
pub(crate) fn options(kind: &str) -> Options {
    let secret = match kind {
        "standard-webhooks" => WHSEC.to_owned(),
        "telnyx" => BASE64.encode(telnyx_key().verifying_key().as_bytes()),
        _ => SECRET.to_owned(),
    };
    let mut options = Options {
        public_url: Some(url(kind)),
        secrets: vec![secret],
        ..Options::default()
    };
    if kind == "vonage-sms" {
        let algorithm = ("algorithm".to_owned(), "sha256".to_owned());
        options.settings.extend([algorithm]);
    }
    options
}

/// A text as this kind of provider signs it at `now`; `None` for kinds that nobody here can sign for.
pub(crate) fn signed(kind: &str, id: &str, from: &str, says: &str, now: Timestamp) -> Option<Call> {
    let text = Text {
        id,
        from,
        says,
        at: now.secs().to_string(),
        now: now.secs(),
    };
    Some(match kind {
        "twilio" => text.twilio(),
        "plivo" => text.plivo(),
        "sms-gate" => text.sms_gate(),
        "46elks" => text.elks46(),
        "telnyx" => text.telnyx(),
        "vonage-sms" => text.vonage_sms(),
        "vonage-messages" => text.vonage_messages(),
        "messagebird" => text.messagebird(),
        "sinch" => text.sinch(),
        "standard-webhooks" => text.standard_webhooks(),
        _ => return None,
    })
}

struct Text<'a> {
    id: &'a str,
    from: &'a str,
    says: &'a str,
    at: String,
    now: u64,
}

impl Text<'_> {
    /// <https://www.twilio.com/docs/usage/security>
    fn twilio(&self) -> Call {
        let fields = [
            ("Body", self.says),
            ("From", self.from),
            ("MessageSid", self.id),
        ];
        let signed = format!("{}{}", url("twilio"), run_on(&fields));
        let signature = BASE64.encode(&mac::<Hmac<Sha1>>(SECRET.as_bytes(), &signed));
        call(vec![("X-Twilio-Signature", signature)], form(&fields))
    }

    /// The third scheme, which signs the fields: <https://www.plivo.com/docs/messaging/concepts/signature-validation>
    fn plivo(&self) -> Call {
        let fields = [
            ("From", self.from),
            ("MessageUUID", self.id),
            ("Text", self.says),
        ];
        let nonce = format!("nonce-{}", self.at);
        let signed = format!("{}?{}.{nonce}", url("plivo"), run_on(&fields));
        let headers = vec![
            ("X-Plivo-Signature-V3", BASE64.encode(&sha256(&signed))),
            ("X-Plivo-Signature-V3-Nonce", nonce),
        ];
        call(headers, form(&fields))
    }

    /// <https://docs.sms-gate.app/features/webhooks/>
    fn sms_gate(&self) -> Call {
        let payload = json!({"message": self.says, "sender": self.from});
        let body = json!({"event": "sms:received", "id": self.id, "payload": payload}).to_string();
        let signature = HEXLOWER.encode(&sha256(&format!("{body}{}", self.at)));
        let at = self.at.clone();
        call(vec![("X-Signature", signature), ("X-Timestamp", at)], body)
    }

    /// <https://46elks.se/docs/receive-sms>
    fn elks46(&self) -> Call {
        let fields = [
            ("direction", "incoming"),
            ("from", self.from),
            ("id", self.id),
            ("message", self.says),
        ];
        Call {
            query: Some(format!("k={SECRET}")),
            ..call(Vec::new(), form(&fields))
        }
    }

    /// <https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks>
    fn telnyx(&self) -> Call {
        let from = json!({"phone_number": self.from});
        let payload = json!({"id": self.id, "from": from, "text": self.says});
        let body = json!({"data": {"event_type": "message.received", "payload": payload}});
        let body = body.to_string();
        let signature = telnyx_key().sign(format!("{}|{body}", self.at).as_bytes());
        let headers = vec![
            (
                "telnyx-signature-ed25519",
                BASE64.encode(&signature.to_bytes()),
            ),
            ("telnyx-timestamp", self.at.clone()),
        ];
        call(headers, body)
    }

    /// <https://developer.vonage.com/en/getting-started/concepts/signing-messages>
    fn vonage_sms(&self) -> Call {
        let fields = [
            ("messageId", self.id),
            ("msisdn", self.from),
            ("nonce", &self.at),
            ("text", self.says),
            ("timestamp", &self.at),
        ];
        let plain = |value: &str| value.replace(['&', '='], "_");
        let signed: String = fields
            .iter()
            .map(|(name, value)| format!("&{name}={}", plain(value)))
            .collect();
        let signature = HEXLOWER.encode(&sha256(&signed));
        call(Vec::new(), format!("{}&sig={signature}", form(&fields)))
    }

    /// <https://developer.vonage.com/en/getting-started/concepts/webhooks>
    fn vonage_messages(&self) -> Call {
        let body = json!({
            "message_uuid": self.id, "from": self.from, "message_type": "text", "text": self.says,
        });
        let body = body.to_string();
        let token = token(&json!({"iat": self.now, "jti": self.id, "payload_hash": hash(&body)}));
        call(vec![("Authorization", format!("Bearer {token}"))], body)
    }

    /// <https://developers.messagebird.com/api/#verifying-http-requests>
    fn messagebird(&self) -> Call {
        let body = form(&[
            ("id", self.id),
            ("originator", self.from),
            ("body", self.says),
        ]);
        let token = token(&json!({
            "iss": "MessageBird", "nbf": self.now, "exp": self.now + 60, "jti": self.at,
            "url_hash": hash(&url("messagebird")), "payload_hash": hash(&body),
        }));
        call(vec![("MessageBird-Signature-JWT", token)], body)
    }

    /// <https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/>
    fn sinch(&self) -> Call {
        let body = json!({
            "type": "mo_text", "id": self.id, "from": self.from, "body": self.says,
        });
        let body = body.to_string();
        let nonce = format!("nonce-{}", self.at);
        let signature = BASE64.encode(&sha256(&format!("{body}.{nonce}.{}", self.at)));
        let headers = vec![
            ("x-sinch-webhook-signature", signature),
            ("x-sinch-webhook-signature-nonce", nonce),
            ("x-sinch-webhook-signature-timestamp", self.at.clone()),
            ("x-sinch-webhook-signature-algorithm", "HmacSHA256".into()),
        ];
        call(headers, body)
    }

    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    fn standard_webhooks(&self) -> Call {
        let body = json!({"text": self.says, "from": self.from}).to_string();
        let key = BASE64.decode(WHSEC.trim_start_matches("whsec_").as_bytes());
        let signed = format!("{}.{}.{body}", self.id, self.at);
        let signature = BASE64.encode(&mac::<Hmac<Sha256>>(&key.unwrap(), &signed));
        let headers = vec![
            ("webhook-id", self.id.to_owned()),
            ("webhook-timestamp", self.at.clone()),
            ("webhook-signature", format!("v1,{signature}")),
        ];
        call(headers, body)
    }
}

fn call(headers: Vec<(&'static str, String)>, body: String) -> Call {
    Call {
        headers,
        query: None,
        body,
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Names and values without anything between them; the fields are given in the order of their names.
fn run_on(fields: &[(&str, &str)]) -> String {
    let all = fields.iter();
    all.flat_map(|(name, value)| [*name, *value]).collect()
}

fn telnyx_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn mac<M: Mac + KeyInit>(secret: &[u8], signed: &str) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret).unwrap();
    let mac = mac.chain_update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(signed: &str) -> Vec<u8> {
    mac::<Hmac<Sha256>>(SECRET.as_bytes(), signed)
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// A JSON Web Token by HS256 (RFC 7515).
fn token(claims: &serde_json::Value) -> String {
    let part = |value: &str| BASE64URL_NOPAD.encode(value.as_bytes());
    let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
    let signed = format!("{}.{}", part(&header), part(&claims.to_string()));
    let signature = BASE64URL_NOPAD.encode(&sha256(&signed));
    format!("{signed}.{signature}")
}
