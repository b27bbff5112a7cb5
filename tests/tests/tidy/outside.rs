//! What the kill switch takes from outside: on its path fewer crates beat convenience.

use crate::directions::{MAY_IMPORT, members};
use std::collections::{BTreeMap, BTreeSet};

/// What the crates of the kill switch may take from outside. On the kill path fewer crates beat convenience:
/// a new name here is a decision, not an edit.
const KILL_SWITCH_MAY_USE: [(&str, &[&str]); 10] = [
    (
        "kill-wire",
        &[
            "data-encoding",
            "ed25519-dalek",
            "serde",
            "sha2",
            "thiserror",
        ],
    ),
    (
        "kill-core",
        &[
            "data-encoding",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "totp-rs",
            "zeroize",
        ],
    ),
    (
        "kill-inbound",
        &[
            "base64",
            "ed25519-dalek",
            "form_urlencoded",
            "hmac",
            "rustls-pki-types",
            "rustls-webpki",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "subtle",
            "thiserror",
            "zeroize",
        ],
    ),
    (
        "kill-config",
        &["data-encoding", "strsim", "toml", "zeroize"],
    ),
    (
        "kill-program",
        &[
            "anyhow",
            "clap",
            "tokio",
            "tracing-appender",
            "tracing-subscriber",
        ],
    ),
    (
        "kill-files",
        &[
            "data-encoding",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ],
    ),
    ("killctl", &["serde_json", "thiserror"]),
    ("kill-gammu", &["serde", "serde_json"]),
    (
        // The part that may speak to the internet: HTTP and TLS as the gateway has them, nothing new.
        "kill-courier",
        &[
            "anyhow",
            "base64",
            "bytes",
            "clap",
            "data-encoding",
            "form_urlencoded",
            "futures-util",
            "getrandom",
            "hmac",
            "http",
            "http-body-util",
            "hyper",
            "hyper-rustls",
            "hyper-util",
            "rumqttc",
            "rustls",
            "serde",
            "serde_json",
            "sha2",
            "tokio",
            "tokio-util",
            "tracing",
            "zbus",
            "zeroize",
        ],
    ),
    (
        "killswitchd",
        &[
            "anyhow",
            "bytes",
            // Arguments of the program; nothing of it is on the way of a cut.
            "clap",
            "data-encoding",
            "ed25519-dalek",
            "getrandom",
            "http",
            "http-body-util",
            "hyper",
            "hyper-util",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
            "zeroize",
        ],
    ),
];

#[test]
fn the_kill_switch_takes_from_outside_only_what_is_listed() {
    let table: BTreeMap<&str, &[&str]> = KILL_SWITCH_MAY_USE.into_iter().collect();
    let ours: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    for member in members() {
        if !member.path.starts_with("killswitch") {
            continue;
        }
        let allowed = table.get(member.name()).copied().unwrap_or_default();
        for name in member.dependencies("dependencies") {
            if !ours.contains(name.as_str()) && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} may not use {name}", member.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
