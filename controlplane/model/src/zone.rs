//! Zones of trust: a VLAN or a few networks, and what its hosts may and may not reach.

use crate::ProbeTarget;
use ipnet::IpNet;
use kill_wire::{Name, NotAName};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::{fmt, str::FromStr};

/// The name of one zone, such as `red` or `iot`: 1 to 24 of `a-z 0-9 . _ -`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneName(Name);

impl ZoneName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The plain name, to compare with names of other things.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.0
    }
}

impl From<Name> for ZoneName {
    fn from(name: Name) -> Self {
        Self(name)
    }
}

impl FromStr for ZoneName {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.parse().map(Self)
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a zone is trusted, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The control plane and the kill switch stand here.
    Control,
    /// People's own machines.
    Trusted,
    /// Machines that serve others: gateways, models, storage.
    Service,
    /// Whatever nobody looks after.
    Untrusted,
    /// AI agents: one way out, and that one governed.
    Contained,
}

impl Tier {
    /// Every tier, most trusted first.
    pub const ALL: [Self; 5] = [
        Self::Control,
        Self::Trusted,
        Self::Service,
        Self::Untrusted,
        Self::Contained,
    ];

    /// As written in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Trusted => "trusted",
            Self::Service => "service",
            Self::Untrusted => "untrusted",
            Self::Contained => "contained",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a lapsed lease does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSilence {
    /// Everything is paused until a kill switch speaks again, except the scopes that hold.
    #[default]
    Cut,
    /// What was in force stays in force.
    Hold,
}

impl OnSilence {
    /// `cut` or `hold`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Hold => "hold",
        }
    }
}

/// What happens when a host of a zone says twice in a row that it reached what it must never reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBreach {
    /// People are told.
    #[default]
    Alert,
    /// Besides, the zone's own scope is cut, until a person restores it.
    Cut,
}

impl OnBreach {
    /// `alert` or `cut`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Cut => "cut",
        }
    }
}

/// A zone as the house wants it. What is made of these was read by the configuration, which finds contradictions
/// between zones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// What it is called.
    pub name: ZoneName,
    /// How far it is trusted.
    pub tier: Tier,
    /// The tag of its VLAN, 1 to 4094; none where it has none.
    pub vlan: Option<u16>,
    /// Its networks, IPv4 and IPv6.
    pub nets: Vec<IpNet>,
    /// What its hosts do when no kill switch speaks to them.
    pub on_silence: OnSilence,
    /// What its hosts must be able to reach.
    pub must: Vec<ProbeTarget>,
    /// What its hosts must never reach.
    pub must_not: Vec<ProbeTarget>,
    /// What follows when one of them does.
    pub on_breach: OnBreach,
}

impl Zone {
    /// Whether `address` lies in one of its networks.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_written_as_they_are_said() {
        for tier in Tier::ALL {
            assert_eq!(serde_json::to_string(&tier).unwrap(), format!("\"{tier}\""));
        }
    }
}
