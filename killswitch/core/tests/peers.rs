//! Several kill switches: what one takes over from another, and what it does not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_core::{Core, Digits, Heard, InboundText, Key, Memory, Opening, People, Person, Trust};
use kill_wire::{
    Grant, LatchSet, Order, PeerState, Scope, SigningKey, Timestamp, Verb, VerifyingKey,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_248_120_000);

fn later(steps: u64) -> Timestamp {
    NOW.plus_millis(steps * 30_000)
}

fn people() -> People {
    let mut people = People::default();
    people
        .add(Person {
            name: "anna".parse().unwrap(),
            kill: Key::from_random([1; 20], Digits::Eight),
            restore: Key::from_random([2; 20], Digits::Eight),
            check_in: None,
            duress: None,
            cards: Vec::new(),
            senders: Vec::new(),
        })
        .unwrap();
    people
}

fn switch(instance: u8) -> Core {
    let mut core = Core::new(Memory::fresh(), people());
    core.set_peers(Some(instance), &["other".to_owned()]);
    core
}

fn restarted(core: &Core, instance: u8) -> Core {
    let memory = Memory::parse(core.memory().to_json().as_bytes()).unwrap();
    let mut core = Core::new(memory, people());
    core.set_peers(Some(instance), &["other".to_owned()]);
    core
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// What `from` says now.
fn said(from: &mut Core, now: Timestamp) -> (PeerState, Order) {
    let order = from.next_order(now, [0; 16], Vec::new());
    let sealed = String::from_utf8(order.seal(&key())).unwrap();
    let verifying: VerifyingKey = key().verifying_key();
    PeerState::open(&from.peer_state(sealed, now).seal(&key()), &verifying).unwrap()
}

fn tell(from: &mut Core, to: &mut Core, now: Timestamp) -> Heard {
    let (state, order) = said(from, now);
    to.on_peer("other", &state, &order, now)
}

fn cut(core: &mut Core, scope: &str, now: Timestamp) -> u32 {
    let cut = core.lever_cut(scope.parse().unwrap(), "a", "b", now);
    cut.latch.incident.get()
}

fn restore(core: &mut Core, scope: &str, now: Timestamp) -> Option<usize> {
    let code = people().get("anna").unwrap().restore.code_at(now.step());
    let scope = scope.parse().unwrap();
    let Ok(Opening::Now(restore)) = core.lever_restore(&scope, &code, "a", now) else {
        return None;
    };
    let released = core.commit(restore.seal, now);
    (!released.overtaken).then_some(released.incidents.len())
}

#[test]
fn each_has_incident_numbers_of_its_own_and_one_alone_counts_from_one() {
    for (instance, numbers) in [(0, [4, 8]), (1, [1, 5]), (3, [3, 7])] {
        let mut core = switch(instance);
        assert_eq!(
            [cut(&mut core, "LLM", NOW), cut(&mut core, "ALL", NOW)],
            numbers
        );
        assert_eq!(
            cut(&mut restarted(&core, instance), "chat", NOW),
            numbers[1] + 4
        );
    }
    let mut alone = Core::new(Memory::fresh(), people());
    assert_eq!(
        [cut(&mut alone, "LLM", NOW), cut(&mut alone, "ALL", NOW)],
        [1, 2]
    );
    let order = alone.next_order(NOW, [0; 16], Vec::new());
    assert!(order.theirs.is_empty() && order.grant.released.is_empty());
}

#[test]
fn what_another_cut_is_shown_ordered_and_kept_through_a_restart() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut b, "LLM", NOW);
    let heard = tell(&mut b, &mut a, NOW);
    assert_eq!(
        (heard.cut.len(), heard.released.len(), heard.stale),
        (1, 0, None)
    );
    assert_eq!(tell(&mut b, &mut a, NOW).cut, [], "it is known");
    for core in [&mut restarted(&a, 0), &mut a] {
        assert_eq!(core.memory().latches(), b.memory().latches());
        let order = core.next_order(NOW, [0; 16], Vec::new());
        assert!(order.latches.is_empty());
        assert_eq!(order.theirs, b.memory().latches().as_slice());
    }
}

#[test]
fn one_restore_releases_what_it_has_seen_of_both_and_the_other_follows() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut a, "ALL", NOW);
    cut(&mut b, "ALL", NOW);
    tell(&mut b, &mut a, NOW);
    assert_eq!(restore(&mut a, "ALL", later(1)), Some(2));
    assert!(a.memory().latches().is_empty());
    assert_eq!(
        a.next_order(NOW, [0; 16], Vec::new()).grant.released.len(),
        2
    );
    let heard = tell(&mut a, &mut b, later(1));
    assert_eq!((heard.released.len(), heard.ends.len()), (2, 1));
    assert!(
        !b.memory().latches().is_empty(),
        "not before it is written down"
    );
    let written = b.recorded_releases(&heard.released);
    assert!(written.latches().is_empty());
    b.commit_releases(&heard.released);
    assert!(b.memory().latches().is_empty());
    assert_eq!(tell(&mut a, &mut b, later(1)).released, []);
}

#[test]
fn a_scope_cut_again_is_not_opened_by_a_restore_that_did_not_see_that() {
    let (mut a, mut b) = (switch(0), switch(1));
    let first = cut(&mut b, "ALL", NOW);
    tell(&mut b, &mut a, NOW);
    assert_eq!(
        cut(&mut b, "ALL", NOW),
        first,
        "the same incident, at a later moment"
    );
    assert_eq!(restore(&mut a, "ALL", later(1)), Some(1));
    let heard = tell(&mut a, &mut b, later(1));
    b.commit_releases(&heard.released);
    assert_eq!(b.memory().latches().as_slice().len(), 1);
    assert_eq!(tell(&mut b, &mut a, later(1)).cut.len(), 1);
}

#[test]
fn a_cut_heard_of_between_makes_a_restore_void() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut a, "ALL", NOW);
    let code = people()
        .get("anna")
        .unwrap()
        .restore
        .code_at(later(1).step());
    let opening = a.lever_restore(&Scope::All, &code, "a", later(1)).unwrap();
    let Opening::Now(restore) = opening else {
        panic!("{opening:?}");
    };
    cut(&mut b, "chat", later(1));
    tell(&mut b, &mut a, later(1));
    assert!(a.commit(restore.seal, later(1)).overtaken);
}

#[test]
fn a_code_counts_once_in_the_whole_house() {
    let (mut a, mut b) = (switch(0), switch(1));
    for core in [&mut a, &mut b] {
        cut(core, "LLM", NOW);
    }
    assert_eq!(restore(&mut b, "LLM", later(1)), Some(1));
    tell(&mut b, &mut a, later(1));
    assert_eq!(restore(&mut a, "LLM", later(1)), None, "used at the other");
    assert_eq!(restore(&mut restarted(&a, 0), "LLM", later(1)), None);
    let kill = people().get("anna").unwrap().kill.code_at(later(1).step());
    let text = |id| InboundText::new("sms", id, None, &format!("KILL {kill}"), Trust::A);
    b.on_text(&text("1"), later(1));
    let (state, _) = said(&mut b, later(1));
    assert!(state.used.iter().any(|used| used.verb == Verb::Kill));
    tell(&mut b, &mut a, later(1));
    let orders = a.next_order(NOW, [0; 16], Vec::new()).latches;
    a.on_text(&text("2"), later(1));
    assert_eq!(a.next_order(NOW, [0; 16], Vec::new()).latches, orders);
}

#[test]
fn a_restore_needs_a_code_from_after_every_kill_that_was_heard_of() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut a, "LLM", NOW);
    cut(&mut b, "chat", later(2));
    tell(&mut b, &mut a, later(2));
    assert_eq!(restore(&mut a, "LLM", later(2)), None);
    assert_eq!(restore(&mut a, "LLM", later(3)), Some(1));
}

#[test]
fn a_peer_whose_clock_runs_ahead_does_not_stop_every_restore() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut a, "LLM", NOW);
    cut(&mut b, "LLM", later(100_000));
    for step in 0..6 {
        tell(&mut b, &mut a, later(step));
        if restore(&mut a, "LLM", later(step)).is_some() {
            return;
        }
    }
    panic!("no restore counted in three minutes");
}

#[test]
fn an_older_word_changes_nothing_and_names_the_newer_number() {
    let (mut a, mut b) = (switch(0), switch(1));
    let old = said(&mut b, NOW);
    cut(&mut b, "ALL", NOW);
    tell(&mut b, &mut a, NOW);
    let heard = a.on_peer("other", &old.0, &old.1, NOW);
    assert_eq!(heard.stale, Some(b.memory().seq()));
    assert!(!a.memory().latches().is_empty());
    assert_eq!(a.on_peer("stranger", &old.0, &old.1, NOW), Heard::default());
}

#[test]
fn a_peer_that_is_taken_out_of_the_configuration_holds_nothing_here() {
    let (mut a, mut b) = (switch(0), switch(1));
    cut(&mut b, "ALL", NOW);
    tell(&mut b, &mut a, NOW);
    a.set_peers(Some(0), &[]);
    assert!(a.memory().latches().is_empty());
}

#[test]
fn the_memory_fits_its_file_with_all_that_others_say() {
    let names: Vec<String> = (0..3).map(|n| format!("kill-switch-number-{n}")).collect();
    let mut a = Core::new(Memory::fresh(), people());
    a.set_peers(Some(0), &names);
    for n in 0..LatchSet::MAX {
        cut(&mut a, &format!("route-with-a-long-nam{n:03}"), NOW);
    }
    for (at, name) in names.iter().enumerate() {
        let mut other = switch(u8::try_from(at + 1).unwrap());
        for round in 0..5 {
            for n in 0..32 {
                cut(
                    &mut other,
                    &format!("other-with-a-long-nam{n:03}"),
                    later(round),
                );
            }
            let (state, mut order) = said(&mut other, later(round));
            let latches = order.latches.as_slice().iter();
            order.grant.released = latches.map(kill_wire::Latch::id).collect();
            let heard = a.on_peer(name, &state, &order, later(round));
            a.commit_releases(&heard.released);
            let more = said(&mut switch(3), later(round)).0;
            assert_eq!(more.used, []);
        }
        for n in 0..32 {
            cut(
                &mut other,
                &format!("other-with-a-long-nam{n:03}"),
                later(9),
            );
        }
        let (state, order) = said(&mut other, later(9));
        a.on_peer(name, &state, &order, later(9));
    }
    let order = a.next_order(NOW, [0; 16], Vec::new());
    assert_eq!(
        (order.theirs.len(), order.grant.released.len()),
        (96, Grant::MOST_RELEASED)
    );
    assert!(order.seal(&key()).len() <= kill_wire::MAX_ORDER_BYTES);
    let json = a.memory().to_json();
    assert!(json.len() < 48 * 1024, "{}", json.len());
    assert_eq!(Memory::parse(json.as_bytes()).unwrap().to_json(), json);
}

#[test]
fn more_latches_than_are_kept_of_another_are_kept_as_a_cut_of_everything() {
    let (mut a, mut b) = (switch(0), switch(1));
    for n in 0..40 {
        cut(&mut b, &format!("route{n}"), NOW);
    }
    tell(&mut b, &mut a, NOW);
    let latches = a.memory().latches();
    assert_eq!(
        (latches.as_slice().len(), latches.of(&Scope::All).is_some()),
        (1, true)
    );
}
