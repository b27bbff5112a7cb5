//! Twilio: `Messages.json`, for what is not the answer to a call: warnings, and replies in place of another channel's.
//! <https://www.twilio.com/docs/messaging/api/message-resource>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "twilio";

pub(crate) const SETTINGS: &[Setting] = &[
    optional("reply_account", "your account at Twilio, `AC…`"),
    file(
        "reply_token_file",
        "the path of a file with the account's auth token",
    ),
    optional(
        "reply_from",
        "your number at Twilio, such as \"+15550001111\"",
    ),
    optional("reply_url", "another address than https://api.twilio.com"),
];

pub(crate) struct Twilio {
    endpoint: Endpoint,
    from: String,
}

impl Twilio {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_account", "reply_token_file", "reply_from"])? {
            return Ok(None);
        }
        let account = channel.need("reply_account")?;
        if !account.starts_with("AC") || !account.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err("`reply_account` is no account of Twilio, `AC…`".to_owned());
        }
        let base = channel.base("reply_url", "https://api.twilio.com");
        let address = format!("{base}/2010-04-01/Accounts/{account}/Messages.json");
        let endpoint = Endpoint::new("reply_url", &address)?;
        Ok(Some(Self {
            endpoint: endpoint.basic(account, channel.need("reply_token_file")?)?,
            from: channel.need("reply_from")?.to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?;
        let fields = [("To", to), ("From", &self.from), ("Body", &letter.text)];
        let request = self.endpoint.form(&fields).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
