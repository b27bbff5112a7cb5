//! Who calls over the mesh. The mesh is asked about the address of the accepted socket, on the mesh's own listener and on
//! no other; no header has a say in it.

use axum::extract::ConnectInfo;
use axum::http::{StatusCode, request::Parts};
use mesh::{Role, Visitor, Whois, WhoisRefusal};
use net_model::DashRole;
use std::net::SocketAddr;

/// Marks every request of the mesh's listener.
#[derive(Clone, Debug)]
pub(crate) struct OverMesh(pub(crate) Whois);

/// A person who is let in without a session, for as long as the mesh says so.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    whois: Whois,
    peer: SocketAddr,
    visitor: Visitor,
}

impl Person {
    /// What the mesh's policy grants.
    pub(crate) const fn role(&self) -> DashRole {
        match self.visitor.role {
            Role::Viewer => DashRole::Viewer,
            Role::Operator => DashRole::Operator,
            Role::Admin => DashRole::Admin,
        }
    }

    /// The login: what a person is called besides is the person's own choice.
    pub(crate) fn login(&self) -> &str {
        &self.visitor.login
    }

    /// Whether the mesh still says so.
    pub(crate) async fn still_let_in(&self) -> bool {
        self.whois.of(self.peer).await.is_ok()
    }
}

/// Why somebody is not let in, in a word. What the mesh knows of him stays in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotLetIn {
    Unknown,
    Machine,
    Router,
    Expired,
    NoGrant,
    NoAnswer,
}

impl NotLetIn {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Machine => "machine",
            Self::Router => "router",
            Self::Expired => "expired",
            Self::NoGrant => "no_grant",
            Self::NoAnswer => "unavailable",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown: nobody is known at your address.",
            Self::Machine => "Machine: no person stands behind your address.",
            Self::Router => "Router: your address may be anybody behind it.",
            Self::Expired => "Expired: your key has ended.",
            Self::NoGrant => "No grant: you are granted nothing here.",
            Self::NoAnswer => "Unavailable: who you are cannot be found out now.",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::NoAnswer => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown | Self::Machine | Self::Router | Self::Expired | Self::NoGrant => {
                StatusCode::FORBIDDEN
            }
        }
    }

    const fn of(why: &WhoisRefusal) -> Self {
        match why {
            WhoisRefusal::NotAPeer(_) | WhoisRefusal::Nobody(_) => Self::Unknown,
            WhoisRefusal::Tagged(_) => Self::Machine,
            WhoisRefusal::Router(_) => Self::Router,
            WhoisRefusal::Ended(_) => Self::Expired,
            WhoisRefusal::NoGrant(_) => Self::NoGrant,
            WhoisRefusal::Unanswered(..) => Self::NoAnswer,
        }
    }
}

/// Whether a request came by the mesh's listener.
pub(crate) fn came_over_mesh(parts: &Parts) -> bool {
    parts.extensions.get::<OverMesh>().is_some()
}

/// Who sent it; `None` on every other listener.
pub(crate) async fn find(parts: &Parts) -> Option<Result<Person, NotLetIn>> {
    let OverMesh(whois) = parts.extensions.get()?;
    let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
        return Some(Err(NotLetIn::NoAnswer));
    };
    let person = |visitor| Person {
        whois: whois.clone(),
        peer: *peer,
        visitor,
    };
    let found = whois.of(*peer).await.map(person);
    Some(found.map_err(|why| {
        tracing::info!(%why, "Somebody who called over the mesh is not let in by it.");
        NotLetIn::of(&why)
    }))
}
