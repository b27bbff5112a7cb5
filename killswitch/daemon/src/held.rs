//! Streams opened before a cut, one for every way there is: what a proof says of streams, it says of these.

use kill_wire::{HOLD_BEAT, Incident, LatchSet, ProbePoint, Scope};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// Most streams held at the same time; every route has one before any route has two.
const MOST: usize = 64;
/// A stream that has said nothing for this long is not known to be open.
pub(crate) const SILENT: Duration = HOLD_BEAT.saturating_mul(3);

/// One way, as seen from one vantage.
pub(crate) type Way = (usize, ProbePoint);

/// How one stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Open; when it last said something.
    Open { beat: Instant },
    /// A cut ended it and named this incident.
    Cut(Incident),
    /// It ended otherwise.
    Broken { at: Instant },
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    all: Mutex<BTreeMap<Way, Stream>>,
    /// One has ended.
    pub(crate) ended: Notify,
}

/// What became of streams that were open before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Ended by a cut that holds.
    pub(crate) dead: Vec<Way>,
    /// Open still, or ended by nobody knows what cut.
    pub(crate) open: Vec<Way>,
    /// Broken off: it shows nothing.
    pub(crate) unproven: Vec<Way>,
}

impl Streams {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Way, Stream>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was opened, or said something.
    pub(crate) fn beat(&self, way: &Way) {
        let beat = Instant::now();
        self.all().insert(way.clone(), Stream::Open { beat });
    }

    /// It ended; with the incident it named.
    pub(crate) fn end(&self, way: &Way, incident: Option<Incident>) {
        let at = Instant::now();
        let stream = incident.map_or(Stream::Broken { at }, Stream::Cut);
        self.all().insert(way.clone(), stream);
        self.ended.notify_waiters();
    }

    /// It is no longer wanted.
    pub(crate) fn forget(&self, way: &Way) {
        self.all().remove(way);
    }

    /// Waits until a cut asked for at `since` has ended every stream of its scope, `limit` at most.
    pub(crate) async fn settle(
        &self,
        scope: &Scope,
        since: Instant,
        latches: &LatchSet,
        limit: Duration,
    ) -> Verdict {
        let until = Instant::now() + limit;
        loop {
            // Asked for before looking, so that an end between the two is not missed.
            let ended = self.ended.notified();
            let verdict = judge(&self.all(), scope, since, latches);
            let left = until.saturating_duration_since(Instant::now());
            if verdict.open.is_empty() || timeout(left, ended).await.is_err() {
                return verdict;
            }
        }
    }
}

fn judge(
    all: &BTreeMap<Way, Stream>,
    scope: &Scope,
    since: Instant,
    latches: &LatchSet,
) -> Verdict {
    let mut verdict = Verdict::default();
    for (way, stream) in all.iter().filter(|(way, _)| scope.covers(&way.1.subject())) {
        let list = match stream {
            Stream::Cut(incident) if holds(latches, *incident) => &mut verdict.dead,
            // Its last word was an older cut, and nothing has been open since.
            Stream::Cut(_) => continue,
            Stream::Open { beat } if since.saturating_duration_since(*beat) < SILENT => {
                &mut verdict.open
            }
            Stream::Open { .. } => continue,
            Stream::Broken { at } if *at >= since => &mut verdict.unproven,
            Stream::Broken { .. } => continue,
        };
        list.push(way.clone());
    }
    verdict
}

/// Whether this incident is of a latch that holds: another's says nothing.
pub(crate) fn holds(latches: &LatchSet, incident: Incident) -> bool {
    let mut all = latches.as_slice().iter();
    all.any(|latch| latch.incident == incident)
}

/// Which ways are held: first one of every route and vantage, then the others.
pub(crate) fn chosen(ways: impl Iterator<Item = Way>) -> Vec<Way> {
    let mut first: BTreeMap<_, Way> = BTreeMap::new();
    let mut others = Vec::new();
    for way in ways {
        match first.entry((way.0, way.1.route.clone())) {
            Entry::Vacant(place) => {
                place.insert(way);
            }
            Entry::Occupied(_) => others.push(way),
        }
    }
    first.into_values().chain(others).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Class, Latch, RouteKind, Timestamp};

    fn way(route: &str, consumer: &str) -> Way {
        let name = |text: &str| text.parse().unwrap();
        let point = ProbePoint {
            kind: RouteKind::Llm,
            consumer: name(consumer),
            route: name(route),
            target: name("box"),
            class: Class::Local,
        };
        (0, point)
    }

    fn held() -> LatchSet {
        let latch = Latch {
            incident: Incident::FIRST,
            scope: Scope::Llm,
            since: Timestamp::from_millis(0),
        };
        vec![latch].try_into().unwrap()
    }

    fn one(stream: Stream, since: Instant) -> Verdict {
        judge(
            &BTreeMap::from([(way("chat", "claw"), stream)]),
            &Scope::Llm,
            since,
            &held(),
        )
    }

    #[tokio::test]
    async fn only_an_end_by_a_cut_that_holds_is_proof() {
        let now = Instant::now();
        let dead = one(Stream::Cut(Incident::FIRST), now);
        assert_eq!((dead.dead.len(), dead.open.len()), (1, 0));
        let older = one(Stream::Cut(Incident::FIRST.next()), now);
        assert_eq!(older, Verdict::default());
        let open = one(Stream::Open { beat: now }, now);
        assert_eq!(open.open.len(), 1);
        let broken = one(Stream::Broken { at: now }, now);
        assert_eq!(broken.unproven.len(), 1);
    }

    #[tokio::test]
    async fn what_was_not_open_before_the_cut_is_not_counted() {
        let before = Instant::now();
        let later = before + SILENT;
        assert_eq!(
            one(Stream::Broken { at: before }, later),
            Verdict::default()
        );
        assert_eq!(
            one(Stream::Open { beat: before }, later),
            Verdict::default()
        );
    }

    #[tokio::test]
    async fn a_stream_that_ends_late_is_waited_for_and_one_that_does_not_is_open() {
        let streams = Streams::default();
        let (chat, side) = (way("chat", "claw"), way("side", "claw"));
        streams.beat(&chat);
        streams.beat(&side);
        let since = Instant::now();
        let limit = Duration::from_millis(50);
        let latches = held();
        let waiting = streams.settle(&Scope::Llm, since, &latches, limit);
        let ending = async { streams.end(&chat, Some(Incident::FIRST)) };
        let (verdict, ()) = tokio::join!(waiting, ending);
        assert_eq!((verdict.dead, verdict.open), (vec![chat], vec![side]));
    }

    #[test]
    fn every_route_is_held_once_before_any_is_held_twice() {
        let many = (0..80).map(|n| way("chat", &format!("c{n}")));
        let all = chosen(many.chain([way("side", "claw")]));
        assert_eq!((all.len(), all[1].1.route.as_str()), (MOST, "side"));
    }
}
