//! What is true of every channel of one kind.

use crate::incoming::Replies;
use crate::options::{Options, Setting};
use crate::refusal::Answer;
use kill_core::Trust;

/// What is true of every channel of one kind, and how a `P` of that kind is made.
pub(crate) struct About<P> {
    pub(crate) kind: &'static str,
    pub(crate) trust: Trust,
    pub(crate) replies: Replies,
    /// By which methods providers of this kind call: by `GET` the query is the message.
    pub(crate) methods: &'static [&'static str],
    pub(crate) settings: &'static [Setting],
    pub(crate) new: fn(Options) -> Result<P, String>,
    pub(crate) answer: fn(Option<&str>) -> Answer,
}
