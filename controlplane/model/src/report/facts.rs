//! The sections of a report. Each is there when it was looked for and found.

use super::{
    Container, Cpu, Disk, DrivenFact, FenceFacts, Few, GatewayFact, Gpu, HostRoute, KernelFacts,
    Listener, Memory, MeshFacts, Net, Ollama, Printable, Temp,
};
use crate::CanaryFact;
use serde::{Deserialize, Serialize};

/// What was found. A section that is missing was not asked for, or stands in `unknown` with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    /// Working memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Mounted filesystems that hold data.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub disks: Few<Disk>,
    /// Network interfaces.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub nets: Few<Net>,
    /// Temperatures.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub temps: Few<Temp>,
    /// Graphics processors; none is normal.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub gpus: Few<Gpu>,
    /// The kernel and what it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelFacts>,
    /// The model server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ollama: Option<Ollama>,
    /// Gateways on this host.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub gateways: Few<GatewayFact>,
    /// Gateways that are not ours and that this host drives.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub driven: Few<DrivenFact>,
    /// Containers, with what their posture came to.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub containers: Few<Container>,
    /// Sockets that wait for somebody.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub listeners: Few<Listener>,
    /// Where packets go.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub routes: Few<HostRoute>,
    /// What the host's own hand holds closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fence: Option<FenceFacts>,
    /// What was tried that must, or must not, be reachable.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub canary: Few<CanaryFact>,
    /// The mesh network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh: Option<MeshFacts>,
    /// The agent itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentFacts>,
    /// What could not be found out, or found no place in this report.
    #[serde(skip_serializing_if = "Few::is_empty")]
    pub unknown: Few<Unknown>,
}

/// Something that was looked for and is not in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// Which section, or which entry of it.
    pub what: Printable,
    /// Why: it did not answer, may not be read, or there was no room.
    pub why: Printable,
}

/// The agent about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFacts {
    /// Its version.
    pub version: Printable,
    /// Its resident memory.
    pub rss_bytes: u64,
    /// Its own part of one core since the report before, in millionths.
    pub cpu_ppm: u32,
    /// Reports that wait to be taken.
    pub waiting: u64,
}
