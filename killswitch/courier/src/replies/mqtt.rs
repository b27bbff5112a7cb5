//! MQTT: publishes the reply beside the topic the text came by, over a connection of its own.

use crate::channel::ChannelSettings;
use crate::letter::{Failure, Letter};
use crate::mqtt::{KIND, problem, reply};
use crate::web::{CALL_LIMIT, Web};
use rumqttc::{AsyncClient, ConnectionError, EventLoop, MqttOptions, PublishOptions, QoS};
use tokio::time::timeout;

pub(crate) struct Mqtt {
    options: Box<MqttOptions>,
    topic: String,
}

impl Mqtt {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let (options, topic) = reply(channel)?;
        let options = Box::new(options);
        Ok(Some(Self { options, topic }))
    }

    /// Not retained: a reply is for who waits for it.
    pub(crate) async fn send(&self, _web: &Web, letter: &Letter) -> Result<(), Failure> {
        let options = *self.options.clone();
        let (client, events) = AsyncClient::builder(options).capacity(4).build();
        let content = serde_json::json!({ "to": letter.to, "text": letter.text }).to_string();
        let send = async {
            let once = PublishOptions::new(QoS::AtLeastOnce);
            let notice = client.publish_tracked(self.topic.clone(), content, once);
            let published = notice
                .await
                .map_err(|e| Failure::later(format!("broker: {e}")))?
                .wait_async()
                .await;
            published.map_err(|e| Failure::later(format!("broker: {e}")))
        };
        let sent = tokio::select! {
            sent = timeout(CALL_LIMIT, send) => {
                sent.map_err(|_| Failure::later("the broker did not take it in time"))?
            }
            error = turn(events) => Err(Failure::later(problem(&error))),
        };
        sent.map(drop)
    }
}

/// Works the connection until it fails.
async fn turn(mut events: EventLoop) -> ConnectionError {
    loop {
        if let Err(error) = events.poll().await {
            return error;
        }
    }
}
