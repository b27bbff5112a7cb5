use crate::house::House;
use serde_json::Value;

const BAD: &str =
    "[gatway]\n[agent]\non_silence = \"maybe\"\n[killswitch]\nlisten = \"localhost\"\n";

fn stderr(done: &std::process::Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
fn a_start_with_a_bad_configuration_ends_with_64_and_names_every_problem() {
    let house = House::new();
    house.configure(BAD);
    for words in [["up"], ["serve"]] {
        let done = house.run(&words);
        assert_eq!(done.status.code(), Some(64));
        let said = stderr(&done);
        for key in ["gatway", "agent.on_silence", "killswitch.listen"] {
            assert!(said.contains(key), "{said}");
        }
    }
    assert!(
        !house.data().exists(),
        "nothing is made before the configuration is good"
    );
}

#[test]
fn config_check_reports_every_problem_or_what_the_file_says() {
    let house = House::new();
    let good = house.json(&["config", "check"]);
    assert_eq!(good["ok"], true);
    assert_eq!(good["gateway"], "127.0.0.1:0");
    house.configure(BAD);
    let done = house.run(&["config", "check", "--json"]);
    assert_eq!(done.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(said["ok"], false);
    assert_eq!(said["problems"].as_array().unwrap().len(), 3, "{said}");
}

#[test]
fn a_configuration_that_is_asked_for_must_be_there() {
    let house = House::new();
    std::fs::remove_file(house.config()).unwrap();
    let done = house.run(&["up"]);
    assert_eq!(done.status.code(), Some(64));
    assert!(
        stderr(&done).contains("cannot be read"),
        "{}",
        stderr(&done)
    );
}

#[test]
fn what_was_typed_wrong_ends_with_2() {
    let house = House::new();
    for words in [
        vec!["cut"],
        vec!["cut", "two words"],
        vec!["up", "--fast"],
        vec!["cutt", "ALL"],
    ] {
        assert_eq!(house.run(&words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn every_busy_port_is_reported_at_once() {
    let house = House::new();
    let taken: Vec<_> = (0..2)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let address = |at: usize| taken[at].local_addr().unwrap();
    house.configure(&format!(
        "[controlplane]\nlisten = \"{}\"\n[gateway]\nlisten = \"{}\"\n[agent]\nlisten = \"127.0.0.1:0\"\n[killswitch]\nlisten = \"127.0.0.1:0\"\n",
        address(0),
        address(1)
    ));
    let done = house.run(&["up"]);
    assert_eq!(done.status.code(), Some(1));
    for at in [0, 1] {
        assert!(
            stderr(&done).contains(&address(at).to_string()),
            "{}",
            stderr(&done)
        );
    }
}
