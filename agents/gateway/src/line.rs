//! What one client connection and the exchange on it tell each other.

use crate::{cord::Cord, registry::Exchange};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// One client connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    cord: Arc<Cord>,
    reset: AtomicBool,
    /// An exchange whose answer is made but not yet taken by the kernel: a cut must still find it.
    unflushed: Mutex<Option<Exchange>>,
    has_unflushed: AtomicBool,
}

impl Line {
    /// What the sweep cuts.
    pub(crate) fn cord(&self) -> &Arc<Cord> {
        &self.cord
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
        self.cord.gone().cancel();
    }
}
