//! Telnyx: `POST /v2/messages`, a key as bearer token. <https://developers.telnyx.com/api/messaging/send-message>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "telnyx";

pub(crate) const SETTINGS: &[Setting] = &[
    file(
        "reply_key_file",
        "the path of a file with a key of Telnyx's interface, `KEY…`",
    ),
    optional(
        "reply_from",
        "your number at Telnyx, such as \"+15550001111\"",
    ),
    optional("reply_url", "another address than https://api.telnyx.com"),
];

pub(crate) struct Telnyx {
    endpoint: Endpoint,
    from: String,
}

impl Telnyx {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_key_file", "reply_from"])? {
            return Ok(None);
        }
        let base = channel.base("reply_url", "https://api.telnyx.com");
        let endpoint = Endpoint::new("reply_url", &format!("{base}/v2/messages"))?;
        Ok(Some(Self {
            endpoint: endpoint.with("Bearer", channel.need("reply_key_file")?)?,
            from: channel.need("reply_from")?.to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?;
        let body = serde_json::json!({ "to": to, "from": self.from, "text": letter.text });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
