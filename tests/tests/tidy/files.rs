//! Files stay short and are named for what they decide or whom they talk to.

use crate::tree;

const MOST_LINES: usize = 400;
/// Files under a `tests` folder hold cases side by side, which one reads one at a time.
const MOST_LINES_OF_TESTS: usize = 500;

#[test]
fn no_file_is_longer_than_one_can_hold_in_mind() {
    let mut sizes: Vec<(usize, String)> = tree::files_ending(&[".rs", ".py"])
        .into_iter()
        .map(|path| {
            let text = tree::read(&path);
            (tree::without_tests(&text).len(), path.display().to_string())
        })
        .collect();
    sizes.sort();
    for (lines, path) in sizes.iter().rev().take(10) {
        println!("{lines:>5}  {path}");
    }
    for (lines, path) in &sizes {
        let most =
            if path.split('/').any(|folder| folder == "tests") && !path.starts_with("tests/src") {
                MOST_LINES_OF_TESTS
            } else {
                MOST_LINES
            };
        assert!(*lines <= most, "{path} has {lines} lines, of {most}");
    }
}

#[test]
fn no_file_is_named_for_nothing() {
    const SAY_NOTHING: [&str; 9] = [
        "mod", "utils", "util", "helpers", "helper", "common", "misc", "types", "shared",
    ];
    let wrong: Vec<String> = tree::files_ending(&[".rs", ".py"])
        .into_iter()
        .filter(|path| {
            let stem = path.file_stem().unwrap().to_string_lossy();
            SAY_NOTHING.contains(&&*stem)
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
