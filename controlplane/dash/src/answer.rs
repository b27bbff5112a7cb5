//! The forms every answer has: a drawn template, a refusal for people, an error for programs.

use crate::problems::PROBLEM;
use crate::view::Outcome;
use askama::Template;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
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

/// An error for programs (RFC 9457): `code` is its word, `detail` its text for people.
pub(crate) fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": format!("urn:portcullis:problem:{code}"),
        "title": status.canonical_reason().unwrap_or("Refused"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    let kind = [(header::CONTENT_TYPE, PROBLEM)];
    (status, kind, Json(body)).into_response()
}

/// What a program sent as JSON, or why it cannot be read.
pub(crate) type Sent<T> = Result<Json<T>, JsonRejection>;

/// To a program whose JSON cannot be read.
pub(crate) fn unread(why: &JsonRejection) -> Response {
    bad_request(&why.body_text())
}

/// To a program that asked for what cannot be.
pub(crate) fn bad_request(text: &str) -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", text)
}

/// The same answer, with after how many seconds another makes sense.
pub(crate) fn come_again(mut answer: Response, after: Option<u64>) -> Response {
    if let Some(seconds) = after {
        let value = HeaderValue::from(seconds);
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}
