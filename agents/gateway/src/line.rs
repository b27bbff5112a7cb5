//! What a client connection and an exchange on it tell each other.

use crate::{cord::Cord, realtime::Session, registry::Exchange, relay::Left};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// A client connection of HTTP/1, which carries one exchange at a time, or one stream of HTTP/2. A connection of
/// HTTP/2 has one as well, on which no exchange stands.
#[derive(Debug, Default)]
pub(crate) struct Line {
    cord: Arc<Cord>,
    reset: AtomicBool,
    /// An exchange whose answer is made but not yet taken by the kernel: a cut must still find it.
    unflushed: Mutex<Option<Exchange>>,
    has_unflushed: AtomicBool,
    written: AtomicBool,
    strict: AtomicBool,
    answered: AtomicBool,
    /// What the connection is switched to after the answer that says so.
    session: Mutex<Option<Box<Session>>>,
    /// What a cut answer has left behind, where somebody tidies up.
    left: Mutex<Option<Box<Left>>>,
    tidies: AtomicBool,
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

    /// The connection goes on with a session after this answer.
    pub(crate) fn switch_to(&self, session: Session) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(session));
    }

    /// What the connection goes on with, if it is no longer HTTP.
    pub(crate) fn switched(&self) -> Option<Box<Session>> {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// An answer is made.
    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::Release);
    }

    /// Whether one ever was.
    pub(crate) fn was_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// Whether everything written so far counts as out only when it has left this host.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict.load(Ordering::Acquire)
    }

    /// Says so.
    pub(crate) fn set_strict(&self, strict: bool) {
        self.strict.store(strict, Ordering::Release);
    }

    /// Whether everything was written at some time since [`Self::forget_written`].
    pub(crate) fn has_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    /// From now on there is something to write.
    pub(crate) fn forget_written(&self) {
        self.written.store(false, Ordering::Release);
    }

    /// Everything written so far was taken by the kernel.
    pub(crate) fn flushed(&self) {
        self.written.store(true, Ordering::Release);
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
        self.cord.goes();
    }

    /// Whoever serves this connection tidies up after a cut, when the client was told.
    pub(crate) fn will_be_tidied(&self) {
        self.tidies.store(true, Ordering::Release);
    }

    /// Takes what an answer leaves behind. It is let go of at once, unless a cut ends the connection with it and somebody
    /// tidies up then.
    pub(crate) fn leave(&self, left: Left) {
        if self.cord.why().is_some() && self.tidies.load(Ordering::Acquire) {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(left));
        }
    }

    /// Lets go of what a cut answer has left behind.
    pub(crate) fn tidy_up(&self) {
        let left = self
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(left);
    }
}
