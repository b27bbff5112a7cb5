//! A passkey is removed by whose it is, or by an admin; every session begun with it ends with it.

use super::keys::{may_hold, owner};
use crate::answer::{problem, refusal};
use crate::caller::Caller;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use store::{PasskeyOwner, StoreError};

const UNKNOWN: &str = "There is no such passkey of yours.";
const UNREADABLE: &str = "The database does not answer, so the passkey still counts.";

/// Why a passkey still counts.
#[derive(Debug)]
enum Stays {
    /// There is none, or it is somebody else's: the same, so that nobody learns which.
    Unknown,
    /// It could not be written down that it goes.
    NotRecorded(NotRecorded),
    /// The database cannot say, or did not do it.
    Unreadable,
}

impl From<StoreError> for Stays {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, source = ?std::error::Error::source(&error), "A passkey cannot be removed.");
        Self::Unreadable
    }
}

async fn removed(site: &Site, caller: &Caller, id: &str) -> Result<(), Stays> {
    let mine = owner(site, caller);
    let record = site.app.store.passkey(id).await?;
    let record = record.filter(|it| may_hold(caller, mine.as_ref(), it));
    let record = record.ok_or(Stays::Unknown)?;
    let detail = match record.owner {
        PasskeyOwner::Machine => "the machine's owner".to_owned(),
        PasskeyOwner::Person { .. } => record.who,
    };
    let change = Change {
        what: "passkey.remove",
        subject: &record.name,
        detail: &detail,
    };
    let recorded = site.record(caller, &change).await;
    recorded.map_err(Stays::NotRecorded)?;
    let ended = site.app.store.remove_passkey(&record.id).await?;
    ended.into_iter().for_each(|token| site.memory.end(token));
    Ok(())
}

/// Which one.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    id: String,
}

pub(crate) async fn remove(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(which): Form<Which>,
) -> Response {
    match removed(&site, &caller, &which.id).await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(Stays::Unknown) => refusal(StatusCode::NOT_FOUND, UNKNOWN),
        Err(Stays::NotRecorded(refused)) => refused.into_response(),
        Err(Stays::Unreadable) => refusal(StatusCode::SERVICE_UNAVAILABLE, UNREADABLE),
    }
}

pub(crate) async fn remove_json(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Response {
    match removed(&site, &caller, &id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(Stays::Unknown) => problem(StatusCode::NOT_FOUND, "no_such_passkey", UNKNOWN),
        Err(Stays::NotRecorded(refused)) => refused.problem(),
        Err(Stays::Unreadable) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNREADABLE)
        }
    }
}
