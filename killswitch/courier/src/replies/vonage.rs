//! Vonage: the SMS interface (`POST /sms/json`) and the Messages interface (`POST /v1/messages`), each for the channel of
//! its kind; both with the account's key and secret.
//! <https://developer.vonage.com/en/api/sms>, <https://developer.vonage.com/en/api/messages-olympus>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Again, Failure, Letter, number_of};
use crate::web::{Answer, Web};
use kill_inbound::Setting;
use serde::Deserialize;

pub(crate) const KINDS: [&str; 2] = [VonageSms::KIND, VonageMessages::KIND];

pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "reply_key",
        "the key of your Vonage account, such as \"abcd1234\"",
    ),
    file(
        "reply_secret_file",
        "the path of a file with the account's secret",
    ),
    optional(
        "reply_from",
        "your number at Vonage, such as \"15550001111\"",
    ),
    optional(
        "reply_url",
        "another address than https://rest.nexmo.com (vonage-sms), https://api.nexmo.com (vonage-messages)",
    ),
];

/// What both have in common.
fn account(
    channel: &ChannelSettings,
    base: &str,
    path: &str,
) -> Result<Option<(Endpoint, String)>, String> {
    if !channel.wants(&["reply_key", "reply_secret_file", "reply_from"])? {
        return Ok(None);
    }
    let base = channel.base("reply_url", base);
    let endpoint = Endpoint::new("reply_url", &format!("{base}{path}"))?;
    let (key, secret) = (
        channel.need("reply_key")?,
        channel.need("reply_secret_file")?,
    );
    let from = channel
        .need("reply_from")?
        .trim_start_matches('+')
        .to_owned();
    Ok(Some((endpoint.basic(key, secret)?, from)))
}

pub(crate) struct VonageSms {
    endpoint: Endpoint,
    from: String,
}

#[derive(Deserialize)]
struct Parts {
    messages: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: String,
}

impl VonageSms {
    pub(crate) const KIND: &str = "vonage-sms";

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let made = account(channel, "https://rest.nexmo.com", "/sms/json")?;
        Ok(made.map(|(endpoint, from)| Self { endpoint, from }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?.trim_start_matches('+');
        let fields = [("to", to), ("from", &self.from), ("text", &letter.text)];
        let request = self.endpoint.form(&fields).map_err(Failure::never)?;
        web.post(request).await.and_then(|answer| accepted(&answer))
    }
}

/// Refusals come with status 200, and say so inside: 0 is success.
pub(crate) fn accepted(answer: &Answer) -> Result<(), Failure> {
    let parts: Parts = serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::later("its answer is not understood"))?;
    let Some(part) = parts.messages.iter().find(|part| part.status != "0") else {
        return Ok(());
    };
    let (why, again) = match part.status.as_str() {
        "1" => ("it asks us to slow down (status 1)", Again::Later),
        "5" => ("it is in trouble (status 5)", Again::Later),
        "4" => ("it refuses our credentials (status 4)", Again::Broken),
        "8" => ("the account is barred (status 8)", Again::Broken),
        "9" => ("the account has no money left (status 9)", Again::Broken),
        _ => ("it refuses the text", Again::Never),
    };
    let why = why.to_owned();
    Err(Failure { why, again })
}

pub(crate) struct VonageMessages {
    endpoint: Endpoint,
    from: String,
}

impl VonageMessages {
    pub(crate) const KIND: &str = "vonage-messages";

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let made = account(channel, "https://api.nexmo.com", "/v1/messages")?;
        Ok(made.map(|(endpoint, from)| Self { endpoint, from }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?.trim_start_matches('+');
        let body = serde_json::json!({
            "to": to, "from": self.from, "text": letter.text,
            "channel": "sms", "message_type": "text",
        });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
