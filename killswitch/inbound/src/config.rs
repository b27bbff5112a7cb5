//! What the configuration makes of a channel, and what a channel says of itself.

use crate::about::About;
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
        let about = about(kind).ok_or_else(|| {
            let kinds = Self::KINDS.join(", ");
            format!("unknown kind `{kind}`, expected one of: {kinds}")
        })?;
        Ok(Self {
            name: name.to_owned(),
            provider: (about.new)(options)?,
            about,
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
        self.about.kind
    }

    /// Whether the courier fetches the texts of this kind, so that it needs no secret here.
    #[must_use]
    pub fn is_pulled(kind: &str) -> bool {
        pulled::is_pulled(kind)
    }

    /// What a channel of this kind may set, besides its secrets and its public address.
    #[must_use]
    pub fn settings(kind: &str) -> &'static [Setting] {
        about(kind).map_or(&[], |about| about.settings)
    }

    /// How a reply reaches the sender of a text.
    #[must_use]
    pub const fn replies(&self) -> Replies {
        self.about.replies
    }

    /// How far its signature reaches.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.about.trust
    }

    /// The response that makes the provider send `reply` to `to`, the sender of the text, or nothing.
    #[must_use]
    pub fn answer(&self, reply: Option<&str>, to: Option<&str>) -> Answer {
        // The others know to whom: it is their own call that is answered.
        if let Provider::Plivo(plivo) = &self.provider {
            return plivo.answer_to(reply, to);
        }
        (self.about.answer)(reply)
    }
}

fn about(kind: &str) -> Option<&'static About<Provider>> {
    Provider::ALL.iter().find(|about| about.kind == kind)
}
