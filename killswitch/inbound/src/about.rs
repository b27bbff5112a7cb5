//! What is true of every channel of one kind.

use crate::channel::Provider;
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use crate::refusal::Answer;
use kill_core::Trust;

/// What is true of every channel of one kind.
pub(crate) struct About {
    pub(crate) kind: &'static str,
    pub(crate) trust: Trust,
    pub(crate) replies: Replies,
    pub(crate) settings: &'static [Setting],
    pub(crate) new: fn(Options) -> Result<Provider, String>,
    pub(crate) answer: fn(Option<&str>) -> Answer,
}

impl About {
    pub(crate) fn of(kind: &str) -> Option<&'static Self> {
        Provider::ALL.iter().find(|about| about.kind == kind)
    }

    /// By which methods providers of this kind call.
    #[expect(clippy::unused_self, reason = "a kind may say more than POST")]
    pub(crate) const fn methods(&self) -> &'static [&'static str] {
        &["POST"]
    }
}
