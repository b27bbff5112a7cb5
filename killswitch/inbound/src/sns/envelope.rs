//! What SNS wraps around a message, and which of it is signed.

use crate::refusal::Refusal;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Type {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// The fields that count; AWS adds others.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Envelope {
    #[serde(rename = "Type")]
    pub(super) kind: Type,
    pub(super) message: String,
    pub(super) message_id: String,
    subject: Option<String>,
    pub(super) timestamp: String,
    pub(super) topic_arn: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    pub(super) subscribe_url: Option<String>,
    pub(super) signature_version: String,
    pub(super) signature: String,
    #[serde(rename = "SigningCertURL")]
    pub(super) signing_cert_url: String,
}

impl Envelope {
    /// Reads one. What is signed is lines, so that only the message itself may hold a line end: else one signature
    /// would hold for several readings.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let envelope: Self = serde_json::from_slice(body).map_err(|_| Refusal::Content)?;
        if envelope.reads_one_way() {
            Ok(envelope)
        } else {
            Err(Refusal::Content)
        }
    }

    fn reads_one_way(&self) -> bool {
        let id = self.message_id.as_bytes();
        let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
        let optional = [&self.subject, &self.token, &self.subscribe_url];
        let mut lines = optional.into_iter().flatten().chain([&self.timestamp]);
        let id_ok = (1..=64).contains(&id.len()) && id.iter().all(plain);
        id_ok && lines.all(|line| !line.contains('\n'))
    }

    /// The text that is signed: names and values, one a line, in the order of the names.
    pub(super) fn signed(&self) -> String {
        let notified = self.kind == Type::Notification;
        let when = |wanted: bool, value: &Option<String>| value.clone().filter(|_| wanted);
        [
            ("Message", Some(self.message.clone())),
            ("MessageId", Some(self.message_id.clone())),
            ("Subject", when(notified, &self.subject)),
            ("SubscribeURL", when(!notified, &self.subscribe_url)),
            ("Timestamp", Some(self.timestamp.clone())),
            ("Token", when(!notified, &self.token)),
            ("TopicArn", Some(self.topic_arn.clone())),
            ("Type", Some(self.kind.name().to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?)))
        .collect()
    }
}
