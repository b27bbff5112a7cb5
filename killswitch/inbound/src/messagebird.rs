//! MessageBird's webhooks: a JWT that lives a minute, bound to the address and to the body by their hashes
//! (<https://developers.messagebird.com/api/#verifying-http-requests>).

use crate::fields;
use crate::incoming::{Incoming, Replies};
use crate::jwt::{self, Algorithm};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use kill_core::{InboundText, Trust};
use kill_wire::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

const SIGNATURE: &str = "messagebird-signature-jwt";
const ISSUER: &str = "MessageBird";
/// Longest a token may live, and how far the clocks may differ, in seconds.
const LIFE_S: u64 = 60;
const LEEWAY_S: u64 = 1;

const ALGORITHM: Setting = Setting {
    name: "algorithm",
    expect: "`HS256`, `HS384` or `HS512`, the one MessageBird signs with; without it `HS256`",
    required: false,
    file: false,
};

pub(crate) struct MessageBird {
    /// The public URL without its query, and that; a call by `GET` adds fields to it.
    address: String,
    query: String,
    algorithm: Algorithm,
    secrets: Vec<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    nbf: u64,
    exp: u64,
    jti: String,
    url_hash: String,
    payload_hash: Option<String>,
}

impl MessageBird {
    pub(crate) const KIND: &str = "messagebird";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST", "GET"];
    pub(crate) const SETTINGS: &[Setting] = &[ALGORITHM];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let algorithm = options.setting(ALGORITHM.name).unwrap_or("HS256");
        let algorithm = Algorithm::named(algorithm)
            .ok_or_else(|| format!("algorithm: expected {}", ALGORITHM.expect))?;
        let secrets = options.take_visible_secrets("the signing key of the developer settings")?;
        let url = options
            .public_url
            .ok_or("expected public_url, the address MessageBird calls")?;
        let shown = url.split('#').next().unwrap_or_default();
        let (address, query) = shown.split_once('?').unwrap_or((shown, ""));
        let web = address.starts_with("https://") || address.starts_with("http://");
        if !web || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!(
                "`{url}` is no public_url; expected something like https://kill.example.net/v1/inbound/messagebird"
            ));
        }
        Ok(Self {
            address: address.to_owned(),
            query: query.to_owned(),
            algorithm,
            secrets,
        })
    }

    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let token = request.header(SIGNATURE)?;
        let claims: Claims = self.algorithm.claims(token, &self.secrets)?;
        let url = self.called(request).ok_or(Refusal::Address)?;
        if !jwt::is_hash(&claims.url_hash, url.as_bytes()) {
            return Err(Refusal::Address);
        }
        // A hash of the body if and only if there is one.
        let body = match &claims.payload_hash {
            Some(hash) => !request.body.is_empty() && jwt::is_hash(hash, request.body),
            None => request.body.is_empty(),
        };
        if !body || claims.iss != ISSUER {
            return Err(Refusal::Signature);
        }
        claims.live(now)?;
        let fields = fields::of(request)?;
        // Reports of what became of a message we sent say `status` and nothing else.
        let Some(text) = fields.get("body").or_else(|| fields.get("payload")) else {
            let report = fields.contains_key("status");
            return report.then_some(Incoming::Nothing).ok_or(Refusal::Content);
        };
        let sender = fields.get("originator").map(String::as_str);
        // A flow may leave the message's id out; its token is of one call, and a replay repeats it too.
        let id = fields.get("id").filter(|id| !id.is_empty());
        let id = id.map_or_else(|| format!("jti:{}", claims.jti), Clone::clone);
        let text = InboundText::new(channel, &id, sender, text, Self::TRUST);
        Ok(Incoming::Text(text))
    }

    /// The address as it was called, if that is the configured one.
    fn called(&self, request: &RawRequest<'_>) -> Option<String> {
        let Some(query) = request.query else {
            return self.query.is_empty().then(|| self.address.clone());
        };
        let rest = query.strip_prefix(&self.query)?;
        let added = self.query.is_empty() || rest.starts_with('&');
        let right = rest.is_empty() || added && request.method == "GET";
        right.then(|| format!("{}?{query}", self.address))
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}

impl Claims {
    fn live(&self, now: Timestamp) -> Result<(), Refusal> {
        let now = now.secs();
        let begun = self.nbf <= now.saturating_add(LEEWAY_S);
        let lives = self.exp > now.saturating_sub(LEEWAY_S);
        let short = self.exp.saturating_sub(self.nbf) <= LIFE_S;
        if self.jti.is_empty() || self.jti.len() > 64 {
            return Err(Refusal::Header);
        }
        (begun && lives && short)
            .then_some(())
            .ok_or(Refusal::Stale)
    }
}
