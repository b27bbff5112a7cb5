use crate::house::*;
use kill_core::{InboundText, Trust};

#[test]
fn a_message_is_answered_once_and_a_sender_ten_times_an_hour() {
    let mut core = core();
    let mine = |n: u64| owners(&n.to_string(), "x");
    assert!(core.may_reply(&mine(0), NOW));
    assert!(!core.may_reply(&mine(0), NOW));
    for n in 1..10 {
        assert!(core.may_reply(&mine(n), NOW), "{n}");
    }
    assert!(!core.may_reply(&mine(10), NOW.plus_millis(3_599_999)));
    assert!(core.may_reply(&from(1, "a", "x"), NOW));
    assert!(core.may_reply(&mine(10), NOW.plus_millis(3_600_000)));
    let nobody = InboundText::new("twilio", "z", None, "x", Trust::A);
    assert!(!core.may_reply(&nobody, NOW));
}

#[test]
fn many_senders_do_not_grow_the_memory() {
    let mut core = core();
    let before = core.memory().to_json().len();
    for n in 0..5000 {
        core.may_reply(&from(n, &n.to_string(), "x"), later(1));
    }
    assert_eq!(core.memory().to_json().len(), before);
}
