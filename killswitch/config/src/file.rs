//! The file itself.

use crate::problem::Problem;
use crate::trouble::BadConfig;
use std::io::Read as _;
use std::path::Path;
use toml::Table;

/// Largest accepted file in bytes.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// Reads and parses a file; the one problem that comes back is about the file as a whole.
pub fn read_table(path: &Path) -> Result<Table, BadConfig> {
    let bad = |problem| BadConfig {
        file: Some(path.to_owned()),
        problems: vec![problem],
    };
    let text = text(path).map_err(|why| bad(Problem::new("file", why)))?;
    table(&text).map_err(bad)
}

fn text(path: &Path) -> Result<String, String> {
    let opened = std::fs::File::open(path).map_err(|why| format!("cannot be read: {why}"))?;
    let mut text = String::new();
    let read = opened.take(MAX_BYTES + 1).read_to_string(&mut text);
    let length = read.map_err(|why| format!("cannot be read: {why}"))?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        Ok(text)
    } else {
        Err(format!("longer than {MAX_BYTES} bytes"))
    }
}

/// Parses a text; the problem names the line.
pub fn table(text: &str) -> Result<Table, Problem> {
    text.parse().map_err(|why: toml::de::Error| {
        let line = why.span().map_or(1, |span| 1 + newlines(text, span.start));
        Problem::new(format!("line {line}"), why.message())
    })
}

fn newlines(text: &str, until: usize) -> usize {
    text.bytes()
        .take(until)
        .filter(|byte| *byte == b'\n')
        .count()
}
