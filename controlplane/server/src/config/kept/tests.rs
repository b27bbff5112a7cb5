use crate::config::{Config, Fallback, checked_beside};
use kill_config::table;
use std::path::Path;

fn fallback() -> Fallback {
    Fallback {
        target: net_model::Target::new(
            "demo".parse().unwrap(),
            kill_wire::Class::Local,
            "http://127.0.0.1:9/v1".parse().unwrap(),
        ),
        key: net_model::KeyHash::of(b"unused"),
    }
}

/// A file with two routes, and consumers beside it.
fn beside(kept: &str) -> Result<Config, Vec<String>> {
    let own = "[gateway]\n[[gateway.targets]]\nname = \"a\"\nclass = \"local\"\nbase_url = \"http://127.0.0.1:1/v1\"\n\
               [[gateway.routes]]\nname = \"chat\"\ntargets = [\"a\"]\n\
               [[gateway.consumers]]\nname = \"claw\"\nkey_sha256 = \"00000000000000000000000000000000000000000000000000000000000000aa\"\nroutes = [\"chat\"]\n";
    let read = checked_beside(table(own).unwrap(), table(kept).unwrap(), Path::new("/"));
    read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

const KEPT_ONE: &str = "[[consumers]]\nname = \"ada\"\nkey_sha256 = \"00000000000000000000000000000000000000000000000000000000000000bb\"\nroutes = [\"chat\"]\n\
     old_key_sha256 = \"00000000000000000000000000000000000000000000000000000000000000cc\"\nold_key_until = \"2026-11-22T10:00:00Z\"\n\
     [[limits]]\nname = \"ada.own\"\nconsumer = \"ada\"\nopen = 2\n[[budgets]]\nname = \"ada.own\"\nconsumer = \"ada\"\nwindow = \"day\"\nmoney = \"2.50\"\n";

#[test]
fn consumers_that_are_kept_stand_beside_those_of_the_file_with_rules_of_their_own() {
    let config = beside(KEPT_ONE).unwrap();
    let table = config.gateway.table(&fallback()).unwrap();
    let names: Vec<&str> = table
        .consumers()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["claw", "ada"]);
    let old = table.consumers()[1].old_key.unwrap();
    assert_eq!(old.until.to_string(), "2026-11-22T10:00:00.000Z");
    let rules = config.gateway.rules();
    assert_eq!((rules.limits.len(), rules.budgets.len()), (1, 1));
}

#[test]
fn mistakes_of_what_is_kept_name_its_file_and_a_name_in_both_names_both_places() {
    for (kept, wanted) in [
        (
            KEPT_ONE.replace("\"ada\"\nkey", "\"claw\"\nkey"),
            "consumers.toml.consumers[0].name: `claw` stands in the configuration file, too, as gateway.consumers[0]",
        ),
        (
            KEPT_ONE.replace("[\"chat\"]", "[\"chta\"]"),
            "consumers.toml.consumers[0].routes: `chta` does not exist; did you mean `chat`?",
        ),
        (
            KEPT_ONE.replace("bb", "aa"),
            "consumers.toml.consumers[0].key_file: the same key as consumers[0]",
        ),
        (
            KEPT_ONE.replace("old_key_until", "old_key_til"),
            "consumers.toml.consumers[0].old_key_until: missing; expected an instant",
        ),
        (
            KEPT_ONE.replace("open = 2", "opne = 2"),
            "consumers.toml.limits[0].opne: unknown key; did you mean `open`?",
        ),
    ] {
        let problems = beside(&kept).unwrap_err();
        assert!(
            problems.iter().any(|it| it.starts_with(wanted)),
            "{problems:#?}"
        );
    }
}

#[test]
fn one_that_is_kept_as_agent_takes_the_place_of_the_built_in_one() {
    let kept = KEPT_ONE.replace("ada", "agent");
    let none = checked_beside(toml::Table::new(), table(KEPT_ONE).unwrap(), Path::new("/"));
    let none = none.unwrap().gateway;
    assert!(none.has_built_in_consumer());
    assert_eq!(none.table(&fallback()).unwrap().consumers().len(), 2);
    let own = checked_beside(toml::Table::new(), table(&kept).unwrap(), Path::new("/"));
    let own = own.unwrap().gateway;
    assert!(!own.has_built_in_consumer());
    assert_eq!(own.table(&fallback()).unwrap().consumers().len(), 1);
}
