//! SMS Gateway for Android: the phone in the house (`http://PHONE:8080/message`) or the project's cloud
//! (`https://api.sms-gate.app/3rdparty/v1/messages`); the same request for both. <https://docs.sms-gate.app/integration/api/>

use crate::channel::{ChannelSettings, file, optional};
use crate::endpoint::Endpoint;
use crate::letter::{Failure, Letter, number_of};
use crate::web::{CALL_LIMIT, Web};
use http::StatusCode;
use kill_inbound::Setting;

pub(crate) const KIND: &str = "sms-gate";

pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "reply_url",
        "where texts are handed over: \"http://PHONE:8080/message\" or \"https://api.sms-gate.app/3rdparty/v1/messages\"",
    ),
    optional("reply_user", "the user the app shows"),
    file(
        "reply_password_file",
        "the path of a file with the password the app shows",
    ),
];

pub(crate) struct SmsGate {
    endpoint: Endpoint,
}

impl SmsGate {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        if !channel.wants(&["reply_url", "reply_user", "reply_password_file"])? {
            return Ok(None);
        }
        let endpoint = Endpoint::new("reply_url", channel.need("reply_url")?)?;
        let (user, password) = (
            channel.need("reply_user")?,
            channel.need("reply_password_file")?,
        );
        Ok(Some(Self {
            endpoint: endpoint.basic(user, password)?,
        }))
    }

    /// Its own number makes a text that is handed over twice one text for the phone, which then says that it has it; the
    /// highest priority lets it pass what else waits there.
    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let to = number_of(letter)?;
        let body = serde_json::json!({
            "id": format!("portcullis-{}", letter.number),
            "phoneNumbers": [to],
            "textMessage": { "text": letter.text },
            "withDeliveryReport": false,
            "priority": 127,
        });
        let request = self.endpoint.json(&body).map_err(Failure::never)?;
        let answer = web.call(request, CALL_LIMIT).await;
        let answer = answer.map_err(Failure::later)?;
        if answer.status.is_success() || answer.status == StatusCode::CONFLICT {
            return Ok(());
        }
        Err(answer.failure())
    }
}
