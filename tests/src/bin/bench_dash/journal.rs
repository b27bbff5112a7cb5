//! A journal of many incidents, as the kill switch writes it: each line bound to the one before.

use crate::ledger::mixed;
use kill_wire::{Incident, Outcome, ProofState, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// From one incident to the next.
const APART_MS: u64 = 3_000_000;

/// The order of its fields is the order in which the kill switch hashes them.
#[derive(Serialize)]
struct Entry<'a> {
    n: u64,
    time: String,
    at: Timestamp,
    event: &'a Value,
    prev: &'a str,
}

/// Appends cut, proof and restore of so many incidents to a journal that has no entry yet; returns how many lines.
pub(crate) fn fill(path: &Path, incidents: u32, now: Timestamp) -> anyhow::Result<u64> {
    let file = OpenOptions::new().append(true).open(path)?;
    let mut file = BufWriter::new(file);
    let (mut n, mut prev) = (0, String::new());
    for number in 1..=incidents {
        let ago = APART_MS * u64::from(incidents - number + 1);
        let began = now.millis().saturating_sub(ago);
        for (event, after) in happened(number)?.iter().zip([0, 800, 600_000]) {
            n += 1;
            let at = Timestamp::from_millis(began + after);
            let time = at.to_string();
            let entry = Entry {
                n,
                time,
                at,
                event,
                prev: &prev,
            };
            let body = serde_json::to_string(&entry)?;
            let hash = hex(&Sha256::digest(body.as_bytes()))?;
            let open = body.strip_suffix('}').unwrap_or(&body);
            writeln!(file, "{open},\"hash\":\"{hash}\"}}")?;
            prev = hash;
        }
    }
    file.flush()?;
    Ok(n)
}

fn happened(number: u32) -> anyhow::Result<[Value; 3]> {
    let chance = mixed(number.into());
    let incident = Incident::try_from(number)?;
    let scope = match chance % 4 {
        0 => "ALL".to_owned(),
        1 => "LLM".to_owned(),
        2 => "CLOUD".to_owned(),
        _ => format!("agent{}", chance / 4 % 50),
    };
    let proof = ProofState {
        routes_blocked: 6,
        routes: 6,
        probes_dead: 12,
        probes: 12,
        unproven: 0,
        still_open: Vec::new(),
    };
    Ok([
        json!({
            "is": "cut", "incident": incident, "scope": scope, "by": "ada", "via": "twilio",
            "why": "it answers itself in a loop", "repeated": false, "late": false,
        }),
        json!({
            "is": "proved", "incident": incident, "outcome": Outcome::Cut, "streams": chance % 9,
            "severed_ms": 20 + chance % 60, "proven_ms": 300 + chance % 500, "proof": proof,
        }),
        json!({
            "is": "restored", "incident": incident, "scope": scope, "by": "ada", "via": "twilio",
        }),
    ])
}

fn hex(bytes: &[u8]) -> anyhow::Result<String> {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}
