//! What is true of every channel of one kind.

use crate::incoming::Replies;
use crate::messagebird::MessageBird;
use crate::options::{Options, Setting};
use crate::refusal::Answer;
use crate::vonage_sms::VonageSms;
use kill_core::Trust;

/// What is true of every channel of one kind, and how a `P` of that kind is made.
pub(crate) struct About<P> {
    pub(crate) kind: &'static str,
    pub(crate) trust: Trust,
    pub(crate) replies: Replies,
    pub(crate) settings: &'static [Setting],
    pub(crate) new: fn(Options) -> Result<P, String>,
    pub(crate) answer: fn(Option<&str>) -> Answer,
}

impl<P> About<P> {
    /// By which methods providers of this kind call: by `GET` the query is the message.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        if [VonageSms::KIND, MessageBird::KIND].contains(&self.kind) {
            &["POST", "GET"]
        } else {
            &["POST"]
        }
    }
}
