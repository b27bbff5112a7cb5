//! What the reading of a section needs all along, and lists of addresses, which several sections have.

use crate::channel::Reader;
use crate::listen::ADDRESS;
use crate::problem::Problem;
use crate::walk::{Problems, Section};
use std::net::SocketAddr;
use std::path::Path;

/// Most entries of a list.
pub(crate) const MAX_ENTRIES: usize = 64;

/// What the reading of a section needs all along.
#[derive(Debug)]
pub struct Reading<'r> {
    /// Who reads.
    pub reader: Reader,
    /// Relative paths start here.
    pub folder: &'r Path,
    /// What is wrong.
    pub problems: &'r Problems,
    /// What works but should be looked at.
    pub warnings: &'r mut Vec<Problem>,
}

/// A list of literal addresses; names would need DNS, which the kill path does without.
pub(crate) fn addresses(
    section: &mut Section<'_>,
    name: &'static str,
    problems: &Problems,
) -> Vec<SocketAddr> {
    let key = section.key(name);
    let expected = "a list of literal addresses, such as [\"127.0.0.1:7413\"]";
    let texts = section.texts(name, expected).unwrap_or_default();
    if texts.len() > MAX_ENTRIES {
        let text = format!("{} entries; at most {MAX_ENTRIES}", texts.len());
        problems.note(Problem::new(key, text));
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let short: String = text.chars().take(60).collect();
        let key = format!("{key}[{at}]");
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() == 0 => problems.note(Problem::new(
                key,
                format!("`{short}` has no port; it is reached at a fixed one"),
            )),
            Ok(address) => found.push(address),
            Err(_) => problems.note(Problem::new(
                key,
                format!("`{short}` is not {ADDRESS}; the kill switch asks no DNS"),
            )),
        }
    }
    found
}
