//! The cord of a client connection: the sweep cuts it, whoever runs on the connection feels it.

use crate::deny::Denied;
use std::sync::OnceLock;
use tokio_util::sync::CancellationToken;

/// The cord of one client connection. HTTP/1 carries one exchange at a time, so one cut token serves both; a
/// connection that was cut always ends.
#[derive(Debug, Default)]
pub(crate) struct Cord {
    cut: CancellationToken,
    why: OnceLock<Denied>,
    gone: CancellationToken,
}

impl Cord {
    /// Cuts what runs on this connection; false when it was cut before.
    pub(crate) fn sever(&self, why: Denied) -> bool {
        let first = self.why.set(why).is_ok();
        self.cut.cancel();
        first
    }

    /// Fires when the connection is cut.
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// Why it was cut, once it was.
    pub(crate) fn why(&self) -> Option<&Denied> {
        self.why.get()
    }

    /// What the client of a cut exchange is told.
    pub(crate) fn refusal(&self) -> Denied {
        self.why().cloned().unwrap_or(Denied::Draining)
    }

    /// Fires when nothing more goes out on the connection.
    pub(crate) fn gone(&self) -> &CancellationToken {
        &self.gone
    }
}
