//! Reads the checkout: files by extension, manifests, and what of a source file is code.

use std::fs;
use std::path::{Path, PathBuf};

/// Root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Every file of the checkout, sorted, relative to the root; what builds leave behind is not looked at.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort();
    found
}

/// The files whose names end in one of `endings`.
pub(crate) fn files_ending(endings: &[&str]) -> Vec<PathBuf> {
    let wanted = |path: &PathBuf| {
        let name = path.to_string_lossy().into_owned();
        endings.iter().any(|ending| name.ends_with(ending))
    };
    files().into_iter().filter(wanted).collect()
}

/// Text of a file given relative to the root.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    const LEFT_BEHIND: [&str; 6] = [
        "target",
        ".venv",
        ".git",
        "__pycache__",
        "node_modules",
        ".pytest_cache",
    ];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if LEFT_BEHIND.contains(&name.as_str()) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path.strip_prefix(root()).unwrap().to_path_buf());
        }
    }
}

/// The lines of a Rust file before its own tests, which stand at its end.
pub(crate) fn without_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests_at = lines.windows(2).position(|pair| {
        pair.first() == Some(&"#[cfg(test)]") && pair.get(1).is_some_and(|l| l.starts_with("mod "))
    });
    lines
        .into_iter()
        .take(tests_at.unwrap_or(usize::MAX))
        .collect()
}

/// Of those, the lines that are neither blank nor comment.
pub(crate) fn code(text: &str) -> Vec<&str> {
    without_tests(text)
        .into_iter()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .collect()
}

#[test]
fn code_is_what_is_left_without_tests_comments_and_blank_lines() {
    let text =
        "//! Why.\n\nfn a() {\n    // how\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    assert_eq!(code(text), ["fn a() {", "}"]);
    assert_eq!(code("#[cfg(test)]\nfn twin() {}\n").len(), 2);
}
