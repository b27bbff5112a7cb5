//! The red path, "raw body received" to "egress denied", can be read in one sitting.

use crate::tree;
use std::collections::BTreeMap;
use std::path::PathBuf;

const LIST: &str = "killswitch/RED_PATH";
const MOST_LINES: usize = 1200;

fn listed() -> Vec<PathBuf> {
    tree::read(LIST.as_ref())
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(PathBuf::from)
        .collect()
}

/// `killswitch/core/src/latch.rs` belongs to the part `killswitch/core`.
fn part(path: &std::path::Path) -> String {
    let folders: Vec<_> = path.iter().take(2).map(|s| s.to_string_lossy()).collect();
    folders.join("/")
}

#[test]
fn the_red_path_is_short_enough_to_read() {
    let mut parts: BTreeMap<String, usize> = BTreeMap::new();
    for path in listed() {
        *parts.entry(part(&path)).or_default() += tree::code(&tree::read(&path)).len();
    }
    let total: usize = parts.values().sum();
    for (part, lines) in &parts {
        println!("{lines:>5}  {part}");
    }
    println!("{total:>5}  in all, of {MOST_LINES}");
    assert!(total <= MOST_LINES, "the red path has {total} code lines");
    for folder in ["killswitch/wire", "killswitch/core", "killswitch/inbound"] {
        assert!(
            parts.contains_key(folder),
            "{LIST} names no file of {folder}"
        );
    }
}

#[test]
fn the_red_path_lists_each_file_once() {
    let mut seen = listed();
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "{LIST} names a file twice");
}

#[test]
fn the_red_path_calls_through_no_trait_object() {
    for path in listed() {
        for line in tree::code(&tree::read(&path)) {
            assert!(
                !line.contains("dyn "),
                "{}: `{}`",
                path.display(),
                line.trim()
            );
        }
    }
}
