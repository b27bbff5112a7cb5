//! One's own account: who one is here, one's browsers, one's passkeys. An admin sees everybody's passkeys, to end one at once.

pub(crate) mod api;
mod keys;
mod removing;

pub(crate) use keys::{add, begin};
pub(crate) use removing::{remove, remove_json};

use crate::answer::{html, refusal};
use crate::assets::address;
use crate::caller::Caller;
use crate::frame::Frame;
use crate::sessions::{self, Row, own};
use crate::site::Site;
use crate::view::When;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kill_wire::Timestamp;
use net_model::{DashRole, SignedInBy};
use std::sync::Arc;
use store::{PasskeyOwner, PasskeyRecord, Session, StoreError};

/// Most passkeys of the house.
const MOST: u32 = 500;

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    frame: Frame,
    script: String,
    who: String,
    role: DashRole,
    by: &'static str,
    from: String,
    since: Option<When>,
    until: Option<When>,
    sessions: Vec<Row>,
    keys: Vec<Key>,
    /// Other people's; for an admin.
    others: Vec<Key>,
    admin: bool,
    /// Where passkeys count; none where they are off.
    origin: Option<String>,
    /// Why none can be added now.
    not_now: Option<&'static str>,
}

struct Key {
    id: String,
    name: String,
    who: String,
    role: DashRole,
    created: When,
    used: Option<When>,
    counts: bool,
}

impl Key {
    fn of(site: &Site, record: PasskeyRecord, now: Timestamp) -> Self {
        Self {
            counts: site.counts(&record, now),
            id: record.id,
            name: record.name,
            who: match record.owner {
                PasskeyOwner::Machine => "The machine’s owner".to_owned(),
                PasskeyOwner::Person { .. } => record.who,
            },
            role: record.role,
            created: When::day(record.created),
            used: record.last_used.map(When::day),
        }
    }
}

const fn by(how: SignedInBy) -> &'static str {
    match how {
        SignedInBy::Link => "a one-time link of the machine",
        SignedInBy::Oidc => "the house’s account",
        SignedInBy::Passkey => "a passkey",
        SignedInBy::Mesh => "the mesh, without a session",
        SignedInBy::Token => "an API token",
    }
}

fn who(caller: &Caller) -> String {
    match (caller.login(), caller.how()) {
        ("", SignedInBy::Link | SignedInBy::Passkey) => "The machine’s owner".to_owned(),
        ("", SignedInBy::Oidc | SignedInBy::Mesh | SignedInBy::Token) => "–".to_owned(),
        (login, _) => login.to_owned(),
    }
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match page(&site, &caller).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Somebody's account cannot be read.");
            let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
            refusal(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

/// The caller's, by whatever browser.
async fn own_sessions(site: &Site, caller: &Caller) -> Result<Vec<Session>, StoreError> {
    let store = &site.app.store;
    let mut sessions = store.sessions(site.now(), sessions::MOST).await?;
    sessions.retain(|it| own(caller, it));
    Ok(sessions)
}

async fn page(site: &Site, caller: &Caller) -> Result<Page, StoreError> {
    let now = site.now();
    let sessions = own_sessions(site, caller).await?.into_iter();
    let mine = keys::owner(site, caller);
    let all = site.app.store.passkeys(MOST).await?;
    let is_mine = |record: &PasskeyRecord| mine.as_ref() == Some(&record.owner);
    let (keys, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_mine);
    let admin = caller.role() == DashRole::Admin;
    let key = |record| Key::of(site, record, now);
    let passkeys = site.passkeys.as_ref();
    Ok(Page {
        frame: Frame::of(site, caller, "/account"),
        script: address("passkey.js"),
        who: who(caller),
        role: caller.role(),
        by: by(caller.how()),
        from: caller
            .from()
            .map_or_else(|| "–".to_owned(), |ip| ip.to_string()),
        since: caller.session().map(|it| When::day(it.created)),
        until: caller.expires().map(When::day),
        sessions: sessions.map(|it| Row::of(caller, it)).collect(),
        keys: keys.into_iter().map(key).collect(),
        others: others.into_iter().filter(|_| admin).map(key).collect(),
        admin,
        origin: passkeys.map(|it| it.party().origin().to_owned()),
        not_now: keys::may_add(site, caller).err().map(|why| why.text()),
    })
}
