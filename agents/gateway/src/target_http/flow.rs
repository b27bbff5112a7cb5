//! The body of an answer with the connection it comes on.

use super::{Broken, Live, Question, Socket, room};
use bytes::Bytes;
use gateway_core::answer::{Body, NotUnderstood};
use std::{
    future::poll_fn,
    io::ErrorKind,
    task::{Context, Poll, ready},
};

/// What some bytes held.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Of the body.
    pub(super) first: Bytes,
    /// What stood behind it.
    pub(super) behind: Bytes,
}

impl Arrived {
    pub(super) fn read(body: &mut Body, bytes: &mut [u8]) -> Result<Self, NotUnderstood> {
        let taken = body.take(bytes)?;
        let copy = |part: Option<&[u8]>| part.map_or_else(Bytes::new, Bytes::copy_from_slice);
        Ok(Self {
            first: copy(bytes.get(taken.body)),
            behind: copy(bytes.get(taken.read..)),
        })
    }
}

/// An answer's body with the connection it comes on.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(super) live: Live,
    pub(super) body: Body,
    /// What came with the head.
    pub(super) first: Bytes,
    /// What came behind the end.
    pub(super) behind: Bytes,
    /// What the target has not taken of the question.
    pub(super) unsent: Option<Question>,
    /// The connection may serve again after this.
    pub(super) keeps: bool,
}

impl Flow {
    /// The next piece, which holds at least a byte; `None` at the orderly end.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.first))));
        }
        self.write_on(cx);
        while !self.body.is_over() {
            let body = &mut self.body;
            let read = room::read(&mut self.live.socket, cx, |bytes| {
                (!bytes.is_empty()).then(|| Arrived::read(body, bytes))
            });
            match ready!(read) {
                Ok(Some(Ok(arrived))) => {
                    self.behind = arrived.behind;
                    if !arrived.first.is_empty() {
                        return Poll::Ready(Some(Ok(arrived.first)));
                    }
                }
                Ok(Some(Err(why))) => return Poll::Ready(Some(Err(why.into()))),
                Ok(None) if self.body.closed() => {}
                Ok(None) => {
                    let early = ErrorKind::UnexpectedEof.into();
                    return Poll::Ready(Some(Err(Broken::Off(early))));
                }
                Err(error) => return Poll::Ready(Some(Err(Broken::Off(error)))),
            }
        }
        Poll::Ready(None)
    }

    /// The same for who has nothing else to wait for.
    pub(crate) async fn piece(&mut self) -> Option<Result<Bytes, Broken>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// A target may begin its answer while it still reads the question.
    fn write_on(&mut self, cx: &mut Context<'_>) {
        let Some(unsent) = &mut self.unsent else {
            return;
        };
        if let Poll::Ready(written) = unsent.poll_write(&mut self.live.socket, cx) {
            self.unsent = None;
            self.keeps &= written.is_ok();
        }
    }

    /// Whether everything has been handed out.
    pub(crate) fn is_over(&self) -> bool {
        self.first.is_empty() && self.body.is_over()
    }

    /// Bytes still to come, when that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.body.left().map(|left| left + self.first.len() as u64)
    }

    /// The body was read to its end: the connection may serve again, if nothing speaks against it.
    pub(crate) fn park(self) {
        if self.keeps && self.is_over() && self.behind.is_empty() && self.unsent.is_none() {
            self.live.park();
        }
    }

    /// The target has switched to another protocol: the socket, and what came on it after the head.
    pub(crate) fn switched(self) -> (Socket, Bytes) {
        (self.live.socket, self.behind)
    }
}
