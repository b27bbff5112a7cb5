//! A fence is closed by the same latches and the same silence as the gateways, and leased for as long as an order permits.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agent_core::{AgentCore, Fenced, OnSilence, Saved, Silence};
use kill_wire::{Grant, Latch, Order, Scope, SigningKey, Timestamp};
use std::time::Duration;

const RED: &str = "red";

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn closes_on() -> Vec<Scope> {
    ["ALL", "AGENTS", RED]
        .map(|word| word.parse().unwrap())
        .to_vec()
}

fn core(silence: Silence) -> AgentCore {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    AgentCore::new(Some(Saved::default()), false, &[key], silence)
}

/// An order that permits a minute, and cuts this scope.
fn order(core: &mut AgentCore, seq: u64, cut: Option<&str>, up: Duration) {
    let latch = cut.map(|scope| Latch {
        incident: 1.try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(1),
    });
    let order = Order {
        seq,
        issued: Timestamp::from_millis(1),
        nonce: [9; 16],
        grant: Grant {
            lease_ms: 60_000,
            answers: vec![core.challenge(seq, up)],
            ..Grant::default()
        },
        latches: latch.into_iter().collect::<Vec<_>>().try_into().unwrap(),
        theirs: Vec::new(),
    };
    let verdict = core.on_order(&order.seal(&SigningKey::from_bytes(&[7; 32])), up);
    assert!(verdict.unwrap().release.is_none());
}

#[test]
fn it_starts_closed_opens_for_the_lease_and_closes_with_it() {
    let mut core = core(Silence::default());
    assert_eq!(core.fenced(&closes_on(), at(10)), Fenced::Paused);
    order(&mut core, 1, None, at(10));
    assert_eq!(
        core.fenced(&closes_on(), at(10)),
        Fenced::Open(Some(at(60)))
    );
    assert_eq!(
        core.fenced(&closes_on(), at(30)),
        Fenced::Open(Some(at(40)))
    );
    assert!(core.on_tick(at(71)).is_some());
    assert_eq!(core.fenced(&closes_on(), at(71)), Fenced::Paused);
}

#[test]
fn only_its_own_scopes_cut_it() {
    for (scope, cut) in [
        ("ALL", true),
        ("AGENTS", true),
        (RED, true),
        ("LLM", false),
        ("iot", false),
    ] {
        let mut core = core(Silence::default());
        order(&mut core, 1, Some(scope), at(10));
        let fenced = core.fenced(&closes_on(), at(10));
        assert_eq!(matches!(fenced, Fenced::Cut(_)), cut, "{scope}: {fenced:?}");
    }
}

#[test]
fn what_silence_holds_has_no_timeout_and_is_cut_by_a_latch_all_the_same() {
    let by_name = Silence {
        all: OnSilence::Cut,
        hold: vec![RED.parse().unwrap()],
    };
    let all = Silence {
        all: OnSilence::Hold,
        hold: Vec::new(),
    };
    for silence in [by_name, all] {
        let mut core = core(silence);
        // Nothing was permitted yet that could be held.
        assert_eq!(core.fenced(&closes_on(), at(10)), Fenced::Paused);
        order(&mut core, 1, None, at(10));
        assert_eq!(core.fenced(&closes_on(), at(10)), Fenced::Open(None));
        core.on_tick(at(500));
        assert_eq!(core.fenced(&closes_on(), at(500)), Fenced::Open(None));
        order(&mut core, 2, Some("AGENTS"), at(500));
        assert!(matches!(core.fenced(&closes_on(), at(500)), Fenced::Cut(_)));
    }
}
