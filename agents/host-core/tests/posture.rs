//! What the checks say of containers as engines describe them: each sample beside what is expected of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use host_core::posture::{
    About, Inspected, Outcome, checks, host_document, inspected, outcomes, reduced, reduced_info,
};
use net_model::report::{ContainerState, Engine, Few, KernelFacts, Printable};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/posture")
}

fn written(name: &str) -> Value {
    let text = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn read(text: &Value) -> Inspected {
    let part = |key| text.get(key).unwrap_or(&Value::Null);
    let engine = match part("engine").as_str() {
        Some("docker") => Engine::Docker,
        _ => Engine::Podman,
    };
    let (inspect, info) = (part("inspect").to_string(), part("info").to_string());
    let mut all = inspected(engine, inspect.as_bytes(), info.as_bytes()).unwrap();
    all.remove(0)
}

fn sample(name: &str) -> Inspected {
    read(&written(name))
}

const SAMPLES: [&str; 7] = [
    "docker-rootful",
    "docker-rootless-hardened",
    "docker-privileged",
    "docker-socket-mounted",
    "docker-gvisor",
    "docker-no-info",
    "podman-rootless",
];

#[test]
fn every_sample_comes_out_as_it_is_written_down() {
    let mut found = String::new();
    for name in SAMPLES {
        let one = sample(name);
        writeln!(found, "{name}").unwrap();
        for (check, outcome) in outcomes(About::Container, &one.document) {
            writeln!(found, "  {:<8} {}", outcome.as_str(), check.id).unwrap();
        }
    }
    let expected = std::fs::read_to_string(folder().join("expected.txt")).unwrap();
    assert_eq!(found, expected, "the samples now come out so:\n{found}");
}

#[test]
fn what_is_counted_is_what_came_out() {
    let one = sample("docker-privileged");
    let posture = &one.container.posture;
    let all = posture.pass + posture.warn + posture.fail + posture.unknown;
    assert_eq!(
        usize::from(all),
        outcomes(About::Container, &one.document).count()
    );
    assert_eq!(usize::from(posture.fail), posture.failing.len());
    assert!(posture.failing.iter().any(|id| id.as_str() == "privileged"));
    assert_eq!(one.container.name.as_str(), "claw");
    assert_eq!(one.container.state, ContainerState::Running);
    assert_eq!(
        sample("podman-rootless").container.state,
        ContainerState::Paused
    );
    assert_eq!(sample("docker-gvisor").container.runtime.as_str(), "runsc");
}

#[test]
fn taking_anything_away_from_what_an_engine_says_passes_no_more_than_before() {
    for name in SAMPLES {
        let (text, whole) = (written(name), sample(name).document);
        let mut paths = Vec::new();
        leaves(&text, String::new(), &mut paths);
        for path in paths.iter().filter(|path| path.matches('/').count() > 1) {
            let mut less = text.clone();
            let (parent, key) = path.rsplit_once('/').unwrap();
            let parent = less.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            parent.remove(key);
            let less = read(&less).document;
            for (check, before) in outcomes(About::Container, &whole) {
                let better = check.outcome(&less) == Outcome::Pass && before != Outcome::Pass;
                assert!(!better, "{name}: {} passes without {path}", check.id);
            }
        }
    }
}

fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{at}/{key}");
        if !key.contains('/') {
            leaves(inner, path.clone(), found);
            found.push(path);
        }
    }
    for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
        leaves(inner, format!("{at}/{place}"), found);
    }
}

#[test]
fn what_leaves_the_helper_is_enough_for_every_check_and_holds_no_environment() {
    for name in SAMPLES {
        let mut text = written(name);
        let one = reduced(text.pointer("/inspect/0").unwrap());
        assert!(one.pointer("/Config/Env").is_none() && one.get("Args").is_none());
        *text.pointer_mut("/inspect/0").unwrap() = one;
        let info = text
            .get("info")
            .filter(|info| !info.is_null())
            .map(reduced_info);
        if let Some(info) = info {
            *text.pointer_mut("/info").unwrap() = info;
        }
        assert_eq!(read(&text).container, sample(name).container);
    }
}

#[test]
fn the_host_is_checked_by_what_its_kernel_says() {
    let kernel = KernelFacts {
        release: Printable::clipped("6.18"),
        lsm: Some(Few::first_of(["yama", "apparmor"].map(Printable::clipped)).0),
        user_namespaces: Some(true),
        forwards_v4: Some(false),
        ..KernelFacts::default()
    };
    let said = |listeners: Option<&[net_model::report::Listener]>| -> Vec<(String, &str)> {
        outcomes(About::Host, &host_document(&kernel, listeners))
            .map(|(check, outcome)| (check.id.clone(), outcome.as_str()))
            .collect()
    };
    let expected = [
        ("engine-tcp", "unknown"),
        ("host-forward-v4", "pass"),
        ("host-forward-v6", "unknown"),
        ("host-mac", "pass"),
        ("host-user-namespaces", "warn"),
    ];
    assert_eq!(
        said(None),
        expected.map(|(id, outcome)| (id.to_owned(), outcome))
    );
    let open = net_model::report::Listener {
        protocol: net_model::report::Protocol::Tcp,
        address: "0.0.0.0".parse().unwrap(),
        port: 2375,
        uid: 0,
    };
    assert_eq!(said(Some(&[])).first().unwrap().1, "pass");
    assert_eq!(said(Some(&[open])).first().unwrap().1, "fail");
}

#[test]
fn the_documentation_holds_every_check_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/host-facts.md");
    let page = std::fs::read_to_string(page).unwrap();
    for check in checks() {
        let row = format!(
            "| `{}` | {} | {} |",
            check.id,
            check.otherwise.as_str(),
            check.says
        );
        assert!(
            page.contains(&row),
            "docs/host-facts.md lacks this row:\n{row}"
        );
    }
}
