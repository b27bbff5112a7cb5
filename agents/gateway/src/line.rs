//! What one client connection and the exchange on it tell each other.

use crate::{deny::Denied, registry::Exchange};
use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio_util::sync::CancellationToken;

/// One client connection. HTTP/1 carries one exchange at a time, so one cut token serves both; a connection that
/// was cut always ends.
#[derive(Debug, Default)]
pub(crate) struct Line {
    cut: CancellationToken,
    why: OnceLock<Denied>,
    gone: CancellationToken,
    reset: AtomicBool,
    /// An exchange whose answer is made but not yet taken by the kernel: a cut must still find it.
    unflushed: Mutex<Option<Exchange>>,
    has_unflushed: AtomicBool,
}

impl Line {
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

    /// Fires when nothing more goes out on it.
    pub(crate) fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// Asks for a TCP reset in place of an orderly close.
    pub(crate) fn ask_reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    /// Whether a reset was asked for.
    pub(crate) fn wants_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }

    /// Keeps `exchange` registered until its last byte has left this process.
    pub(crate) fn keep_until_flushed(&self, exchange: Exchange) {
        *self
            .unflushed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(exchange);
        self.has_unflushed.store(true, Ordering::Release);
    }

    /// Everything written so far was taken by the kernel.
    pub(crate) fn flushed(&self) {
        if self.has_unflushed.swap(false, Ordering::AcqRel) {
            let exchange = self
                .unflushed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            drop(exchange);
        }
    }

    /// Nothing more goes out here.
    pub(crate) fn closed(&self) {
        self.flushed();
        self.gone.cancel();
    }
}
