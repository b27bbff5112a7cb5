//! The file itself.

use crate::channel::Reader;
use crate::killswitch::{self, KillSwitchSection};
use crate::listen::{ADDRESS, loopback};
use crate::locate::line;
use crate::problem::Problem;
use crate::reading::Reading;
use crate::trouble::BadConfig;
use crate::walk::{Problems, Section};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Table;
use toml::de::DeTable;

/// Largest accepted file in bytes.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// Reads and parses a file; every line that is no TOML comes back.
pub fn read_table(path: &Path) -> Result<Table, BadConfig> {
    let bad = |problems| BadConfig {
        file: Some(path.to_owned()),
        problems,
    };
    let text = text(path).map_err(|why| bad(vec![Problem::new("file", why)]))?;
    table(&text).map_err(|first| {
        let (_, all) = DeTable::parse_recoverable(&text);
        let all: Vec<Problem> = all.iter().map(|why| problem(&text, why)).collect();
        bad(if all.is_empty() { vec![first] } else { all })
    })
}

/// Reads a file whole, up to [`MAX_BYTES`]; the error says why it cannot be.
pub fn text(path: &Path) -> Result<String, String> {
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
    text.parse()
        .map_err(|why: toml::de::Error| problem(text, &why))
}

fn problem(text: &str, why: &toml::de::Error) -> Problem {
    let line = why.span().map_or(1, |span| line(text, span.start));
    Problem::new(format!("line {line}"), why.message())
}

/// The lever's socket as the file says, without reading anything else: commands must find it beside any mistake.
#[must_use]
pub fn lever_socket(path: &Path) -> Option<PathBuf> {
    let table = read_table(path).ok()?;
    let socket = table.get("killswitch")?.get("lever_socket")?.as_str()?;
    Some(PathBuf::from(socket))
}

/// What a small program takes of the file: the section of the kill switch, and where its neighbours listen.
#[derive(Debug)]
pub struct Small {
    /// The section `[killswitch]`.
    pub killswitch: KillSwitchSection,
    /// Where this host's agent listens.
    pub agent: SocketAddr,
    /// Where this host's gateway listens.
    pub gateway: SocketAddr,
    /// What works but should be looked at.
    pub warnings: Vec<Problem>,
}

/// Reads the file for a small program: mistakes in what it does not use are for others to name.
pub fn read_small(path: &Path, reader: Reader) -> Result<Small, BadConfig> {
    let table = read_table(path)?;
    let zones = killswitch::zone_names(&table);
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut root = Section::root(table, &problems);
    let section = root.section("killswitch");
    let mut listens = |name, port| {
        let section = root.section(name);
        section
            .and_then(|mut section| section.parse("listen", ADDRESS))
            .unwrap_or(loopback(port))
    };
    let (agent, gateway) = (listens("agent", 7413), listens("gateway", 7412));
    root.skip(["controlplane", "zones", "hosts", "alerts", "jobs", "mesh"].into_iter());
    root.finish_lenient(&mut warnings);
    let mut reading = Reading {
        reader,
        folder: path.parent().unwrap_or_else(|| Path::new("")),
        problems: &problems,
        warnings: &mut warnings,
    };
    let killswitch = killswitch::read(section, &mut reading);
    let problems = problems.into_sorted();
    match killswitch {
        Some(mut killswitch) if problems.is_empty() => {
            killswitch.scopes.extend(zones);
            Ok(Small {
                killswitch,
                agent,
                gateway,
                warnings,
            })
        }
        _ => Err(BadConfig {
            file: Some(path.to_owned()),
            problems,
        }),
    }
}
