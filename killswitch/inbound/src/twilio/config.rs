//! What Twilio's channel needs of the configuration.

use super::{Twilio, address};
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use kill_core::Trust;

impl Twilio {
    pub(crate) const KIND: &str = "twilio";
    pub(crate) const TRUST: Trust = Trust::B;
    pub(crate) const REPLIES: Replies = Replies::InResponse;
    pub(crate) const SETTINGS: &[Setting] = &[];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let tokens = options.take_secrets()?;
        if tokens
            .iter()
            .any(|token| token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err("expected an auth token of at least 16 visible characters".to_owned());
        }
        let url = options
            .public_url
            .ok_or("expected public_url, the address Twilio calls")?;
        let (urls, query) = address::forms(&url).ok_or_else(|| {
            format!("`{url}` is no public_url; expected something like https://kill.example.net/v1/inbound/twilio")
        })?;
        Ok(Self {
            urls,
            query,
            tokens,
        })
    }
}
