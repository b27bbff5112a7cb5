//! 46elks: `POST /a1/sms`, for what is not the answer to a call. <https://46elks.com/docs/send-sms>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "46elks";

pub(crate) const SETTINGS: &[Setting] = &[
    optional("reply_user", "the user of 46elks' interface"),
    file(
        "reply_password_file",
        "the path of a file with its password",
    ),
    optional(
        "reply_from",
        "your number at 46elks, such as \"+46700000000\"",
    ),
    optional("reply_url", "another address than https://api.46elks.com"),
];

pub(crate) struct Elks46 {
    endpoint: Endpoint,
    from: String,
}

impl Elks46 {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_user", "reply_password_file", "reply_from"])? {
            return Ok(None);
        }
        let base = channel.base("reply_url", "https://api.46elks.com");
        let endpoint = Endpoint::new("reply_url", &format!("{base}/a1/sms"))?;
        let (user, password) = (
            channel.need("reply_user")?,
            channel.need("reply_password_file")?,
        );
        Ok(Some(Self {
            endpoint: endpoint.basic(user, password)?,
            from: channel.need("reply_from")?.to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?;
        let fields = [
            ("from", self.from.as_str()),
            ("to", to),
            ("message", &letter.text),
        ];
        let request = self.endpoint.form(&fields).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
