//! What the configuration makes of a channel, and what a channel says of itself.

use crate::channel::{Channel, Provider};
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use crate::pulled;
use crate::refusal::Answer;
use kill_core::Trust;

impl Channel {
    /// Every kind that `new` knows.
    pub const KINDS: &[&str] = Provider::KINDS;

    /// Takes a configuration; the error says what to put right and holds no secret.
    pub fn new(name: &str, kind: &str, options: Options) -> Result<Self, String> {
        let ok = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        if name.is_empty() || name.len() > 24 || !name.chars().all(ok) {
            return Err("a channel's name is 1 to 24 of a-z, 0-9, `.`, `_`, `-`".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            provider: Provider::new(kind, options)?,
        })
    }

    /// Its name, the last part of its path `/v1/inbound/{channel}`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its kind, such as `twilio`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.provider.kind()
    }

    /// Whether the courier fetches the texts of this kind, so that it needs no secret here.
    #[must_use]
    pub fn is_pulled(kind: &str) -> bool {
        pulled::is_pulled(kind)
    }

    /// What a channel of this kind may set, besides its secrets and its public address.
    #[must_use]
    pub fn settings(kind: &str) -> &'static [Setting] {
        Provider::settings(kind)
    }

    /// How a reply reaches the sender of a text.
    #[must_use]
    pub const fn replies(&self) -> Replies {
        self.provider.replies()
    }

    /// How far its signature reaches.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.provider.trust()
    }

    /// The response that makes the provider send `reply`, or nothing.
    #[must_use]
    pub fn answer(&self, reply: Option<&str>) -> Answer {
        self.provider.answer(reply)
    }
}

impl Provider {
    /// By which methods it may call.
    #[expect(clippy::unused_self, reason = "a kind may say more than POST")]
    pub(crate) const fn methods(&self) -> &'static [&'static str] {
        &["POST"]
    }
}
