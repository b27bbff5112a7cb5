//! Plivo: `POST /v1/Account/{id}/Message/`, for what is not the answer to a call.
//! <https://www.plivo.com/docs/messaging/api/message/send-a-message>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "plivo";

pub(crate) const SETTINGS: &[Setting] = &[
    optional("reply_account", "your account at Plivo, `MA…`"),
    file(
        "reply_token_file",
        "the path of a file with the account's auth token",
    ),
    optional(
        "reply_from",
        "your number at Plivo, such as \"15550001111\"",
    ),
    optional("reply_url", "another address than https://api.plivo.com"),
];

pub(crate) struct Plivo {
    endpoint: Endpoint,
    from: String,
}

impl Plivo {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_account", "reply_token_file", "reply_from"])? {
            return Ok(None);
        }
        let account = channel.need("reply_account")?;
        if !account.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err("`reply_account` is no account of Plivo, `MA…`".to_owned());
        }
        let base = channel.base("reply_url", "https://api.plivo.com");
        let address = format!("{base}/v1/Account/{account}/Message/");
        let endpoint = Endpoint::new("reply_url", &address)?;
        Ok(Some(Self {
            endpoint: endpoint.basic(account, channel.need("reply_token_file")?)?,
            from: channel
                .need("reply_from")?
                .trim_start_matches('+')
                .to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?.trim_start_matches('+');
        let body = serde_json::json!({ "src": self.from, "dst": to, "text": letter.text });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
