//! In by the house's OpenID Connect provider. What begins a sign-in lies sealed in a cookie of the browser that began it, so
//! only that browser can end it.

use crate::answer::html;
use crate::assets::{Links, links};
use crate::guard::From;
use crate::renew::Tokens;
use crate::seal::Seal;
use crate::sign_in::{SESSION_MS, Ways, draw, https, started};
use crate::site::Site;
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use kill_wire::Timestamp;
use net_model::SignedInBy;
use oidc::{OidcError, SignedIn};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{NewChange, NewSession, ProviderPart};

/// How long a sign-in may take at the provider.
const AWAY_MS: u64 = 10 * 60 * 1000;
/// Longest text of the provider that is looked at.
const LONGEST: usize = 4096;
/// The cookie of a sign-in on its way.
const AWAY: &str = "portcullis_oidc";
const PATH: &str = "/sign-in/oidc";

const TOO_MANY: &str = "Too many attempts from your address. Wait a minute.";

/// No `Debug`: it holds what ends a sign-in.
#[derive(Serialize, Deserialize)]
struct Away {
    state: String,
    nonce: String,
    verifier: String,
    until: Timestamp,
}

/// A page that goes on by itself: a cookie for this site alone is not sent along on the way back from another.
#[derive(Template)]
#[template(path = "go_on.html")]
pub(crate) struct GoOn {
    pub(crate) links: Links,
    pub(crate) to: String,
    pub(crate) said: &'static str,
}

fn refused(status: StatusCode, text: &'static str) -> Response {
    let ways = Ways {
        provider: true,
        passkeys: None,
    };
    draw(status, String::new(), Some(text), ways)
}

/// For ten minutes, and only back to here. `Lax`, because the provider sends the browser back.
fn cookie(value: String, headers: &HeaderMap) -> Cookie<'static> {
    Cookie::build((AWAY, value))
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(https(headers))
        .build()
}

pub(crate) async fn begin(
    State(site): State<Arc<Site>>,
    From(from): From,
    headers: HeaderMap,
    jar: CookieJar,
) -> Response {
    let now = site.now();
    if !site.attempts.allow(from, now) {
        return refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
    }
    let Some(provider) = &site.app.oidc else {
        return refused(StatusCode::NOT_FOUND, "This house has no sign-in provider.");
    };
    let begun = match provider.begin().await {
        Ok(begun) => begun,
        Err(why) => return failed(&why),
    };
    let away = Away {
        state: begun.state,
        nonce: begun.nonce,
        verifier: begun.verifier,
        until: now.plus_millis(AWAY_MS),
    };
    match site.seal.close(&away) {
        Some(sealed) => {
            (jar.add(cookie(sealed, &headers)), Redirect::to(&begun.url)).into_response()
        }
        None => refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "The system gives no random bytes; nobody can sign in.",
        ),
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

pub(crate) async fn back(
    State(site): State<Arc<Site>>,
    From(from): From,
    headers: HeaderMap,
    jar: CookieJar,
    Query(back): Query<Back>,
) -> Response {
    let now = site.now();
    if !site.attempts.allow(from, now) {
        return refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
    }
    let away = jar
        .get(AWAY)
        .and_then(|kept| site.seal.open::<Away>(kept.value()));
    // Whatever comes of it, this cookie has been used.
    let jar = jar.remove(cookie(String::new(), &headers));
    match enter(&site, from, now, away, back).await {
        Ok((session, token)) => {
            let jar = started(&site, &session, "", token, &headers, jar).await;
            match jar {
                Ok(jar) => {
                    let page = GoOn {
                        links: links(),
                        to: "/".to_owned(),
                        said: "You are signed in.",
                    };
                    (jar, html(StatusCode::OK, &page)).into_response()
                }
                Err(text) => refused(StatusCode::SERVICE_UNAVAILABLE, text),
            }
        }
        Err(answer) => (jar, *answer).into_response(),
    }
}

async fn enter(
    site: &Site,
    from: Option<std::net::IpAddr>,
    now: Timestamp,
    away: Option<Away>,
    back: Back,
) -> Result<(NewSession, String), Box<Response>> {
    let no = |status, text| Err(Box::new(refused(status, text)));
    let Some(provider) = &site.app.oidc else {
        return no(StatusCode::NOT_FOUND, "This house has no sign-in provider.");
    };
    let same = |away: &Away| away.state == back.state && now < away.until;
    let Some(away) = away.filter(same) else {
        tracing::info!(
            ?from,
            "A sign-in came back that this browser has not begun."
        );
        let text = "This sign-in was not begun in this browser, or took longer than ten minutes. Begin again.";
        return no(StatusCode::FORBIDDEN, text);
    };
    if !back.error.is_empty() || back.code.is_empty() || back.code.len() > LONGEST {
        let error: String = back
            .error
            .chars()
            .filter(|c| !c.is_control())
            .take(80)
            .collect();
        tracing::info!(error, "The provider has signed nobody in.");
        return no(StatusCode::FORBIDDEN, "The provider has not signed you in.");
    }
    let person = provider.finish(back.code, away.verifier, away.nonce).await;
    let person = person.map_err(|why| Box::new(failed(&why)))?;
    let said = person.role.map(|role| (person.who.as_str(), role));
    site.vouched(&person.subject, said).await;
    session(person, from, now)
}

fn session(
    person: SignedIn,
    from: Option<std::net::IpAddr>,
    now: Timestamp,
) -> Result<(NewSession, String), Box<Response>> {
    let no = |status, text| Err(Box::new(refused(status, text)));
    let Some(role) = person.role else {
        tracing::warn!(
            who = person.who,
            "Nobody without a group that has a role is let in."
        );
        let text =
            "You are known, but no group of yours has a role here. Ask an admin of the house.";
        return no(StatusCode::FORBIDDEN, text);
    };
    let Some(token) = crate::sign_in::random_token() else {
        let text = "The system gives no random bytes; no session can be made.";
        return no(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let tokens = Tokens {
        refresh: person.refresh,
        id_token: person.id_token,
    };
    let Some(sealed) = Seal::of_session(&token).close(&tokens) else {
        let text = "The system gives no random bytes; no session can be made.";
        return no(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let provider = ProviderPart {
        subject: person.subject,
        sid: person.sid,
        sealed,
        renew_at: tokens
            .refresh
            .is_some()
            .then(|| crate::renew::next(now, person.lasts)),
    };
    let session = NewSession {
        role,
        how: SignedInBy::Oidc,
        who: person.who,
        from,
        provider: Some(provider),
        ..NewSession::by_link(now, now.plus_millis(SESSION_MS))
    };
    Ok((session, token))
}

fn failed(why: &OidcError) -> Response {
    tracing::warn!(%why, "Nobody can be signed in by the provider.");
    match why {
        OidcError::Unreachable(_) => refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "The sign-in provider does not answer. A one-time link works without it.",
        ),
        OidcError::Refused(_) | OidcError::Untrue(_) => refused(
            StatusCode::FORBIDDEN,
            "What the provider said does not hold, so nobody is signed in. Begin again.",
        ),
    }
}

/// No `Debug`: it holds a token.
#[derive(Deserialize)]
pub(crate) struct LogoutForm {
    logout_token: String,
}

/// The provider says that somebody has left it.
pub(crate) async fn logged_out(
    State(site): State<Arc<Site>>,
    From(from): From,
    Form(form): Form<LogoutForm>,
) -> StatusCode {
    let now = site.now();
    if !site.attempts.allow(from, now) {
        return StatusCode::TOO_MANY_REQUESTS;
    }
    let Some(provider) = &site.app.oidc else {
        return StatusCode::NOT_FOUND;
    };
    let out = match provider.logged_out(&form.logout_token, now).await {
        Ok(out) => out,
        Err(why) => {
            tracing::warn!(%why, ?from, "A logout that somebody says is the provider's ends nothing.");
            return StatusCode::BAD_REQUEST;
        }
    };
    let ended = site
        .app
        .store
        .end_provider_sessions(out.subject.as_deref(), out.sid.as_deref());
    let ended = match ended.await {
        Ok(ended) => ended,
        Err(error) => {
            tracing::error!(%error, "Sessions that the provider ends cannot be ended.");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    };
    for (token, who) in ended {
        site.memory.end(token);
        let change = NewChange {
            at: now,
            by: "the sign-in provider".to_owned(),
            how: SignedInBy::Oidc,
            from,
            what: "sign_in.ended".to_owned(),
            subject: who,
            detail: "logged out at the provider".to_owned(),
        };
        // It is over already; that it cannot be written down brings nobody back.
        site.record_of(change).await.ok();
    }
    StatusCode::OK
}
