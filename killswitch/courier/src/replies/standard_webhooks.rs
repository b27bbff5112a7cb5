//! Any program: `POST` of `{"to", "text"}` to an address of the owner's, signed with the channel's own secret as Standard
//! Webhooks says. The id is the reply's, so that one that comes twice can be told.

use crate::channel::{ChannelSettings, optional};
use crate::clock;
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter};
use crate::web::Web;
use http::{HeaderName, Method, header};
use kill_inbound::{Setting, standard_webhooks};
use zeroize::Zeroizing;

pub(crate) const KIND: &str = "standard-webhooks";

pub(crate) const SETTINGS: &[Setting] = &[optional(
    "reply_url",
    "where what is no answer to a call goes, such as \"https://automation.lan/portcullis\"",
)];

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

pub(crate) struct StandardWebhooks {
    endpoint: Endpoint,
    secret: Zeroizing<String>,
}

impl StandardWebhooks {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let Some(url) = channel.get("reply_url") else {
            return Ok(None);
        };
        Ok(Some(Self {
            endpoint: Endpoint::new("reply_url", url)?,
            secret: channel.secret()?,
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let body = serde_json::json!({ "to": letter.to, "text": letter.text }).to_string();
        let id = format!("reply-{}", letter.number);
        let now = clock::now();
        let signed = standard_webhooks::sign(&self.secret, &id, now, body.as_bytes());
        let signature = signed.map_err(|why| Failure::never(why.to_string()))?;
        let at = now.secs().to_string();
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (ID, &id),
            (TIMESTAMP, &at),
            (SIGNATURE, &signature),
        ];
        let request = self.endpoint.request(Method::POST, &headers, body);
        web.post(request.map_err(Failure::never)?).await.map(drop)
    }
}
