//! The body of a client's request, of either HTTP version.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What a client sends.
#[derive(Debug)]
pub(crate) enum Inflow {
    /// On a connection of its own for the time being.
    One(Incoming),
    /// On one of a connection's many streams; the length that was announced, if one was.
    Many(h2::RecvStream, Option<u64>),
}

impl Body for Inflow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::One(body) => Pin::new(body).poll_frame(cx).map_err(io::Error::other),
            // Trailers are about nothing that is passed on.
            Self::Many(body, _) => Poll::Ready(match ready!(body.poll_data(cx)) {
                Some(Ok(data)) => {
                    // Taken is taken: what is held is bounded by who takes it.
                    let _gone_already = body.flow_control().release_capacity(data.len());
                    Some(Ok(Frame::data(data)))
                }
                Some(Err(error)) => Some(Err(io::Error::other(error))),
                None => None,
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::One(body) => body.is_end_stream(),
            Self::Many(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::One(body) => body.size_hint(),
            Self::Many(_, length) => length.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
