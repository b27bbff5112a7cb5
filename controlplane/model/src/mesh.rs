//! The mesh network of the house as pages, API and command line show it: its nodes, whose they are, and what is wrong with them.

use crate::{HostName, ZoneName};
use ipnet::IpNet;
use kill_wire::{Incident, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Everything that is known of the mesh at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshView {
    /// When it was looked at.
    pub at: Timestamp,
    /// Name of the mesh network, where it tells.
    pub network: String,
    /// State of this machine's own mesh service, as it calls it, such as `Running`; empty when there is none.
    pub state: String,
    /// Nodes by name.
    pub nodes: Vec<MeshNodeView>,
    /// Nodes that were listed and could not be read.
    pub unreadable: u32,
    /// What does not work, or should be looked at, in words.
    pub problems: Vec<String>,
    /// The last cut that was carried on to the mesh.
    pub cut: Option<MeshCut>,
}

/// One node, whose it is, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshNodeView {
    /// The node.
    #[serde(flatten)]
    pub node: MeshNode,
    /// The host it was found to be.
    pub host: Option<HostName>,
    /// That host's zone.
    pub zone: Option<ZoneName>,
    /// What is wrong with it, worst first.
    pub findings: Vec<MeshFinding>,
}

/// A node as the mesh describes it. Texts are printable and at most 96 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshNode {
    /// How the mesh calls it for good: the stable id.
    pub id: String,
    /// The name it gives itself, which proves nothing.
    pub name: String,
    /// Its addresses on the mesh.
    pub addresses: Vec<IpAddr>,
    /// Who signed it in; empty for a tagged node.
    pub login: String,
    /// Its tags, such as `tag:agent`.
    pub tags: Vec<String>,
    /// Whether the coordination server calls it online, which is no proof of anything.
    pub online: Option<bool>,
    /// When it was last seen, where it is not online.
    pub last_seen: Option<Timestamp>,
    /// When its key ends.
    pub key: KeyEnd,
    /// Networks besides its own addresses that the mesh sends to it.
    pub routes: Vec<IpNet>,
    /// It offers to be a way to the internet.
    pub exit_node: bool,
    /// It lets the mesh sign in to its shell.
    pub ssh: bool,
    /// It takes the networks that others offer; known of this machine only.
    pub accepts_routes: Option<bool>,
    /// Its operating system.
    pub os: String,
    /// Its traffic goes by a relay.
    pub relayed: Option<bool>,
    /// It is this machine.
    pub own: bool,
}

/// When the key of a node ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEnd {
    /// Nobody says.
    #[default]
    Unknown,
    /// Never: its expiry was turned off.
    Never,
    /// Then.
    At(Timestamp),
    /// It has ended.
    Ended,
}

/// What is wrong with a node, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeshFinding {
    /// It is none of the house's hosts.
    UnknownNode,
    /// It could be several hosts, or several nodes could be its host.
    Ambiguous,
    /// It calls itself like a host of the house, and nothing else says that it is.
    NameOnly,
    /// A host of a contained zone is on the mesh, which leads round the walls between zones.
    ContainedOnMesh,
    /// It is in a contained zone and other networks are sent to it.
    ContainedRoutes,
    /// It is in a contained zone and takes the networks that others offer.
    ContainedAcceptsRoutes,
    /// It is in a contained zone and offers a way to the internet.
    ContainedExitNode,
    /// It is in a contained zone and the mesh may sign in to its shell.
    ContainedSsh,
    /// Its key has ended.
    KeyEnded,
    /// Its key ends within a week.
    KeyEndsSoon,
    /// Its key never ends, and it is not one of the trusted machines.
    KeyNeverEnds,
    /// Other networks are sent to it.
    Routes,
    /// It offers a way to the internet.
    ExitNode,
    /// The mesh may sign in to its shell.
    Ssh,
}

impl MeshFinding {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownNode => "not a host of this house",
            Self::Ambiguous => "could be more than one host",
            Self::NameOnly => "is named like a host, and nothing else says so",
            Self::ContainedOnMesh => {
                "a contained host is on the mesh, past the walls between zones"
            }
            Self::ContainedRoutes => "contained, and networks are routed to it",
            Self::ContainedAcceptsRoutes => "contained, and takes routes that others offer",
            Self::ContainedExitNode => "contained, and offers a way to the internet",
            Self::ContainedSsh => "contained, and the mesh may sign in to its shell",
            Self::KeyEnded => "its key has ended",
            Self::KeyEndsSoon => "its key ends within a week",
            Self::KeyNeverEnds => "its key never ends",
            Self::Routes => "networks are routed to it",
            Self::ExitNode => "offers a way to the internet",
            Self::Ssh => "the mesh may sign in to its shell",
        }
    }

    /// Whether somebody must look; the rest is worth knowing.
    #[must_use]
    pub const fn is_wrong(self) -> bool {
        !matches!(
            self,
            Self::KeyEndsSoon | Self::KeyNeverEnds | Self::Routes | Self::ExitNode | Self::Ssh
        )
    }
}

/// How far a cut was carried on to the mesh. It is not a proof: that is a canary that fails, never what the mesh says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshCut {
    /// The incident.
    pub incident: Incident,
    /// When it was last worked on.
    pub at: Timestamp,
    /// Each step in words, and why it failed where it did.
    pub steps: Vec<MeshStep>,
    /// The policy of before is kept, and a person has not put it back.
    pub policy_kept: bool,
}

/// One step of a cut on the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshStep {
    /// What was asked, in words.
    pub what: String,
    /// Why it was not done.
    pub problem: Option<String>,
}
