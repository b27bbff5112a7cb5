//! The machine itself.

use super::{Few, Posture, Printable};
use serde::{Deserialize, Serialize};

/// The processor, over the time since the report before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// Logical processors online.
    pub cores: u16,
    /// Time not idle and not waiting for disks, in millionths of all cores' time.
    pub busy_ppm: u32,
    /// Time waiting for disks, in millionths of all cores' time.
    pub waiting_ppm: u32,
    /// Mean length of the run queue over a minute, in thousandths.
    pub load_1m_milli: u32,
    /// The same over five minutes.
    pub load_5m_milli: u32,
}

/// Working memory (`/proc/meminfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// All there is.
    pub total_bytes: u64,
    /// What a new program could have (`MemAvailable`).
    pub available_bytes: u64,
    /// Swap there is.
    pub swap_total_bytes: u64,
    /// Swap in use.
    pub swap_used_bytes: u64,
}

/// One mounted filesystem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: Printable,
    /// Its kind: `ext4`, `nfs4`.
    pub filesystem: Printable,
    /// Whether it is mounted for reading only.
    pub read_only: bool,
    /// How full it is; none when it did not answer in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<DiskSize>,
}

/// How full a filesystem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskSize {
    /// All there is.
    pub total_bytes: u64,
    /// What an ordinary user may still write.
    pub free_bytes: u64,
    /// Files there may be; 0 where the filesystem does not count them.
    pub files_total: u64,
    /// Files there may still be made.
    pub files_free: u64,
}

/// One thermometer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temp {
    /// The chip and its label: `coretemp Package id 0`.
    pub name: Printable,
    /// Thousandths of a degree Celsius.
    pub temp_mc: i32,
}

/// Who makes a graphics processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuMaker {
    /// NVIDIA.
    Nvidia,
    /// AMD.
    Amd,
}

/// One graphics processor; what its driver does not tell is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// Who makes it.
    pub maker: GpuMaker,
    /// Its name, or its address on the bus.
    pub name: Printable,
    /// Time at work, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_ppm: Option<u32>,
    /// Its memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_total_bytes: Option<u64>,
    /// Its memory in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_used_bytes: Option<u64>,
    /// Thousandths of a degree Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp_mc: Option<i32>,
    /// Power drawn, in thousandths of a watt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_mw: Option<u32>,
    /// Memory errors that could not be put right, since the driver started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecc_errors: Option<u64>,
    /// Why it runs slower than it could, in the driver's words.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub throttled: Few<Printable>,
    /// Who holds its memory.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub processes: Few<GpuProcess>,
}

/// One process that holds memory of a graphics processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuProcess {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: Printable,
    /// What it holds.
    pub memory_bytes: u64,
}

/// The kernel, and what it allows that matters for keeping programs apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelFacts {
    /// Its release.
    pub release: Printable,
    /// Active security modules, in their order; none when the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsm: Option<Few<Printable>>,
    /// Whether an ordinary user may make a user namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_namespaces: Option<bool>,
    /// Whether IPv4 packets for others are passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwards_v4: Option<bool>,
    /// Whether IPv6 packets for others are passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwards_v6: Option<bool>,
    /// What the checks of the host itself came to.
    #[serde(default)]
    pub posture: Posture,
}
