//! What runs on a host: model server, gateways, containers.

use super::{Few, Printable};
use crate::standing::BreakerState;
use kill_wire::{Class, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// An Ollama server on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ollama {
    /// Whether it answers.
    pub live: Liveness,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Printable>,
    /// Models it has.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub models: Few<OllamaModel>,
    /// Models in memory.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub loaded: Few<OllamaLoaded>,
}

/// A model on the disk of an Ollama server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OllamaModel {
    /// Name and tag.
    pub name: Printable,
    /// The first 16 hexadecimal digits of its digest: what it is, whatever it is called.
    pub digest: Printable,
    /// Its size on the disk.
    pub size_bytes: u64,
}

/// A model in the memory of an Ollama server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OllamaLoaded {
    /// Name and tag.
    pub name: Printable,
    /// The first 16 hexadecimal digits of its digest.
    pub digest: Printable,
    /// All it takes.
    pub size_bytes: u64,
    /// What of it is in graphics memory.
    pub vram_bytes: u64,
    /// What found no place there and is worked on by the processor.
    pub spilled_bytes: u64,
}

/// Whether something answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Liveness {
    /// It says that it is well.
    Up,
    /// It refuses, or says that it is not well.
    Down,
    /// Nothing was heard in time, or nothing that can be read.
    Unknown,
}

/// What kind of gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayKind {
    /// The embedded gateway.
    Own,
    /// A LiteLLM proxy.
    Litellm,
    /// An Apache APISIX.
    Apisix,
}

/// A gateway on this host. Only paths that cost nothing are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFact {
    /// Its name in the agent's configuration.
    pub name: Printable,
    /// Its kind.
    pub kind: GatewayKind,
    /// Whether its process answers.
    pub live: Liveness,
    /// Whether it says that it can serve.
    pub ready: Liveness,
    /// How long the slower of the two answers took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u32>,
}

/// A gateway that is not ours and that this host cuts and restores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrivenFact {
    /// Its name in the agent's configuration.
    pub name: Printable,
    /// Its kind, as the agent's configuration says it.
    pub kind: Printable,
    /// Whether it was last seen to hold what is in force.
    pub follows: bool,
    /// Whether this host keeps its routes, too.
    pub managed: bool,
    /// How often its routes were not as wanted, since the agent started.
    #[serde(default)]
    pub drifted: u64,
    /// What somebody should know: where routes lead in place of their first choice, what was put right, what a cut cannot do.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub notes: Few<Printable>,
    /// How its targets fare, those first that do not.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub targets: Few<TargetFact>,
}

/// A target of a gateway that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFact {
    /// Its name.
    pub name: Name,
    /// Where it stands.
    pub class: Class,
    /// Whether routes lead to it.
    pub state: BreakerState,
    /// Since when this is so, by the host's clock; none where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why they do not, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Printable>,
    /// What the host's own probe found; none where it does not probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed: Option<bool>,
    /// What the gateway's own check found; none where there is none, or nobody could hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<bool>,
}

/// Which container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerState {
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It has ended, or was never started.
    Stopped,
    /// Anything else an engine says.
    Unknown,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Its name.
    pub name: Printable,
    /// Who runs it.
    pub engine: Engine,
    /// The image it was made of, as it was asked for.
    pub image: Printable,
    /// What it is doing.
    pub state: ContainerState,
    /// What runs it: `runc`, `crun`, `runsc`.
    pub runtime: Printable,
    /// What its posture came to.
    pub posture: Posture,
}

/// How many checks came out how. What could not be told is never counted as passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posture {
    /// As it should be.
    pub pass: u16,
    /// Worth a look.
    pub warn: u16,
    /// A way out of the container.
    pub fail: u16,
    /// Could not be told.
    pub unknown: u16,
    /// The checks that failed.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub failing: Few<Printable>,
}
