//! A question that may hang, asked on a thread of its own.
//!
//! **Invariant:** at most one thread for each question: who has not answered is not asked again.

use crate::clock::passing_ms;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread::Builder;
use std::time::Duration;

/// Enough for a few calls of the kernel and one buffer on the heap.
const STACK: usize = 256 * 1024;

/// One question, asked again and again.
#[derive(Debug)]
pub(crate) struct Patient<T> {
    asked: Option<Receiver<T>>,
}

impl<T> Default for Patient<T> {
    fn default() -> Self {
        Self { asked: None }
    }
}

impl<T: Send + 'static> Patient<T> {
    /// Asks, unless the answer before is still awaited.
    pub(crate) fn ask(&mut self, question: impl FnOnce() -> T + Send + 'static) {
        let hangs = |asked: &Receiver<T>| matches!(asked.try_recv(), Err(TryRecvError::Empty));
        if self.asked.as_ref().is_some_and(hangs) {
            return;
        }
        let (tell, told) = channel();
        let asked = Builder::new()
            .name("report".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody may be waiting for it any more.
                drop(tell.send(question()));
            });
        self.asked = asked.is_ok().then_some(told);
    }

    /// The answer, if it comes before `until` (of [`passing_ms`]).
    pub(crate) fn answer(&mut self, until: u64) -> Option<T> {
        let told = self.asked.as_ref()?;
        let left = Duration::from_millis(until.saturating_sub(passing_ms()));
        match told.recv_timeout(left) {
            Ok(answer) => {
                self.asked = None;
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.asked = None;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    #[test]
    fn who_hangs_is_asked_once_and_again_only_when_it_has_answered() {
        let (gate, times) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let mut patient = Patient::default();
        let question = || {
            let (gate, times) = (gate.clone(), times.clone());
            move || {
                times.fetch_add(1, Ordering::SeqCst);
                gate.wait();
                7
            }
        };
        patient.ask(question());
        assert_eq!(patient.answer(0), None);
        patient.ask(question());
        patient.ask(question());
        assert_eq!(patient.answer(passing_ms()), None);
        gate.wait();
        assert_eq!(patient.answer(u64::MAX), Some(7));
        assert_eq!(times.load(Ordering::SeqCst), 1);
        patient.ask(|| 8);
        assert_eq!(patient.answer(u64::MAX), Some(8));
    }

    #[test]
    fn a_question_that_panics_is_no_answer_and_may_be_asked_again() {
        let mut patient = Patient::default();
        patient.ask(|| -> u8 { panic!("as a test wants it") });
        assert_eq!(patient.answer(u64::MAX), None);
        patient.ask(|| 1);
        assert_eq!(patient.answer(u64::MAX), Some(1));
    }
}
