//! What the channel of SNS needs of the configuration. It has no secret: AWS signs with a key of its own.

use super::Sns;
use super::certificate::{Certificate, Roots};
use super::topic::Topic;
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use kill_core::Trust;

impl Sns {
    pub(crate) const KIND: &str = "sns";
    pub(crate) const TRUST: Trust = Trust::A;
    pub(crate) const REPLIES: Replies = Replies::ByCourier;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[
        Setting {
            name: "topic_arn",
            expect: "the topic's name at AWS, such as arn:aws:sns:eu-west-1:123456789012:texts",
            required: true,
            file: false,
        },
        Setting {
            name: "certificate_file",
            expect: "the PEM file with the certificate that SNS signs with, and below it those of its authority",
            required: true,
            file: true,
        },
        Setting {
            name: "next_certificate_file",
            expect: "the same of the certificate that replaces it",
            required: false,
            file: true,
        },
        Setting {
            name: "roots_file",
            expect: "the PEM file with the authorities that are trusted, such as /etc/ssl/certs/ca-certificates.crt",
            required: false,
            file: true,
        },
    ];

    pub(crate) fn new(options: Options) -> Result<Self, String> {
        if !options.secrets.is_empty() {
            return Err(
                "expected no secret_file: AWS signs, and certificate_file checks".to_owned(),
            );
        }
        let arn = options.setting("topic_arn").unwrap_or_default();
        let topic = Topic::of(arn)
            .ok_or("expected topic_arn, such as arn:aws:sns:eu-west-1:123456789012:texts")?;
        let roots = options
            .setting("roots_file")
            .ok_or("expected roots_file, such as /etc/ssl/certs/ca-certificates.crt")?;
        let roots = Roots::read(roots).map_err(|why| format!("roots_file: {why}"))?;
        if options.setting("certificate_file").is_none() {
            return Err(
                "expected certificate_file, with the certificate SNS signs with".to_owned(),
            );
        }
        let mut certificates = Vec::new();
        for name in ["certificate_file", "next_certificate_file"] {
            if let Some(pem) = options.setting(name) {
                let read = Certificate::read(pem, &roots);
                certificates.push(read.map_err(|why| format!("{name}: {why}"))?);
            }
        }
        Ok(Self {
            topic,
            certificates,
            roots,
        })
    }

    /// The reply goes by the courier; SNS wants to see a success.
    pub(crate) const fn answer(_reply: Option<&str>) -> crate::refusal::Answer {
        crate::refusal::Answer {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: String::new(),
        }
    }
}
