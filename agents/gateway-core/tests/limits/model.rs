//! Random interleavings against a plain model that knows nothing of leases.

use crate::support::*;
use gateway_core::limits::{Answer, Engine, Need, Permit};
use kill_wire::Class;
use net_model::{AtEnd, Selector};
use proptest::prelude::*;

const LIMIT: u64 = 2_000;
const DAY: u64 = 24 * 3_600_000;

#[derive(Clone, Debug)]
enum Step {
    Begin {
        prompt: u64,
        whole: Option<u64>,
    },
    Flow {
        which: usize,
        more: u64,
    },
    End {
        which: usize,
        correction: i64,
    },
    Cancel {
        which: usize,
    },
    Pass {
        ms: u64,
    },
    /// The process is killed: what is open is gone with it.
    Crash,
    Reload {
        limit: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..300, proptest::option::of(0_u64..500))
            .prop_map(|(prompt, whole)| Step::Begin { prompt, whole }),
        8 => (any::<usize>(), 0_u64..60).prop_map(|(which, more)| Step::Flow { which, more }),
        3 => (any::<usize>(), -200_i64..200)
            .prop_map(|(which, correction)| Step::End { which, correction }),
        1 => any::<usize>().prop_map(|which| Step::Cancel { which }),
        2 => (1_u64..DAY).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Crash),
        1 => (1_000_u64..3_000).prop_map(|limit| Step::Reload { limit }),
    ]
}

struct Running {
    permit: Permit,
    so_far: u64,
    whole: bool,
}

/// Tells the engine the next figure as the gateway does: the engine only when the permit does not cover it.
fn flow(engine: &mut Engine, running: &mut Running, more: u64, at: u64) -> bool {
    running.so_far += more;
    let so_far = tokens(running.so_far);
    running.permit.goes_on(so_far) || engine.draw(&mut running.permit, so_far, now(at)).is_ok()
}

fn rules_of(limit: u64) -> net_model::Rules {
    rules(
        vec![budget(Selector::default(), limit, AtEnd::Hard)],
        vec![],
    )
}

#[derive(Default)]
struct World {
    open: Vec<Running>,
    at: u64,
    /// Every token of every exchange that ended or was killed, at least as the engine must have counted it.
    ended: u64,
}

impl World {
    fn begin(&mut self, engine: &mut Engine, prompt: u64, whole: Option<u64>) {
        let answer = whole.map_or(Answer::Flows, |most| Answer::Whole(tokens(most)));
        let need = Need {
            answer,
            ..flows(prompt)
        };
        let who = Who::of("claw");
        let asked = engine.reserve(&who.asks("m", Class::Local), &need, now(self.at));
        if let Ok(permit) = asked {
            self.open.push(Running {
                permit,
                so_far: 0,
                whole: whole.is_some(),
            });
        }
    }

    fn pick(&mut self, which: usize) -> Option<Running> {
        (!self.open.is_empty()).then(|| self.open.swap_remove(which % self.open.len()))
    }

    fn end(&mut self, engine: &mut Engine, running: Running, correction: i64) {
        let last = running.so_far.saturating_add_signed(correction);
        self.ended += last;
        engine.settle(running.permit, tokens(last), now(self.at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes in whatever order: sums never go below what is true, nothing stays held when all have ended,
    /// and what is let in never goes further beyond the limit than the last piece of each.
    #[test]
    fn nothing_leaks_and_nothing_is_forgotten(steps in proptest::collection::vec(step(), 1..120)) {
        let mut limit = LIMIT;
        let mut engine = engine(&rules_of(limit));
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Begin { prompt, whole } => world.begin(&mut engine, prompt, whole),
                Step::Flow { which, more } => {
                    if let Some(mut running) = world.pick(which) {
                        if running.whole || flow(&mut engine, &mut running, more, world.at) {
                            world.open.push(running);
                        } else {
                            world.end(&mut engine, running, 0);
                        }
                    }
                }
                Step::End { which, correction } => {
                    if let Some(running) = world.pick(which) {
                        world.end(&mut engine, running, correction);
                    }
                }
                Step::Cancel { which } => {
                    if let Some(running) = world.pick(which) {
                        engine.cancel(running.permit, now(world.at));
                    }
                }
                Step::Pass { ms } => world.at += ms,
                Step::Crash => {
                    let (spent_before, held_before) = spent(&mut engine, now(world.at));
                    let kept = engine.keep();
                    let mut next = Engine::default();
                    load(&mut next, &rules_of(limit), now(world.at));
                    next.recover(&kept, now(world.at));
                    let after = spent(&mut next, now(world.at));
                    prop_assert_eq!(after, (spent_before + held_before, 0));
                    engine = next;
                    world.open.clear();
                }
                Step::Reload { limit: other } => {
                    limit = other;
                    load(&mut engine, &rules_of(limit), now(world.at));
                }
            }
        }
        while let Some(running) = world.pick(0) {
            world.end(&mut engine, running, 0);
        }
        let (_, held) = spent(&mut engine, now(world.at));
        prop_assert_eq!(held, 0, "a reservation was left over");
        // However much is carried, the debt is paid off in the end.
        prop_assert_eq!(spent(&mut engine, now(world.at + 4000 * DAY)), (0, 0));
    }

    /// Within one window the engine's sum is exactly the sum of what the exchanges came to.
    #[test]
    fn within_a_window_the_sum_is_exact(
        ends in proptest::collection::vec((0_u64..50, proptest::collection::vec(0_u64..40, 0..20), -30_i64..30), 1..60),
    ) {
        let mut engine = engine(&rules_of(LIMIT));
        let mut world = World::default();
        for (prompt, pieces, correction) in ends {
            world.begin(&mut engine, prompt, None);
            let Some(mut running) = world.open.pop() else { continue };
            running.so_far = 0;
            let mut goes_on = true;
            for more in pieces {
                if goes_on {
                    goes_on = flow(&mut engine, &mut running, more, 0);
                }
            }
            world.end(&mut engine, running, correction);
        }
        prop_assert_eq!(spent(&mut engine, now(1)), (world.ended, 0));
    }

    /// Answers that flow, in any interleaving: beyond the limit goes at most one piece of each, and an exchange is
    /// only refused when too little is left.
    #[test]
    fn overshoot_is_one_piece_of_each(
        turns in proptest::collection::vec((any::<usize>(), 1_u64..30), 1..600),
        streams in 1_usize..64,
    ) {
        let mut engine = engine(&rules_of(LIMIT));
        let mut world = World::default();
        for _ in 0..streams {
            world.begin(&mut engine, 5, None);
        }
        let let_in = world.open.len() as u64;
        let mut beyond = 0;
        for (which, more) in turns {
            let Some(mut running) = world.pick(which) else { break };
            let (before, held) = spent(&mut engine, now(0));
            if flow(&mut engine, &mut running, more, 0) {
                world.open.push(running);
            } else {
                // Cut off only when nothing is left that is not in use.
                let (after, _) = spent(&mut engine, now(0));
                prop_assert!(before + held + more >= LIMIT, "{} + {}", before, held);
                beyond += after.saturating_sub(LIMIT).min(more);
                world.end(&mut engine, running, 0);
            }
        }
        while let Some(running) = world.pick(0) {
            world.end(&mut engine, running, 0);
        }
        let (spent, held) = spent(&mut engine, now(0));
        prop_assert_eq!(held, 0);
        prop_assert!(spent <= LIMIT + let_in * 30, "{} spent", spent);
        prop_assert!(spent.saturating_sub(LIMIT) <= beyond + let_in * 30);
    }
}

#[test]
fn ten_thousand_random_faults_leave_no_reservation() {
    let mut engine = engine(&rules_of(LIMIT * 50));
    let mut world = World::default();
    let mut random = fastrand::Rng::with_seed(7);
    let (mut faults, mut kills, mut refused) = (0_u32, 0_u32, 0_u32);
    while faults < 10_000 {
        while world.open.len() < 64 {
            let before = world.open.len();
            let whole = random.bool().then(|| random.u64(0..500));
            world.begin(&mut engine, random.u64(0..300), whole);
            if world.open.len() == before {
                refused += 1;
                world.at += 3_600_000;
            }
        }
        let Some(mut running) = world.pick(random.usize(0..64)) else {
            break;
        };
        match random.u8(0..100) {
            0 => {
                // A kill: everything that runs is gone, and what it held counts as spent.
                kills += 1;
                let kept = engine.keep();
                engine = Engine::default();
                load(&mut engine, &rules_of(LIMIT * 50), now(world.at));
                engine.recover(&kept, now(world.at));
                world.open.clear();
                faults += 1;
            }
            1..50 if flow(&mut engine, &mut running, 9, world.at) => world.open.push(running),
            50..60 => {
                engine.cancel(running.permit, now(world.at));
                faults += 1;
            }
            _ => {
                world.end(&mut engine, running, random.i64(-100..100));
                faults += 1;
            }
        }
    }
    while let Some(running) = world.pick(0) {
        world.end(&mut engine, running, 0);
    }
    let left = spent(&mut engine, now(world.at)).1;
    println!("{faults} faults, {kills} kills, {refused} refusals: {left} tokens left reserved");
    assert_eq!(left, 0);
}
