//! What opens and what closes on a node, by the words of the orders and by the passing of time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agent_core::{AgentCore, Now, OnSilence, Saved, Verdict};
use kill_wire::{Latch, LatchSet, Order, Refusal, Scope, SigningKey, Timestamp};
use net_model::{Observed, Overlay};
use std::time::Duration;

const START: u64 = 1_763_700_000_000;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn at(secs: u64) -> Now {
    Now {
        wall: Timestamp::from_millis(START + secs * 1000),
        up: Duration::from_secs(secs),
    }
}

fn cuts(scopes: &[(u32, &str)]) -> LatchSet {
    let latch = |(n, scope): &(u32, &str)| Latch {
        incident: (*n).try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(START),
    };
    scopes
        .iter()
        .map(latch)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

/// Signed at second `secs`, good for 30 s, with a lease of 60 s.
fn order(seq: u64, secs: u64, latches: LatchSet) -> Vec<u8> {
    let issued = at(secs).wall;
    Order {
        seq,
        issued,
        expires: issued.plus_millis(30_000),
        lease_until: issued.plus_millis(60_000),
        nonce: [1; 16],
        latches,
    }
    .seal(&key())
}

fn give(core: &mut AgentCore, bytes: &[u8], secs: u64) -> Result<Verdict, Refusal> {
    core.on_order(bytes, &key().verifying_key(), at(secs))
}

/// Gives an order and records the release, if there is one.
fn carry_out(core: &mut AgentCore, bytes: &[u8], secs: u64) -> Overlay {
    let verdict = give(core, bytes, secs).unwrap();
    match verdict.release {
        Some(release) => core.on_recorded(release, at(secs)).unwrap().overlay,
        None => verdict.step.unwrap().overlay,
    }
}

fn closed(core: &AgentCore) -> bool {
    core.overlay().paused == [Scope::All]
}

fn fresh() -> AgentCore {
    AgentCore::new(Some(Saved::default()), false, OnSilence::Cut)
}

#[test]
fn it_starts_closed_and_the_first_order_opens_what_no_latch_holds() {
    for on_silence in [OnSilence::Cut, OnSilence::Hold] {
        let saved = Saved {
            seq: 4,
            latches: cuts(&[(2, "CLOUD")]),
        };
        let mut core = AgentCore::new(Some(saved.clone()), false, on_silence);
        assert!(closed(&core) && core.silent());
        assert_eq!(core.overlay().latches, saved.latches);
        assert_eq!(core.on_tick(at(500)), None);
        let overlay = carry_out(&mut core, &order(5, 500, cuts(&[(2, "CLOUD")])), 500);
        assert_eq!((overlay.seq, &overlay.latches), (5, &saved.latches));
        assert!(overlay.paused.is_empty() && !core.silent());
    }
}

#[test]
fn a_cut_is_in_force_before_it_is_saved_and_a_release_is_saved_before_it_is_in_force() {
    let mut core = fresh();
    let verdict = give(&mut core, &order(1, 0, cuts(&[(1, "ALL")])), 0).unwrap();
    assert!(verdict.release.is_none() && verdict.step.unwrap().save);
    let verdict = give(&mut core, &order(2, 1, cuts(&[])), 1).unwrap();
    assert_eq!(verdict.step, None);
    assert_eq!(core.overlay().latches, cuts(&[(1, "ALL")]));
    let release = verdict.release.unwrap();
    assert_eq!(
        release.saved(),
        Saved {
            seq: 2,
            latches: cuts(&[])
        }
    );
    core.on_recorded(release, at(1)).unwrap();
    assert!(core.overlay().latches.is_empty());
}

#[test]
fn an_order_that_cuts_and_releases_cuts_first() {
    let mut core = fresh();
    carry_out(&mut core, &order(1, 0, cuts(&[(1, "LLM")])), 0);
    let verdict = give(&mut core, &order(4, 1, cuts(&[(2, "TOOLS")])), 1).unwrap();
    let step = verdict.step.unwrap();
    assert_eq!(step.overlay.latches, cuts(&[(1, "LLM"), (2, "TOOLS")]));
    core.on_recorded(verdict.release.unwrap(), at(1)).unwrap();
    assert_eq!(core.overlay().latches, cuts(&[(2, "TOOLS")]));
}

#[test]
fn a_release_that_cannot_be_recorded_opens_nothing_but_a_running_lease_goes_on() {
    let mut core = fresh();
    carry_out(&mut core, &order(1, 0, cuts(&[(1, "LLM")])), 0);
    let bytes = order(2, 50, cuts(&[]));
    let release = give(&mut core, &bytes, 50).unwrap().release.unwrap();
    assert_eq!(core.on_not_recorded(release, at(50)), None);
    assert_eq!(core.overlay().latches, cuts(&[(1, "LLM")]));
    assert_eq!(core.on_tick(at(100)), None);
    assert_eq!(
        give(&mut core, &bytes, 51).unwrap_err(),
        Refusal::Stale { current: 2 }
    );
    // Lapsed: from here on a release that cannot be recorded does not end the pause either.
    assert!(core.on_tick(at(111)).is_some() && closed(&core));
    let release = give(&mut core, &order(3, 112, cuts(&[])), 112)
        .unwrap()
        .release
        .unwrap();
    assert_eq!(core.on_not_recorded(release, at(112)), None);
    assert!(closed(&core));
}

#[test]
fn a_newer_order_overtakes_a_release_that_is_still_being_recorded() {
    let mut core = fresh();
    carry_out(&mut core, &order(1, 0, cuts(&[(1, "LLM")])), 0);
    let release = give(&mut core, &order(2, 1, cuts(&[])), 1)
        .unwrap()
        .release
        .unwrap();
    carry_out(&mut core, &order(3, 2, cuts(&[(1, "LLM"), (2, "ALL")])), 2);
    assert_eq!(
        core.on_recorded(release, at(3)).unwrap_err(),
        Refusal::Stale { current: 3 }
    );
    assert_eq!(core.overlay().latches, cuts(&[(1, "LLM"), (2, "ALL")]));
}

#[test]
fn stale_foreign_and_garbled_orders_do_nothing() {
    let mut core = fresh();
    carry_out(&mut core, &order(5, 0, cuts(&[(1, "ALL")])), 0);
    for seq in [4, 5] {
        let refused = give(&mut core, &order(seq, 0, cuts(&[])), 0).unwrap_err();
        assert_eq!(refused, Refusal::Stale { current: 5 });
    }
    let theirs = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let refused = core
        .on_order(&order(9, 0, cuts(&[])), &theirs, at(0))
        .unwrap_err();
    assert_eq!(refused, Refusal::Unsigned);
    assert_eq!(
        give(&mut core, b"open everything", 0).unwrap_err(),
        Refusal::Unsigned
    );
    assert_eq!(core.overlay().latches, cuts(&[(1, "ALL")]));
}

#[test]
fn a_late_order_still_closes_but_releases_and_permits_nothing() {
    let mut core = fresh();
    carry_out(&mut core, &order(1, 0, cuts(&[(1, "LLM")])), 0);
    for (seq, signed) in [(7, 0), (8, 31 + 301)] {
        let late = order(seq, signed, cuts(&[(u32::try_from(seq).unwrap(), "CLOUD")]));
        let verdict = give(&mut core, &late, 31).unwrap();
        assert!(verdict.release.is_none() && verdict.step.unwrap().save);
        let expired = Refusal::Expired {
            now: at(31).wall.millis(),
        };
        assert_eq!(give(&mut core, &late, 31).unwrap_err(), expired);
    }
    assert_eq!(core.overlay().latches, cuts(&[(1, "LLM"), (8, "CLOUD")]));
    assert!(core.on_tick(at(60)).is_some(), "the lease was not extended");
    // And the next good order counts, whatever number the late ones carried.
    assert!(
        give(&mut core, &order(2, 61, cuts(&[])), 61)
            .unwrap()
            .release
            .is_some()
    );
}

#[test]
fn silence_pauses_or_holds_and_a_renewed_lease_opens_what_no_latch_holds() {
    let mut core = fresh();
    carry_out(&mut core, &order(1, 0, cuts(&[(1, "TOOLS")])), 0);
    assert_eq!(core.on_tick(at(59)), None);
    let step = core.on_tick(at(60)).unwrap();
    assert_eq!(
        (step.overlay.seq, &step.overlay.paused[..], step.save),
        (1, &[Scope::All][..], false)
    );
    assert_eq!(core.on_tick(at(61)), None);
    let overlay = carry_out(&mut core, &order(2, 62, cuts(&[(1, "TOOLS")])), 62);
    assert!(overlay.paused.is_empty() && !overlay.latches.is_empty());

    let mut core = AgentCore::new(Some(Saved::default()), false, OnSilence::Hold);
    carry_out(&mut core, &order(1, 0, cuts(&[])), 0);
    assert_eq!(core.on_tick(at(1000)), None);
    assert!(core.silent() && !closed(&core));
}

#[test]
fn setting_the_clock_back_does_not_stretch_the_lease_and_no_order_grants_more_than_two_minutes() {
    let mut core = fresh();
    let issued = at(0).wall;
    let long = Order {
        seq: 1,
        issued,
        expires: issued.plus_millis(30_000),
        lease_until: issued.plus_millis(9_000_000),
        nonce: [0; 16],
        latches: cuts(&[]),
    };
    carry_out(&mut core, &long.seal(&key()), 0);
    let back = |up| Now {
        wall: Timestamp::from_millis(5),
        up: Duration::from_secs(up),
    };
    assert_eq!(core.on_tick(back(119)), None);
    assert!(core.on_tick(back(120)).is_some());
}

#[test]
fn doubtful_state_opens_nothing_until_an_order_is_recorded() {
    for saved in [
        None,
        Some(Saved {
            seq: 3,
            latches: cuts(&[]),
        }),
    ] {
        let mut core = AgentCore::new(saved, true, OnSilence::Hold);
        let verdict = give(&mut core, &order(9, 0, cuts(&[])), 0).unwrap();
        assert!(verdict.step.is_none() && closed(&core));
        assert_eq!(core.on_not_recorded(verdict.release.unwrap(), at(0)), None);
        assert!(closed(&core), "nothing was recorded");
        let verdict = give(&mut core, &order(10, 1, cuts(&[(1, "LLM")])), 1).unwrap();
        assert_eq!(verdict.step.unwrap().overlay.latches, cuts(&[(1, "LLM")]));
        core.on_recorded(verdict.release.unwrap(), at(1)).unwrap();
        assert!(!closed(&core));
    }
    assert!(
        give(
            &mut AgentCore::new(None, false, OnSilence::Cut),
            &order(1, 0, cuts(&[])),
            0
        )
        .unwrap()
        .release
        .is_some()
    );
}

#[test]
fn a_gateway_that_differs_or_restarted_is_told_again_and_no_other() {
    let mut core = fresh();
    carry_out(&mut core, &order(3, 0, cuts(&[])), 0);
    let seen = |boot: &str, seq, paused: &[Scope]| Observed {
        boot: boot.into(),
        seq,
        paused: paused.to_vec(),
        ..Observed::default()
    };
    assert!(core.on_observed("g", &seen("a", None, &[])).is_some());
    assert!(core.on_observed("g", &seen("a", Some(2), &[])).is_some());
    assert!(
        core.on_observed("g", &seen("a", Some(3), &[Scope::All]))
            .is_some()
    );
    assert_eq!(core.on_observed("g", &seen("a", Some(3), &[])), None);
    let step = core.on_observed("g", &seen("b", Some(3), &[])).unwrap();
    assert_eq!((&step.overlay, step.save), (core.overlay(), false));
    assert_eq!(core.on_observed("g", &seen("b", Some(3), &[])), None);
    assert_eq!(core.on_observed("other", &seen("x", Some(3), &[])), None);
}

#[test]
fn a_pause_reaches_a_gateway_that_knows_a_higher_number() {
    let mut core = AgentCore::new(None, true, OnSilence::Cut);
    let mut observed = Observed {
        boot: "a".into(),
        seq: Some(50),
        ..Observed::default()
    };
    let step = core.on_observed("g", &observed).unwrap();
    assert_eq!(
        (step.overlay.seq, &step.overlay.paused[..]),
        (50, &[Scope::All][..])
    );
    observed.paused = vec![Scope::All];
    assert_eq!(core.on_observed("g", &observed), None);
    assert_eq!(
        core.overlay().seq,
        0,
        "what a gateway says moves no order's number"
    );
}

#[test]
fn sets_that_cannot_be_joined_close_everything() {
    let mut core = fresh();
    carry_out(
        &mut core,
        &order(1, 0, cuts(&[(1, "LLM"), (2, "CLOUD")])),
        0,
    );
    let verdict = give(&mut core, &order(2, 1, cuts(&[(2, "TOOLS")])), 1).unwrap();
    assert_eq!(verdict.step.unwrap().overlay.latches, cuts(&[(2, "ALL")]));
}

#[test]
fn what_is_saved_reads_back() {
    let saved = Saved {
        seq: 9,
        latches: cuts(&[(3, "rag-api")]),
    };
    let text = serde_json::to_string(&saved).unwrap();
    assert_eq!(
        text,
        format!(r#"{{"seq":9,"latches":[{{"incident":3,"scope":"rag-api","since":{START}}}]}}"#)
    );
    assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), saved);
}
