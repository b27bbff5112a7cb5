//! Sinch: `POST /xms/v1/{plan}/batches`, the plan's token. <https://developers.sinch.com/docs/sms/api-reference/>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::Web;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "sinch";

pub(crate) const SETTINGS: &[Setting] = &[
    optional("reply_plan", "the id of your service plan at Sinch"),
    file(
        "reply_token_file",
        "the path of a file with the plan's token",
    ),
    optional(
        "reply_from",
        "your number at Sinch, such as \"+15550001111\"",
    ),
    optional(
        "reply_region",
        "the region of the plan: us (where nothing is said), eu, au, br or ca",
    ),
    optional(
        "reply_url",
        "another address than https://REGION.sms.api.sinch.com",
    ),
];

pub(crate) struct Sinch {
    endpoint: Endpoint,
    from: String,
}

impl Sinch {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_plan", "reply_token_file", "reply_from"])? {
            return Ok(None);
        }
        let region = channel.get("reply_region").unwrap_or("us");
        if !["us", "eu", "au", "br", "ca"].contains(&region) {
            return Err("`reply_region` is none of us, eu, au, br, ca".to_owned());
        }
        let plan = channel.need("reply_plan")?;
        if !plan
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            return Err("`reply_plan` is no id of a service plan".to_owned());
        }
        let base = channel.base("reply_url", &format!("https://{region}.sms.api.sinch.com"));
        let endpoint = Endpoint::new("reply_url", &format!("{base}/xms/v1/{plan}/batches"))?;
        Ok(Some(Self {
            endpoint: endpoint.with("Bearer", channel.need("reply_token_file")?)?,
            from: channel.need("reply_from")?.to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?;
        let body = serde_json::json!({
            "from": self.from, "to": [to], "body": letter.text, "type": "mt_text",
        });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
