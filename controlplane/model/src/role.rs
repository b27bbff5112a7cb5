//! What a person may do on the dashboard, and how somebody came in.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What whoever is let in may do; each may what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DashRole {
    /// Look.
    Viewer,
    /// Cut, drill, check in.
    Operator,
    /// Restore (the code decides), and change people, consumers, tokens and the configuration.
    Admin,
}

impl DashRole {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word in files, tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for DashRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the three roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: expected `viewer`, `operator` or `admin`")]
pub struct NotADashRole;

impl FromStr for DashRole {
    type Err = NotADashRole;

    fn from_str(text: &str) -> Result<Self, NotADashRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(NotADashRole)
    }
}

/// How whoever calls came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignedInBy {
    /// A one-time link, printed on the machine.
    Link,
    /// The house's OpenID Connect provider.
    Oidc,
    /// A passkey.
    Passkey,
    /// What the mesh says of the other end of the connection.
    Mesh,
    /// An API token.
    Token,
}

impl SignedInBy {
    /// Every way.
    pub const ALL: [Self; 5] = [
        Self::Link,
        Self::Oidc,
        Self::Passkey,
        Self::Mesh,
        Self::Token,
    ];

    /// The word in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Oidc => "oidc",
            Self::Passkey => "passkey",
            Self::Mesh => "mesh",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for SignedInBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a way to sign in")]
pub struct NotAWayIn;

impl FromStr for SignedInBy {
    type Err = NotAWayIn;

    fn from_str(text: &str) -> Result<Self, NotAWayIn> {
        let found = Self::ALL.into_iter().find(|way| way.as_str() == text);
        found.ok_or(NotAWayIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_before_may() {
        assert!(DashRole::Viewer < DashRole::Operator && DashRole::Operator < DashRole::Admin);
        for role in DashRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for text in ["", "Admin", "owner", "admin "] {
            assert_eq!(text.parse::<DashRole>(), Err(NotADashRole), "{text}");
        }
        for way in SignedInBy::ALL {
            assert_eq!(way.as_str().parse(), Ok(way));
        }
    }
}
