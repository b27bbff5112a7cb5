//! Carries out the tries of the isolation canary: a thread of its own, few tries at once, each by no more than a connect, a
//! datagram or a question.
//!
//! **Invariant:** what is tried stands in this host's own file. Nothing is sent over a connection that comes about: it is reset.

mod probe;

use crate::clock::passing_ms;
use host_core::canary::{Canary, CanaryPlan, Try};
use kill_wire::Reached;
use net_model::CanaryFact;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, scope};
use std::time::Duration;

/// Most tries at the same time.
const AT_ONCE: usize = 4;
/// How long one try may take.
const LIMIT: Duration = Duration::from_millis(800);
/// Longest sleep: the clock goes on while the machine is asleep, and a sleep of ours does not.
const LONGEST: u64 = 1_000;

/// A running canary.
#[derive(Debug)]
pub struct CanaryProber {
    canary: Arc<Mutex<Canary>>,
    clock: fn() -> u64,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CanaryProber {
    /// Begins. `seed` is what the irregularity of its tries is made of, so that hosts do not try all at once.
    ///
    /// # Errors
    /// The plan cannot be followed, or no thread can be had.
    pub fn start(plan: CanaryPlan, seed: u64) -> io::Result<Self> {
        let canary = Canary::new(plan, seed, passing_ms()).map_err(io::Error::other)?;
        Self::on(canary, passing_ms)
    }

    fn on(canary: Canary, clock: fn() -> u64) -> io::Result<Self> {
        let canary = Arc::new(Mutex::new(canary));
        let (stop, stopped) = channel();
        let shared = Arc::clone(&canary);
        let name = "canary".to_owned();
        let thread = Builder::new()
            .name(name)
            .spawn(move || run(&shared, clock, &stopped))?;
        Ok(Self {
            canary,
            clock,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What is known now, worst first, for the next report.
    #[must_use]
    pub fn facts(&self) -> Vec<CanaryFact> {
        locked(&self.canary).facts((self.clock)())
    }
}

/// Ends its thread and waits for it: no longer than one try takes.
impl Drop for CanaryProber {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that died has nothing more to do.
            drop(thread.join());
        }
    }
}

fn locked(canary: &Mutex<Canary>) -> MutexGuard<'_, Canary> {
    canary.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(canary: &Mutex<Canary>, clock: fn() -> u64, stopped: &Receiver<()>) {
    loop {
        let now = clock();
        let tries = locked(canary).due(now, AT_ONCE);
        for (tried, found) in all(&tries) {
            locked(canary).found(tried, found, clock());
        }
        let next = locked(canary).next();
        let wait = next.map_or(LONGEST, |next| next.saturating_sub(clock()));
        let wait = Duration::from_millis(wait.min(LONGEST));
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// All of them at the same time.
fn all(tries: &[Try]) -> Vec<(&Try, Reached)> {
    scope(|scope| {
        let begun: Vec<_> = tries
            .iter()
            .map(|tried| (tried, scope.spawn(|| probe::reach(&tried.target, LIMIT))))
            .collect();
        let ended = begun.into_iter().map(|(tried, thread)| {
            let found = thread.join().unwrap_or(Reached::Untried);
            (tried, found)
        });
        ended.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::ProbeTarget;
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Each look at this clock is half a second later, so that a test need not wait for tries.
    fn clock() -> u64 {
        static LOOKS: AtomicU64 = AtomicU64::new(0);
        LOOKS.fetch_add(500, Ordering::Relaxed)
    }

    fn until(prober: &CanaryProber, is: impl Fn(&[CanaryFact]) -> bool) -> Vec<CanaryFact> {
        for _ in 0..4_000 {
            let facts = prober.facts();
            if is(&facts) {
                return facts;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not within 20 s: {:?}", prober.facts());
    }

    #[test]
    fn a_way_that_must_not_be_there_is_found_and_so_is_its_end() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let open = ProbeTarget::Tcp(listener.local_addr().unwrap());
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let missing = ProbeTarget::Tcp(closed.local_addr().unwrap());
        drop(closed);
        let plan = CanaryPlan {
            must: vec![missing],
            must_not: vec![open.clone()],
            every_ms: 10_000,
        };
        let canary = Canary::new(plan, 3, clock()).unwrap();
        let prober = CanaryProber::on(canary, clock).unwrap();
        let facts = until(&prober, |facts| {
            facts.iter().any(CanaryFact::is_breach) && facts.iter().any(CanaryFact::is_missing)
        });
        assert_eq!(facts[0].target, open);
        drop(listener);
        until(&prober, |facts| {
            facts.len() == 2 && facts.iter().all(|fact| !fact.is_breach())
        });
    }
}
