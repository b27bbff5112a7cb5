//! Who calls: let in by a session or by the mesh, with a role.

use crate::site::Site;
use crate::visitor::Person;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash, SignedInBy};
use std::net::IpAddr;
use std::sync::Arc;
use store::Session;

/// As the journal names whoever holds a link of the machine's owner.
const BY_LINK: &str = "dashboard";

/// Most characters of a login in a reason.
const LONGEST_LOGIN: usize = 80;

/// Whoever is let in, with at least the role that the route's row asks for. Only the guard makes one, so having one is the
/// permission.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    by: By,
    from: Option<IpAddr>,
}

#[derive(Clone, Debug)]
enum By {
    Session(Session),
    Mesh(Person),
}

impl Caller {
    /// Whose session the guard found.
    pub(crate) const fn of_session(session: Session, from: Option<IpAddr>) -> Self {
        let by = By::Session(session);
        Self { by, from }
    }

    /// Whom the guard found on the mesh.
    pub(crate) const fn of_person(person: Person, from: Option<IpAddr>) -> Self {
        let by = By::Mesh(person);
        Self { by, from }
    }

    /// What he may.
    pub(crate) const fn role(&self) -> DashRole {
        match &self.by {
            By::Session(session) => session.role,
            By::Mesh(person) => person.role(),
        }
    }

    /// How he came in.
    pub(crate) const fn how(&self) -> SignedInBy {
        match &self.by {
            By::Session(session) => session.how,
            By::Mesh(_) => SignedInBy::Mesh,
        }
    }

    /// From which address he calls, where the listener tells.
    pub(crate) const fn from(&self) -> Option<IpAddr> {
        self.from
    }

    /// When the session ends by itself, where there is one.
    pub(crate) const fn expires(&self) -> Option<Timestamp> {
        match &self.by {
            By::Session(session) => Some(session.expires),
            By::Mesh(_) => None,
        }
    }

    /// The session, where there is one.
    pub(crate) const fn session(&self) -> Option<&Session> {
        match &self.by {
            By::Session(session) => Some(session),
            By::Mesh(_) => None,
        }
    }

    /// Whom the mesh let in.
    pub(crate) const fn person(&self) -> Option<&Person> {
        match &self.by {
            By::Session(_) => None,
            By::Mesh(person) => Some(person),
        }
    }

    /// The login; empty for whoever holds a link, which names nobody.
    pub(crate) fn login(&self) -> &str {
        match &self.by {
            By::Session(session) => &session.who,
            By::Mesh(person) => person.login(),
        }
    }

    /// As the journal names it. The first word cannot be chosen by anybody, however a login reads.
    pub(crate) fn by(&self) -> String {
        named(self.how(), self.login())
    }

    /// A reason for the journal, with the whole login, for which `by` has no room, and the address.
    pub(crate) fn because(&self, why: &str) -> String {
        let login: String = self.login().chars().take(LONGEST_LOGIN).collect();
        let way = match self.how() {
            SignedInBy::Link => "by link",
            SignedInBy::Oidc => "by OIDC",
            SignedInBy::Passkey => "by passkey",
            SignedInBy::Mesh => "over the mesh",
            SignedInBy::Token => "by token",
        };
        let mut who = match (login.is_empty(), self.from) {
            (true, None) => return why.to_owned(),
            (true, Some(_)) => way.to_owned(),
            (false, _) => format!("{login} {way}"),
        };
        if let Some(from) = self.from {
            who = format!("{who} from {from}");
        }
        let colon = if why.is_empty() { "" } else { ": " };
        format!("{who}{colon}{why}")
    }

    /// Whether a page that stays open may go on. A database that does not answer ends no session.
    pub(crate) async fn may_go_on(&self, site: &Site) -> bool {
        match &self.by {
            By::Session(session) => site.still_valid(session).await,
            By::Mesh(person) => person.still_let_in().await,
        }
    }

    /// What is kept of the session's token.
    pub(crate) fn token(&self) -> Option<KeyHash> {
        self.session().map(|session| session.token)
    }
}

/// As the journal names whoever came in so. Only whoever holds the machine, by a link or a passkey added by one, is named after
/// the dashboard: a provider's login stands behind another word.
pub(crate) fn named(how: SignedInBy, login: &str) -> String {
    match how {
        SignedInBy::Link => BY_LINK.to_owned(),
        SignedInBy::Passkey if login.is_empty() => format!("{BY_LINK} {how}"),
        SignedInBy::Oidc | SignedInBy::Passkey | SignedInBy::Mesh | SignedInBy::Token => {
            format!("{how} {login}")
        }
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Site>) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(
                path = parts.uri.path(),
                "A route open to anyone asks who calls."
            );
            let text = "Who calls is not known on this route.\n";
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        })
    }
}
