//! AWS End User Messaging: `SendTextMessage`.
//! <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html>

use crate::aws::{Credentials, KIND, Service};
use crate::channel::ChannelSettings;
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::{CALL_LIMIT, Web};

pub(crate) struct Aws {
    service: Service,
    from: String,
}

impl Aws {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let Some(from) = channel.get("reply_from") else {
            return Ok(None);
        };
        let credentials = Credentials::new(channel)?;
        let usual = format!("https://sms-voice.{}.amazonaws.com", credentials.region);
        let endpoint = Endpoint::new("reply_url", &channel.base("reply_url", &usual))?;
        Ok(Some(Self {
            service: Service::new("sms-voice", endpoint, credentials),
            from: from.to_owned(),
        }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let body = serde_json::json!({
            "DestinationPhoneNumber": number_of(letter)?,
            "OriginationIdentity": self.from,
            "MessageBody": letter.text,
            "MessageType": "TRANSACTIONAL",
        });
        let target = "PinpointSMSVoiceV2.SendTextMessage";
        self.service
            .call(web, target, &body, CALL_LIMIT)
            .await
            .map(drop)
    }
}
