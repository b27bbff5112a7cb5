//! Nothing is left half done, and the project speaks of itself alone.

use crate::tree;
use std::path::Path;

/// Text files of ours: not what others wrote (`assets/`, `Cargo.lock`).
fn ours() -> Vec<(String, String)> {
    const ENDINGS: [&str; 11] = [
        ".rs", ".py", ".toml", ".md", ".html", ".css", ".sql", ".yaml", ".yml", "/run", "RED_PATH",
    ];
    tree::files_ending(&ENDINGS)
        .into_iter()
        .filter(|path| !path.iter().any(|part| part == "assets"))
        .map(|path| (path.display().to_string(), tree::read(&path)))
        .collect()
}

/// Needles are put together here, so that this file does not hold them.
fn joined(parts: &[(&str, &str)]) -> Vec<String> {
    parts.iter().map(|(a, b)| format!("{a}{b}")).collect()
}

fn found(needles: &[String]) -> Vec<String> {
    let mut hits = Vec::new();
    for (path, text) in ours() {
        for (at, line) in text.lines().enumerate() {
            if let Some(needle) = needles.iter().find(|n| line.contains(n.as_str())) {
                hits.push(format!("{path}:{}: {needle}", at + 1));
            }
        }
    }
    hits
}

#[test]
fn nothing_is_left_half_done() {
    let hits = found(&joined(&[
        ("TO", "DO"),
        ("FIX", "ME"),
        ("XX", "X:"),
        ("unimple", "mented!"),
        ("to", "do!("),
    ]));
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}

#[test]
fn no_package_registry_and_no_path_of_one_machine_is_named() {
    let hits = found(&joined(&[
        ("crates", ".io"),
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("deb.debian", ".org"),
        ("static.rust-lang", ".org"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("/wo", "rk/"),
    ]));
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}

#[test]
fn poisoned_releases_are_never_asked_for() {
    let pins = tree::read(Path::new("tests/peers/requirements.txt"));
    for line in pins.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.contains("=="), "not pinned: {line}");
        for poisoned in ["1.82.7", "1.82.8", "1.107.0"] {
            assert_ne!(line, format!("litellm=={poisoned}"));
        }
    }
}
