//! A text a channel has verified: what the decisions are made from.

use kill_wire::Timestamp;

/// How far a channel's signature reaches (facts: body signed and fresh, body signed, body not signed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// The body is signed and its time is checked.
    A,
    /// The body is signed; an old one looks like a new one.
    B,
    /// The body is not signed: such a text may cut, never restore.
    C,
}

/// One verified text message. Its sender proves nothing: it only says whether a reply may be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundText {
    /// Name of the channel it came by.
    pub channel: String,
    /// The provider's message id, at most 128 bytes.
    pub id: String,
    /// Who sent it, as the channel says, at most 64 bytes.
    pub sender: Option<String>,
    /// What it says, at most [`InboundText::MAX_TEXT`] bytes.
    pub text: String,
    /// How far the channel's signature reaches.
    pub trust: Trust,
    /// When the network took it from its sender, where the channel is told that.
    pub sent: Option<Timestamp>,
}

impl InboundText {
    /// Longest text that is read, in bytes: more than any SMS can carry.
    pub const MAX_TEXT: usize = 2048;

    /// Takes what a channel has verified and cuts every part to its bound.
    #[must_use]
    pub fn new(channel: &str, id: &str, sender: Option<&str>, text: &str, trust: Trust) -> Self {
        Self {
            channel: bounded(channel, 64),
            id: bounded(id, 128),
            sender: sender.map(|sender| bounded(sender, 64)),
            text: bounded(text, Self::MAX_TEXT),
            trust,
            sent: None,
        }
    }
}

/// The longest beginning of `text` within `max` bytes that ends at a character.
fn bounded(text: &str, max: usize) -> String {
    text.get(..text.floor_char_boundary(max))
        .unwrap_or_default()
        .to_owned()
}
