//! What the control plane knows of hosts: what they claim beside what was seen of them, how it went on, what is wrong.

use crate::report::BootId;
use crate::{Dial, HostName};
use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The figures of one report that are kept as history. None: the host has no such thing, or could not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gauges {
    /// Processor time not idle, in millionths.
    pub cpu_ppm: Option<i64>,
    /// Working memory in use, in millionths.
    pub memory_ppm: Option<i64>,
    /// How full the fullest filesystem is, in millionths.
    pub disk_ppm: Option<i64>,
    /// The hottest thermometer, in thousandths of a degree Celsius.
    pub temp_mc: Option<i64>,
    /// The busiest graphics processor, in millionths.
    pub gpu_ppm: Option<i64>,
    /// The fullest graphics memory, in millionths.
    pub vram_ppm: Option<i64>,
    /// Bytes received a second, all interfaces together but the loopback.
    pub rx_bps: Option<i64>,
    /// Bytes sent a second.
    pub tx_bps: Option<i64>,
}

/// A point of a host's history: one report, or the mean of those of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HostSample {
    /// When, or the beginning of the span.
    pub at: Timestamp,
    /// How many reports it is the mean of.
    pub reports: u64,
    /// The figures.
    #[serde(flatten)]
    pub gauges: Gauges,
    /// The busiest report of the span, processor time in millionths.
    pub cpu_most_ppm: Option<i64>,
}

/// How fine a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryStep {
    /// Every report, for two hours.
    Report,
    /// A minute, for two days.
    Minute,
    /// A quarter of an hour, for thirty days.
    Quarter,
    /// An hour, for two years.
    Hour,
}

impl HistoryStep {
    /// The means that are kept, the finest first.
    pub const MEANS: [Self; 3] = [Self::Minute, Self::Quarter, Self::Hour];

    /// Its length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        match self {
            Self::Report => 10_000,
            Self::Minute => 60_000,
            Self::Quarter => 900_000,
            Self::Hour => 3_600_000,
        }
    }

    /// How long it is kept, in milliseconds.
    #[must_use]
    pub const fn kept_millis(self) -> u64 {
        const HOUR: u64 = 3_600_000;
        match self {
            Self::Report => 2 * HOUR,
            Self::Minute => 48 * HOUR,
            Self::Quarter => 30 * 24 * HOUR,
            Self::Hour => 2 * 365 * 24 * HOUR,
        }
    }
}

/// The newest of a host. `seen` was observed by the control plane; everything else is the host's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostLatest {
    /// Who, by its certificate.
    pub host: HostName,
    /// What was seen of it.
    pub seen: HostSeen,
    /// Number of its newest report.
    pub seq: u64,
    /// Which start of the machine.
    pub boot: BootId,
    /// Milliseconds since that start.
    pub up_ms: u64,
    /// Its own clock.
    pub claimed_at: Timestamp,
    /// Its figures.
    #[serde(flatten)]
    pub gauges: Gauges,
    /// Checks of its containers that failed; none without containers.
    pub posture_fail: Option<i64>,
    /// Checks of its containers that could not be told.
    pub posture_unknown: Option<i64>,
    /// Version of its agent.
    pub version: Option<String>,
}

/// What the control plane saw of a host by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostSeen {
    /// When its newest report came.
    pub at: Timestamp,
    /// From where the connection came, or where it was dialled.
    pub address: IpAddr,
    /// Who opened the connection.
    pub dial: Dial,
    /// When the certificate it showed ends.
    pub certificate_ends: Option<Timestamp>,
    /// Reports that never came, by their numbers.
    pub lost: u64,
    /// Reports that were refused.
    pub refused: u64,
}

/// Something that is wrong, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// Its number.
    pub id: u64,
    /// Which rule found it.
    pub rule: String,
    /// Which host it is about; none: the house.
    pub host: Option<HostName>,
    /// What of that host, such as a mount point; empty where there is only one.
    pub subject: String,
    /// For people.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none while it is so.
    pub ended: Option<Timestamp>,
    /// Whether quiet hours keep it from being told.
    pub quiet: bool,
    /// When people were told.
    pub told: Option<Timestamp>,
}

/// Work the control plane does by itself, and how its last run went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// What it does.
    pub name: String,
    /// When it runs, for people: `each minute`, or a cron expression in UTC.
    pub schedule: String,
    /// When it last ran; none when it has not yet.
    pub last: Option<Timestamp>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// What it did, in words.
    pub done: String,
    /// Why it failed; none when it did not.
    pub problem: Option<String>,
    /// When it runs next; none when nobody knows.
    pub next: Option<Timestamp>,
}
