//! A running house takes its configuration over: when the file changes, over the API, at SIGHUP.

use crate::house::{FREE_PORTS, House, Up, get, wait};
use serde_json::Value;
use std::os::unix::fs::symlink;

fn target(name: &str) -> String {
    format!(
        "{FREE_PORTS}[[gateway.targets]]\nname = \"{name}\"\nclass = \"local\"\nbase_url = \"http://127.0.0.1:9/v1\"\n"
    )
}

fn targets(house: &House) -> Vec<String> {
    let status = house.json(&["status"]);
    let targets = status["gateway"]["health"]["targets"].as_array().cloned();
    let names = targets.unwrap_or_default().into_iter();
    names
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

fn until_target(house: &House, name: &str) {
    wait(name, || targets(house) == [name]);
}

fn figure(up: &Up, name: &str) -> u64 {
    let answer = get(up.ready()["gateway"].as_str().unwrap(), "/metrics");
    let found = answer
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[test]
fn a_file_put_in_the_place_of_the_old_one_is_taken_over() {
    let house = House::new();
    house.configure(&target("one"));
    let up = house.start(&["up", "--json"]);
    assert_eq!(targets(&house), ["one"]);
    for name in ["two", "three"] {
        let beside = house.path("portcullis.toml.new");
        std::fs::write(&beside, target(name)).unwrap();
        std::fs::rename(&beside, house.config()).unwrap();
        until_target(&house, name);
    }
    // Written over in its place, as simple editors do.
    house.configure(&target("four"));
    until_target(&house, "four");
    assert_eq!(figure(&up, "portcullis_config_last_reload_successful"), 1);
    assert!(figure(&up, "portcullis_config_last_reload_timestamp_seconds") > 0);
    up.stop();
}

#[test]
fn a_swapped_link_is_taken_over() {
    let house = House::new();
    for (folder, name) in [("v1", "one"), ("v2", "two"), ("v3", "three")] {
        std::fs::create_dir(house.path(folder)).unwrap();
        let file = house.path(folder).join("portcullis.toml");
        std::fs::write(file, target(name)).unwrap();
    }
    // As configuration maps are mounted: the file is a link through a folder that is a link.
    symlink("v1", house.path("data")).unwrap();
    std::fs::remove_file(house.config()).unwrap();
    symlink("data/portcullis.toml", house.config()).unwrap();
    let up = house.start(&["up", "--json"]);
    assert_eq!(targets(&house), ["one"]);
    for (folder, name) in [("v2", "two"), ("v3", "three")] {
        symlink(folder, house.path("data.new")).unwrap();
        std::fs::rename(house.path("data.new"), house.path("data")).unwrap();
        until_target(&house, name);
    }
    up.stop();
}

#[test]
fn a_file_that_the_configuration_names_counts_as_much() {
    let house = House::new();
    std::fs::write(house.path("agent.key"), "pck_first").unwrap();
    house.configure(&format!(
        "{}[[gateway.routes]]\nname = \"chat\"\ntargets = [\"one\"]\n[[gateway.consumers]]\nname = \"claw\"\nkey_file = \"agent.key\"\nroutes = [\"chat\"]\n",
        target("one")
    ));
    let up = house.start(&["up", "--json"]);
    let gateway = up.ready()["gateway"].as_str().unwrap().to_owned();
    let knows = |key: &str| {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(&gateway).unwrap();
        write!(stream, "GET /v1/models HTTP/1.1\r\nHost: {gateway}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        !answer.starts_with("HTTP/1.1 401")
    };
    assert!(knows("pck_first") && !knows("pck_second"));
    std::fs::write(house.path("agent.key"), "pck_second").unwrap();
    wait("the other key", || knows("pck_second"));
    assert!(!knows("pck_first"));
    up.stop();
}

#[test]
fn a_broken_file_changes_nothing_and_every_mistake_is_told_everywhere() {
    let house = House::new();
    house.configure(&target("one"));
    let up = house.start(&["up", "--json"]);
    house.configure(&format!(
        "{FREE_PORTS}tmie_zone = \"UTC\"\n[[gateway.targets]]\nname = \"Bad Name\"\nclass = \"lunar\"\nbase_url = \"nowhere\"\n"
    ));
    wait("the mistake to be counted", || {
        figure(&up, "portcullis_config_last_reload_successful") == 0
    });
    assert_eq!(targets(&house), ["one"]);
    let log = house.log();
    let fields = [
        "gateway.tmie_zone",
        "gateway.targets[0].name",
        "gateway.targets[0].class",
        "gateway.targets[0].base_url",
    ];
    for field in fields {
        assert!(log.contains(field), "{field} is not in the log: {log}");
    }
    // The same over the API, with file, line and remedy.
    let done = house.run(&["config", "reload", "--json"]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    let mistakes = said["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), fields.len(), "{said}");
    let file = house.config().display().to_string();
    for (field, line) in fields.iter().zip([11, 13, 14, 15]) {
        let it = mistakes.iter().find(|it| it["field"] == **field).unwrap();
        assert_eq!(
            (&it["file"], &it["line"]),
            (&file.as_str().into(), &line.into()),
            "{it}"
        );
        assert!(it["problem"].is_string(), "{it}");
    }
    let zone = mistakes.iter().find(|it| it["line"] == 11).unwrap();
    assert_eq!(zone["fix"], "did you mean `time_zone`?");
    let text = String::from_utf8(house.run(&["config", "reload"]).stdout).unwrap();
    assert!(
        text.contains("portcullis.toml:14: gateway.targets[0].class: "),
        "{text}"
    );
    // What is no TOML at all.
    house.configure("[gateway]\nlisten = \n[agent\n");
    let done = house.run(&["config", "reload", "--json"]);
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    let lines: Vec<_> = said["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["line"].clone())
        .collect();
    assert!(
        lines.contains(&2.into()) && lines.contains(&3.into()),
        "{said}"
    );
    assert_eq!(targets(&house), ["one"]);
    // And a good one again.
    house.configure(&target("two"));
    until_target(&house, "two");
    assert_eq!(figure(&up, "portcullis_config_last_reload_successful"), 1);
    up.stop();
}

#[test]
fn a_reload_over_the_api_says_what_needs_a_restart_and_opens_no_cut() {
    let house = House::new();
    house.configure(&target("one"));
    let up = house.start(&["up", "--json"]);
    house.good(&["cut", "LLM"]);
    let other = target("two")
        .replace("[agent]\n", "[agent]\non_silence = \"hold\"\n")
        .replace(
            "[gateway]\nlisten = \"127.0.0.1:0\"",
            "[gateway]\nlisten = \"127.0.0.1:1\"",
        )
        .replace("[hosts]\n", "[hosts]\ncertificate_life = \"1 h\"\n");
    house.configure(&other);
    let said = house.json(&["config", "reload"]);
    assert_eq!(said["good"], true);
    let wanted: Value = serde_json::json!([
        "agent.on_silence",
        "gateway.listen",
        "hosts.certificate_life"
    ]);
    assert_eq!(said["needs_restart"], wanted);
    assert_eq!(targets(&house), ["two"]);
    let latches = house.json(&["status"])["killswitch"]["latches"].clone();
    assert_eq!(latches[0]["scope"], "LLM");
    let log = house.log();
    assert!(
        log.contains("This needs a restart") && log.contains("by=\"API\""),
        "{log}"
    );
    up.stop();
}

#[test]
fn a_reload_where_nothing_runs_says_what_to_do() {
    let house = House::set_up();
    let done = house.run(&["config", "reload"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("no control plane answers"), "{said}");
}

#[test]
fn the_access_log_follows_the_configuration() {
    let house = House::new();
    let log = house.path("access.jsonl");
    house.configure(&target("one"));
    let up = house.start(&["up", "--json"]);
    let gateway = up.ready()["gateway"].as_str().unwrap().to_owned();
    house.configure(&format!(
        "{}[gateway.access_log]\npath = \"access.jsonl\"\n",
        target("two")
    ));
    until_target(&house, "two");
    get(&gateway, "/healthz");
    wait("a line", || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("/healthz"))
    });
    // As log rotation does it: moved away, then a signal.
    let moved = house.path("moved");
    std::fs::rename(&log, &moved).unwrap();
    up.signal("-HUP");
    wait("a fresh file", || {
        get(&gateway, "/healthz");
        log.exists()
    });
    house.configure(&target("three"));
    until_target(&house, "three");
    let before = std::fs::read_to_string(&log).unwrap();
    get(&gateway, "/healthz");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), before);
    let gone = house.run(&["config", "check", "--json"]);
    assert!(gone.status.success());
    house.configure(&format!(
        "{}[gateway.access_log]\npath = \"no/such/access.jsonl\"\n",
        target("four")
    ));
    let check = house.run(&["config", "check", "--json"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("gateway.access_log.path"));
    up.stop();
}
