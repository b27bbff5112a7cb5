//! The driver of APISIX against the twin, over random steps: cuts, restores, silence, changed routes, and every fault the
//! twin knows. After each step what the driver claims is compared with what the data plane really does.
//!
//! A claim is true, or it is not made: what is said to be in force is closed at both workers, and what is said to be
//! restored is not refused. `PORTCULLIS_WALK_STEPS` makes each of the eight walks longer.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod chance;
mod ground;
mod steps;
mod world;

use std::time::Duration;
use world::World;

/// Steps of one walk.
const STEPS: u32 = 150;
/// As often the trouble ends, and everything must come right by itself.
const CALM_EVERY: u32 = 50;

async fn walk(seed: u64) {
    let steps = std::env::var("PORTCULLIS_WALK_STEPS");
    let steps = steps.map_or(STEPS, |text| text.parse().unwrap());
    let mut world = World::new(seed).await;
    for number in 1..=steps {
        let step = world.step().await;
        world.judge(number, &step).await;
        if number % CALM_EVERY == 0 || number == steps {
            let late = Duration::from_secs(40);
            tokio::time::timeout(late, world.come_right())
                .await
                .unwrap_or_else(|_| {
                    panic!(
                        "seed {seed}, step {number}: not right {late:?} after the trouble: {world}"
                    )
                });
        }
    }
    eprintln!(
        "seed {seed}: {} claims held, {} looks without one",
        world.held, world.refused
    );
}

macro_rules! walks {
    ($($name:ident: $seed:literal),*) => {$(
        #[tokio::test]
        async fn $name() { walk($seed).await; }
    )*};
}

walks! {
    no_claim_is_false_whatever_fails_1: 1,
    no_claim_is_false_whatever_fails_2: 2,
    no_claim_is_false_whatever_fails_3: 3,
    no_claim_is_false_whatever_fails_4: 4,
    no_claim_is_false_whatever_fails_5: 5,
    no_claim_is_false_whatever_fails_6: 6,
    no_claim_is_false_whatever_fails_7: 7,
    no_claim_is_false_whatever_fails_8: 8
}
