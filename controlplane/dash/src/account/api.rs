//! The account for programs: who asks, his passkeys and his sessions; and everybody's passkeys for an admin.

use super::{MOST, keys, own_sessions};
use crate::answer::problem;
use crate::api::sessions::shown as session;
use crate::caller::Caller;
use crate::site::Site;
use crate::slice;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{PasskeyOwner, PasskeyRecord, StoreError};

pub(crate) async fn account(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match read(&site, &caller).await {
        Ok(account) => Json(account).into_response(),
        Err(error) => unreadable(&error),
    }
}

async fn read(site: &Site, caller: &Caller) -> Result<Value, StoreError> {
    let sessions = own_sessions(site, caller).await?;
    let sessions: Vec<Value> = sessions.iter().map(|it| session(caller, it)).collect();
    let all = site.app.store.passkeys(MOST).await?;
    let mine = keys::owner(site, caller);
    let own = all.iter().filter(|it| mine.as_ref() == Some(&it.owner));
    let passkeys: Vec<Value> = own.map(|it| shown(site, mine.as_ref(), it)).collect();
    let not_now = keys::may_add(site, caller).err().map(|why| why.text());
    Ok(json!({
        "who": some(caller.login()), "role": caller.role(), "how": caller.how().as_str(), "from": caller.from(),
        "since": caller.session().map(|it| it.created), "expires": caller.expires(),
        "sessions": sessions, "passkeys": passkeys,
        "adding": { "origin": site.passkeys.as_ref().map(|it| it.party().origin()), "not_now": not_now },
    }))
}

/// One's own, and all of them for an admin; a house has few.
pub(crate) async fn passkeys(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let mine = keys::owner(&site, &caller);
    match site.app.store.passkeys(MOST).await {
        Ok(all) => {
            let items = all.iter();
            let items = items.filter(|it| keys::may_hold(&caller, mine.as_ref(), it));
            let items: Vec<Value> = items.map(|it| shown(&site, mine.as_ref(), it)).collect();
            Json(slice::whole(&items)).into_response()
        }
        Err(error) => unreadable(&error),
    }
}

fn shown(site: &Site, mine: Option<&PasskeyOwner>, it: &PasskeyRecord) -> Value {
    let who = match it.owner {
        PasskeyOwner::Machine => None,
        PasskeyOwner::Person { .. } => some(&it.who),
    };
    json!({
        "id": it.id, "name": it.name, "who": who, "own": mine == Some(&it.owner), "role": it.role,
        "created": it.created, "last_used": it.last_used, "counts": site.counts(it, site.now()),
    })
}

/// Nobody where a name is empty: the machine's owner has none.
fn some(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

fn unreadable(error: &StoreError) -> Response {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "Somebody's account cannot be read.");
    let text = "the database does not answer";
    problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text)
}
