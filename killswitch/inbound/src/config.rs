//! What the configuration makes of a channel, and what a channel says of itself.

use crate::channel::{Channel, Provider};
use crate::refusal::Answer;
use kill_core::Trust;
use zeroize::Zeroizing;

/// What the configuration says of a channel.
#[derive(Default)]
pub struct Options {
    /// The address the provider calls, for providers that sign it.
    pub public_url: Option<String>,
    /// One secret, or two while one replaces the other.
    pub secrets: Vec<String>,
}

impl Options {
    /// The secrets without the line ends of their files; wiped when dropped.
    pub(crate) fn take_secrets(&mut self) -> Result<Vec<Zeroizing<String>>, String> {
        let given = std::mem::take(&mut self.secrets).into_iter();
        let secrets: Vec<_> = given
            .map(Zeroizing::new)
            .map(|secret| Zeroizing::new(secret.trim().to_owned()))
            .collect();
        if (1..=2).contains(&secrets.len()) {
            Ok(secrets)
        } else {
            Err(format!("expected 1 or 2 secrets, found {}", secrets.len()))
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

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

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Channel({}, {})", self.name, self.kind())
    }
}
