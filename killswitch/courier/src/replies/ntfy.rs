//! ntfy: publishes to a topic for replies, which is never the one that texts come by. <https://docs.ntfy.sh/publish/>

use crate::channel::ChannelSettings;
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter};
use crate::ntfy::{KIND, SERVER, topic, with_token};
use crate::web::Web;

pub(crate) struct Ntfy {
    endpoint: Endpoint,
    topic: String,
}

impl Ntfy {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let Some(own) = topic(channel, "reply_topic")? else {
            return Ok(None);
        };
        if topic(channel, "topic")?.as_ref() == Some(&own) {
            return Err("`reply_topic` is the topic that texts come by: every reply would come back as a text".to_owned());
        }
        let endpoint = Endpoint::new("server", &channel.base("server", SERVER))?;
        Ok(Some(Self {
            endpoint: with_token(endpoint, channel)?,
            topic: own,
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let body = serde_json::json!({
            "topic": self.topic, "message": letter.text, "title": "Kill switch", "priority": 5,
        });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        web.post(request).await.map(drop)
    }
}
