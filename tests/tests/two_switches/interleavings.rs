//! No sequence of cuts, restores, losses, repeats, restarts and waiting opens what no restore has seen.

use crate::world::{Event, World};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

fn events() -> impl Strategy<Value = Vec<Event>> {
    let two = || 0..2_usize;
    let event = prop_oneof![
        3 => (two(), 0..3_usize).prop_map(|(switch, scope)| Event::Kill { switch, scope }),
        4 => (two(), 0..3_usize).prop_map(|(switch, scope)| Event::Restore { switch, scope }),
        6 => two().prop_map(|switch| Event::Send { switch }),
        16 => (any::<usize>(), any::<bool>(), prop::bool::weighted(0.9))
            .prop_map(|(which, again, answered)| Event::Deliver { which, again, answered }),
        1 => any::<usize>().prop_map(|which| Event::Lose { which }),
        4 => two().prop_map(|switch| Event::Written { switch }),
        2 => (0..40_u64).prop_map(|secs| Event::Wait { secs }),
        1 => two().prop_map(|switch| Event::RestartSwitch { switch }),
        1 => (two(), prop::bool::weighted(0.2))
            .prop_map(|(agent, doubtful)| Event::RestartAgent { agent, doubtful }),
    ];
    prop::collection::vec(event, 1..90)
}

static OPENED_AGAIN: AtomicU32 = AtomicU32::new(0);

#[test]
fn no_agent_is_open_for_a_scope_whose_newest_cut_no_restore_has_seen() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(400);
    proptest!(ProptestConfig::with_cases(cases), |(events in events())| {
        let mut world = World::new();
        world.heal();
        for event in &events {
            world.act(event);
            let wrong = world.wrongly_open();
            prop_assert!(wrong.is_empty(), "{wrong:?} by {event:?}");
            if world.opened_again() {
                OPENED_AGAIN.fetch_add(1, Ordering::Relaxed);
            }
        }
        // And nobody is stuck: when all hear each other again, one restore at either opens everything.
        world.heal();
        prop_assert!(world.wrongly_open().is_empty());
        world.restore_all(usize::from(events.len() % 2 == 0));
        world.heal();
        prop_assert!(world.all_open());
    });
    let opened = OPENED_AGAIN.load(Ordering::Relaxed);
    println!("{opened} times an agent was open after a cut that was restored");
    assert!(opened > 100, "the cases restored too little: {opened}");
}

#[test]
fn a_cut_that_came_to_one_alone_is_ordered_by_the_other() {
    let mut world = World::new();
    world.heal();
    world.act(&Event::Kill {
        switch: 0,
        scope: 1,
    });
    assert!(world.order_of(1).theirs.is_empty());
    world.heal();
    let order = world.order_of(1);
    assert_eq!(order.theirs.len(), 1);
    assert!(order.latches.is_empty() && order.theirs[0].incident.get().is_multiple_of(4));
}

#[test]
fn split_brain_ends_cut() {
    let mut world = World::new();
    world.heal();
    world.act(&Event::Kill {
        switch: 0,
        scope: 0,
    });
    world.act(&Event::Kill {
        switch: 1,
        scope: 0,
    });
    let before = world.step();
    // One restores what it has seen: its own.
    world.act(&Event::Restore {
        switch: 0,
        scope: 0,
    });
    assert!(world.step() > before);
    world.heal();
    assert!(!world.all_open(), "the other's cut was seen by nobody");
    world.act(&Event::Restore {
        switch: 0,
        scope: 0,
    });
    world.heal();
    assert!(world.all_open());
}
