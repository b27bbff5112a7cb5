//! Two people, check-in, drill, cards of digits, and what guessing is worth: as the command line shows them.

use crate::house::{FREE_PORTS, House};

fn house(rules: &str) -> House {
    let house = House::new();
    let text = FREE_PORTS.replace("[killswitch]\n", &format!("[killswitch]\n{rules}\n"));
    house.configure(&text);
    house
}

fn code(house: &House, words: &[&str]) -> String {
    let words = [&["codes", "now"], words].concat();
    house.good(&words).trim().to_owned()
}

#[test]
fn nobody_is_added_beyond_what_guessing_allows_and_such_a_house_does_not_start() {
    let house = House::set_up();
    house.good(&["codes", "add", "ada", "--no-check"]);
    let third = house.run(&["codes", "add", "bob", "--no-check"]);
    assert_eq!(third.status.code(), Some(1));
    let said = String::from_utf8_lossy(&third.stderr).into_owned();
    assert!(said.contains("two_person = true"), "{said}");

    house.configure(&FREE_PORTS.replace("[killswitch]\n", "[killswitch]\ntwo_person = true\n"));
    house.good(&["codes", "add", "bob", "--no-check"]);
    let bound = house.json(&["config", "check"])["guesses"]["restore"]
        .as_f64()
        .unwrap();
    assert!(bound > 0.0 && bound < 2e-4, "{bound}");

    house.configure(FREE_PORTS);
    assert_eq!(house.run(&["config", "check"]).status.code(), Some(1));
    let start = house.run(&["serve", "killswitch"]);
    assert_eq!(start.status.code(), Some(64));
    let said = String::from_utf8_lossy(&start.stderr).into_owned();
    assert!(said.contains("restore_guesses_per_day"), "{said}");
}

#[test]
fn a_restore_by_one_of_two_people_is_held_and_ends_with_1() {
    let house = house("");
    house.start(&["up", "--json"]).stop();
    house.good(&["codes", "add", "ada", "--no-check"]);
    house.configure(&FREE_PORTS.replace("[killswitch]\n", "[killswitch]\ntwo_person = true\n"));
    let up = house.start(&["up", "--json"]);
    house.good(&["cut", "LLM"]);
    let restore = |person: &str| {
        let code = code(&house, &["--restore", "--next", "--person", person]);
        std::fs::write(house.path("code"), code).unwrap();
        let file = house.path("code");
        house.run(&["restore", "LLM", "--code-file", file.to_str().unwrap()])
    };
    let first = restore("owner");
    assert_eq!(first.status.code(), Some(1));
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(said.contains("1 of 2"), "{said}");
    assert_eq!(
        house.json(&["status"])["killswitch"]["latches"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let second = restore("ada");
    assert!(
        second.status.success(),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
    assert!(
        house.json(&["status"])["killswitch"]["latches"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    up.stop();
}

#[test]
fn a_check_in_counts_by_code_and_at_the_machine_and_the_state_shows_when_the_next_is_due() {
    let house = House::set_up();
    house.good(&["codes", "add", "owner", "--check-in", "--no-check"]);
    assert_eq!(
        house.json(&["codes", "list"])["people"][0]["check_in"],
        true
    );
    let text =
        format!("{FREE_PORTS}[killswitch.check_in]\nevery = \"24 h\"\nthen = \"cut AGENTS\"\n");
    house.configure(&text);
    let up = house.start(&["up", "--json"]);
    let ok = format!("OK {}", code(&house, &["--check-in"]));
    house.good(&["text", &ok]);
    let seen = house.json(&["status"])["killswitch"]["check_in"].clone();
    assert_eq!(seen["by"], "owner");
    assert_eq!(seen["cuts"], "AGENTS");
    assert!(house.good(&["check-in"]).contains("due by"));
    assert!(house.good(&["status"]).contains("a missed one cuts AGENTS"));
    up.stop();
}

#[test]
fn a_drill_tries_everything_and_cuts_nothing() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    let drill = house.run(&["drill", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&drill.stdout).unwrap();
    let failed = said["failed"].as_array().unwrap().len();
    assert_eq!(drill.status.code(), Some(i32::from(failed > 0)), "{said}");
    assert_eq!(said["agents"][1], 1, "{said}");
    let state = house.json(&["status"])["killswitch"].clone();
    assert!(state["latches"].as_array().unwrap().is_empty());
    assert_eq!(state["drill"]["at"], said["at"]);
    let channels = house.json(&["channels"])["channels"].clone();
    assert_eq!(channels[0]["name"], "local");
    assert_eq!(channels[0]["trust"], "A");
    assert!(house.good(&["channels"]).contains("standard-webhooks"));
    up.stop();
}

#[test]
fn a_card_of_digits_alone_cuts() {
    let house = House::set_up();
    let page = house.path("cards.html");
    house.good(&[
        "codes",
        "cards",
        "owner",
        "--digits",
        "--count",
        "2",
        "--out",
        page.to_str().unwrap(),
    ]);
    let page = std::fs::read_to_string(page).unwrap();
    let words = page.split(|c: char| !c.is_ascii_digit() && c != '-');
    let card = words
        .into_iter()
        .find(|word| word.len() == 23 && word.matches('-').count() == 3);
    let up = house.start(&["up", "--json"]);
    let said = house.good(&["text", &format!("kill {}", card.unwrap())]);
    assert!(said.starts_with("CUT ALL"), "{said}");
    up.stop();
}

#[test]
fn init_makes_keys_and_runs_nothing() {
    let house = House::new();
    assert_eq!(house.json(&["init"])["made"], true);
    let people = house.read("killswitch/people.json");
    assert_eq!(house.json(&["init"])["made"], false);
    assert_eq!(house.read("killswitch/people.json"), people);
    assert!(!house.data().join("run.json").exists());
    let up = house.start(&["serve", "--json"]);
    let down = house.run(&["init"]);
    assert_eq!(down.status.code(), Some(1), "a running house is left alone");
    up.stop();
}

#[test]
fn commands_find_the_lever_where_the_configuration_puts_it() {
    let house = House::set_up();
    let socket = house.path("lever.sock");
    let lever = format!(
        "[killswitch]\nlever_socket = \"{}\"\nlever_group = true\n",
        socket.display()
    );
    house.configure(&FREE_PORTS.replace("[killswitch]\n", &lever));
    std::fs::remove_file(house.data().join("killswitch/lever.sock")).unwrap();
    let up = house.start(&["up", "--json"]);
    assert!(!house.data().join("killswitch/lever.sock").exists());
    house.good(&["cut", "LLM"]);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o660);
    up.stop();
}
