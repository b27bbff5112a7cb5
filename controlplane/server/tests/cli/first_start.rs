use crate::house::{FREE_PORTS, House};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn secrets(house: &House) -> Vec<String> {
    let people: serde_json::Value =
        serde_json::from_str(&house.read("killswitch/people.json")).unwrap();
    let mut secrets = vec![
        house.read("gateway/keys/agent.key"),
        house.read("gateway/probe.key"),
        house.read("killswitch/order.key"),
        house.read("killswitch/channels/local.secret"),
    ];
    for key in ["kill", "restore"] {
        let secret = &people["people"][0][key]["secret"];
        secrets.push(secret.as_str().unwrap().to_owned());
    }
    secrets
        .iter()
        .map(|secret| secret.trim().to_owned())
        .collect()
}

#[test]
fn the_first_start_shows_everything_once_and_the_second_no_secret() {
    let house = House::new();
    let first = house.start(&["up"]);
    let said = first.seen.join("\n");
    assert!(said.contains("/sign-in?token="), "{said}");
    assert!(said.contains(house.read("gateway/keys/agent.key").trim()));
    assert_eq!(said.matches("key of owner").count(), 2);
    assert!(said.contains('▀') && said.contains("curl -N "));
    for name in ["owner-kill.svg", "owner-restore.svg"] {
        assert!(
            house
                .read(&format!("killswitch/enrol/{name}"))
                .contains("<svg")
        );
    }
    first.stop();
    let before = secrets(&house);
    let mut second = house.start(&["up"]);
    let all = format!("{}\n{}", second.seen.join("\n"), house.log());
    assert_eq!(secrets(&house), before);
    assert!(!all.contains("token="), "{all}");
    assert!(!second.seen.join("").contains('▀'));
    for secret in &before {
        assert!(!all.contains(secret.as_str()));
    }
    assert!(second.running());
}

#[test]
fn only_the_owner_may_read_what_was_made() {
    fn check(path: &Path) {
        let about = std::fs::symlink_metadata(path).unwrap();
        let mode = about.permissions().mode() & 0o777;
        let wanted = if about.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
        if about.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        }
    }
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    check(&house.data());
    up.stop();
    check(&house.data());
}

#[test]
fn a_start_that_is_killed_at_any_moment_is_finished_by_the_next() {
    for delay in [0, 5, 10, 20, 40, 80] {
        let house = House::new();
        let killed = house.spawn(&["up", "--json"]);
        std::thread::sleep(std::time::Duration::from_millis(delay));
        drop(killed);
        let up = house.start(&["up", "--json"]);
        assert_eq!(
            house.json(&["codes", "list"])["people"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        up.stop();
        assert!(!house.data().join(".setup").exists());
    }
}

#[test]
fn a_busy_port_at_the_first_start_hides_the_keys_from_nobody() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    house.configure(&FREE_PORTS.replacen("127.0.0.1:0", &address.to_string(), 1));
    assert_eq!(house.run(&["up"]).status.code(), Some(1));
    house.configure(FREE_PORTS);
    let up = house.start(&["up"]);
    assert!(up.seen.join("\n").contains("/sign-in?token="));
    up.stop();
}

#[test]
fn one_data_folder_is_run_once() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    let second = house.run(&["up"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        said.contains(&format!("process {}", up.ready()["pid"])),
        "{said}"
    );
    up.stop();
}

#[test]
fn keys_that_are_lost_are_not_made_anew() {
    let house = House::set_up();
    std::fs::remove_dir_all(house.data().join("killswitch")).unwrap();
    let done = house.run(&["up"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("has lost killswitch"), "{said}");
}

#[test]
fn a_service_needs_keys_and_makes_them_when_told() {
    let house = House::new();
    let done = house.run(&["serve"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("serve --init"));
    let up = house.start(&["serve", "--init", "--json"]);
    assert_eq!(up.ready()["first_start"], true);
    up.stop();
}

#[test]
fn parts_can_run_in_processes_of_their_own() {
    let house = House::set_up();
    let kill_switch = house.start(&["serve", "killswitch", "--json"]);
    assert!(kill_switch.ready().get("gateway").is_none());
    let rest = house.start(&["serve", "gateway", "controlplane", "--json"]);
    assert!(rest.ready().get("killswitch").is_none());
    let state = house.json(&["status"]);
    assert!(state["killswitch"]["people"] == 1, "{state}");
    let third = house.run(&["serve", "gateway"]);
    assert!(String::from_utf8_lossy(&third.stderr).contains("the gateway of"));
    rest.stop();
    kill_switch.stop();
}

#[test]
fn a_path_too_long_for_a_socket_is_explained() {
    let house = House::new();
    let deep = house.path(&"d".repeat(100));
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["up", "--data"])
        .arg(&deep)
        .current_dir(house.path(""))
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("choose a shorter one"));
    assert!(!deep.exists());
}
