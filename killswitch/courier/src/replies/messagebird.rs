//! MessageBird: `POST /messages`, an access key. <https://developers.messagebird.com/api/sms-messaging/>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "messagebird";

pub(crate) const SETTINGS: &[Setting] = &[
    file(
        "reply_key_file",
        "the path of a file with a live access key of MessageBird",
    ),
    optional(
        "reply_from",
        "your number at MessageBird, such as \"15550001111\"",
    ),
    optional(
        "reply_url",
        "another address than https://rest.messagebird.com",
    ),
];

pub(crate) struct MessageBird {
    endpoint: Endpoint,
    from: String,
}

impl MessageBird {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_key_file", "reply_from"])? {
            return Ok(None);
        }
        let base = channel.base("reply_url", "https://rest.messagebird.com");
        let endpoint = Endpoint::new("reply_url", &format!("{base}/messages"))?;
        Ok(Some(Self {
            endpoint: endpoint.with("AccessKey", channel.need("reply_key_file")?)?,
            from: channel
                .need("reply_from")?
                .trim_start_matches('+')
                .to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?.trim_start_matches('+');
        let body = serde_json::json!({
            "originator": self.from, "body": letter.text, "recipients": to,
        });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
