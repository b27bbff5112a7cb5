//! What holding an exchange to its rules costs. Printed, never asserted.

use crate::support::*;
use clock::elapsed;
use kill_wire::Class;
use net_model::{AtEnd, Selector};

/// The one place that reads a clock here.
mod clock {
    use std::time::{Duration, Instant};

    #[expect(clippy::disallowed_methods, reason = "a figure is printed")]
    pub(super) fn elapsed(work: impl FnOnce()) -> Duration {
        let from = Instant::now();
        work();
        from.elapsed()
    }
}

#[test]
fn the_cost_of_one_exchange_is_printed() {
    let rules = rules(
        vec![
            budget(Selector::default(), u64::MAX / 4, AtEnd::Hard),
            budget(
                Selector {
                    consumer: Some(name("claw")),
                    ..Selector::default()
                },
                u64::MAX / 4,
                AtEnd::Hard,
            ),
        ],
        vec![limit(Some(u32::MAX), Some(1_000_000_000_000), Some(1000))],
    );
    let mut engine = engine(&rules);
    let who = Who::of("claw");
    let count = 100_000_u32;
    let whole = elapsed(|| {
        for at in 0..count {
            let at = now(u64::from(at));
            let permit = engine.reserve(&who.asks("m", Class::Local), &flows(100), at);
            engine.settle(permit.unwrap(), tokens(300), at);
        }
    });
    let mut permit = engine
        .reserve(&who.asks("m", Class::Local), &flows(100), now(0))
        .unwrap();
    let draws = elapsed(|| {
        for so_far in 0..u64::from(count) {
            if !permit.goes_on(tokens(so_far)) {
                engine.draw(&mut permit, tokens(so_far), now(0)).unwrap();
            }
        }
    });
    engine.settle(permit, tokens(u64::from(count)), now(0));
    println!(
        "two budgets and a limit: {:?} an exchange, {:?} a token",
        whole / count,
        draws / count
    );
}
