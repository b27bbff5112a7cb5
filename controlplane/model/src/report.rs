//! A report: what one host says of itself, one JSON object of at most 16 KiB. A claim, never more.
//!
//! **Bounded:** every list, text and number has a limit, and a field nobody knows is refused by its name. There is
//! no field for who speaks (the connection's certificate says that) and none about another host but what a probe or
//! a route names by address.

mod bounded;
mod facts;
mod fences;
mod machine;
mod network;
mod services;

pub use bounded::{Few, MAX_FEW, MAX_PRINTABLE, NotPrintable, Printable, TooMany};
pub use facts::{AgentFacts, Facts, Unknown};
pub use fences::{FenceFacts, MeshFacts};
pub use machine::{Cpu, Disk, DiskSize, Gpu, GpuMaker, GpuProcess, KernelFacts, Memory, Temp};
pub use network::{HostRoute, Listener, Net, Protocol};
pub use services::{
    Container, ContainerState, DrivenFact, Engine, GatewayFact, GatewayKind, Liveness, Ollama,
    OllamaLoaded, OllamaModel, Posture, TargetFact,
};

use crate::trip;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest report, in bytes.
pub const MAX_REPORT_BYTES: usize = 16 * 1024;

/// Largest sequence number, instant or uptime: what every JSON reader keeps exactly (2^53 - 1).
pub const MAX_WHOLE: u64 = (1 << 53) - 1;

/// What a host says of itself at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The form of the report.
    pub v: Version,
    /// Grows by one with each report for the life of the host's identity, through restarts.
    pub seq: u64,
    /// Which start of the machine this is.
    pub boot: BootId,
    /// Milliseconds since the machine started, time asleep included.
    pub up_ms: u64,
    /// The host's own wall clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: u64,
    /// How many reports right before this one the host has thrown away for want of room, `seq - gap` to `seq - 1`.
    #[serde(default, skip_serializing_if = "nothing")]
    pub gap: u64,
    /// What was found.
    pub facts: Facts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn nothing(count: &u64) -> bool {
    *count == 0
}

/// Why some bytes are not a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReport {
    /// More bytes than a report may have.
    #[error("{0} bytes; a report has at most {MAX_REPORT_BYTES}")]
    Long(usize),
    /// Not JSON, or not of this form; names the field.
    #[error("{0}")]
    Form(String),
    /// A number above [`MAX_WHOLE`], or a sequence number of 0.
    #[error("`{0}` is out of range")]
    Range(&'static str),
}

impl Report {
    /// Reads one report.
    ///
    /// # Errors
    /// When it is too long, is not JSON, has a field that is not known, or breaks a limit.
    pub fn parse(line: &[u8]) -> Result<Self, NotAReport> {
        if line.len() > MAX_REPORT_BYTES {
            return Err(NotAReport::Long(line.len()));
        }
        let report: Self = serde_json::from_slice(line)
            .map_err(|error| NotAReport::Form(trip::shown(&error.to_string(), 160)))?;
        let wholes = [
            ("seq", report.seq),
            ("up_ms", report.up_ms),
            ("at_ms", report.at_ms),
        ];
        if let Some((name, _)) = wholes.iter().find(|(_, value)| *value > MAX_WHOLE) {
            return Err(NotAReport::Range(name));
        }
        if report.seq == 0 {
            return Err(NotAReport::Range("seq"));
        }
        if report.gap >= report.seq {
            return Err(NotAReport::Range("gap"));
        }
        Ok(report)
    }

    /// As one line of JSON, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        // Only a map with keys that are no text, or a writer that fails, can refuse; there is neither.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The form of a report; there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Version(());

impl TryFrom<u64> for Version {
    type Error = String;
    fn try_from(number: u64) -> Result<Self, String> {
        if number == 1 {
            Ok(Self(()))
        } else {
            Err(format!("version {number} of a report is not known here"))
        }
    }
}

impl From<Version> for u64 {
    fn from(Version(()): Version) -> Self {
        1
    }
}

/// One start of a machine: the first 64 bits of the kernel's boot id (`/proc/sys/kernel/random/boot_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BootId(u64);

impl BootId {
    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for BootId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        const WANTED: &str = "a boot id is 16 of 0-9, a-f";
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(hex) {
            return Err(WANTED);
        }
        u64::from_str_radix(&text, 16).map_or(Err(WANTED), |number| Ok(Self(number)))
    }
}

impl From<BootId> for String {
    fn from(boot: BootId) -> Self {
        boot.to_string()
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests;
