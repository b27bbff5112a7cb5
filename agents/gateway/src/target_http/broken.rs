//! How an answer fails to come, or to go on.

use gateway_core::answer::NotUnderstood;
use std::io::{self, ErrorKind};

/// Why an answer did not come, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The connection ended before a byte of the answer.
    #[error("the connection ended before an answer")]
    Unheard(#[source] io::Error),
    /// The connection ended in the middle of the answer.
    #[error("the connection ended in the middle of an answer")]
    Off(#[source] io::Error),
    /// This is no answer.
    #[error("the answer cannot be read: {0}")]
    NotUnderstood(#[from] NotUnderstood),
}

impl Broken {
    /// The connection ended, after a byte of the answer or before.
    pub(super) fn ended(error: io::Error, heard: bool) -> Self {
        if heard {
            Self::Off(error)
        } else {
            Self::Unheard(error)
        }
    }

    /// Whether this is what a connection gives that the other side had closed while it idled.
    pub(crate) fn was_stale(&self) -> bool {
        let Self::Unheard(error) = self else {
            return false;
        };
        matches!(
            error.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::BrokenPipe
                | ErrorKind::ConnectionAborted
                | ErrorKind::NotConnected
        )
    }
}
