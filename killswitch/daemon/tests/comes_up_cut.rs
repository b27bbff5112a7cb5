//! A state that is in doubt comes up cut and says why; a sound one comes up as it was.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_core::{Digits, Key, People};
use kill_wire::{LeverReply, LeverRequest, Scope, SigningKey, StateReport};
use killctl::Lever;
use killswitchd::{KillSwitch, Settings};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(10);

fn fresh() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    killswitchd::create_state(dir.path(), &SigningKey::from_bytes(&[7; 32])).unwrap();
    let key = |byte| Key::from_random([byte; 20], Digits::Eight);
    let person = serde_json::json!({"name": "owner", "kill": key(1), "restore": key(2)});
    let people = serde_json::json!({"version": 1, "people": [person]}).to_string();
    let people = People::parse(&people).unwrap();
    fs::write(dir.path().join("people.json"), people.to_json()).unwrap();
    dir
}

fn start(dir: &Path) -> anyhow::Result<KillSwitch> {
    let settings = Settings {
        state_dir: dir.to_owned(),
        ..Settings::default()
    };
    KillSwitch::start(settings, TcpListener::bind("127.0.0.1:0").unwrap())
}

fn up(dir: &Path) -> KillSwitch {
    start(dir).unwrap()
}

/// Everything is cut, and the warning names what is in doubt.
fn comes_up_cut(dir: &Path, doubt: &str) {
    let state = state(dir);
    assert!(scopes(&state).contains(&"ALL".to_owned()), "{state:?}");
    let named = |warning: &String| warning.contains(doubt);
    assert!(state.warnings.iter().any(named), "{:?}", state.warnings);
}

fn ask(dir: &Path, request: &LeverRequest) -> LeverReply {
    Lever::at(killswitchd::lever_socket(dir))
        .ask(request, LIMIT)
        .unwrap()
}

/// Starts, reads the state, stops.
fn state(dir: &Path) -> StateReport {
    let switch = up(dir);
    let LeverReply::State(state) = ask(dir, &LeverRequest::State) else {
        panic!("no state")
    };
    switch.stop(LIMIT);
    *state
}

fn cut(dir: &Path, scope: Scope) {
    let switch = up(dir);
    let reply = ask(
        dir,
        &LeverRequest::Cut {
            scope,
            by: "test".to_owned(),
            why: String::new(),
        },
    );
    assert!(matches!(reply, LeverReply::Cut(_)), "{reply:?}");
    switch.stop(LIMIT);
}

fn scopes(state: &StateReport) -> Vec<String> {
    state
        .latches
        .as_slice()
        .iter()
        .map(|latch| latch.scope.to_string())
        .collect()
}

#[test]
fn a_sound_state_comes_up_as_it_was() {
    let dir = fresh();
    assert!(scopes(&state(dir.path())).is_empty());
    cut(dir.path(), Scope::Llm);
    assert_eq!(scopes(&state(dir.path())), ["LLM"]);
    assert!(killswitchd::journal::verify(&dir.path().join("journal.jsonl")).is_ok());
}

#[test]
fn a_missing_or_garbled_latch_comes_up_cut_and_says_why() {
    for damage in [
        |dir: &Path| fs::remove_file(dir.join("latch.a")).unwrap(),
        |dir: &Path| fs::remove_file(dir.join("latch.b")).unwrap(),
        |dir: &Path| {
            ["latch.a", "latch.b"]
                .iter()
                .for_each(|file| fs::remove_file(dir.join(file)).unwrap())
        },
        |dir: &Path| fs::write(dir.join("latch.a"), b"\0garbage").unwrap(),
        |dir: &Path| fs::write(dir.join("latch.b"), b"").unwrap(),
    ] {
        let dir = fresh();
        cut(dir.path(), Scope::Llm);
        damage(dir.path());
        comes_up_cut(dir.path(), "latch");
    }
}

#[test]
fn a_shortened_changed_or_lost_journal_comes_up_cut() {
    for damage in [
        |file: &Path| fs::remove_file(file).unwrap(),
        |file: &Path| fs::write(file, b"").unwrap(),
        |file: &Path| {
            let text = fs::read_to_string(file).unwrap();
            let kept: Vec<&str> = text.lines().collect();
            fs::write(file, kept[..kept.len() - 1].join("\n") + "\n").unwrap();
        },
        |file: &Path| {
            fs::write(
                file,
                fs::read_to_string(file).unwrap().replacen("LLM", "ALL", 1),
            )
            .unwrap()
        },
    ] {
        let dir = fresh();
        cut(dir.path(), Scope::Llm);
        damage(&dir.path().join("journal.jsonl"));
        comes_up_cut(dir.path(), "journal");
    }
}

#[test]
fn people_who_cannot_be_read_come_up_cut() {
    let dir = fresh();
    fs::write(dir.path().join("people.json"), "{").unwrap();
    assert_eq!(scopes(&state(dir.path())), ["ALL"]);
}

#[test]
fn only_the_lost_order_key_keeps_it_from_starting() {
    let dir = fresh();
    fs::remove_file(dir.path().join("order.key")).unwrap();
    let why = start(dir.path()).unwrap_err();
    assert!(format!("{why:#}").contains("order.key"), "{why:#}");
}

#[test]
fn a_second_cut_of_a_scope_keeps_its_incident() {
    let dir = fresh();
    let switch = up(dir.path());
    let request = LeverRequest::Cut {
        scope: Scope::All,
        by: "test".to_owned(),
        why: "twice".to_owned(),
    };
    let (LeverReply::Cut(first), LeverReply::Cut(second)) =
        (ask(dir.path(), &request), ask(dir.path(), &request))
    else {
        panic!()
    };
    assert_eq!(first.incident, second.incident);
    assert!(second.repeated && !first.repeated);
    switch.stop(LIMIT);
}
