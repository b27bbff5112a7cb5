//! What is said before the day it matters, and what goes on when a socket cannot be made.

use crate::house::{Courier, House, LIMIT, fresh, pulled};
use killctl::Lever;
use killswitchd::{Settings, Watchdog};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

#[test]
fn a_certificate_that_cannot_be_read_is_a_warning() {
    let house = House::up(Settings {
        certificates: vec!["/nowhere/fullchain.pem".into()],
        ..Settings::default()
    });
    house.wait("warned", |state| {
        let mut warnings = state.warnings.iter();
        warnings.any(|warning| warning.contains("/nowhere/fullchain.pem cannot be read"))
    });
}

#[test]
fn a_clock_behind_the_newest_file_is_a_warning() {
    let dir = fresh();
    let ahead = std::time::SystemTime::now() + Duration::from_secs(3600);
    let file = fs::File::options()
        .append(true)
        .open(dir.path().join("journal.jsonl"))
        .unwrap();
    file.set_modified(ahead).unwrap();
    let house = House::up_in(dir, Settings::default());
    house.wait("warned", |state| {
        let mut warnings = state.warnings.iter();
        warnings.any(|warning| warning.contains("the clock is wrong"))
    });
}

#[test]
fn systemd_is_told_that_it_runs_again_and_again_and_that_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(LIMIT)).unwrap();
    let word = move || {
        let mut bytes = [0; 64];
        let length = systemd.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let house = House::up(Settings {
        watchdog: Some(Watchdog {
            socket: path.into(),
            limit: Some(Duration::from_millis(30)),
        }),
        ..Settings::default()
    });
    assert_eq!(
        [word(), word(), word()],
        ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    );
    drop(house);
    while word() != "STOPPING=1" {}
}

#[test]
fn a_socket_that_cannot_be_made_in_the_state_folder_is_made_elsewhere_or_is_a_warning() {
    let run = tempfile::tempdir().unwrap();
    let blocked = || {
        let dir = fresh();
        for socket in ["lever.sock", "courier.sock"] {
            fs::create_dir(dir.path().join(socket)).unwrap();
        }
        dir
    };
    let settings = || Settings {
        channels: vec![pulled("telegram", "telegram")],
        run_dir: Some(run.path().to_owned()),
        ..Settings::default()
    };
    let house = House::up_in(blocked(), settings());
    let lever = Lever::at(run.path().join("lever.sock"));
    lever.ask(&kill_wire::LeverRequest::State, LIMIT).unwrap();
    Courier::at(&run.path().join("courier.sock"))
        .next()
        .unwrap();
    drop(house);
    let house = House::up_in(
        blocked(),
        Settings {
            run_dir: None,
            ..settings()
        },
    );
    // It hears webhooks all the same, and says that it is not well.
    let (status, state) = house.call("GET /v1/state HTTP/1.1", "");
    assert!(
        status == 200 && state.contains(r#""well":false"#),
        "{state}"
    );
}
