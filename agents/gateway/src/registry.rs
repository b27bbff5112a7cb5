//! Every exchange that is open, and the sweep that ends those an overlay closes.
//!
//! **Invariant:** an exchange stands here before it asks whether it may pass, and a cut is in force before the sweep
//! begins. Whichever comes second finds the other, so no request slips between.

use crate::{admission::Table, cord::Cord, deny::Denied, overlay, round::Round};
use kill_wire::{ProbePoint, Timestamp};
use net_model::{ExchangeView, Overlay};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

const SHARDS: usize = 16;
/// Most exchanges that one view lists.
const MAX_VIEWS: usize = 200;
/// A connection that has not ended by itself by now is on a lane that is held up, and is reset over its head.
const HELD_UP: Duration = Duration::from_millis(230);
/// How long is waited for what a sweep ended to be gone.
pub(crate) const GONE_LIMIT: Duration = Duration::from_millis(250);

/// Where an exchange stands, as a scope is held against it.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// No way chosen yet: any of this consumer's ways may become it.
    Undecided(Arc<Table>, usize),
    /// On this way.
    Chosen(ProbePoint),
}

impl Standing {
    /// Whether it may go on under `overlay`.
    pub(crate) fn may_go_on(&self, overlay: Option<&Overlay>) -> Result<(), Denied> {
        match self {
            Self::Undecided(table, consumer) => table.any_way(table.consumer(*consumer)?, overlay),
            Self::Chosen(point) => overlay::admits(overlay, &point.subject()),
        }
    }
}

/// Whether an exchange is a client's, or the gateway's own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A client's call: shown and counted.
    Call,
    /// A probe or a list of models: cut like any other, not counted.
    Uncounted,
}

#[derive(Debug)]
struct Entry {
    sort: Sort,
    standing: Standing,
    cord: Arc<Cord>,
    model: String,
    streaming: bool,
    since: Timestamp,
}

/// What a sweep found.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Calls it ended.
    pub(crate) severed: u32,
    /// Everything it ended.
    cords: Vec<(Sort, Arc<Cord>)>,
}

impl Swept {
    /// Waits until nothing more goes out to any of these clients, and resets those whose own thread does not come to
    /// it. How many calls are left at the limit.
    pub(crate) async fn gone(self) -> u32 {
        let (held_up, limit) = (Instant::now() + HELD_UP, Instant::now() + GONE_LIMIT);
        for (_, cord) in &self.cords {
            if timeout_at(held_up, cord.gone().cancelled()).await.is_err() {
                cord.reset();
            }
        }
        let mut lingering = 0;
        for (sort, cord) in self.cords {
            let late = timeout_at(limit, cord.gone().cancelled()).await.is_err();
            if late && !cord.gone().is_cancelled() && sort == Sort::Call {
                lingering += 1;
            }
        }
        lingering
    }
}

/// All open exchanges.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: [Mutex<HashMap<u64, Entry>>; SHARDS],
    next: AtomicU64,
    calls: AtomicU32,
}

impl Registry {
    /// An empty registry.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            next: AtomicU64::new(1),
            calls: AtomicU32::new(0),
        })
    }

    /// The next number within this run.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Registers an exchange; it stays until the returned value is dropped.
    pub(crate) fn begin(
        self: &Arc<Self>,
        cord: &Arc<Cord>,
        sort: Sort,
        standing: Standing,
        since: Timestamp,
    ) -> Exchange {
        self.begin_as(self.number(), cord, sort, standing, since)
    }

    /// The same for one that has its number already.
    pub(crate) fn begin_as(
        self: &Arc<Self>,
        id: u64,
        cord: &Arc<Cord>,
        sort: Sort,
        standing: Standing,
        since: Timestamp,
    ) -> Exchange {
        let entry = Entry {
            sort,
            standing,
            cord: Arc::clone(cord),
            model: String::new(),
            streaming: false,
            since,
        };
        self.shard(id).insert(id, entry);
        if sort == Sort::Call {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        Exchange {
            id,
            registry: Arc::clone(self),
        }
    }

    /// How many calls are open.
    pub(crate) fn open(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Ends every exchange that `overlay` closes.
    pub(crate) fn sweep(&self, overlay: &Overlay) -> Swept {
        self.sever_where(|standing| standing.may_go_on(Some(overlay)).err())
    }

    /// Ends every exchange for which `why` has a reason.
    pub(crate) fn sever_where(&self, why: impl Fn(&Standing) -> Option<Denied>) -> Swept {
        let mut swept = Swept::default();
        let round = Round::begin();
        for shard in &self.shards {
            // Severing under the lock: an exchange cannot end meanwhile and leave its connection to the next one.
            for entry in lock(shard).values() {
                let Some(denied) = why(&entry.standing) else {
                    continue;
                };
                if entry.cord.sever_in(&round, denied) {
                    swept.severed += u32::from(entry.sort == Sort::Call);
                    swept.cords.push((entry.sort, Arc::clone(&entry.cord)));
                }
            }
        }
        round.told();
        swept
    }

    /// The oldest calls that are on a way.
    pub(crate) fn views(&self) -> Vec<ExchangeView> {
        let mut views: Vec<ExchangeView> = self
            .shards
            .iter()
            .flat_map(|shard| {
                lock(shard)
                    .iter()
                    .filter_map(|(id, entry)| view(*id, entry))
                    .collect::<Vec<_>>()
            })
            .collect();
        views.sort_by_key(|view| view.id);
        views.truncate(MAX_VIEWS);
        views
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the remainder of a division by the length is below the length"
    )]
    fn shard(&self, id: u64) -> MutexGuard<'_, HashMap<u64, Entry>> {
        let at = usize::try_from(id % SHARDS as u64).unwrap_or_default();
        lock(&self.shards[at % SHARDS])
    }
}

fn lock(shard: &Mutex<HashMap<u64, Entry>>) -> MutexGuard<'_, HashMap<u64, Entry>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn view(id: u64, entry: &Entry) -> Option<ExchangeView> {
    let Standing::Chosen(point) = &entry.standing else {
        return None;
    };
    (entry.sort == Sort::Call).then(|| ExchangeView {
        id,
        consumer: point.consumer.clone(),
        route: point.route.clone(),
        target: Some(point.target.clone()),
        class: Some(point.class),
        model: entry.model.clone(),
        streaming: entry.streaming,
        since: entry.since,
    })
}

/// The right to be open; dropped when the exchange has ended.
#[derive(Debug)]
pub(crate) struct Exchange {
    id: u64,
    registry: Arc<Registry>,
}

impl Exchange {
    /// Says what is asked for, for those who look on.
    pub(crate) fn describe(&self, model: &str, streaming: bool) {
        if let Some(entry) = self.registry.shard(self.id).get_mut(&self.id) {
            model.clone_into(&mut entry.model);
            entry.streaming = streaming;
        }
    }

    /// Chooses a way. Ask whether it is open only after this.
    pub(crate) fn choose(&self, point: ProbePoint) {
        if let Some(entry) = self.registry.shard(self.id).get_mut(&self.id) {
            entry.standing = Standing::Chosen(point);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let entry = self.registry.shard(self.id).remove(&self.id);
        if entry.is_some_and(|entry| entry.sort == Sort::Call) {
            self.registry.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
