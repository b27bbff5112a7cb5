//! The program `killswitchd` from outside: how it starts, refuses and ends.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and runs the program it is about"
)]

use kill_wire::{LeverReply, LeverRequest, SigningKey};
use killctl::Lever;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("kd-").tempdir().unwrap();
    let state = folder.path().join("killswitch");
    std::fs::create_dir_all(state.join("channels")).unwrap();
    killswitchd::create_state(&state, &SigningKey::from_bytes(&[7; 32])).unwrap();
    std::fs::write(
        state.join("people.json"),
        kill_core::People::default().to_json(),
    )
    .unwrap();
    let secret = kill_inbound::standard_webhooks::secret_from_random([9; 32]);
    std::fs::write(state.join("channels/local.secret"), secret).unwrap();
    configure(folder.path(), "");
    folder
}

fn configure(folder: &Path, more: &str) {
    let text =
        format!("[killswitch]\nlisten = \"127.0.0.1:0\"\nagents = [\"127.0.0.1:9\"]\n{more}");
    std::fs::write(folder.join("c.toml"), text).unwrap();
}

fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_killswitchd"));
    let (config, data) = (folder.join("c.toml"), folder);
    program.arg("--config").arg(config).arg("--data").arg(data);
    program.env_clear().stdin(Stdio::null());
    program
}

fn run(folder: &Path) -> Output {
    program(folder).output().unwrap()
}

/// Started, and answering on its lever.
fn started(folder: &Path) -> (Child, Lever) {
    let child = program(folder).stderr(Stdio::null()).spawn().unwrap();
    let lever = Lever::at(folder.join("killswitch/lever.sock"));
    let until = Instant::now() + LIMIT;
    while lever.ask(&LeverRequest::State, LIMIT).is_err() {
        assert!(Instant::now() < until, "it never answered");
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, lever)
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &id])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn it_cuts_and_ends_when_asked() {
    let folder = folder();
    let (mut child, lever) = started(folder.path());
    let cut = LeverRequest::Cut {
        scope: "LLM".parse().unwrap(),
        by: "test".to_owned(),
        why: String::new(),
    };
    assert!(matches!(lever.ask(&cut, LIMIT), Ok(LeverReply::Cut(_))));
    signal(&child, "-HUP");
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    let (mut again, lever) = started(folder.path());
    let Ok(LeverReply::State(state)) = lever.ask(&LeverRequest::State, LIMIT) else {
        panic!("no state");
    };
    assert_eq!(
        state.latches.as_slice().len(),
        1,
        "a cut outlives the program"
    );
    signal(&again, "-TERM");
    again.wait().unwrap();
}

#[test]
fn a_second_one_on_the_same_state_refuses_and_leaves_the_first_alone() {
    let folder = folder();
    let (mut child, lever) = started(folder.path());
    let second = run(folder.path());
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("runs already in another process"), "{said}");
    assert!(lever.ask(&LeverRequest::State, LIMIT).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    // However the first ended, its lock is gone with it.
    let (mut third, _) = started(folder.path());
    signal(&third, "-TERM");
    third.wait().unwrap();
}

#[test]
fn a_bad_configuration_ends_with_64_and_every_mistake() {
    let folder = folder();
    configure(
        folder.path(),
        "two_person = 1\ndrill_every = \"soon\"\n[gateway]\nnone = \"of its business\"\n",
    );
    let refused = run(folder.path());
    assert_eq!(refused.status.code(), Some(64));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("2 problems"), "{said}");
    for key in ["killswitch.two_person", "killswitch.drill_every"] {
        assert!(said.contains(key), "{said}");
    }
}

#[test]
fn a_house_that_two_people_must_restore_does_not_start_with_one() {
    let folder = folder();
    configure(folder.path(), "two_person = true\n");
    let refused = run(folder.path());
    assert_eq!(refused.status.code(), Some(64));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("enrol another"), "{said}");
}
