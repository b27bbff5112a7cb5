//! A million replays, by real channels of every kind, from eight threads, over restarts, through and past every window:
//! none of them is carried out, while what people really send is.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod again;
mod house;
mod script;
mod signers;

use again::again;
use fastrand::Rng;
use house::{House, START, Sent};
use kill_core::{Core, Decision, Memory};
use kill_wire::Timestamp;
use script::{BEFORE, Script};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

const WORKERS: u64 = 8;
const STEP_MS: u64 = 30_000;
/// Cuts and restores that people send while replays come in.
const BETWEEN: u64 = 128;
/// For nine tenths of the replays the clock goes from one cut to the next in three steps, then past the day for which
/// a late text counts.
const SLOW_MS: u64 = BETWEEN * 3 * STEP_MS / 2;
const FAST_MS: u64 = 26 * 3_600_000;

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Replays that did anything at all, a cut of what was cut included.
    executed: u64,
    /// Signatures that were verified for a replay, and how many of them were still good.
    verified: u64,
    still_good: u64,
    /// Texts that were long on their way, judged at their stamp.
    late: u64,
    /// Replays that got the answer of the first time, or none.
    duplicates: u64,
    refused: u64,
    restarts: u64,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            executed: self.executed + other.executed,
            verified: self.verified + other.verified,
            still_good: self.still_good + other.still_good,
            late: self.late + other.late,
            duplicates: self.duplicates + other.duplicates,
            refused: self.refused + other.refused,
            restarts: self.restarts + other.restarts,
        }
    }
}

/// What survives a restart.
type Kept = fn(&Core) -> Memory;

fn written_down(core: &Core) -> Memory {
    Memory::parse(core.memory().to_json().as_bytes()).unwrap()
}

struct World {
    house: House,
    core: Mutex<Core>,
    script: Mutex<Script>,
    sent: RwLock<Vec<Arc<Sent>>>,
    replays: u64,
    drawn: AtomicU64,
    kept: Kept,
}

impl World {
    fn new(replays: u64, kept: Kept) -> Self {
        let house = House::new();
        let mut core = house.core(Memory::fresh());
        let (mut script, mut sent) = (Script::new(), Vec::new());
        for n in 0..BEFORE {
            // SNS' message was posted seven seconds after the start.
            let now = START.plus_millis(7_000 + n * STEP_MS);
            sent.extend(script.go_on(&house, &mut core, now).map(Arc::new));
        }
        assert_eq!((script.cuts, script.restores), (BEFORE / 2, BEFORE / 2 - 1));
        Self {
            house,
            core: Mutex::new(core),
            script: Mutex::new(script),
            sent: RwLock::new(sent),
            replays,
            drawn: AtomicU64::new(0),
            kept,
        }
    }

    /// The time of the `n`th replay.
    fn time(&self, n: u64) -> Timestamp {
        let slow = self.replays / 10 * 9;
        let since = START.plus_millis((BEFORE + 1) * STEP_MS);
        let fast = FAST_MS * n.saturating_sub(slow) / (self.replays - slow);
        since.plus_millis(SLOW_MS * n.min(slow) / slow + fast)
    }

    /// Lets people send what is due by now.
    fn go_on(&self, n: u64) {
        let Ok(mut script) = self.script.try_lock() else {
            return;
        };
        let due = (script.next - BEFORE) * (self.replays / 10 * 9) / BETWEEN;
        if script.next >= BEFORE + BETWEEN || n < due {
            return;
        }
        let now = self.time(self.drawn.load(Ordering::Relaxed));
        let sent = script.go_on(&self.house, &mut self.core.lock().unwrap(), now);
        self.sent.write().unwrap().extend(sent.map(Arc::new));
    }

    /// One of them, mostly a recent one.
    fn one(&self, chance: &mut Rng) -> Arc<Sent> {
        let sent = self.sent.read().unwrap();
        let recent = if chance.u64(..3) == 0 { sent.len() } else { 12 };
        Arc::clone(&sent[sent.len() - 1 - chance.usize(..recent)])
    }

    fn replay(&self, worker: u64) -> Counts {
        let mut chance = Rng::with_seed(worker);
        let mut counts = Counts::default();
        loop {
            let n = self.drawn.fetch_add(1, Ordering::Relaxed);
            if n >= self.replays {
                return counts;
            }
            self.go_on(n);
            let now = self.time(n);
            let (sent, other) = (self.one(&mut chance), self.one(&mut chance));
            let again = again(&self.house, &mut chance, (&sent, &other), now);
            counts.verified += u64::from(again.verified);
            counts.late += u64::from(again.late);
            let Some(text) = again.text else { continue };
            counts.still_good += u64::from(again.verified);
            let mut core = self.core.lock().unwrap();
            match core.on_text(&text, now) {
                Decision::Duplicate { .. } => counts.duplicates += 1,
                Decision::Refused(_) | Decision::Status { .. } => counts.refused += 1,
                Decision::Restore(restore) => {
                    core.commit(restore.seal, now);
                    counts.executed += 1;
                }
                Decision::Cut(_)
                | Decision::Held(_)
                | Decision::Feigned(_)
                | Decision::CheckedIn(_)
                | Decision::Drill(_) => counts.executed += 1,
            }
            if chance.u64(..1000) == 0 {
                *core = self.house.core((self.kept)(&core));
                counts.restarts += 1;
            }
        }
    }

    fn run(&self) -> Counts {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| scope.spawn(move || self.replay(worker)))
                .collect();
            let done = workers.into_iter().map(|worker| worker.join().unwrap());
            done.fold(Counts::default(), Counts::plus)
        })
    }
}

#[test]
fn of_a_million_replays_by_every_channel_none_is_carried_out() {
    const REPLAYS: u64 = 1_000_000;
    let world = World::new(REPLAYS, written_down);
    let counts = world.run();
    let script = world.script.into_inner().unwrap();
    let (cuts, restores) = (script.cuts, script.restores);
    println!(
        "{REPLAYS} replays by {WORKERS} threads: {counts:?}; {cuts} cuts, {restores} restores"
    );
    assert_eq!((counts.executed, &script.odd), (0, &Vec::new()));
    let all = (BEFORE + BETWEEN) / 2;
    assert_eq!((script.next, cuts, restores), (2 * all, all, all - 1));
    let core = world.core.into_inner().unwrap();
    let left = core.memory().latches();
    assert_eq!(left.as_slice().len(), 1, "{left:?}");
    assert!(counts.verified >= 100_000 && counts.still_good >= 20_000 && counts.restarts > 500);
    assert!(counts.duplicates > REPLAYS / 10 && counts.refused > REPLAYS / 10);
    assert!(counts.late > 1000);
}

/// The same replays at a kill switch that forgets are carried out: they are worth what they look like.
#[test]
fn a_kill_switch_that_forgot_would_carry_replays_out() {
    let world = World::new(20_000, |_| Memory::fresh());
    let counts = world.run();
    println!("{counts:?}");
    assert!(counts.executed > 10);
}
