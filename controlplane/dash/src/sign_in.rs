//! In by a one-time link, out by a button. No password anywhere.
//!
//! A link's token is an empty file named by its SHA-256. Whoever unlinks the file has spent the token, so of two
//! browsers with one link exactly one gets in. The link itself only shows a button: a preview spends nothing.

use crate::answer::{html, refusal};
use crate::assets::{Links, address, links};
use crate::caller::{Caller, named};
use crate::guard::{COOKIE, From, HOST_COOKIE, raw_token};
use crate::oidc_in::GoOn;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use data_encoding::BASE64URL_NOPAD;
use kill_wire::Timestamp;
use net_model::KeyHash;
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use store::{NewChange, NewSession};

/// How long a link may be used.
const LINK_MS: u64 = 15 * 60 * 1000;

/// How long a session lasts.
pub(crate) const SESSION_MS: u64 = 12 * 60 * 60 * 1000;

const NO_DATABASE: &str =
    "The database does not answer, so no sign-in can be kept. `portcullis cut` works without it.";

/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 128;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    links: Links,
    token: String,
    problem: Option<&'static str>,
    ways: Ways,
    /// Where a passkey leads to.
    to: &'static str,
    script: String,
}

/// Ways in besides a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ways {
    /// The house has a provider that signs people in.
    pub(crate) provider: bool,
    /// Where passkeys count, if they do.
    pub(crate) passkeys: Option<String>,
}

impl Site {
    pub(crate) fn ways(&self) -> Ways {
        let passkeys = self.passkeys.as_ref();
        Ways {
            provider: self.app.oidc.is_some(),
            passkeys: passkeys.map(|it| it.party().origin().to_owned()),
        }
    }
}

/// No `Debug`: it holds a token.
#[derive(Deserialize)]
pub(crate) struct Token {
    #[serde(default)]
    token: String,
    /// `stop` for whoever wanted the red button.
    #[serde(default)]
    to: String,
}

pub(crate) fn draw(
    status: StatusCode,
    token: String,
    problem: Option<&'static str>,
    ways: Ways,
) -> Response {
    html(status, &page(token, problem, ways))
}

fn page(token: String, problem: Option<&'static str>, ways: Ways) -> SignIn {
    SignIn {
        links: links(),
        token,
        problem,
        ways,
        to: "/",
        script: address("passkey.js"),
    }
}

pub(crate) async fn ask(State(site): State<Arc<Site>>, Query(mut query): Query<Token>) -> Response {
    if query.token.len() > LONGEST_TOKEN {
        query.token.clear();
    }
    let mut page = page(query.token, None, site.ways());
    // Nothing that somebody else wrote leads anywhere.
    if query.to == "stop" {
        page.to = "/stop";
    }
    html(StatusCode::OK, &page)
}

pub(crate) async fn enter(
    State(site): State<Arc<Site>>,
    From(from): From,
    headers: HeaderMap,
    jar: CookieJar,
    Form(form): Form<Token>,
) -> Response {
    let now = site.now();
    let ways = || site.ways();
    if !site.attempts.allow(from, now) {
        let text = "Too many attempts from your address. Wait a minute.";
        return draw(
            StatusCode::TOO_MANY_REQUESTS,
            String::new(),
            Some(text),
            ways(),
        );
    }
    if let Err(refused) = spend(&site.app.sign_in_dir, &form.token, now) {
        tracing::info!(why = refused.log(), ?from, "A sign-in was refused.");
        return draw(
            StatusCode::FORBIDDEN,
            String::new(),
            Some(refused.text()),
            ways(),
        );
    }
    let session = NewSession {
        from,
        ..NewSession::by_link(now, now.plus_millis(SESSION_MS))
    };
    let Some(token) = random_token() else {
        let text = "The system gives no random bytes; no session can be made.";
        return draw(
            StatusCode::SERVICE_UNAVAILABLE,
            String::new(),
            Some(text),
            ways(),
        );
    };
    match started(&site, &session, "", token, &headers, jar).await {
        Ok(jar) => (jar, Redirect::to("/")).into_response(),
        Err(text) => draw(
            StatusCode::SERVICE_UNAVAILABLE,
            String::new(),
            Some(text),
            ways(),
        ),
    }
}

/// A token that nobody chose: each sign-in has its own, so none can be planted.
pub(crate) fn random_token() -> Option<String> {
    let mut raw = [0_u8; 32];
    match getrandom::fill(&mut raw) {
        Ok(()) => Some(BASE64URL_NOPAD.encode(&raw)),
        Err(error) => {
            tracing::error!(%error, "No session can be made: the system gives no random bytes.");
            None
        }
    }
}

/// Begins a session: written down with what else there is to say of it, kept, and handed to the browser.
pub(crate) async fn started(
    site: &Site,
    session: &NewSession,
    detail: &str,
    token: String,
    headers: &HeaderMap,
    jar: CookieJar,
) -> Result<CookieJar, &'static str> {
    let change = NewChange {
        at: session.created,
        by: named(session.how, &session.who),
        how: session.how,
        from: session.from,
        what: "sign_in".to_owned(),
        subject: session.role.to_string(),
        detail: detail.to_owned(),
    };
    site.record_of(change)
        .await
        .map_err(|NotRecorded| NO_DATABASE)?;
    let kept = site
        .app
        .store
        .create_session(KeyHash::of(token.as_bytes()), session);
    kept.await.map_err(|error| {
        tracing::error!(%error, source = ?std::error::Error::source(&error), "No session can be kept.");
        NO_DATABASE
    })?;
    tracing::info!(how = %session.how, role = %session.role, from = ?session.from, "Someone signed in to the dashboard.");
    Ok(jar.add(cookie(token, headers)))
}

pub(crate) async fn leave(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Response {
    let change = Change {
        what: "sign_out",
        subject: "",
        detail: "",
    };
    let way_out = match raw_token(&jar) {
        Some(token) => site.way_out(token).await,
        None => None,
    };
    let ended = match caller.token() {
        Some(token) => site.end(&caller, token, &change).await,
        None => Ok(()),
    };
    if ended.is_err() {
        let text = "The database does not answer, so you are still signed in. Close the browser.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let gone = jar.remove(cookie(String::new(), &headers));
    match way_out {
        // A form may lead nowhere else by this site's policy; a page may.
        Some(to) => {
            let page = GoOn {
                links: links(),
                to,
                said: "You are signed out here.",
            };
            (gone, html(StatusCode::OK, &page)).into_response()
        }
        None => (gone, Redirect::to("/sign-in")).into_response(),
    }
}

impl Site {
    /// Ends a session at once, for this process even if the database does not answer.
    pub(crate) async fn end(
        &self,
        caller: &Caller,
        token: KeyHash,
        change: &Change<'_>,
    ) -> Result<(), NotRecorded> {
        self.memory.end(token);
        self.record(caller, change).await?;
        let gone = self.app.store.delete_session(token).await;
        gone.map(drop).map_err(|error| {
            tracing::error!(%error, source = ?std::error::Error::source(&error), "A session cannot be ended.");
            NotRecorded
        })
    }
}

/// Whether the browser speaks TLS to a proxy in front. Whoever forges the header only keeps his own cookie off plain HTTP.
pub(crate) fn https(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https")
}

/// A session cookie the browser keeps until it closes, and never sends along from another site.
fn cookie(token: String, headers: &HeaderMap) -> Cookie<'static> {
    let https = https(headers);
    let name = if https { HOST_COOKIE } else { COOKIE };
    Cookie::build((name, token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(https)
        .build()
}

/// Why a link does not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// Never issued, or spent.
    Unknown,
    /// Issued too long ago.
    Late,
    /// The folder cannot be worked with.
    Io,
}

impl Refused {
    const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "This link is not known. Each link lets in once.",
            Self::Late => "This link is older than 15 minutes.",
            Self::Io => "Sign-in links cannot be checked: the data folder cannot be written.",
        }
    }

    const fn log(self) -> &'static str {
        match self {
            Self::Unknown => "unknown or used link",
            Self::Late => "old link",
            Self::Io => "the sign-in folder cannot be worked with",
        }
    }
}

/// Uses the token up. Success means nobody else can.
fn spend(folder: &Path, token: &str, now: Timestamp) -> Result<(), Refused> {
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err(Refused::Unknown);
    }
    let file = folder.join(KeyHash::of(token.as_bytes()).to_hex());
    let of = |error: std::io::Error| {
        if error.kind() == ErrorKind::NotFound {
            Refused::Unknown
        } else {
            Refused::Io
        }
    };
    let issued = std::fs::symlink_metadata(&file)
        .and_then(|meta| meta.modified())
        .map_err(of)?;
    std::fs::remove_file(&file).map_err(of)?;
    // Before 1970 reads as 1970: old.
    let issued = issued.duration_since(UNIX_EPOCH).unwrap_or_default();
    let issued = u64::try_from(issued.as_millis()).unwrap_or(u64::MAX);
    if now.since(Timestamp::from_millis(issued)) > LINK_MS {
        return Err(Refused::Late);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_at_once_exactly_one_spends_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(KeyHash::of(b"t0ken").to_hex());
        for _ in 0..50 {
            std::fs::write(&file, "").unwrap();
            let spent: Vec<Result<(), Refused>> = std::thread::scope(|scope| {
                let try_it = || spend(folder.path(), "t0ken", Timestamp::default());
                let all: Vec<_> = (0..4).map(|_| scope.spawn(try_it)).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert_eq!(spent.iter().filter(|one| one.is_ok()).count(), 1);
            assert_eq!(
                spent
                    .iter()
                    .filter(|one| **one == Err(Refused::Unknown))
                    .count(),
                3
            );
        }
    }
}
