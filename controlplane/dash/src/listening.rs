//! What every stream of events has in common: a place among the listeners, a look at each new snapshot, and the question every
//! few seconds whether the listener is still let in. What is told, and in which words, is each stream's own.

use crate::caller::Caller;
use crate::site::Site;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use net_model::Snapshot;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often a listener is looked up again: so long may a stream go on after its sign-out.
const RECHECK: Duration = Duration::from_secs(10);
/// Silence after which a comment is sent, so that proxies keep the connection and a dead one is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Too many listen already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// To whom something is told, and what waits to be sent.
pub(crate) struct Line {
    pub(crate) site: Arc<Site>,
    pub(crate) caller: Caller,
    waiting: VecDeque<Event>,
}

impl Line {
    pub(crate) fn send(&mut self, event: Event) {
        self.waiting.push_back(event);
    }
}

/// What one kind of stream tells.
pub(crate) trait Teller: Send + 'static {
    /// How often it says something although nothing has changed.
    const BEAT: Option<Duration>;
    /// What comes at once, as a comment, so that whoever listens knows that it is heard.
    const HELLO: Option<&'static str>;

    /// The house has changed, or the stream begins.
    fn look(&mut self, line: &mut Line, snapshot: Arc<Snapshot>)
    -> impl Future<Output = ()> + Send;

    /// At each beat.
    fn beat(&mut self, line: &mut Line) -> impl Future<Output = ()> + Send;

    /// Every few seconds, while the listener is let in.
    fn now_and_then(&mut self, line: &mut Line) -> impl Future<Output = ()> + Send;

    /// To a listener who is no longer let in; the stream ends behind it.
    fn farewell(&self, line: &mut Line);
}

/// One that listens.
struct Listener<T> {
    line: Line,
    teller: T,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    beat: Option<Interval>,
    recheck: Interval,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

/// The stream, where there is a place for another.
pub(crate) fn listen<T: Teller>(
    site: Arc<Site>,
    caller: Caller,
    teller: T,
) -> Result<Response, Full> {
    let place = Arc::clone(&site.listeners).try_acquire_owned();
    let place = place.map_err(|_| Full)?;
    let mut snapshots = site.app.snapshots.clone();
    // Everything once: a listener may know less than there was before it came.
    snapshots.mark_changed();
    let hello = T::HELLO.into_iter();
    let hello = hello.map(|text| Event::default().comment(text));
    let listener = Listener {
        teller,
        snapshots,
        beat: T::BEAT.map(every),
        recheck: every(RECHECK),
        ended: false,
        line: Line {
            site,
            caller,
            waiting: hello.collect(),
        },
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events(listener))
        .keep_alive(keep_alive)
        .into_response())
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn events<T: Teller>(listener: Listener<T>) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

impl<T: Teller> Listener<T> {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.line.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => {
                        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
                        self.teller.look(&mut self.line, snapshot).await;
                    }
                    // The control plane stops; whoever listens calls again until it is back.
                    Err(_) => return None,
                },
                () = tick(&mut self.beat) => self.teller.beat(&mut self.line).await,
                _ = self.recheck.tick() => self.check().await,
            }
        }
    }

    async fn check(&mut self) {
        if self.line.caller.may_go_on(&self.line.site).await {
            self.teller.now_and_then(&mut self.line).await;
        } else {
            self.teller.farewell(&mut self.line);
            self.ended = true;
        }
    }
}

/// Never, where there is no beat.
async fn tick(beat: &mut Option<Interval>) {
    match beat {
        Some(beat) => {
            beat.tick().await;
        }
        None => pending().await,
    }
}
