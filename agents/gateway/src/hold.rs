//! A stream that a probe opens and holds: it says nothing of worth, and ends by a cut as a consumer's stream does.
//!
//! It is the evidence for streams that were open before a cut: it passed the same admission and stands in the same
//! registry as a call of that consumer on that way.

use crate::{line::Line, registry::Exchange, reply::Reply};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use hyper::body::Frame;
use kill_wire::HOLD_BEAT;
use net_model::Api;
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// A comment line of a stream of events: clients pass it over.
const BEAT: &[u8] = b": beat\n\n";

/// The body of the answer to a probe that holds.
#[derive(Debug)]
pub(crate) struct Hold {
    beats: Interval,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    line: Arc<Line>,
    /// Gone when the stream was ended.
    exchange: Option<Exchange>,
}

/// Answers with a stream that beats until it is cut.
pub(crate) fn stream(line: &Arc<Line>, exchange: Exchange) -> Response<Reply> {
    let mut beats = tokio::time::interval(HOLD_BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut response = Response::new(Reply::Hold(Box::new(Hold {
        beats,
        cut: Box::pin(line.cord().cut().clone().cancelled_owned()),
        line: Arc::clone(line),
        exchange: Some(exchange),
    })));
    let events = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, events);
    response
}

impl Hold {
    /// The next beat, or the error event and then the end.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.exchange.is_none() {
            return Poll::Ready(None);
        }
        if self.cut.as_mut().poll(cx).is_ready() {
            if let Some(exchange) = self.exchange.take() {
                self.line.keep_until_flushed(exchange);
            }
            let why = self.line.cord().refusal();
            return Poll::Ready(Some(Ok(Frame::data(why.event(Api::Chat)))));
        }
        ready!(self.beats.poll_tick(cx));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(BEAT)))))
    }

    /// Whether the error event was the last word.
    pub(crate) const fn is_over(&self) -> bool {
        self.exchange.is_none()
    }
}
