//! `portcullis hosts`.

use crate::house::{FREE_PORTS, House};
use serde_json::Value;
use std::time::{Duration, Instant};

fn hosts(house: &House) -> Vec<Value> {
    let listed = house.run(&["hosts", "list", "--json"]);
    assert!(listed.status.success(), "{listed:?}");
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    listed["hosts"].as_array().unwrap().clone()
}

#[test]
fn this_machine_is_a_host_of_its_own_house_from_the_first_start_on() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    let until = Instant::now() + Duration::from_secs(20);
    let own = loop {
        if let Some(own) = hosts(&house).first()
            && own["state"] == "joined"
        {
            break own.clone();
        }
        assert!(Instant::now() < until, "{:?}", hosts(&house));
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(own["zone"], "management");
    up.stop();
    let again = house.start(&["up", "--json"]);
    assert_eq!(hosts(&house).len(), 1, "it is the same host");
    again.stop();
}

#[test]
fn an_invitation_shows_its_token_once_and_a_known_name_is_refused() {
    let house = House::set_up();
    let invite = [
        "hosts",
        "invite",
        "gpu1",
        "--zone",
        "inference",
        "--role",
        "inference",
        "--json",
    ];
    let invited = house.run(&invite);
    assert!(invited.status.success(), "{invited:?}");
    let invited: Value = serde_json::from_slice(&invited.stdout).unwrap();
    let token = invited["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pc1.gpu1."), "{token}");
    let secret = token.split('.').nth(2).unwrap();
    let listed = house.run(&["hosts", "list", "--json"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(secret));
    let again = house.run(&invite);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("reinvite gpu1"));
    let anew = house.run(&["hosts", "reinvite", "gpu1", "--json"]);
    let anew: Value = serde_json::from_slice(&anew.stdout).unwrap();
    assert_ne!(anew["token"], invited["token"]);
}

#[test]
fn who_is_called_needs_an_address_and_who_is_not_there_cannot_be_revoked() {
    let house = House::set_up();
    let called = [
        "hosts", "invite", "claw1", "--zone", "red", "--role", "red-zone", "--dial", "in",
    ];
    assert_eq!(house.run(&called).status.code(), Some(2));
    let called = [&called[..], &["--at", "192.0.2.66:7415", "--json"]].concat();
    let invited = house.run(&called);
    let invited: Value = serde_json::from_slice(&invited.stdout).unwrap();
    assert!(invited["token"].as_str().unwrap().ends_with("@in:7415"));
    assert_eq!(
        house.run(&["hosts", "revoke", "nobody"]).status.code(),
        Some(1)
    );
    assert!(
        house
            .run(&["hosts", "rename", "claw1", "claw2"])
            .status
            .success()
    );
    assert!(house.run(&["hosts", "revoke", "claw2"]).status.success());
    assert!(
        hosts(&house)
            .iter()
            .any(|it| it["name"] == "claw2" && it["state"] == "revoked")
    );
}

#[test]
fn a_zone_that_the_configuration_does_not_have_is_refused_with_those_it_has() {
    let house = House::set_up();
    house.configure(&format!(
        "{FREE_PORTS}[zones.red]\ntier = \"contained\"\n[zones.inference]\ntier = \"service\"\n"
    ));
    let invite = |zone: &str| {
        let words = ["hosts", "invite", "gpu1", "--role", "inference", "--zone"];
        house.run(&[&words[..], &[zone, "--json"]].concat())
    };
    let refused = invite("inferense");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    for part in ["`inferense`", "`red`", "`inference`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(refused.stdout.is_empty(), "a token was given: {refused:?}");
    assert!(hosts(&house).iter().all(|it| it["name"] != "gpu1"));
    let invited = invite("inference");
    assert!(invited.status.success(), "{invited:?}");
}

#[test]
fn a_binary_is_sealed_and_what_is_no_program_is_refused() {
    let house = House::set_up();
    let file = house.path("agent");
    std::fs::write(&file, b"#!/bin/sh").unwrap();
    let add = [
        "hosts",
        "agent-binary",
        "add",
        file.to_str().unwrap(),
        "--json",
    ];
    assert_eq!(house.run(&add).status.code(), Some(1));
    std::fs::write(&file, b"\x7fELF and more").unwrap();
    let added = house.run(&add);
    assert!(added.status.success(), "{added:?}");
    let seal: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!(seal["signature"].as_str().unwrap().len(), 128);
}
