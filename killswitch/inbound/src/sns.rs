//! Texts that AWS End User Messaging publishes to an SNS topic, as SNS posts them or as a queue kept them
//! (<https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>).
//!
//! Every message names the address of the certificate that signed it. Nothing here fetches it: an address in a message is
//! the sender's word, and a cut must not wait for a download. The owner puts the certificate beside the configuration, and
//! it counts only while it leads to a trusted root. Only version 2 of the signature counts, which is SHA-256.

mod certificate;
mod config;
mod envelope;
mod instant;
mod topic;
mod validity;

use crate::fresh;
use crate::incoming::Incoming;
use crate::refusal::Refusal;
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use certificate::{Certificate, Roots};
use envelope::{Envelope, Type};
use kill_core::InboundText;
use kill_wire::Timestamp;
use serde::Deserialize;
use topic::Topic;

/// How long ago SNS may have taken a message. Posted calls are tried again for an hour at most, but a queue keeps a
/// message for days: a KILL still counts a day later, as one that an SMS centre held back does. Whether a RESTORE is
/// fresh is for its code to show.
const TOLERANCE_S: u64 = 24 * 3600;

pub(crate) struct Sns {
    topic: Topic,
    certificates: Vec<Certificate>,
    roots: Roots,
}

/// What End User Messaging says of a text
/// (<https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    origination_number: Option<String>,
    message_body: String,
}

impl Sns {
    pub(crate) fn verify(
        &self,
        channel: &str,
        request: &RawRequest<'_>,
        now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        let envelope = Envelope::read(request.body)?;
        if envelope.topic_arn != self.topic.arn {
            return Err(Refusal::Address);
        }
        let pinned = self.topic.holds_certificate(&envelope.signing_cert_url);
        if envelope.signature_version != "2" || !pinned {
            return Err(Refusal::Signature);
        }
        let signature = STANDARD
            .decode(&envelope.signature)
            .map_err(|_| Refusal::Signature)?;
        let signed = envelope.signed();
        let mut made = self.certificates.iter();
        let made = made.find(|certificate| certificate.signed(signed.as_bytes(), &signature));
        let certificate = made.ok_or(Refusal::Signature)?;
        if certificate.chain(&self.roots, now.secs()).is_err() {
            return Err(Refusal::Certificate);
        }
        let at = instant::seconds(&envelope.timestamp).ok_or(Refusal::Content)?;
        fresh::within(at, now, TOLERANCE_S)?;
        if envelope.kind == Type::Notification {
            text(channel, &envelope)
        } else {
            self.confirm(envelope)
        }
    }

    /// Both when it is subscribed and when that was ended, the link leads to a topic that texts us.
    fn confirm(&self, envelope: Envelope) -> Result<Incoming, Refusal> {
        let url = envelope.subscribe_url.ok_or(Refusal::Content)?;
        if self.topic.confirms_at(&url) {
            Ok(Incoming::Confirm { url })
        } else {
            Err(Refusal::Content)
        }
    }
}

fn text(channel: &str, envelope: &Envelope) -> Result<Incoming, Refusal> {
    let said: Said = serde_json::from_str(&envelope.message).map_err(|_| Refusal::Content)?;
    let text = InboundText::new(
        channel,
        &envelope.message_id,
        said.origination_number.as_deref(),
        &said.message_body,
        Sns::TRUST,
    );
    Ok(Incoming::Text(text))
}
