//! The record of changes: who, from where, by which sign-in. A change that cannot be written down is not made; a cut is
//! never refused for it.

use crate::answer;
use crate::caller::Caller;
use crate::site::Site;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use store::NewChange;

/// How long writing it down may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What somebody is about to change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// What is done, such as `token.create`.
    pub(crate) what: &'static str,
    /// To what, such as the token's name.
    pub(crate) subject: &'a str,
    /// What else there is to say; never a secret.
    pub(crate) detail: &'a str,
}

/// It could not be written down, so it must not be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotRecorded;

impl NotRecorded {
    /// As people read it.
    pub(crate) const TEXT: &'static str = "This cannot be written down now, so it was not done: the database does not answer. A cut works without it.";

    /// For programs.
    pub(crate) fn problem(self) -> Response {
        answer::problem(StatusCode::SERVICE_UNAVAILABLE, "not_recorded", Self::TEXT)
    }
}

impl IntoResponse for NotRecorded {
    fn into_response(self) -> Response {
        answer::refusal(StatusCode::SERVICE_UNAVAILABLE, Self::TEXT)
    }
}

impl Site {
    /// Writes down what `caller` is about to change. Before the change: what is refused here must not be done.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        change: &Change<'_>,
    ) -> Result<(), NotRecorded> {
        self.record_of(NewChange {
            at: self.now(),
            by: caller.by(),
            how: caller.how(),
            from: caller.from(),
            what: change.what.to_owned(),
            subject: change.subject.to_owned(),
            detail: change.detail.to_owned(),
        })
        .await
    }

    /// The same for a change that no caller makes, such as the sign-in itself.
    pub(crate) async fn record_of(&self, change: NewChange) -> Result<(), NotRecorded> {
        let what = change.what.clone();
        match tokio::time::timeout(PATIENCE, self.app.store.keep_change(&change)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), what, "A change cannot be written down.");
                Err(NotRecorded)
            }
            Err(_) => {
                tracing::error!(what, "A change cannot be written down in time.");
                Err(NotRecorded)
            }
        }
    }
}
