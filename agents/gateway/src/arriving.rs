//! A target's answer from its first byte on. Its silence is bounded, and its end is known to the target's breaker.

use crate::{silence::Silence, target_http::Flow, targets::Seat};
use bytes::Bytes;
use gateway_core::choice::Failure;
use std::{
    task::{Context, Poll},
    time::Duration,
};

/// An answer on its way from the target.
#[derive(Debug)]
pub(crate) struct Arriving {
    /// What came before the client was told anything.
    first: Option<Bytes>,
    flow: Flow,
    silence: Silence,
    seat: Seat,
}

impl Arriving {
    /// `first` came on `flow`; the target may be silent for `idle` at a time.
    pub(crate) fn new(first: Option<Bytes>, flow: Flow, idle: Duration, seat: Seat) -> Self {
        Self {
            first,
            flow,
            silence: Silence::new(idle),
            seat,
        }
    }

    /// The next piece; `None` at the orderly end. A failure is counted when it is found.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Failure>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        match self.flow.poll_piece(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.silence.broken();
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "A target broke its answer off.");
                self.fails(Failure::BrokenOff)
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.silence.is_too_long(cx) => {
                tracing::debug!("A target fell silent in the middle of its answer.");
                self.fails(Failure::Timeout)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn fails(&mut self, failure: Failure) -> Poll<Option<Result<Bytes, Failure>>> {
        self.seat.failed(failure);
        Poll::Ready(Some(Err(failure)))
    }

    /// Whether everything has been handed out.
    pub(crate) fn is_over(&self) -> bool {
        self.first.is_none() && self.flow.is_over()
    }

    /// Bytes still to come, when that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        self.flow.left().map(|rest| rest + first)
    }

    /// It was read to its end: its connection may serve again.
    pub(crate) fn park(self) {
        self.flow.park();
    }
}
