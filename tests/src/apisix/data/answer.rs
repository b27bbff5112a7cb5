//! The answer on its way to the client; what became of it is counted when the connection lets go of it.

use super::plugins::Stop;
use crate::apisix::{World, clock, counters::Passed};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};
use tokio::time::Instant;

pub(in crate::apisix) type Reply = Response<Passing>;

/// One exchange that is open.
#[derive(Debug)]
pub(super) struct Flight {
    world: Arc<World>,
    pub(super) began: Instant,
}

impl Flight {
    pub(super) fn begin(world: &Arc<World>) -> Self {
        world.counters.open.fetch_add(1, Ordering::SeqCst);
        Self {
            world: Arc::clone(world),
            began: clock::now(),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.world.counters.open.fetch_sub(1, Ordering::SeqCst);
    }
}

enum Source {
    Whole(Option<Bytes>),
    Upstream(Incoming),
}

/// The body of an answer.
pub(in crate::apisix) struct Passing {
    source: Source,
    passed: Passed,
    flight: Flight,
}

impl Passing {
    fn note(&mut self, data: &Bytes) {
        self.passed.bytes += data.len();
        self.passed.read(data);
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = match &mut self.source {
            Source::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Source::Upstream(body) => std::task::ready!(Pin::new(body).poll_frame(cx))
                .map(|f| f.map_err(io::Error::other)),
        };
        if let Some(Ok(frame)) = &next
            && let Some(data) = frame.data_ref()
        {
            let data = data.clone();
            self.note(&data);
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(bytes) => bytes.is_none(),
            Source::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Upstream(body) => body.size_hint(),
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.passed.took = self.flight.began.elapsed();
        self.flight.world.ended(std::mem::take(&mut self.passed));
    }
}

fn dressed(mut reply: Reply) -> Reply {
    let server = HeaderValue::from_static(crate::apisix::SERVER);
    reply.headers_mut().insert(header::SERVER, server);
    reply
}

/// What a plugin, or the lack of a route, answers.
pub(super) fn of_stop(flight: Flight, stop: Stop, mut passed: Passed) -> Reply {
    passed.status = stop.status;
    let source = Source::Whole((!stop.body.is_empty()).then(|| stop.body.into()));
    let mut reply = Response::new(Passing {
        source,
        passed,
        flight,
    });
    *reply.status_mut() = stop.status.try_into().unwrap_or_default();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(header::CONTENT_TYPE, plain);
    for (name, value) in stop.headers {
        reply.headers_mut().insert(name, value);
    }
    dressed(reply)
}

/// What the upstream answers.
pub(super) fn of_upstream(flight: Flight, from: Response<Incoming>, mut passed: Passed) -> Reply {
    passed.status = from.status().as_u16();
    passed.first = flight.began.elapsed();
    dressed(from.map(|body| Passing {
        source: Source::Upstream(body),
        passed,
        flight,
    }))
}
