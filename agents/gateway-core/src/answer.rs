//! A target's answer as HTTP/1.1 carries it: where its head ends, what that says, and which bytes are the body.
//!
//! Whatever two readers could read in two ways is refused (RFC 9112 sections 6.1 and 6.3): a body that ends elsewhere for
//! somebody else would put one client's answer into another's. Nothing is held but an unfinished head.

mod body;
mod chunked;
mod head;

pub use body::{Body, Taken};
pub use head::{Asked, Head, HeadReader, MAX_HEAD, MAX_HEADERS};

/// Why an answer is no HTTP/1.1 that could be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// The head goes on beyond [`MAX_HEAD`] bytes.
    #[error("the head is too long")]
    LongHead,
    /// The head is none of HTTP/1.0 or 1.1, or has more than [`MAX_HEADERS`] headers.
    #[error("the head is not HTTP/1")]
    BadHead,
    /// One informational answer after the other, and none that counts.
    #[error("too many informational answers")]
    Interim,
    /// It switches to a protocol that nobody asked for.
    #[error("it switches to another protocol unasked")]
    Switched,
    /// `Content-Length` is no number, or says two.
    #[error("its length is not clear")]
    Length,
    /// `Transfer-Encoding` beside a length, in HTTP/1.0, or with a coding other than `chunked`.
    #[error("its transfer coding is not clear")]
    Coding,
    /// A chunk that is none, or a trailer that goes on for too long.
    #[error("a chunk is malformed")]
    Chunk,
}
