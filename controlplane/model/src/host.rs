//! What a host is called, what it is for, and how its certificate names it.

use crate::ZoneName;
use kill_wire::{Name, NotAName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::{fmt, str::FromStr};

/// The name of one machine, unique in the house: 1 to 24 of `a-z 0-9 . _ -`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostName(Name);

impl HostName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<Name> for HostName {
    fn from(name: Name) -> Self {
        Self(name)
    }
}

impl FromStr for HostName {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.parse().map(Self)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a host is for. It decides what its agent collects and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostRole {
    /// Runs the control plane or the kill switch.
    Management,
    /// Runs a gateway.
    Gateway,
    /// Runs models.
    Inference,
    /// Runs an AI agent.
    RedZone,
    /// Forwards between zones.
    Router,
    /// Anything else.
    Other,
}

/// What a host is for: few, each once.
pub type HostRoles = BTreeSet<HostRole>;

impl HostRole {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Management,
        Self::Gateway,
        Self::Inference,
        Self::RedZone,
        Self::Router,
        Self::Other,
    ];

    /// As written in configuration, on the command line and in a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Gateway => "gateway",
            Self::Inference => "inference",
            Self::RedZone => "red-zone",
            Self::Router => "router",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for HostRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no [`HostRole`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a role: `management`, `gateway`, `inference`, `red-zone`, `router` or `other`"
)]
pub struct NotARole(String);

impl FromStr for HostRole {
    type Err = NotARole;
    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| NotARole(text.chars().take(48).collect()))
    }
}

/// Who opens the connection between a host and the control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dial {
    /// The host dials out: nothing listens there.
    #[default]
    Out,
    /// The control plane dials in: a contained zone needs no way to the management network.
    In,
}

impl Dial {
    /// `out` or `in`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// Whom a certificate of the house names: one host, in one zone, of one house.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostIdentity {
    /// The house.
    pub site: Name,
    /// Where the host stands.
    pub zone: ZoneName,
    /// The host.
    pub host: HostName,
}

/// A URI that names no host of a house.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not portcullis://SITE/ZONE/HOST")]
pub struct NotAnIdentity(String);

const SCHEME: &str = "portcullis://";

impl HostIdentity {
    /// The subject alternative name of the host's certificate: `portcullis://SITE/ZONE/HOST`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}/{}/{}", self.site, self.zone, self.host)
    }

    /// The name in the control plane's own certificate, which no host can bear: it has one part less.
    #[must_use]
    pub fn control_uri(site: &Name) -> String {
        format!("{SCHEME}{site}/control")
    }
}

impl fmt::Display for HostIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

impl FromStr for HostIdentity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let wrong = || NotAnIdentity(text.chars().take(96).collect());
        let mut parts = text.strip_prefix(SCHEME).ok_or_else(wrong)?.split('/');
        let mut name = || -> Option<Name> { parts.next()?.parse().ok() };
        let identity = match (name(), name(), name()) {
            (Some(site), Some(zone), Some(host)) => Self {
                site,
                zone: zone.into(),
                host: host.into(),
            },
            _ => return Err(wrong()),
        };
        // One spelling only: a name in capitals, or with a fourth part, is not what the house signed.
        if parts.next().is_some() || identity.uri() != text {
            return Err(wrong());
        }
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_s_uri_names_one_host_both_ways() {
        let identity: HostIdentity = "portcullis://house/red/claw1".parse().unwrap();
        assert_eq!(identity.host.as_str(), "claw1");
        assert_eq!(identity.zone.as_str(), "red");
        assert_eq!(identity.uri(), "portcullis://house/red/claw1");
    }

    #[test]
    fn what_is_spelled_in_any_other_way_names_nobody() {
        for text in [
            "",
            "portcullis://house/red",
            "portcullis://house/control",
            "portcullis://house/red/claw1/",
            "portcullis://house/red/claw1/x",
            "portcullis://house//claw1",
            "portcullis://house/red/CLAW1",
            "portcullis://house/red/cl%61w1",
            "PORTCULLIS://house/red/claw1",
            "mesh://house/red/claw1",
        ] {
            assert!(text.parse::<HostIdentity>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_role_reads_as_it_is_written() {
        for role in HostRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(
                serde_json::to_string(&role).unwrap(),
                format!("\"{}\"", role.as_str())
            );
        }
    }
}
