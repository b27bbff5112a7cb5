//! Who is let in, by a session or by the mesh, and what is said to whoever is not.

use crate::answer;
use crate::assets::{Links, links};
use crate::site::Site;
use crate::visitor::{self, NotLetIn, Person};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, Method, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use kill_wire::Timestamp;
use net_model::KeyHash;
use std::sync::Arc;
use store::StoreError;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "portcullis_session";

/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 128;

/// As the journal names whoever holds a session.
const BY_SESSION: &str = "dashboard";

/// Most characters of a login in a reason.
const LONGEST_LOGIN: usize = 80;

/// Whoever is let in. Having one is the permission: it cannot be built by hand.
#[derive(Clone, Debug)]
pub(crate) struct Operator(By);

#[derive(Clone, Debug)]
enum By {
    Session { token: KeyHash, expires: Timestamp },
    Mesh(Person),
}

impl Operator {
    /// When the session ends by itself, where there is one.
    pub(crate) const fn expires(&self) -> Option<Timestamp> {
        match &self.0 {
            By::Session { expires, .. } => Some(*expires),
            By::Mesh(_) => None,
        }
    }

    /// Whom the mesh let in.
    pub(crate) const fn person(&self) -> Option<&Person> {
        match &self.0 {
            By::Session { .. } => None,
            By::Mesh(person) => Some(person),
        }
    }

    /// As the journal names it. The first word cannot be chosen by anybody, however a login reads.
    pub(crate) fn by(&self) -> String {
        match self.person() {
            None => BY_SESSION.to_owned(),
            Some(person) => format!("mesh {}", person.login()),
        }
    }

    /// A reason for the journal, with the whole login, for which `by` has no room.
    pub(crate) fn because(&self, why: &str) -> String {
        let Some(person) = self.person() else {
            return why.to_owned();
        };
        let login: String = person.login().chars().take(LONGEST_LOGIN).collect();
        let colon = if why.is_empty() { "" } else { ": " };
        format!("{login} over the mesh{colon}{why}")
    }

    /// Whether a page that stays open may go on. A database that does not answer ends no session.
    pub(crate) async fn may_go_on(&self, site: &Site) -> bool {
        match &self.0 {
            By::Session { token, .. } => {
                let found = site.app.store.find_session(*token, site.now()).await;
                !matches!(found, Ok(None))
            }
            By::Mesh(person) => person.still_let_in().await,
        }
    }
}

/// Why a request comes without an [`Operator`].
#[derive(Debug)]
pub(crate) struct NoOperator {
    pub(crate) why: Why,
    form: Form,
}

/// What kind of answer is wanted.
#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Page,
    Part,
}

#[derive(Debug)]
pub(crate) enum Why {
    /// No session, or one that has ended.
    NotSignedIn,
    /// The mesh does not let in whoever is there, and there is no session.
    NotLetIn(NotLetIn),
    /// The mesh grants looking only.
    OnlyLooks,
    /// The database cannot say.
    Unknown(StoreError),
}

/// What is kept of the session token that a browser sends.
pub(crate) fn token(headers: &HeaderMap) -> Option<KeyHash> {
    let cookies = CookieJar::from_headers(headers);
    let token = cookies.get(COOKIE)?.value();
    (token.len() <= LONGEST_TOKEN).then(|| KeyHash::of(token.as_bytes()))
}

async fn session(parts: &Parts, site: &Site) -> Result<Operator, Why> {
    let token = token(&parts.headers).ok_or(Why::NotSignedIn)?;
    let found = site.app.store.find_session(token, site.now()).await;
    let expires = found
        .map_err(Why::Unknown)?
        .ok_or(Why::NotSignedIn)?
        .expires;
    Ok(Operator(By::Session { token, expires }))
}

async fn find(parts: &Parts, site: &Site) -> Result<Operator, Why> {
    let looks = match visitor::find(parts).await {
        None => return session(parts, site).await,
        // Before the database is asked, so that a cut needs none.
        Some(Ok(person)) if person.may_act() => return Ok(Operator(By::Mesh(person))),
        Some(found) => found,
    };
    match (session(parts, site).await, looks) {
        (Ok(signed_in), _) => Ok(signed_in),
        (Err(_), Ok(person)) if matches!(parts.method, Method::GET | Method::HEAD) => {
            Ok(Operator(By::Mesh(person)))
        }
        (Err(_), Ok(_)) => Err(Why::OnlyLooks),
        (Err(Why::NotSignedIn), Err(refused)) => Err(Why::NotLetIn(refused)),
        (Err(why), Err(_)) => Err(why),
    }
}

impl FromRequestParts<Arc<Site>> for Operator {
    type Rejection = NoOperator;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, NoOperator> {
        let form = if parts.uri.path().starts_with("/api/") {
            Form::Json
        } else if parts.method == Method::GET {
            Form::Page
        } else {
            Form::Part
        };
        find(parts, site)
            .await
            .map_err(|why| NoOperator { why, form })
    }
}

/// Leave to read the figures for monitors: everybody who reaches the house's own listener has it, over the mesh only who
/// is let in.
#[derive(Debug)]
pub(crate) struct Monitor;

impl FromRequestParts<Arc<Site>> for Monitor {
    type Rejection = NoOperator;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, NoOperator> {
        if visitor::came_over_mesh(parts) {
            Operator::from_request_parts(parts, site).await?;
        }
        Ok(Self)
    }
}

#[derive(Template)]
#[template(path = "no_access.html")]
struct NoAccess {
    links: Links,
    why: &'static str,
}

impl IntoResponse for NoOperator {
    fn into_response(self) -> Response {
        let (status, code, text) = match self.why {
            Why::NotSignedIn => (
                StatusCode::UNAUTHORIZED,
                "not_signed_in",
                "You are not signed in, or your sign-in has ended. Run `portcullis sign-in` for a fresh link.",
            ),
            Why::NotLetIn(why) => {
                if let Form::Page = self.form {
                    let (links, why, status) = (links(), why.text(), why.status());
                    return answer::html(status, &NoAccess { links, why });
                }
                (why.status(), why.word(), why.text())
            }
            Why::OnlyLooks => (
                StatusCode::FORBIDDEN,
                "only_looks",
                "You may look here, not act.",
            ),
            Why::Unknown(error) => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "Sign-ins cannot be checked.");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Sign-ins cannot be checked: the database does not answer. `portcullis cut` works without it.",
                )
            }
        };
        match self.form {
            Form::Json => answer::problem(status, code, text),
            Form::Page | Form::Part => answer::refusal(status, text),
        }
    }
}
