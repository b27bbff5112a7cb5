use crate::house::*;
use kill_wire::Scope;

#[test]
fn numbers_only_grow_and_follow_the_clock() {
    let mut core = core();
    let first = core.next_order(NOW, [1; 16], Vec::new());
    let second = core.next_order(NOW, [2; 16], Vec::new());
    assert_eq!((first.seq, second.seq), (NOW.millis(), NOW.millis() + 1));
    let back = core.next_order(kill_wire::Timestamp::from_millis(5), [3; 16], Vec::new());
    assert_eq!(
        back.seq,
        NOW.millis() + 2,
        "a clock set back makes no smaller number"
    );
    core.overtake(NOW.millis() + 1000);
    core.overtake(7);
    assert_eq!(
        restarted(&core).next_order(NOW, [4; 16], Vec::new()).seq,
        NOW.millis() + 1001
    );
}

#[test]
fn a_forged_number_cannot_use_the_numbers_up() {
    let mut core = core();
    core.overtake(u64::MAX);
    core.overtake(u64::MAX - 1);
    assert_eq!(core.next_order(NOW, [0; 16], Vec::new()).seq, NOW.millis());
    assert_eq!(core.memory().seq(), NOW.millis());
}

#[test]
fn an_order_carries_everything_that_is_cut_and_its_times() {
    let mut core = core();
    core.lever_cut(Scope::Cloud, "admin", "test", NOW);
    let order = core.next_order(NOW, [9; 16], Vec::new());
    assert_eq!(order.latches, core.memory().latches());
    assert_eq!(order.grant.lease_ms, 60_000);
    assert_eq!((order.issued, order.nonce), (NOW, [9; 16]));
}
