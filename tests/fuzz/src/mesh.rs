//! What a mesh says: nothing panics, no text of it deceives, no id of it leaves its place in a path, and nobody gets in by an
//! answer that does not name a node and a person.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh::{KnownHost, Whose, findings, fuzzing, whose};
use net_model::{MeshNode, MeshNodeView, Tier};

const CAPABILITY: &str = "portcullis.example/cap/dashboard";

fuzz_target!(|data: &[u8]| {
    let Some((kind, answer)) = data.split_first() else { return };
    match kind % 6 {
        0 => status(answer),
        1 => visitor(answer),
        2 => listed(true, answer),
        3 => listed(false, answer),
        4 => older_keys(answer),
        _ => newer_keys(answer),
    }
});

fn tags() -> Vec<String> {
    vec!["tag:agent".to_owned()]
}

/// Printable, short, and without what turns the direction of writing.
fn harmless(text: &str) {
    assert!(text.chars().count() <= 96, "{text:?}");
    assert!(!text.contains(|c: char| c.is_control() || matches!(c, '\u{200b}' | '\u{202e}' | '\u{2066}' | '\u{feff}')), "{text:?}");
}

fn in_a_path(id: &str) {
    assert!(!id.is_empty() && id.len() <= 64, "{id:?}");
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{id:?}");
}

fn hosts() -> [KnownHost; 2] {
    let host = |name: &str, tier, address: &str, id: Option<&str>| KnownHost {
        name: name.parse().unwrap(),
        zone: "red".parse().unwrap(),
        tier,
        addresses: vec![address.parse().unwrap()],
        stable_id: id.map(str::to_owned),
    };
    [host("claw1", Tier::Contained, "100.64.0.7", Some("7")), host("nas", Tier::Trusted, "100.64.0.8", None)]
}

fn judged(nodes: &[MeshNode]) {
    let hosts = hosts();
    for node in nodes {
        for text in [&node.id, &node.name, &node.login, &node.os].into_iter().chain(&node.tags) {
            harmless(text);
        }
        assert!(node.tags.len() <= 64 && node.addresses.len() <= 64 && node.routes.len() <= 128);
        let found = whose(node, nodes, &hosts);
        // A name alone never makes a node a host.
        if let Whose::Host(host) = found {
            let at_address = node.addresses.iter().any(|it| host.addresses.contains(it));
            assert!(at_address || host.stable_id.as_ref() == Some(&node.id));
        }
        let view = MeshNodeView { node: node.clone(), host: None, zone: None, findings: findings(node, found, kill_wire::Timestamp::from_millis(1)) };
        let written = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<MeshNodeView>(&written).unwrap(), view);
    }
}

fn status(answer: &[u8]) {
    if let Ok(prefs) = fuzzing::prefs(answer) {
        assert_eq!(prefs, prefs.clone());
    }
    match fuzzing::status(answer) {
        Ok(status) => {
            harmless(&status.state);
            harmless(&status.network);
            status.health.iter().for_each(|text| harmless(text));
            assert!(status.addresses.len() <= 64 && status.health.len() <= 64);
            assert!(status.nodes.iter().filter(|node| node.own).count() <= 1);
            judged(&status.nodes);
        }
        Err(why) => assert!(why.to_string().len() < 700),
    }
}

fn visitor(answer: &[u8]) {
    let Some((who, visitor)) = fuzzing::visitor(answer, CAPABILITY) else { return };
    for text in [&who.stable_id, &who.node, &who.login, &who.display] {
        harmless(text);
    }
    if let Some(visitor) = visitor {
        assert!(who.tags.is_empty() && !who.routes_others && !who.expired, "{who:?}");
        assert!(who.grants.get(CAPABILITY).is_some_and(|granted| !granted.is_empty()), "{who:?}");
        assert!(!visitor.stable_id.is_empty() && !visitor.login.is_empty());
        assert_eq!((visitor.stable_id, visitor.login), (who.stable_id, who.login));
    }
}

fn listed(older: bool, answer: &[u8]) {
    if let Ok((nodes, _)) = fuzzing::listed(older, answer) {
        nodes.iter().for_each(|node| in_a_path(&node.id));
        assert!(nodes.iter().all(|node| node.tags.is_empty() || node.login.is_empty()), "tags and a person: {nodes:?}");
        judged(&nodes);
    }
}

fn older_keys(answer: &[u8]) {
    let ended = fuzzing::older_keys(answer, &tags()).unwrap_or_default();
    assert!(ended.is_empty() || fuzzing::older_keys(answer, &[]).unwrap().is_empty());
}

fn newer_keys(answer: &[u8]) {
    fuzzing::newer_keys(answer).unwrap_or_default().iter().for_each(|id| in_a_path(id));
    if fuzzing::newer_key(answer, &tags()).unwrap_or_default() {
        assert!(!fuzzing::newer_key(answer, &[]).unwrap());
    }
}
