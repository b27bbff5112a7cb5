//! The fence of this host, on a thread of its own: it is told at the same moment as the gateways, and looked at ten times
//! a second. What follows a cut on the host itself runs on another thread, so that nothing of it delays the fence.

use crate::clock;
use crate::fence_view::FenceView;
use crate::hand::Hand;
use crate::receipt::Told;
use crate::stillness::{Stillness, Wanted};
use agent_core::Fenced;
use fence::{Fence, Looked, Plan, Standing, Still};
use kill_wire::{FenceReceipt, Incident, Scope};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Between two looks; one costs the kernel microseconds.
const EVERY: Duration = Duration::from_millis(100);
/// The kernel answers within a millisecond, unless another program holds its rules.
const LIMIT: Duration = Duration::from_millis(500);
/// A lease is told to the kernel anew when it ends this much later than the kernel knows.
const LATER: Duration = Duration::from_millis(500);

/// What the fence of a host is made of.
#[derive(Clone, Debug)]
pub struct FenceWish {
    /// What it can close.
    pub plan: Plan,
    /// For each way of the plan, in its order: the scopes that close it.
    pub closes_on: Vec<Vec<Scope>>,
    /// What follows on this host when its own way is cut.
    pub still: Option<Still>,
}

#[derive(Debug)]
pub(crate) struct Fencing {
    jobs: Sender<Job>,
    closes_on: Vec<Vec<Scope>>,
    names: Vec<String>,
    stillness: Option<Stillness>,
    /// What reports say of it.
    view: FenceView,
    /// When the leases that the kernel knows end.
    told: Mutex<Duration>,
}

enum Job {
    Put(Vec<Standing>, oneshot::Sender<Result<(), String>>),
    Look(Vec<Standing>, oneshot::Sender<Result<Looked, String>>),
}

impl Fencing {
    /// Starts the threads; they end when this is dropped.
    pub(crate) fn start(wish: FenceWish, view: FenceView) -> std::io::Result<Self> {
        let (jobs, work) = channel();
        let names = wish.plan.ways.iter().map(|way| way.name.to_string());
        let names = names.collect();
        let stillness = match wish.still {
            Some(still) => Stillness::start(still, &wish.plan)?,
            None => None,
        };
        let fence = Fence::new(wish.plan);
        std::thread::Builder::new()
            .name("fence".to_owned())
            .spawn(move || work_off(fence, &work))?;
        Ok(Self {
            jobs,
            closes_on: wish.closes_on,
            names,
            stillness,
            view,
            told: Mutex::default(),
        })
    }

    /// How every way must stand now, and since which incident it is cut.
    fn wanted(&self, hand: &Hand) -> Vec<Fenced> {
        let (core, up) = (hand.core(), clock::up());
        let ways = self.closes_on.iter();
        ways.map(|closes_on| core.fenced(closes_on, up)).collect()
    }

    /// Puts in force what is decided now. What is read here is handed over before anybody else can decide anything:
    /// the last word is the newest.
    pub(crate) async fn tell(&self, hand: &Hand) -> Told {
        let wanted = self.wanted(hand);
        let (answer, answered) = oneshot::channel();
        // A thread that is gone drops the question, and so answers it.
        drop(self.jobs.send(Job::Put(standings(&wanted), answer)));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = ends(&wanted);
        let put = tokio::time::timeout(LIMIT, answered).await;
        let failed = match put {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(why))) => Some(why),
            Ok(Err(_)) => Some("its thread has ended".to_owned()),
            Err(_) => Some(format!("the kernel did not answer within {LIMIT:?}")),
        };
        let mut told = Told::default();
        let mut fence = FenceReceipt {
            closed: self.closed(&wanted),
            ..FenceReceipt::default()
        };
        if let Some(stillness) = &self.stillness {
            let done = stillness.follow(wanted_still(stillness, &wanted)).await;
            (fence.frozen, fence.destroyed) = (done.frozen, done.destroyed);
            told.failed.extend(done.failed);
        }
        self.view.change(|held| {
            held.stands = failed.is_none();
            held.closed.clone_from(&fence.closed);
            held.ends = ends(&wanted);
            if let Some(stillness) = &self.stillness {
                held.frozen = stillness.frozen();
            }
        });
        told.failed
            .extend(failed.map(|why| format!("fence: {why}")));
        told.fence = Some(fence);
        told
    }

    /// Names of what is closed now.
    fn closed(&self, wanted: &[Fenced]) -> Vec<String> {
        let ways = self.names.iter().zip(wanted);
        ways.filter(|(_, fenced)| !matches!(fenced, Fenced::Open(_)))
            .map(|(name, _)| name.clone())
            .collect()
    }

    async fn look(&self, hand: &Hand) -> Result<Looked, String> {
        let wanted = self.wanted(hand);
        let known = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if ends(&wanted) > known + LATER {
            let told = self.tell(hand).await;
            return told.failed.into_iter().next().map_or(Ok(Looked::Same), Err);
        }
        let (answer, answered) = oneshot::channel();
        drop(self.jobs.send(Job::Look(standings(&wanted), answer)));
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(looked)) => looked,
            Ok(Err(_)) => Err("its thread has ended".to_owned()),
            Err(_) => Err(format!("the kernel did not answer within {LIMIT:?}")),
        }
    }
}

/// Tells the fence of this host, if it has one.
pub(crate) async fn tell(hand: &Hand) -> Told {
    match &hand.fencing {
        Some(fencing) => fencing.tell(hand).await,
        None => Told::default(),
    }
}

/// Closes the fence before the first order is heard, and keeps it as it should be.
pub(crate) fn start(hand: &Arc<Hand>, stop: &CancellationToken) {
    if hand.fencing.is_some() {
        let (hand, until) = (Arc::clone(hand), stop.clone());
        let tasks = hand.tasks().clone();
        tasks.spawn(async move { until.run_until_cancelled(watch(&hand)).await });
    }
}

async fn watch(hand: &Hand) {
    let Some(fencing) = &hand.fencing else { return };
    let mut trouble = fencing.tell(hand).await.failed.into_iter().next();
    if let Some(why) = &trouble {
        tracing::error!(why, "The fence does not stand.");
    }
    loop {
        tokio::time::sleep(EVERY).await;
        let looked = fencing.look(hand).await;
        match &looked {
            Ok(Looked::Same) => {}
            Ok(Looked::Elements) => {
                tracing::warn!("Somebody had changed the fence's sets; they were put back.")
            }
            Ok(Looked::Rules) => {
                tracing::warn!("Somebody had changed or flushed the fence; it was made anew.")
            }
            Err(why) if trouble.as_ref() != Some(why) => {
                tracing::error!(why, "The fence does not stand.")
            }
            Err(_) => {}
        }
        fencing.view.change(|held| held.stands = looked.is_ok());
        let now = looked.err();
        if now.is_none() && trouble.is_some() {
            tracing::info!("The fence stands.");
        }
        trouble = now;
    }
}

fn work_off(mut fence: Fence, work: &Receiver<Job>) {
    // Whoever asked may have stopped waiting: the work is done all the same.
    while let Ok(job) = work.recv() {
        match job {
            Job::Put(standings, answer) => {
                let put = fence.put(&standings).map_err(|why| why.to_string());
                drop(answer.send(put));
            }
            Job::Look(standings, answer) => {
                let looked = fence.look(&standings).map_err(|why| why.to_string());
                drop(answer.send(looked));
            }
        }
    }
}

pub(crate) fn standings(wanted: &[Fenced]) -> Vec<Standing> {
    let each = wanted.iter().map(|fenced| match fenced {
        Fenced::Cut(_) => Standing::Cut,
        Fenced::Paused => Standing::Paused,
        Fenced::Open(left) => Standing::Open(*left),
    });
    each.collect()
}

/// When the last lease ends, as time since the start of this host.
fn ends(wanted: &[Fenced]) -> Duration {
    let left = wanted.iter().filter_map(|fenced| match fenced {
        Fenced::Open(Some(left)) => Some(*left),
        Fenced::Open(None) | Fenced::Cut(_) | Fenced::Paused => None,
    });
    left.max().map_or(Duration::ZERO, |left| clock::up() + left)
}

fn wanted_still(stillness: &Stillness, wanted: &[Fenced]) -> Wanted {
    match wanted.get(stillness.at()) {
        Some(Fenced::Cut(incident)) => Wanted::Still(Incident::get(*incident)),
        // A pause ends by itself; processes go on through it, behind the closed fence.
        Some(Fenced::Open(_)) => Wanted::Going,
        Some(Fenced::Paused) | None => Wanted::AsItIs,
    }
}
