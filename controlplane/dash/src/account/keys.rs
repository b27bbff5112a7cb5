//! A passkey is added by a fresh sign-in, for whoever that is and with what he may.
//!
//! It has no twin for programs: what is asked stands in a session of a browser, and what answers is a device at its hand,
//! which signs for the house's own address alone. A program has its token.

use super::MOST;
use crate::answer::problem;
use crate::caller::Caller;
use crate::passkey_in::{status, told};
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{DashRole, SignedInBy};
use passkeys::{Holder, PasskeyTrouble, Passkeys};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use store::{PasskeyOwner, PasskeyRecord, Session, StoreError};

/// How old a sign-in may be that adds a passkey.
const FRESH_MS: u64 = 10 * 60 * 1000;
/// Most passkeys of a person.
const MOST_OF_ONE: usize = 16;
/// Most characters of a name.
const LONGEST_NAME: usize = 40;

const OFF: &str = "Passkeys are off here: the configuration names no address for them.";
const NO_PERSON: &str = "Passkeys are for people who sign in here. Whoever the mesh lets in needs none, and a program has its token.";
const NOT_FRESH: &str =
    "Adding a passkey needs a sign-in of the last ten minutes. Sign out, and in again.";
const NOT_VOUCHED: &str =
    "The passkey you signed in with counts no more. Sign in another way first.";

/// Why no passkey is added.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAdded {
    #[error("{OFF}")]
    Off,
    #[error("{NO_PERSON}")]
    NoPerson,
    #[error("{NOT_FRESH}")]
    NotFresh,
    #[error("{NOT_VOUCHED}")]
    NotVouched,
    #[error("Too many attempts from your address. Wait a minute.")]
    TooMany,
    #[error(
        "There are too many passkeys already: {MOST_OF_ONE} for a person, {MOST} for the house. Remove one first."
    )]
    Full,
    #[error("`name`: 1 to {LONGEST_NAME} characters")]
    Name,
    #[error("This passkey is known here already.")]
    Known,
    #[error("This passkey was not added: {0}.")]
    Trouble(PasskeyTrouble),
    #[error("{}", NotRecorded::TEXT)]
    NotRecorded,
    #[error("The database does not answer, so no passkey was added.")]
    Store(#[from] StoreError),
}

impl NotAdded {
    /// Why nobody like this could add one.
    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::Off => OFF,
            Self::NoPerson => NO_PERSON,
            Self::NotFresh => NOT_FRESH,
            Self::NotVouched => NOT_VOUCHED,
            Self::TooMany
            | Self::Full
            | Self::Name
            | Self::Known
            | Self::Trouble(_)
            | Self::NotRecorded
            | Self::Store(_) => "No passkey can be added now.",
        }
    }

    fn answer(&self) -> Response {
        let (status, code) = match self {
            Self::Off => (StatusCode::NOT_FOUND, "off"),
            Self::NoPerson => (StatusCode::FORBIDDEN, "no_person"),
            Self::NotFresh => (StatusCode::FORBIDDEN, "not_fresh"),
            Self::NotVouched => (StatusCode::FORBIDDEN, "not_vouched"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Full => (StatusCode::CONFLICT, "full"),
            Self::Name => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Known => (StatusCode::CONFLICT, "known"),
            Self::Trouble(why) => (status(why), "refused"),
            Self::NotRecorded => (StatusCode::SERVICE_UNAVAILABLE, "not_recorded"),
            Self::Store(error) => {
                tracing::error!(%error, source = ?std::error::Error::source(error), "A passkey cannot be kept.");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
        };
        problem(status, code, &self.to_string())
    }
}

/// Whose passkeys are the caller's own; nobody's for who is not a person of this house.
pub(super) fn owner(site: &Site, caller: &Caller) -> Option<PasskeyOwner> {
    let session = caller.session()?;
    match (session.how, &session.subject) {
        (SignedInBy::Link, _) | (SignedInBy::Passkey, None) => Some(PasskeyOwner::Machine),
        (SignedInBy::Oidc | SignedInBy::Passkey, Some(subject)) => {
            let issuer = site.app.oidc.as_ref()?.issuer().to_owned();
            let subject = subject.clone();
            Some(PasskeyOwner::Person { issuer, subject })
        }
        (SignedInBy::Oidc, None) | (SignedInBy::Mesh | SignedInBy::Token, _) => None,
    }
}

/// Whether the caller may see a passkey and take it away: one's own, and for an admin all of them.
pub(super) fn may_hold(caller: &Caller, mine: Option<&PasskeyOwner>, it: &PasskeyRecord) -> bool {
    caller.role() == DashRole::Admin || mine == Some(&it.owner)
}

/// Whether the caller may add one now, and for whom.
pub(super) fn may_add<'a>(
    site: &'a Site,
    caller: &'a Caller,
) -> Result<(&'a Passkeys, &'a Session, PasskeyOwner), NotAdded> {
    let passkeys = site.passkeys.as_ref().ok_or(NotAdded::Off)?;
    let owner = owner(site, caller).ok_or(NotAdded::NoPerson)?;
    let session = caller.session().ok_or(NotAdded::NoPerson)?;
    if site.now().since(session.created) > FRESH_MS {
        return Err(NotAdded::NotFresh);
    }
    Ok((passkeys, session, owner))
}

pub(crate) async fn begin(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match asked(&site, &caller).await {
        Ok(text) => told(text),
        Err(why) => why.answer(),
    }
}

async fn asked(site: &Site, caller: &Caller) -> Result<String, NotAdded> {
    let now = site.now();
    let (passkeys, session, owner) = may_add(site, caller)?;
    if !site.attempts.allow(caller.from(), now) {
        return Err(NotAdded::TooMany);
    }
    let own = room(site, &owner).await?;
    let shown = match owner {
        PasskeyOwner::Machine => "The machine's owner",
        PasskeyOwner::Person { .. } => caller.login(),
    };
    let holder = Holder {
        handle: own.first().map(|record| record.handle.as_str()),
        login: caller.login(),
        shown,
    };
    let there: Vec<String> = own.iter().map(|record| record.id.clone()).collect();
    let asked = passkeys.ask_to_make(&holder, &there, session.token, now);
    asked.map_err(NotAdded::Trouble)
}

/// The owner's passkeys, where there is room for another.
async fn room(site: &Site, owner: &PasskeyOwner) -> Result<Vec<PasskeyRecord>, NotAdded> {
    let all = site.app.store.passkeys(MOST).await?;
    let full = all.len() >= MOST as usize;
    let own: Vec<_> = all.into_iter().filter(|it| it.owner == *owner).collect();
    if full || own.len() >= MOST_OF_ONE {
        return Err(NotAdded::Full);
    }
    Ok(own)
}

/// What a browser made, and what it is to be called.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filled<'a> {
    name: String,
    #[serde(borrow)]
    credential: &'a RawValue,
}

pub(crate) async fn add(caller: Caller, State(site): State<Arc<Site>>, body: Bytes) -> Response {
    match added(&site, &caller, &body).await {
        Ok(()) => (StatusCode::CREATED, told("{}".to_owned())).into_response(),
        Err(why) => {
            tracing::info!(%why, "A passkey was not added.");
            why.answer()
        }
    }
}

async fn added(site: &Site, caller: &Caller, body: &[u8]) -> Result<(), NotAdded> {
    let (passkeys, session, owner) = may_add(site, caller)?;
    let unreadable = |_| NotAdded::Trouble(PasskeyTrouble::Unreadable);
    let filled: Filled<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let name = filled.name.trim();
    let length = name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
        return Err(NotAdded::Name);
    }
    let now = site.now();
    let made = passkeys.made(filled.credential.get().as_bytes(), session.token, now);
    let made = made.map_err(NotAdded::Trouble)?;
    room(site, &owner).await?;
    let record = PasskeyRecord {
        vouched: vouched(site, session, now).await?,
        id: made.id,
        name: name.to_owned(),
        handle: made.handle,
        owner,
        who: session.who.clone(),
        role: session.role,
        key: made.key,
        state: made.state,
        created: now,
        last_used: None,
    };
    let detail = format!("gives {}", record.role);
    let change = Change {
        what: "passkey.add",
        subject: name,
        detail: &detail,
    };
    let recorded = site.record(caller, &change).await;
    recorded.map_err(|NotRecorded| NotAdded::NotRecorded)?;
    if site.app.store.add_passkey(&record).await? {
        Ok(())
    } else {
        Err(NotAdded::Known)
    }
}

/// When it was last said what the caller may. A passkey says nothing new: the one it adds counts no longer than itself.
async fn vouched(site: &Site, session: &Session, now: Timestamp) -> Result<Timestamp, NotAdded> {
    let Some(id) = &session.passkey else {
        return Ok(session.created);
    };
    let first = site.app.store.passkey(id).await?;
    let first = first.filter(|first| first.role == session.role && site.counts(first, now));
    Ok(first.ok_or(NotAdded::NotVouched)?.vouched)
}
