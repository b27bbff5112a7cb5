//! Calls of AWS services: their JSON protocol, signed by Signature Version 4.
//!
//! The signature is a few HMACs over a canonical form; <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use crate::channel::{ChannelSettings, file, optional};
use crate::clock;
use crate::endpoint::Endpoint;
use crate::letter::{Again, Failure};
use crate::web::{Answer, Web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderName, Method, header};
use kill_inbound::Setting;
use kill_wire::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use zeroize::Zeroizing;

/// One access key serves both the queue and the replies.
pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "queue_url",
        "the queue that the topic fills, such as \"https://sqs.eu-west-1.amazonaws.com/123456789012/kill\"",
    ),
    optional(
        "reply_from",
        "your number or its id at AWS End User Messaging, such as \"+15550001111\"",
    ),
    optional(
        "reply_url",
        "another address than https://sms-voice.REGION.amazonaws.com",
    ),
    optional("aws_region", "the region, such as \"eu-west-1\""),
    optional(
        "aws_access_key",
        "the id of an access key, such as \"AKIA…\"",
    ),
    file(
        "aws_secret_key_file",
        "the path of a file with the secret access key",
    ),
];

pub(crate) const KIND: &str = "sns";

const CONTENT: &str = "application/x-amz-json-1.0";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// An access key in a region.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) region: String,
    access: String,
    secret: Zeroizing<String>,
}

/// One service at its address.
#[derive(Clone)]
pub(crate) struct Service {
    name: &'static str,
    endpoint: Endpoint,
    credentials: Credentials,
}

impl Credentials {
    pub(crate) fn new(channel: &ChannelSettings) -> Result<Self, String> {
        let region = channel.need("aws_region")?.to_owned();
        let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !region.chars().all(shape) {
            return Err("`aws_region` is no region such as eu-west-1".to_owned());
        }
        Ok(Self {
            region,
            access: channel.need("aws_access_key")?.to_owned(),
            secret: Zeroizing::new(channel.need("aws_secret_key_file")?.to_owned()),
        })
    }

    /// The value of `Authorization`. `headers` are those that are signed, in the order of their names.
    fn authorization(
        &self,
        service: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        stamp: &str,
    ) -> Option<String> {
        let date = stamp.get(..8)?;
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let payload = hex(&Sha256::digest(body));
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{payload}");
        let scope = format!("{date}/{}/{service}/aws4_request", self.region);
        let digest = hex(&Sha256::digest(canonical));
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
        let mut key = Zeroizing::new(format!("AWS4{}", *self.secret).into_bytes());
        for part in [date, &self.region, service, "aws4_request"] {
            key = Zeroizing::new(mac(&key, part)?);
        }
        let signature = hex(&mac(&key, &to_sign)?);
        let access = &self.access;
        Some(format!(
            "AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
        ))
    }
}

impl Service {
    /// `address` is its root.
    pub(crate) fn new(name: &'static str, endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            name,
            endpoint,
            credentials,
        }
    }

    /// Calls `target`, such as `AmazonSQS.ReceiveMessage`.
    pub(crate) async fn call(
        &self,
        web: &Web,
        target: &str,
        body: &serde_json::Value,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let body = body.to_string();
        let stamp = stamp(clock::now());
        let signed = [
            ("content-type", CONTENT),
            ("host", self.endpoint.host()),
            ("x-amz-date", &stamp),
            ("x-amz-target", target),
        ];
        let authorization =
            self.credentials
                .authorization(self.name, &signed, body.as_bytes(), &stamp);
        let authorization = authorization.unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, CONTENT),
            (header::HOST, self.endpoint.host()),
            (DATE, &stamp),
            (TARGET, target),
            (header::AUTHORIZATION, &authorization),
        ];
        let request = self.endpoint.request(Method::POST, &headers, body);
        let request = request.map_err(Failure::never)?;
        let answer = web.call(request, limit).await.map_err(Failure::later)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(failure(&answer))
    }
}

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "__type")]
    kind: String,
}

/// AWS says most refusals by status 400 and a name in the body.
pub(crate) fn failure(answer: &Answer) -> Failure {
    let mut failure = answer.failure();
    let Ok(refused) = serde_json::from_slice::<Refused>(&answer.body) else {
        return failure;
    };
    let kind = refused.kind.rsplit('#').next().unwrap_or_default();
    let shape = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let kind: String = kind.chars().filter(|c| shape(*c)).take(60).collect();
    let busy = [
        "Throttl",
        "TooManyRequests",
        "RequestExpired",
        "InternalServer",
    ];
    let ours = [
        "AccessDenied",
        "UnrecognizedClient",
        "InvalidSignature",
        "SignatureDoesNotMatch",
        "InvalidClientTokenId",
        "QueueDoesNotExist",
        "NonExistentQueue",
        "ResourceNotFound",
    ];
    if busy.iter().any(|name| kind.contains(name)) {
        failure.again = Again::Later;
    } else if ours.iter().any(|name| kind.contains(name)) {
        failure.again = Again::Broken;
    }
    failure.why = format!("AWS says {kind} ({})", answer.status.as_u16());
    failure
}

/// `20261121T111106Z`.
fn stamp(now: Timestamp) -> String {
    let text = now.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    let mut stamp: String = whole.chars().filter(|c| !"-:".contains(*c)).collect();
    stamp.push('Z');
    stamp
}

fn mac(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the vendor's own SDK (botocore 1.44.5) signed at that second.
    #[test]
    fn a_call_is_signed_as_the_vendors_sdk_signs_it() {
        let credentials = Credentials {
            region: "eu-west-1".to_owned(),
            access: "AKID".to_owned(),
            secret: Zeroizing::new("SECRET".to_owned()),
        };
        let stamp = stamp(Timestamp::from_millis(1_795_259_466_000));
        assert_eq!(stamp, "20261121T111106Z");
        let headers = [
            ("content-type", CONTENT),
            ("host", "127.0.0.1:33811"),
            ("x-amz-date", &stamp),
            ("x-amz-target", "PinpointSMSVoiceV2.SendTextMessage"),
        ];
        let body = br#"{"DestinationPhoneNumber": "+4712345678", "OriginationIdentity": "+15550001111", "MessageBody": "CUT ALL 14:02:07Z ok", "MessageType": "TRANSACTIONAL"}"#;
        let signed = credentials.authorization("sms-voice", &headers, body, &stamp);
        let signed = signed.unwrap();
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/sms-voice/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=1fa85e3bae5daf64d2715a9cd033ac71d2a8dc35ea479e69b73ee2f2b"), "{signed}");
    }
}
