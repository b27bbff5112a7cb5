//! Lets in whom a route's row names, and nobody else. The layer is made from the row, so no handler can forget it.

use crate::access::{Access, Who};
use crate::caller::Caller;
use crate::refused::{Form, Refused, Why};
use crate::site::Site;
use crate::tokens;
use crate::visitor;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use net_model::{DashRole, KeyHash};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Name of the session cookie over plain HTTP.
pub(crate) const COOKIE: &str = "portcullis_session";

/// The same where TLS ends in front: a browser takes it over TLS alone, for this host alone.
pub(crate) const HOST_COOKIE: &str = "__Host-portcullis_session";

/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 128;

/// How long the database is waited for when somebody's session is looked up.
const PATIENCE: Duration = Duration::from_secs(2);

/// The guard of one route.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) site: Arc<Site>,
    pub(crate) row: Access,
}

/// The layer.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match guard.admit(&parts).await {
        Ok(Some(caller)) => {
            parts.extensions.insert(caller);
        }
        Ok(None) => {}
        Err(why) => {
            let form = Form::wanted(parts.uri.path(), &parts.method);
            return Refused { why, form }.into_response();
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

impl Guard {
    async fn admit(&self, parts: &Parts) -> Result<Option<Caller>, Why> {
        let least = match self.row.who {
            Who::Anyone | Who::Sender => return Ok(None),
            Who::Monitor if !visitor::came_over_mesh(parts) => return Ok(None),
            Who::Monitor | Who::Viewer => DashRole::Viewer,
            Who::Operator => DashRole::Operator,
            Who::Admin => DashRole::Admin,
        };
        let caller = self.find(parts, least).await?;
        if caller.role() < least {
            let has = caller.role();
            return Err(Why::TooLittle { has, least });
        }
        Ok(Some(caller))
    }

    async fn find(&self, parts: &Parts, least: DashRole) -> Result<Caller, Why> {
        let from = address(parts);
        let person = match visitor::find(parts).await {
            None => return self.session(parts, from).await,
            // Before the database is asked, so that a cut needs none.
            Some(Ok(person)) if person.role() >= least.max(DashRole::Operator) => {
                return Ok(Caller::of_person(person, from));
            }
            Some(found) => found,
        };
        match (self.session(parts, from).await, person) {
            (Ok(signed_in), Ok(person)) if person.role() > signed_in.role() => {
                Ok(Caller::of_person(person, from))
            }
            (Ok(signed_in), _) => Ok(signed_in),
            (Err(_), Ok(person)) => Ok(Caller::of_person(person, from)),
            (Err(Why::NotSignedIn), Err(refused)) => Err(Why::NotLetIn(refused)),
            (Err(why), Err(_)) => Err(why),
        }
    }

    /// A cut goes by what is remembered, if anything is; whatever else asks the database, and may look by what is
    /// remembered where the database does not answer.
    async fn session(&self, parts: &Parts, from: Option<IpAddr>) -> Result<Caller, Why> {
        let site = &self.site;
        let program = tokens::bearer(&parts.headers);
        let jar = CookieJar::from_headers(&parts.headers);
        let browser = raw_token(&jar).filter(|_| program.is_none());
        let by_cookie = || browser.map(|raw| KeyHash::of(raw.as_bytes()));
        let token = program.or_else(by_cookie).ok_or(Why::NotSignedIn)?;
        let now = site.now();
        let remembered = site.memory.find(token, now);
        if self.row.cuts
            && let Some(session) = remembered
        {
            return Ok(Caller::of_session(session, from));
        }
        let asked = site.find(token, program.is_some(), now);
        let why = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Some(session))) => match site.renewed(browser, session).await {
                Ok(Some(session)) => {
                    site.memory.keep(session.clone(), now);
                    return Ok(Caller::of_session(session, from));
                }
                Ok(None) => {
                    site.memory.end(token);
                    return Err(Why::NotSignedIn);
                }
                Err(error) => Some(error),
            },
            Ok(Ok(None)) => {
                site.memory.end(token);
                return Err(Why::NotSignedIn);
            }
            Ok(Err(error)) => Some(error),
            Err(_late) => None,
        };
        match remembered {
            Some(session) if parts.method.is_safe() => Ok(Caller::of_session(session, from)),
            Some(_) => Err(Why::OnlyCuts(why)),
            None => Err(Why::Unknown(why)),
        }
    }
}

/// The session token that a browser sends.
pub(crate) fn raw_token(jar: &CookieJar) -> Option<&str> {
    let cookie = jar.get(HOST_COOKIE).or_else(|| jar.get(COOKIE))?;
    let token = cookie.value();
    (token.len() <= LONGEST_TOKEN).then_some(token)
}

/// The other end of the connection, where the listener tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From(pub(crate) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(address(parts)))
    }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip().to_canonical())
}
