//! What a process and its children have used, as the kernel counts it.

use anyhow::Context as _;
use std::collections::BTreeMap;

/// Kernel clock ticks a second: 100 on every Linux there is (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// Used by a process and everything it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// User and system time in milliseconds.
    pub cpu_ms: f64,
    /// Resident memory in MB (10^6 bytes).
    pub memory_mb: f64,
}

/// Adds up the process `root` and its children's children.
pub fn used(root: u32) -> anyhow::Result<Used> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end while it is read.
        if let Some(process) = read(pid) {
            all.insert(pid, process);
        }
    }
    let mut sum = Used::default();
    for (pid, process) in &all {
        if descends(*pid, root, &all) {
            sum.cpu_ms += process.ticks * 1000.0 / TICKS;
            sum.memory_mb += process.memory_mb;
        }
    }
    all.contains_key(&root).then_some(sum).context("it is gone")
}

/// The most resident memory that one process ever had, in MB (10^6 bytes).
pub fn peak_mb(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmHWM:").context("it is gone")?;
    Ok(f64::from(kib) * 1.024 / 1000.0)
}

/// The resident memory of one process now, in MB (10^6 bytes).
pub fn resident_mb(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmRSS:").context("it is gone")?;
    Ok(f64::from(kib) * 1.024 / 1000.0)
}

/// A figure of `/proc/PID/status`.
fn kib(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

struct Process {
    parent: u32,
    ticks: f64,
    memory_mb: f64,
}

fn read(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything but ends with the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = kib(&status, "VmRSS:").unwrap_or(0);
    Some(Process {
        parent: field(1)?,
        ticks: f64::from(field(11)?) + f64::from(field(12)?),
        memory_mb: f64::from(kib) * 1.024 / 1000.0,
    })
}

fn descends(mut pid: u32, root: u32, all: &BTreeMap<u32, Process>) -> bool {
    for _ in 0..all.len() {
        if pid == root {
            return true;
        }
        match all.get(&pid) {
            Some(process) => pid = process.parent,
            None => return false,
        }
    }
    false
}
