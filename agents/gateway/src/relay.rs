//! The body of an answer on its way from the target to the client.
//!
//! It waits on its cut token as well as on the target, so that a silent stream ends at once; and it is polled only
//! while the client takes bytes, so that a slow client slows the target and holds no memory.

use crate::{
    account::Account, arriving::Arriving, deny::Denied, events::Splitter, line::Line,
    registry::Exchange,
};
use bytes::{Bytes, BytesMut};
use gateway_core::{
    dialect::{Framing, next_number},
    usage::without_figures,
};
use hyper::body::{Body, Frame, SizeHint};
use memchr::memmem;
use net_model::{Api, Ended, Family};
use std::{
    collections::VecDeque,
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// Pieces that are there together leave as one, up to about this many bytes. Nothing waits for it: not a piece for the
/// next, and an answer that trickles passes as it comes.
const MERGED: usize = 12 * 1024;

/// Longer pieces of a target may hold several events, and are counted event by event where a budget may end among them.
const LONG: usize = 1024;

/// Of what a target had sent when its answer was broken off, this much is still read, to be counted.
const LEFT: usize = 32 * 1024;

type Next = Option<io::Result<Frame<Bytes>>>;

/// An answer that passes through.
#[derive(Debug)]
pub(crate) struct Relay {
    /// In which the client asked: a stream that is cut ends in its words.
    api: Api,
    /// The target's side; gone when the answer is over or cut.
    upstream: Option<Arriving>,
    /// Finds the ends of events when the answer is a stream of them.
    events: Option<Splitter>,
    ready: VecDeque<Bytes>,
    /// The target broke its answer off; what came before goes out first.
    broken: bool,
    /// The target was asked for figures that the client did not ask for.
    hides_figures: bool,
    /// The number of the client's next event, where the API has numbers for them.
    next_number: u64,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    line: Arc<Line>,
    account: Option<Account>,
    exchange: Option<Exchange>,
}

impl Relay {
    /// Passes `body` on, which is cut into events in this way.
    pub(crate) fn new(
        upstream: Arriving,
        framing: Framing,
        line: &Arc<Line>,
        account: Account,
        exchange: Exchange,
    ) -> Self {
        let mut relay = Self {
            api: account.api(),
            upstream: Some(upstream),
            events: Splitter::of(framing),
            ready: VecDeque::new(),
            broken: false,
            hides_figures: false,
            next_number: 0,
            cut: Box::pin(line.cord().cut().clone().cancelled_owned()),
            line: Arc::clone(line),
            account: Some(account),
            exchange: Some(exchange),
        };
        relay.finish_if_over();
        relay
    }

    /// Keeps the event that holds nothing but figures from the client.
    pub(crate) fn hide_figures(mut self) -> Self {
        self.hides_figures = true;
        self
    }

    fn take(&mut self, mut data: Bytes) {
        let passes = self.count(&data);
        let all = passes == data.len();
        data.truncate(passes);
        let from = self.ready.len();
        match &mut self.events {
            Some(events) => events.push(data, &mut self.ready),
            None => self.ready.push_back(data),
        }
        if self.hides_figures && self.events.is_some() {
            for piece in self.ready.range_mut(from..) {
                *piece = without_figures(std::mem::take(piece));
            }
            self.ready.retain(|piece| !piece.is_empty());
        }
        // What a budget held something of back is not whole, even when that was the last of it.
        if all {
            self.finish_if_over();
        }
    }

    /// Counts what has come; how many bytes of it are passed on: when a budget ends here, those up to the end of the event
    /// in which it does. The rest was made all the same, and counts.
    fn count(&mut self, data: &[u8]) -> usize {
        let Some(account) = &mut self.account else {
            return data.len();
        };
        let mut from = 0;
        if self.events.is_some() && data.len() > LONG && account.is_bound() {
            let ends: &[u8] = if self.api.family() == Family::Ollama {
                b"\n"
            } else {
                b"\n\n"
            };
            for at in memmem::find_iter(data, ends) {
                let over = at + ends.len();
                account.feed(data.get(from..over).unwrap_or_default());
                from = over;
                if self.line.cord().why().is_some() {
                    account.feed(data.get(from..).unwrap_or_default());
                    return from;
                }
            }
        }
        account.feed(data.get(from..).unwrap_or_default());
        data.len()
    }

    /// A body of known length is over with its last byte; nobody polls it again.
    fn finish_if_over(&mut self) {
        if self.upstream.as_ref().is_some_and(Arriving::is_over) {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if let Some(upstream) = self.upstream.take() {
            upstream.park();
        }
        if let Some(events) = &mut self.events {
            let rest = events.finish();
            if !rest.is_empty() {
                self.ready.push_back(rest);
            }
        }
        self.settle(Ended::Complete);
    }

    fn settle(&mut self, how: Ended) {
        if let Some(mut account) = self.account.take() {
            account.ended(how, None);
        }
        if let Some(exchange) = self.exchange.take() {
            self.line.keep_until_flushed(exchange);
        }
    }

    /// Whether the target is looked at before what is there goes out. What a budget has just ended gets no longer.
    fn wants_more(&self) -> bool {
        let there: usize = self.ready.iter().map(Bytes::len).sum();
        there == 0 || !self.broken && there < MERGED && self.line.cord().why().is_none()
    }

    /// What is there, as one piece; `None` at the end.
    fn merged(&mut self) -> Next {
        let first = self.ready.pop_front()?;
        if self.ready.is_empty() {
            return self.passed_on(first);
        }
        let rest: usize = self.ready.iter().map(Bytes::len).sum();
        let mut all = BytesMut::with_capacity(first.len() + rest);
        all.extend_from_slice(&first);
        for piece in self.ready.drain(..) {
            all.extend_from_slice(&piece);
        }
        self.passed_on(all.freeze())
    }

    fn passed_on(&mut self, bytes: Bytes) -> Next {
        if let Some(next) = next_number(self.api, &bytes) {
            self.next_number = next;
        }
        Some(Ok(Frame::data(bytes)))
    }

    /// Ends the answer before its time: with an error event where one can stand, else by a reset.
    fn break_off(&mut self, how: Ended, why: &Denied) -> Next {
        self.ready.clear();
        if let (Some(upstream), Some(mut account)) = (self.upstream.take(), self.account.take()) {
            account.ended(how, None);
            self.line.leave(Left { upstream, account });
        }
        self.settle(how);
        if self
            .events
            .take()
            .is_some_and(|events| events.between_events())
        {
            return Some(Ok(Frame::data(
                why.event_of_number(self.api, self.next_number),
            )));
        }
        self.line.ask_reset();
        Some(Err(io::Error::other(why.code())))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let (Some(upstream), Some(mut account)) = (self.upstream.take(), self.account.take()) {
            account.goes_no_further();
            drop(Left { upstream, account });
        }
    }
}

/// What an answer leaves behind that ended before its time. Dropping it closes the target's socket and settles the
/// account.
#[derive(Debug)]
pub(crate) struct Left {
    upstream: Arriving,
    account: Account,
}

impl Drop for Left {
    /// Counts what has come from the target and goes to nobody any more: it was made, and will be charged for. Waits
    /// for nothing: mostly one read that finds nothing.
    fn drop(&mut self) {
        let (mut read, mut cx) = (0, Context::from_waker(Waker::noop()));
        while read < LEFT
            && let Poll::Ready(Some(Ok(data))) = self.upstream.poll_piece(&mut cx)
        {
            read += data.len();
            self.account.feed(&data);
        }
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        let this = &mut *self;
        if this.upstream.is_some() && this.cut.as_mut().poll(cx).is_ready() {
            let why = this.line.cord().refusal();
            return Poll::Ready(this.break_off(why.ends(), &why));
        }
        loop {
            if this.broken && this.ready.is_empty() {
                this.broken = false;
                return Poll::Ready(this.break_off(Ended::UpstreamFailed, &Denied::BrokenOff));
            }
            let more = this.wants_more();
            let Some(upstream) = this.upstream.as_mut().filter(|_| more) else {
                return Poll::Ready(this.merged());
            };
            match upstream.poll_piece(cx) {
                Poll::Ready(Some(Ok(data))) => this.take(data),
                Poll::Ready(Some(Err(_))) => this.broken = true,
                Poll::Ready(None) => this.finish(),
                Poll::Pending if this.ready.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(this.merged()),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.upstream.is_none() && self.ready.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.upstream, &self.events) {
            // An error event may have to follow: the length of a stream is not known.
            (Some(upstream), None) => {
                let ready: u64 = self.ready.iter().map(|piece| piece.len() as u64).sum();
                let left = upstream.left();
                left.map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + ready))
            }
            _ => SizeHint::default(),
        }
    }
}
