//! The thread that looks at the host every ten seconds and keeps what it saw.

use crate::clock::passing_ms;
use crate::{Besides, Buffer, Watcher};
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// How often a host is looked at.
pub const EVERY: Duration = Duration::from_secs(10);

/// What the reporter needs of the program it runs in.
pub struct Surroundings {
    /// How often to look: [`EVERY`]. Whoever wants to see a day pass in minutes looks oftener; reports then say that
    /// [`EVERY`] had passed.
    pub every: Duration,
    /// Where reports wait.
    pub shelf: Arc<Mutex<Buffer>>,
    /// The wall clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: Box<dyn Fn() -> u64 + Send>,
    /// What other parts of the agent know. Asked without the shelf held.
    pub besides: Box<dyn Fn() -> Besides + Send>,
    /// Told of each report that could not be written down, and of each that could again.
    pub kept: Box<dyn Fn(io::Result<u64>) + Send>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// The thread. Dropping this ends it without waiting.
#[derive(Debug)]
pub struct Reporter {
    stop: Sender<Infallible>,
    /// Hung up by the thread when it ends.
    ended: Receiver<Infallible>,
}

impl Reporter {
    /// Begins to look.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(mut watcher: Watcher, around: Surroundings) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let (on_end, ended) = channel();
        Builder::new().name("reporter".to_owned()).spawn(move || {
            let mut ahead = Duration::ZERO;
            while beat(&mut watcher, &around, ahead, &stopped) {
                ahead += EVERY.saturating_sub(around.every);
            }
            drop(on_end);
        })?;
        Ok(Self { stop, ended })
    }

    /// Ends it. Blocks for `limit` at most, and gives whether it had ended by then: a disk may hang.
    #[must_use]
    pub fn stop(self, limit: Duration) -> bool {
        drop(self.stop);
        self.ended.recv_timeout(limit) != Err(RecvTimeoutError::Timeout)
    }
}

/// One report, and the time until the next; false when it is time to end.
fn beat(
    watcher: &mut Watcher,
    around: &Surroundings,
    ahead: Duration,
    stopped: &Receiver<Infallible>,
) -> bool {
    let began = passing_ms();
    (around.kept)(report(watcher, around, ahead));
    let took = passing_ms().saturating_sub(began);
    let rest = around.every.saturating_sub(Duration::from_millis(took));
    matches!(stopped.recv_timeout(rest), Err(RecvTimeoutError::Timeout))
}

/// Looks once and keeps what was seen; says which number it has.
fn report(watcher: &mut Watcher, around: &Surroundings, ahead: Duration) -> io::Result<u64> {
    let mut besides = (around.besides)();
    let seq = {
        let shelf = held(&around.shelf);
        besides.waiting = shelf.waiting();
        shelf.next_seq()
    };
    let mut report = watcher.look(seq, (around.now_ms)(), besides);
    report.up_ms = report
        .up_ms
        .saturating_add(u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX));
    let mut shelf = held(&around.shelf);
    // Somebody may have said meanwhile that the numbers were further.
    report.seq = shelf.next_seq();
    shelf.push(report.line().as_bytes()).map(|()| report.seq)
}

/// A panic elsewhere left the buffer as its last call did, which is whole.
fn held(shelf: &Mutex<Buffer>) -> MutexGuard<'_, Buffer> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
