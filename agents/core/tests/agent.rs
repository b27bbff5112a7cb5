//! What opens and what closes on a node, by the words of the orders and by the passing of time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agent_core::{AgentCore, OnSilence, Saved, Silence, Verdict};
use kill_wire::{Grant, Latch, LatchSet, Order, Refusal, Scope, SigningKey, Timestamp};
use net_model::{Observed, Overlay};
use std::time::Duration;

const START: u64 = 1_763_700_000_000;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
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

/// Answers a challenge given at second `secs`, with a lease of 60 s.
fn order(core: &mut AgentCore, seq: u64, secs: u64, latches: LatchSet) -> Vec<u8> {
    granting(core, seq, secs, latches, 60_000)
}

fn granting(core: &mut AgentCore, seq: u64, secs: u64, latches: LatchSet, ms: u64) -> Vec<u8> {
    let challenge = core.challenge(seq << 32 | secs, at(secs));
    Order {
        seq,
        issued: Timestamp::from_millis(START),
        nonce: [1; 16],
        grant: Grant {
            lease_ms: ms,
            answers: vec![challenge],
            released: Vec::new(),
        },
        latches,
        theirs: Vec::new(),
    }
    .seal(&key())
}

fn give(core: &mut AgentCore, bytes: &[u8], secs: u64) -> Result<Verdict, Refusal> {
    core.on_order(bytes, at(secs))
}

/// Gives an order as it is signed, and records the release, if there is one.
fn carry_out(core: &mut AgentCore, seq: u64, secs: u64, latches: LatchSet) -> Overlay {
    let bytes = order(core, seq, secs, latches);
    let verdict = give(core, &bytes, secs).unwrap();
    match verdict.release {
        Some(release) => core.on_recorded(release).unwrap().overlay,
        None => verdict.step.unwrap().overlay,
    }
}

fn closed(core: &AgentCore) -> bool {
    core.overlay().paused == [Scope::All] && core.overlay().held.is_empty()
}

fn one(saved: Option<Saved>, doubtful: bool, all: OnSilence) -> AgentCore {
    let hold = Vec::new();
    AgentCore::new(
        saved,
        doubtful,
        &[key().verifying_key()],
        Silence { all, hold },
    )
}

fn fresh() -> AgentCore {
    one(Some(Saved::default()), false, OnSilence::Cut)
}

/// What an agent of one key had saved.
fn saved(seq: u64, latches: LatchSet) -> Saved {
    let latches = serde_json::to_string(&latches).unwrap();
    let key: String = key()
        .verifying_key()
        .as_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let text = format!(r#"{{"issuers":{{"{key}":{{"seq":{seq},"latches":{latches}}}}}}}"#);
    serde_json::from_str(&text).unwrap()
}

/// Gives an order as it is signed.
fn now(core: &mut AgentCore, seq: u64, secs: u64, latches: LatchSet) -> Result<Verdict, Refusal> {
    let bytes = order(core, seq, secs, latches);
    give(core, &bytes, secs)
}

#[test]
fn it_starts_closed_and_the_first_order_opens_what_no_latch_holds() {
    for on_silence in [OnSilence::Cut, OnSilence::Hold] {
        let held = cuts(&[(2, "CLOUD")]);
        let mut core = one(Some(saved(4, held.clone())), false, on_silence);
        assert!(closed(&core) && core.silent());
        assert_eq!(core.overlay().latches, held);
        assert_eq!(core.on_tick(at(500)), None);
        let overlay = carry_out(&mut core, 5, 500, cuts(&[(2, "CLOUD")]));
        assert_eq!((overlay.seq, &overlay.latches), (5, &held));
        assert!(overlay.paused.is_empty() && !core.silent());
    }
}

#[test]
fn a_cut_is_in_force_before_it_is_saved_and_a_release_is_saved_before_it_is_in_force() {
    let mut core = fresh();
    let verdict = now(&mut core, 1, 0, cuts(&[(1, "ALL")])).unwrap();
    assert!(verdict.release.is_none() && verdict.step.unwrap().save);
    let verdict = now(&mut core, 2, 1, cuts(&[])).unwrap();
    assert_eq!(verdict.step, None);
    assert_eq!(core.overlay().latches, cuts(&[(1, "ALL")]));
    let release = verdict.release.unwrap();
    assert_eq!(core.recording(&release), Ok(saved(2, cuts(&[]))));
    core.on_recorded(release).unwrap();
    assert!(core.overlay().latches.is_empty());
}

#[test]
fn an_order_that_cuts_and_releases_cuts_first() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM")]));
    let verdict = now(&mut core, 4, 1, cuts(&[(2, "TOOLS")])).unwrap();
    let step = verdict.step.unwrap();
    assert_eq!(step.overlay.latches, cuts(&[(1, "LLM"), (2, "TOOLS")]));
    core.on_recorded(verdict.release.unwrap()).unwrap();
    assert_eq!(core.overlay().latches, cuts(&[(2, "TOOLS")]));
}

#[test]
fn a_release_that_cannot_be_recorded_opens_nothing_but_a_running_lease_goes_on() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM")]));
    let bytes = order(&mut core, 2, 50, cuts(&[]));
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
    let release = now(&mut core, 3, 112, cuts(&[])).unwrap().release.unwrap();
    assert_eq!(core.on_not_recorded(release, at(112)), None);
    assert!(closed(&core));
}

#[test]
fn a_newer_order_overtakes_a_release_that_is_still_being_recorded() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM")]));
    let release = now(&mut core, 2, 1, cuts(&[])).unwrap().release.unwrap();
    carry_out(&mut core, 3, 2, cuts(&[(1, "LLM"), (2, "ALL")]));
    assert_eq!(
        core.on_recorded(release).unwrap_err(),
        Refusal::Stale { current: 3 }
    );
    assert_eq!(core.overlay().latches, cuts(&[(1, "LLM"), (2, "ALL")]));
}

#[test]
fn stale_foreign_and_garbled_orders_do_nothing() {
    let mut core = fresh();
    carry_out(&mut core, 5, 0, cuts(&[(1, "ALL")]));
    for seq in [4, 5] {
        let refused = now(&mut core, seq, 0, cuts(&[])).unwrap_err();
        assert_eq!(refused, Refusal::Stale { current: 5 });
    }
    let theirs = [SigningKey::from_bytes(&[8; 32]).verifying_key()];
    let mut other = AgentCore::new(None, false, &theirs, Silence::default());
    let foreign = order(&mut core, 9, 0, cuts(&[]));
    assert_eq!(
        give(&mut other, &foreign, 0).unwrap_err(),
        Refusal::Unsigned
    );
    assert_eq!(
        give(&mut core, b"open everything", 0).unwrap_err(),
        Refusal::Unsigned
    );
    assert_eq!(core.overlay().latches, cuts(&[(1, "ALL")]));
}

#[test]
fn a_late_order_still_closes_but_releases_and_permits_nothing() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM")]));
    let answered = order(&mut core, 7, 0, cuts(&[(7, "CLOUD")]));
    // A challenge of another run is none of this one's.
    let unanswered = order(&mut fresh(), 8, 0, cuts(&[(8, "CLOUD")]));
    for late in [answered, unanswered] {
        let verdict = give(&mut core, &late, 31).unwrap();
        assert!(verdict.release.is_none() && verdict.step.unwrap().save);
        let again = give(&mut core, &late, 31).unwrap_err();
        assert!(matches!(again, Refusal::Stale { .. }));
    }
    assert_eq!(core.overlay().latches, cuts(&[(1, "LLM"), (8, "CLOUD")]));
    assert!(core.on_tick(at(60)).is_some(), "the lease was not extended");
    let empty = order(&mut fresh(), 9, 61, cuts(&[]));
    let refused = give(&mut core, &empty, 61).unwrap_err();
    assert_eq!(refused, Refusal::Unanswered, "it closes nothing more");
    assert!(now(&mut core, 10, 61, cuts(&[])).unwrap().release.is_some());
}

#[test]
fn an_order_older_than_a_late_one_opens_nothing_however_fresh_it_is() {
    let mut core = fresh();
    let delayed = order(&mut core, 5, 0, cuts(&[]));
    let late = order(&mut fresh(), 6, 0, cuts(&[(1, "ALL")]));
    assert!(give(&mut core, &late, 1).is_ok());
    let refused = give(&mut core, &delayed, 2).unwrap_err();
    assert_eq!(refused, Refusal::Stale { current: 6 });
    // The same while a newer one waits for the disk.
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM")]));
    let delayed = order(&mut core, 2, 1, cuts(&[]));
    let both = now(&mut core, 3, 2, cuts(&[(2, "ALL")])).unwrap();
    assert!(give(&mut core, &delayed, 2).is_err());
    core.on_recorded(both.release.unwrap()).unwrap();
    assert_eq!(core.overlay().latches, cuts(&[(2, "ALL")]));
}

#[test]
fn silence_pauses_or_holds_and_a_renewed_lease_opens_what_no_latch_holds() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "TOOLS")]));
    assert_eq!(core.on_tick(at(59)), None);
    let step = core.on_tick(at(60)).unwrap();
    assert_eq!(
        (&step.overlay.paused[..], step.save),
        (&[Scope::All][..], false)
    );
    assert_eq!(core.on_tick(at(61)), None);
    let overlay = carry_out(&mut core, 2, 62, cuts(&[(1, "TOOLS")]));
    assert!(overlay.paused.is_empty() && !overlay.latches.is_empty());

    let mut core = one(Some(Saved::default()), false, OnSilence::Hold);
    carry_out(&mut core, 1, 0, cuts(&[]));
    assert_eq!(core.on_tick(at(1000)), None);
    assert!(core.silent() && !closed(&core));
}

#[test]
fn a_lease_runs_from_the_challenge_and_no_order_grants_more_than_two_minutes() {
    let mut core = fresh();
    let held_back = order(&mut core, 1, 0, cuts(&[]));
    assert!(give(&mut core, &held_back, 29).is_ok());
    assert_eq!(core.on_tick(at(59)), None);
    assert!(
        core.on_tick(at(60)).is_some(),
        "29 s on its way are not given again"
    );
    let long = granting(&mut core, 2, 70, cuts(&[]), 9_000_000);
    assert!(give(&mut core, &long, 70).is_ok());
    assert_eq!(core.on_tick(at(189)), None);
    assert!(core.on_tick(at(190)).is_some());
}

#[test]
fn an_order_that_answers_an_older_challenge_does_not_shorten_the_lease() {
    let mut core = fresh();
    let older = order(&mut core, 2, 0, cuts(&[]));
    let newer = order(&mut core, 1, 20, cuts(&[]));
    assert!(give(&mut core, &newer, 20).is_ok());
    assert!(give(&mut core, &older, 21).is_ok());
    assert_eq!(core.on_tick(at(79)), None);
    assert!(core.on_tick(at(80)).is_some());
}

#[test]
fn asking_for_challenges_pushes_none_out() {
    let mut core = fresh();
    let bytes = order(&mut core, 1, 0, cuts(&[]));
    for ms in 0..29_000 {
        core.challenge(ms, Duration::from_millis(ms));
    }
    assert!(give(&mut core, &bytes, 29).is_ok());
    assert!(core.on_tick(at(29)).is_none() && !closed(&core));
}

#[test]
fn silence_holds_the_scopes_whose_owner_chose_so_once_there_is_something_to_hold() {
    let hold = vec!["local-model".parse().unwrap()];
    let silence = Silence {
        all: OnSilence::Cut,
        hold: hold.clone(),
    };
    let keys = [key().verifying_key()];
    let mut core = AgentCore::new(Some(Saved::default()), false, &keys, silence);
    assert!(closed(&core), "nothing was permitted yet");
    carry_out(&mut core, 1, 0, cuts(&[(1, "TOOLS")]));
    let step = core.on_tick(at(60)).unwrap();
    assert_eq!(step.overlay.paused, [Scope::All]);
    assert_eq!(step.overlay.held, hold);
    assert_eq!(step.overlay.latches, cuts(&[(1, "TOOLS")]));
    let overlay = carry_out(&mut core, 2, 61, cuts(&[(1, "TOOLS")]));
    assert!(overlay.paused.is_empty() && overlay.held.is_empty());
}

#[test]
fn doubtful_state_opens_nothing_until_an_order_is_recorded() {
    for saved in [None, Some(saved(3, cuts(&[])))] {
        let mut core = one(saved, true, OnSilence::Hold);
        let verdict = now(&mut core, 9, 0, cuts(&[])).unwrap();
        assert!(verdict.step.is_none() && closed(&core));
        assert_eq!(core.on_not_recorded(verdict.release.unwrap(), at(0)), None);
        assert!(closed(&core), "nothing was recorded");
        let verdict = now(&mut core, 10, 1, cuts(&[(1, "LLM")])).unwrap();
        assert_eq!(verdict.step.unwrap().overlay.latches, cuts(&[(1, "LLM")]));
        core.on_recorded(verdict.release.unwrap()).unwrap();
        assert!(!closed(&core));
    }
    assert!(
        now(&mut one(None, false, OnSilence::Cut), 1, 0, cuts(&[]))
            .unwrap()
            .release
            .is_some()
    );
}

#[test]
fn a_gateway_that_differs_or_restarted_is_told_again_and_no_other() {
    let mut core = fresh();
    carry_out(&mut core, 3, 0, cuts(&[]));
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
fn a_gateway_that_knows_a_higher_number_is_told_by_a_higher_one() {
    let mut core = one(None, true, OnSilence::Cut);
    let mut observed = Observed {
        boot: "a".into(),
        seq: Some(50),
        ..Observed::default()
    };
    let step = core.on_observed("g", &observed).unwrap();
    assert_eq!(
        (step.overlay.seq, &step.overlay.paused[..]),
        (51, &[Scope::All][..])
    );
    (observed.seq, observed.paused) = (Some(51), vec![Scope::All]);
    assert_eq!(core.on_observed("g", &observed), None);
    assert_eq!(
        core.seq(0),
        0,
        "what a gateway says moves no order's number"
    );
}

#[test]
fn whatever_changes_gets_another_number() {
    let mut core = fresh();
    carry_out(&mut core, 5, 0, cuts(&[]));
    let late = order(&mut fresh(), 6, 0, cuts(&[(1, "LLM")]));
    let cut = give(&mut core, &late, 1).unwrap().step.unwrap().overlay;
    assert_eq!(cut.seq, 6, "the late order's own number does not count");
    let paused = core.on_tick(at(60)).unwrap().overlay;
    assert_eq!(paused.seq, 7);
}

#[test]
fn sets_that_cannot_be_joined_close_everything() {
    let mut core = fresh();
    carry_out(&mut core, 1, 0, cuts(&[(1, "LLM"), (2, "CLOUD")]));
    let verdict = now(&mut core, 2, 1, cuts(&[(2, "TOOLS")])).unwrap();
    assert_eq!(verdict.step.unwrap().overlay.latches, cuts(&[(2, "ALL")]));
}

#[test]
fn what_is_saved_reads_back() {
    let mut core = fresh();
    carry_out(&mut core, 9, 0, cuts(&[(3, "rag-api")]));
    assert_eq!(core.saved(), saved(9, cuts(&[(3, "rag-api")])));
    let text = serde_json::to_string(&core.saved()).unwrap();
    assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), core.saved());
}

#[test]
fn what_was_saved_before_there_were_several_counts_for_every_key() {
    let text =
        format!(r#"{{"seq":9,"latches":[{{"incident":3,"scope":"rag-api","since":{START}}}]}}"#);
    let before: Saved = serde_json::from_str(&text).unwrap();
    let keys = [[7; 32], [8; 32]].map(|seed| SigningKey::from_bytes(&seed).verifying_key());
    let mut core = AgentCore::new(Some(before), false, &keys, Silence::default());
    assert_eq!((core.seq(0), core.seq(1)), (9, 9));
    carry_out(&mut core, 10, 0, cuts(&[]));
    assert_eq!(
        core.overlay().latches,
        cuts(&[(3, "rag-api")]),
        "the other has not spoken"
    );
}
