//! The forms every answer has: a drawn template, a refusal for people, an error for programs.

use crate::view::Outcome;
use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// A drawn template as an answer.
pub(crate) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "A page cannot be drawn.");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The page cannot be drawn.\n",
            )
                .into_response()
        }
    }
}

/// A request that got nowhere, drawn like any other outcome.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Response {
    html(status, &Outcome::refused("Nothing was done", text))
}

/// An error as JSON.
pub(crate) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "error": { "code": code, "message": message } });
    (status, Json(body)).into_response()
}
