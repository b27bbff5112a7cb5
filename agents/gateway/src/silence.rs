//! Measures how long a target has been silent while its answer was waited for.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};
use tokio::time::{Instant, Sleep, sleep_until};

/// The silence between two pieces of an answer. While nobody waits for the target, because the client is slow, none
/// is counted. The timer is set anew only when it fires, so that a piece costs one look at the clock.
#[derive(Debug)]
pub(crate) struct Silence {
    limit: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// None yet, and at most `limit`.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            since: None,
            timer: None,
        }
    }

    /// A piece came.
    pub(crate) fn broken(&mut self) {
        self.since = None;
    }

    /// Nothing came. Whether it has been too long; otherwise the task is woken when it will have been.
    pub(crate) fn is_too_long(&mut self, cx: &mut Context<'_>) -> bool {
        let until = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return true;
            }
            timer.as_mut().reset(until);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[tokio::test(start_paused = true)]
    async fn only_silence_that_was_waited_through_counts() {
        let mut silence = Silence::new(Duration::from_secs(10));
        let mut too_long = || silence.is_too_long(&mut Context::from_waker(Waker::noop()));
        assert!(!too_long());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(!too_long());
        silence.broken();
        // The client was slow: nobody waited.
        tokio::time::advance(Duration::from_secs(60)).await;
        let mut too_long = || silence.is_too_long(&mut Context::from_waker(Waker::noop()));
        assert!(!too_long());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(too_long());
    }
}
