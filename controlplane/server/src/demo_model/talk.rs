//! A streamed answer: one event a word, at reading pace. It ends with the connection that carries it.

use super::script::Answer;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Six words a second.
const PACE: Duration = Duration::from_millis(166);

#[derive(Debug)]
pub(super) struct Talk {
    answer: Answer,
    usage: bool,
    next: usize,
    /// `None` when all is said.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Talk {
    /// Begins at once; `usage` adds the counting chunk at the end.
    pub(super) fn new(answer: Answer, usage: bool) -> Self {
        Self {
            answer,
            usage,
            next: 0,
            pause: Some(Box::pin(sleep_until(Instant::now()))),
        }
    }

    fn ending(&self) -> String {
        let mut text = format!("data: {}\n\n", self.answer.end());
        if self.usage {
            text.push_str(&format!("data: {}\n\n", self.answer.count()));
        }
        text.push_str("data: [DONE]\n\n");
        text
    }
}

impl Body for Talk {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let Some(pause) = &mut this.pause else {
            return Poll::Ready(None);
        };
        if pause.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let text = match this.answer.word(this.next) {
            Some(word) => {
                this.next += 1;
                // From now on, not from when it was due: a reader who paused gets no burst.
                pause.as_mut().reset(Instant::now() + PACE);
                format!("data: {word}\n\n")
            }
            None => {
                this.pause = None;
                this.ending()
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))))
    }

    fn is_end_stream(&self) -> bool {
        self.pause.is_none()
    }
}
