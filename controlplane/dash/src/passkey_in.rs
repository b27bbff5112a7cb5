//! In by a passkey: whoever holds it proves that he does, and what is kept of it says whose it is and what it gives. Nobody
//! else is asked, so that it works with the provider down.
//!
//! **Invariant:** a passkey gives at most what its person had when that was last said: by the link that made it an admin's, or
//! by the provider, whose word counts for a while and ends at once with another.

use crate::answer::problem;
use crate::guard::From;
use crate::sign_in::{SESSION_MS, random_token, started};
use crate::site::Site;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use kill_wire::Timestamp;
use net_model::{DashRole, SignedInBy};
use passkeys::{Kept, PasskeyTrouble, Passkeys};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use store::{NewChange, NewSession, PasskeyOwner, PasskeyPart, PasskeyRecord, StoreError};

/// Why a passkey lets nobody in.
#[derive(Debug, thiserror::Error)]
enum NotIn {
    #[error("Passkeys are off here: the configuration names no address for them.")]
    Off,
    #[error("Too many attempts from your address. Wait a minute.")]
    TooMany,
    #[error("This passkey is not known here, or was removed.")]
    Unknown,
    #[error(
        "The house’s provider has not said for a while what you may, or said that you may nothing. Sign in there once."
    )]
    NotVouched,
    #[error("This passkey does not hold, so nobody is signed in.")]
    Untrue,
    #[error("Nobody is signed in: {0}.")]
    Trouble(PasskeyTrouble),
    #[error(
        "The database does not answer, so nobody can sign in. `portcullis cut` works without it."
    )]
    Store(#[from] StoreError),
    #[error("{0}")]
    NotKept(&'static str),
}

impl NotIn {
    fn answer(&self) -> Response {
        let (status, code) = match self {
            Self::Off => (StatusCode::NOT_FOUND, "off"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Unknown => (StatusCode::FORBIDDEN, "unknown"),
            Self::NotVouched => (StatusCode::FORBIDDEN, "not_vouched"),
            Self::Untrue => (StatusCode::FORBIDDEN, "untrue"),
            Self::Trouble(why) => (status(why), "refused"),
            Self::Store(error) => {
                tracing::error!(%error, source = ?std::error::Error::source(error), "A passkey cannot be looked up.");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Self::NotKept(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        problem(status, code, &self.to_string())
    }
}

/// How a trouble with a passkey is told to a browser.
pub(crate) const fn status(why: &PasskeyTrouble) -> StatusCode {
    match why {
        PasskeyTrouble::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
        PasskeyTrouble::NotBegun | PasskeyTrouble::Untrue(_) => StatusCode::FORBIDDEN,
        PasskeyTrouble::Busy => StatusCode::TOO_MANY_REQUESTS,
        PasskeyTrouble::Kept | PasskeyTrouble::Unaskable(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Text that is JSON already.
pub(crate) fn told(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn on(site: &Site, from: Option<IpAddr>, now: Timestamp) -> Result<&Passkeys, NotIn> {
    let passkeys = site.passkeys.as_ref().ok_or(NotIn::Off)?;
    if site.attempts.allow(from, now) {
        Ok(passkeys)
    } else {
        Err(NotIn::TooMany)
    }
}

pub(crate) async fn begin(State(site): State<Arc<Site>>, From(from): From) -> Response {
    let now = site.now();
    let asked = on(&site, from, now).and_then(|it| it.ask_to_prove(now).map_err(NotIn::Trouble));
    match asked {
        Ok(text) => told(text),
        Err(why) => why.answer(),
    }
}

pub(crate) async fn enter(
    State(site): State<Arc<Site>>,
    From(from): From,
    headers: HeaderMap,
    jar: CookieJar,
    body: Bytes,
) -> Response {
    let (session, name) = match proven(&site, from, &body).await {
        Ok(found) => found,
        Err(why) => {
            tracing::info!(%why, ?from, "A passkey lets nobody in.");
            return why.answer();
        }
    };
    let Some(token) = random_token() else {
        let text = "The system gives no random bytes; no session can be made.";
        return NotIn::NotKept(text).answer();
    };
    match started(&site, &session, &name, token, &headers, jar).await {
        Ok(jar) => (jar, Json(json!({ "signed_in": true }))).into_response(),
        Err(text) => NotIn::NotKept(text).answer(),
    }
}

/// The session of whoever holds the passkey, and what the passkey is called.
async fn proven(
    site: &Site,
    from: Option<IpAddr>,
    body: &[u8],
) -> Result<(NewSession, String), NotIn> {
    let now = site.now();
    let passkeys = on(site, from, now)?;
    let claim = passkeys.claimed(body, now).map_err(NotIn::Trouble)?;
    let store = &site.app.store;
    let record = store.passkey(&claim.id()).await?.ok_or(NotIn::Unknown)?;
    let kept = Kept {
        handle: &record.handle,
        key: &record.key,
        state: &record.state,
    };
    let state = passkeys.proven(claim, &kept).map_err(|why| match why {
        PasskeyTrouble::Untrue(_) => {
            tracing::warn!(%why, passkey = record.name, who = record.who, ?from, "A passkey does not hold; a counter that went back may mean a copy.");
            NotIn::Untrue
        }
        why @ (PasskeyTrouble::Unreadable
        | PasskeyTrouble::NotBegun
        | PasskeyTrouble::Busy
        | PasskeyTrouble::Kept
        | PasskeyTrouble::Unaskable(_)) => NotIn::Trouble(why),
    })?;
    if !site.counts(&record, now) {
        return Err(NotIn::NotVouched);
    }
    // Of two uses of one state only one counts, and a passkey that was removed meanwhile does not.
    if !store
        .passkey_used(&record.id, &record.state, &state, now)
        .await?
    {
        return Err(NotIn::Untrue);
    }
    let subject = match record.owner {
        PasskeyOwner::Machine => None,
        PasskeyOwner::Person { subject, .. } => Some(subject),
    };
    let session = NewSession {
        role: record.role,
        how: SignedInBy::Passkey,
        who: record.who,
        from,
        passkey: Some(PasskeyPart {
            id: record.id,
            subject,
        }),
        ..NewSession::by_link(now, now.plus_millis(SESSION_MS))
    };
    Ok((session, record.name))
}

impl Site {
    /// Whether somebody whose word counts has said lately enough what this passkey gives.
    pub(crate) fn counts(&self, record: &PasskeyRecord, now: Timestamp) -> bool {
        let (Some(settings), PasskeyOwner::Person { issuer, .. }) =
            (&self.app.passkeys, &record.owner)
        else {
            return self.app.passkeys.is_some();
        };
        let provider = self.app.oidc.as_ref();
        let same = provider.is_some_and(|provider| provider.issuer() == issuer);
        same && record.vouched > Timestamp::default() && settings.counts(record.vouched, now)
    }

    /// The provider has just said who somebody is and what he may; none where he may nothing. His passkeys give that from now
    /// on, and sessions begun with one that gave something else are over.
    pub(crate) async fn vouched(&self, subject: &str, said: Option<(&str, DashRole)>) {
        let Some(provider) = &self.app.oidc else {
            return;
        };
        let now = self.now();
        let noted = self
            .app
            .store
            .vouch_passkeys(provider.issuer(), subject, said, now);
        let ended = match noted.await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "What somebody may now cannot be noted at his passkeys.");
                return;
            }
        };
        for token in ended {
            self.memory.end(token);
            let change = NewChange {
                at: now,
                by: "the sign-in provider".to_owned(),
                how: SignedInBy::Oidc,
                from: None,
                what: "sign_in.ended".to_owned(),
                subject: said.map_or(subject, |(who, _)| who).to_owned(),
                detail: "begun with a passkey that gives another role now".to_owned(),
            };
            // It is over already; that it cannot be written down brings nobody back.
            self.record_of(change).await.ok();
        }
    }
}
