//! Who may import whom: killswitch knows nobody, agents know its wire form, the control plane knows both,
//! nobody knows the control plane.

use crate::tree;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Crate, and the crates of this workspace it may import. Two exceptions to the plain directions: the control plane
/// pulls the local lever (`killctl`), and the agents keep their files as the kill switch keeps its own (`kill-files`).
pub(crate) const MAY_IMPORT: [(&str, &[&str]); 35] = [
    ("kill-wire", &[]),
    ("kill-core", &["kill-wire"]),
    ("kill-inbound", &["kill-wire", "kill-core"]),
    ("kill-config", &["kill-wire", "kill-core", "kill-inbound"]),
    ("kill-files", &["kill-wire"]),
    ("kill-program", &["kill-config"]),
    ("killctl", &["kill-wire"]),
    ("kill-gammu", &[]),
    // Only programs import it; the kill switch never does.
    (
        "kill-courier",
        &[
            "kill-wire",
            "kill-inbound",
            "kill-config",
            "kill-gammu",
            "kill-program",
        ],
    ),
    (
        "killswitchd",
        &[
            "kill-wire",
            "kill-core",
            "kill-inbound",
            "kill-config",
            "kill-files",
            "kill-program",
            "killctl",
        ],
    ),
    ("net-model", &["kill-wire"]),
    ("agent-core", &["kill-wire", "net-model"]),
    // A gateway that goes on with what it has begun has its connections ended in the kernel; what a driver blocked must be
    // known after a restart.
    (
        "gateways",
        &["kill-wire", "kill-files", "net-model", "fence"],
    ),
    // Pure, and used on both sides like the model: what a model costs.
    ("prices", &["net-model"]),
    // Pure: what gateways that are not ours tell of their usage.
    ("usage-feeds", &["kill-wire", "net-model", "prices"]),
    ("gateway-core", &["kill-wire", "net-model", "prices"]),
    (
        "gateway",
        &[
            "kill-wire",
            "kill-files",
            "net-model",
            "prices",
            "gateway-core",
        ],
    ),
    // Reads what both the program of the house and the agent of a host have in their files.
    (
        "gateway-config",
        &[
            "kill-wire",
            "kill-config",
            "net-model",
            "gateways",
            "gateway-core",
        ],
    ),
    ("host-core", &["kill-wire", "net-model"]),
    (
        "host-facts",
        &["kill-wire", "host-core", "net-model", "kill-files"],
    ),
    ("fence", &["kill-wire"]),
    (
        "node-agent",
        &[
            "kill-wire",
            "kill-files",
            "fence",
            // The program alone: it reads its file and ends as the other small programs do.
            "kill-config",
            "kill-program",
            "net-model",
            "agent-core",
            "gateways",
            // What gateways that are not ours shall do, and which target serves there.
            "gateway-config",
            "gateway-core",
            "host-facts",
            "uplink",
        ],
    ),
    // Mutual TLS between machines of the house: both ends use it, like the model.
    ("net-link", &["kill-wire", "net-model"]),
    ("pki", &["kill-wire", "net-model"]),
    (
        "hosts",
        &[
            "kill-wire",
            "kill-files",
            "net-model",
            "net-link",
            "pki",
            "store",
        ],
    ),
    (
        "uplink",
        &[
            "kill-wire",
            "kill-files",
            "net-model",
            "net-link",
            "host-facts",
        ],
    ),
    ("store", &["kill-wire", "net-model"]),
    ("inventory", &["kill-wire", "net-model", "store"]),
    ("mesh", &["kill-wire", "net-model"]),
    ("oidc", &["kill-wire", "net-model"]),
    ("passkeys", &["kill-wire", "net-model"]),
    (
        "tasks",
        &["kill-wire", "killctl", "net-model", "store", "inventory"],
    ),
    (
        "dash",
        &[
            "kill-wire",
            "killctl",
            "net-model",
            "prices",
            "usage-feeds",
            "store",
            "inventory",
            "mesh",
            "oidc",
            "passkeys",
            "tasks",
        ],
    ),
    (
        "portcullis",
        &[
            "kill-wire",
            "kill-core",
            "kill-inbound",
            "kill-config",
            "kill-files",
            "kill-program",
            "killctl",
            "kill-courier",
            "killswitchd",
            "net-model",
            "prices",
            "usage-feeds",
            "agent-core",
            "gateways",
            "gateway",
            "gateway-config",
            "node-agent",
            "store",
            "inventory",
            "tasks",
            "mesh",
            "oidc",
            "passkeys",
            "hosts",
            "host-facts",
            "uplink",
            "dash",
        ],
    ),
    // The benchmarks play hosts, and invite them; they drive gateways of each kind.
    (
        "site-tests",
        &[
            "kill-wire",
            "net-model",
            "net-link",
            "store",
            "fence",
            "gateway",
            "gateways",
        ],
    ),
];

/// Crates that decide and never act, and what they may therefore not name.
const PURE: [&str; 5] = [
    "killswitch/wire",
    "killswitch/core",
    "killswitch/inbound",
    "agents/core",
    "agents/host-core",
];
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant",
    "HashMap",
];

pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    toml: toml::Table,
}

impl Manifest {
    pub(crate) fn name(&self) -> &str {
        self.toml
            .get("package")
            .and_then(|p| p.get("name"))
            .and_then(toml::Value::as_str)
            .unwrap_or_else(|| panic!("{}: no package.name", self.path.display()))
    }

    /// What it depends on under `section`, also for one kind of machine only.
    pub(crate) fn dependencies(&self, section: &str) -> BTreeSet<String> {
        let own = self.toml.get(section).and_then(toml::Value::as_table);
        let by_target = self
            .toml
            .get("target")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::values)
            .filter_map(|target| target.get(section).and_then(toml::Value::as_table));
        own.into_iter()
            .chain(by_target)
            .flat_map(|t| t.keys().cloned())
            .collect()
    }
}

pub(crate) fn members() -> Vec<Manifest> {
    tree::files_ending(&["Cargo.toml"])
        .into_iter()
        .filter(|path| path.parent().is_some_and(|p| p != std::path::Path::new("")))
        // A workspace of its own, built with instrumentation; nothing of it ships.
        .filter(|path| !path.starts_with("tests/fuzz"))
        .map(|path| {
            let toml = tree::read(&path)
                .parse()
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Manifest { path, toml }
        })
        .collect()
}

#[test]
fn crates_import_in_the_allowed_directions_only() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for member in members() {
        let Some(allowed) = table.get(member.name()) else {
            wrong.push(format!("{}: not in the table of directions", member.name()));
            continue;
        };
        let normal = member
            .dependencies("dependencies")
            .into_iter()
            .chain(member.dependencies("build-dependencies"));
        for other in normal.filter(|name| table.contains_key(name.as_str())) {
            if !allowed.contains(&other.as_str()) {
                wrong.push(format!("{} may not import {other}", member.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_of_a_crate_reach_no_further_down_than_the_crate_itself() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for member in members() {
        let allowed = table.get(member.name()).copied().unwrap_or_default();
        for other in member.dependencies("dev-dependencies") {
            let known = table.contains_key(other.as_str());
            // The scripted upstream lives in `site-tests` and serves everybody's tests.
            let fine = allowed.contains(&other.as_str())
                || other == "site-tests"
                || member.name() == "site-tests" && other != "portcullis";
            if known && !fine {
                wrong.push(format!("tests of {} may not import {other}", member.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_that_decide_name_no_files_clocks_sockets_or_random_order() {
    let mut wrong = Vec::new();
    for path in tree::files_ending(&[".rs"]) {
        let pure = PURE
            .iter()
            .any(|folder| path.starts_with(format!("{folder}/src")));
        if !pure {
            continue;
        }
        let text = tree::read(&path);
        for line in tree::code(&text) {
            // `std::net::IpAddr` and the like are values, not sockets; none is needed here so far.
            if let Some(word) = IMPURE.iter().find(|word| line.contains(*word)) {
                wrong.push(format!("{}: {word} in `{}`", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_stands_in_the_store_alone() {
    let wrong: Vec<String> = members()
        .iter()
        .filter(|member| member.name() != "store")
        .filter(|member| {
            ["dependencies", "dev-dependencies"]
                .iter()
                .any(|section| member.dependencies(section).contains("sqlx"))
        })
        .map(|member| member.name().to_owned())
        .collect();
    assert!(wrong.is_empty(), "sqlx outside the store: {wrong:?}");
}

#[test]
fn every_crate_inherits_the_lints_and_there_is_one_clippy_toml() {
    for member in members() {
        let inherits = member
            .toml
            .get("lints")
            .and_then(|l| l.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{}: [lints]", member.path.display());
    }
    assert_eq!(
        tree::files_ending(&["clippy.toml"]),
        [PathBuf::from("clippy.toml")]
    );
}
