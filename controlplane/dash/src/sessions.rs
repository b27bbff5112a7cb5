//! Signed-in browsers: one's own, and all of them for an admin. Each can be ended at once.

use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::view::When;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use net_model::{DashRole, KeyHash, SignedInBy};
use std::sync::Arc;
use store::{Session, StoreError};

/// Most sessions on the page.
pub(crate) const MOST: u32 = 500;

pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) who: String,
    pub(crate) role: DashRole,
    pub(crate) how: SignedInBy,
    pub(crate) from: String,
    pub(crate) since: When,
    pub(crate) until: When,
    pub(crate) own: bool,
}

impl Row {
    pub(crate) fn of(caller: &Caller, session: Session) -> Self {
        Self {
            id: session.token.to_hex(),
            own: caller.token() == Some(session.token),
            who: match (session.who.is_empty(), session.how) {
                (false, _) => session.who,
                (true, SignedInBy::Passkey) => "The machine’s owner".to_owned(),
                (
                    true,
                    SignedInBy::Link | SignedInBy::Oidc | SignedInBy::Mesh | SignedInBy::Token,
                ) => "Whoever held the link".to_owned(),
            },
            role: session.role,
            how: session.how,
            from: session
                .from
                .map_or_else(|| "–".to_owned(), |ip| ip.to_string()),
            since: When::clock(session.created),
            until: When::clock(session.expires),
        }
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    all: bool,
}

/// Whether it is the caller's own, by whatever browser. A link names nobody, so it owns itself alone; a person of the provider
/// is the same by his account there and by his passkeys, whatever he is called.
pub(crate) fn own(caller: &Caller, session: &Session) -> bool {
    let same = |mine: &Session| match (&mine.subject, &session.subject) {
        (Some(mine), Some(other)) => mine == other,
        (None, None) => {
            !session.who.is_empty() && mine.how == session.how && mine.who == session.who
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    caller.token() == Some(session.token) || caller.session().is_some_and(same)
}

fn may_end(caller: &Caller, session: &Session) -> bool {
    caller.role() == DashRole::Admin || own(caller, session)
}

/// The sessions that `caller` may see.
pub(crate) async fn seen_by(site: &Site, caller: &Caller) -> Result<Vec<Session>, StoreError> {
    let all = site.app.store.sessions(site.now(), MOST).await;
    let mut all = all.inspect_err(|error| {
        tracing::warn!(%error, "Sessions cannot be listed.");
    })?;
    all.retain(|session| may_end(caller, session));
    Ok(all)
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let Ok(rows) = seen_by(&site, &caller).await else {
        let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let rows = rows.into_iter().map(|session| Row::of(&caller, session));
    let page = Page {
        rows: rows.collect(),
        frame: Frame::of(&site, &caller, "/sessions"),
        all: caller.role() == DashRole::Admin,
    };
    html(StatusCode::OK, &page)
}

/// Why a session goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GoesOn {
    /// There is none, or it is somebody else's: the same, so that nobody learns which.
    Unknown,
    /// The database cannot say.
    Unreadable,
    /// It could not be written down that it ends.
    NotRecorded(NotRecorded),
}

/// Ends a session that `caller` may end.
pub(crate) async fn finish(site: &Site, caller: &Caller, id: &str) -> Result<(), GoesOn> {
    let token = KeyHash::from_hex(id).ok_or(GoesOn::Unknown)?;
    let session = match site.app.store.find_session(token, site.now()).await {
        Ok(Some(session)) if may_end(caller, &session) => session,
        Ok(_) => return Err(GoesOn::Unknown),
        Err(error) => {
            tracing::warn!(%error, "A session cannot be looked up.");
            return Err(GoesOn::Unreadable);
        }
    };
    let change = Change {
        what: "session.end",
        subject: &session.who,
        detail: session.how.as_str(),
    };
    // Known before it is ended, so that no answer of the database that is on its way brings it back.
    site.memory.keep(session.clone(), site.now());
    let ended = site.end(caller, token, &change).await;
    ended.map_err(GoesOn::NotRecorded)
}

pub(crate) async fn end(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Response {
    match finish(&site, &caller, &id).await {
        Ok(()) => Redirect::to("/sessions").into_response(),
        Err(GoesOn::Unknown) => {
            refusal(StatusCode::NOT_FOUND, "There is no such session of yours.")
        }
        Err(GoesOn::Unreadable) => {
            let text = "The database does not answer, so the session goes on.";
            refusal(StatusCode::SERVICE_UNAVAILABLE, text)
        }
        Err(GoesOn::NotRecorded(refused)) => refused.into_response(),
    }
}
