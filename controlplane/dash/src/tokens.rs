//! Tokens for programs: made with a role and an end, shown once, revoked at once. None may more than who made it, and none
//! restores without a code.

mod page;

pub(crate) use page::{create_by_form, revoke_by_form, show};

use crate::answer::problem;
use crate::caller::Caller;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::slice::{self, Slice};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use kill_wire::{Name, NotAName, Timestamp};
use net_model::{DashRole, KeyHash, Secret, SignedInBy};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use store::{Session, StoreError, TokenRecord};

/// With this every token begins, so that one is known where it should not stand.
const PREFIX: &str = "pct_";
/// Longest credential that is looked at.
const LONGEST: usize = 128;
/// How long a token lets in where nothing is said, and at most.
const DAYS: u32 = 90;
const MOST_DAYS: u32 = 366;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Tokens of one answer where nothing else is asked.
const USUAL: u32 = 100;

/// What is kept of the token that a program sends as its credential.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<KeyHash> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    let ours = scheme.eq_ignore_ascii_case(b"bearer ") && token.starts_with(PREFIX.as_bytes());
    (ours && token.len() <= LONGEST).then(|| KeyHash::of(token))
}

/// The same as a session has it, so that a cut needs no database for either.
pub(crate) fn as_session(token: KeyHash, record: TokenRecord) -> Session {
    Session {
        token,
        created: record.created,
        expires: record.expires,
        role: record.role,
        how: SignedInBy::Token,
        who: record.name.to_string(),
        from: None,
        renew_at: None,
        subject: None,
        passkey: None,
    }
}

/// What is wanted of a new token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    name: String,
    role: String,
    days: Option<u32>,
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
enum NoToken {
    #[error("`name`: {0}")]
    Name(#[from] NotAName),
    #[error("`role`: expected viewer, operator or admin")]
    Role,
    #[error("`days`: 1 to {MOST_DAYS}")]
    Days,
    #[error("a token may never have more than who makes it")]
    TooMuch,
    #[error("there is, or was, a token of that name; choose another")]
    Taken,
    #[error("the system gives no random numbers")]
    NoChance,
    #[error("{}", NotRecorded::TEXT)]
    NotRecorded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoToken {
    const fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Name(_) | Self::Role | Self::Days => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid")
            }
            Self::TooMuch => (StatusCode::FORBIDDEN, "more_than_its_maker"),
            Self::Taken => (StatusCode::CONFLICT, "taken"),
            Self::NotRecorded => (StatusCode::SERVICE_UNAVAILABLE, "not_recorded"),
            Self::NoChance | Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn problem(&self) -> Response {
        let (status, code) = self.told();
        problem(status, code, &self.to_string())
    }
}

/// Makes a token as `caller` may; the token itself is said this once.
async fn make(
    site: &Site,
    caller: &Caller,
    wanted: &Wanted,
) -> Result<(Secret, TokenRecord), NoToken> {
    let now = site.now();
    let record = read(caller, wanted, now)?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| NoToken::NoChance)?;
    let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&random));
    let token = Secret::new(&text).map_err(|_| NoToken::NoChance)?;
    let detail = format!("role {}, until {}", record.role, record.expires);
    let change = Change {
        what: "token.create",
        subject: record.name.as_str(),
        detail: &detail,
    };
    let recorded = site.record(caller, &change).await;
    recorded.map_err(|NotRecorded| NoToken::NotRecorded)?;
    let hash = KeyHash::of(text.as_bytes());
    if site.app.store.create_token(hash, &record).await? {
        Ok((token, record))
    } else {
        Err(NoToken::Taken)
    }
}

fn read(caller: &Caller, wanted: &Wanted, now: Timestamp) -> Result<TokenRecord, NoToken> {
    let name = wanted.name.trim().parse()?;
    let role: DashRole = wanted.role.parse().map_err(|_| NoToken::Role)?;
    let days = wanted.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(NoToken::Days);
    }
    let until = now.millis().saturating_add(u64::from(days) * DAY_MS);
    let expires = Timestamp::from_millis(until);
    // What a token makes does not outlive it; a person's session is short by its nature.
    let outlives = caller.how() == SignedInBy::Token && caller.expires() < Some(expires);
    if role > caller.role() || outlives {
        return Err(NoToken::TooMuch);
    }
    Ok(TokenRecord {
        name,
        role,
        created: now,
        created_by: caller.by(),
        expires,
        revoked: None,
        last_used: None,
    })
}

/// Ends a token; false when there is none that lets in.
async fn revoke(site: &Site, caller: &Caller, name: &Name) -> Result<bool, NoToken> {
    let change = Change {
        what: "token.revoke",
        subject: name.as_str(),
        detail: "",
    };
    let recorded = site.record(caller, &change).await;
    recorded.map_err(|NotRecorded| NoToken::NotRecorded)?;
    let hash = site.app.store.revoke_token(name, site.now()).await?;
    if let Some(hash) = hash {
        site.memory.end(hash);
    }
    Ok(hash.is_some())
}

pub(crate) async fn create(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Json(wanted): Json<Wanted>,
) -> Response {
    match make(&site, &caller, &wanted).await {
        Ok((token, record)) => {
            let made = json!({ "token": token.expose(), "record": record });
            (StatusCode::CREATED, Json(made)).into_response()
        }
        Err(error) => error.problem(),
    }
}

pub(crate) async fn end(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    let none = || {
        let text = "there is no such token, or it is revoked already";
        problem(StatusCode::NOT_FOUND, "no_such_token", text)
    };
    let Ok(name) = name.parse::<Name>() else {
        return none();
    };
    match revoke(&site, &caller, &name).await {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => none(),
        Err(error) => error.problem(),
    }
}

/// By name, those that no longer let in as well.
pub(crate) async fn list(
    _: Caller,
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice>,
) -> Response {
    let limit = slice.limit(USUAL);
    let after = slice.after.as_deref();
    match site.app.store.tokens(after, limit + 1).await {
        Ok(items) => {
            let answer = slice::page(items, limit, |token| token.name.to_string());
            Json(answer).into_response()
        }
        Err(error) => NoToken::Store(error).problem(),
    }
}
