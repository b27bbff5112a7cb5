//! Why a request is not a text, and what its sender is answered.

/// Why a request is not a text: one word for the log, nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A method by which this provider does not call: mostly all but `POST`.
    #[error("method")]
    Method,
    /// Longer than [`crate::MAX_BODY`].
    #[error("size")]
    TooLarge,
    /// A header the signature needs is missing, twice there or malformed.
    #[error("header")]
    Header,
    /// Sent to another address than the configured one.
    #[error("address")]
    Address,
    /// No configured secret made this signature.
    #[error("signature")]
    Signature,
    /// Rightly signed, but the configured certificate does not lead to a trusted root now.
    #[error("certificate")]
    Certificate,
    /// Rightly signed, but too long ago or too far ahead.
    #[error("stale")]
    Stale,
    /// Rightly signed, but not a text message.
    #[error("content")]
    Content,
    /// Texts of this channel are fetched: nobody may call it.
    #[error("pulled")]
    Pulled,
}

/// What the provider gets as response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Taken, with nothing to say: for providers whose replies go another way.
    pub(crate) const fn empty() -> Self {
        Self {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: String::new(),
        }
    }
}
