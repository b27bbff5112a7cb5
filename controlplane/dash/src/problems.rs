//! Every error under `/api` is a problem (RFC 9457), whoever makes it: a handler, the guard, or the router itself, which
//! knows of no such path, another method, a body too long or in another form.

use crate::answer::problem;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// Longest text of the router's own that is taken over.
const LONGEST: usize = 2 * 1024;

/// The media type of a problem.
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The layer.
pub(crate) async fn only(request: Request, next: Next) -> Response {
    let of_api = request.uri().path().starts_with("/api/");
    let answer = next.run(request).await;
    let status = answer.status();
    let fine = !of_api || !(status.is_client_error() || status.is_server_error());
    if fine || answer.headers().get(header::CONTENT_TYPE) == Some(&PROBLEM) {
        return answer;
    }
    let (head, body) = answer.into_parts();
    let said = to_bytes(body, LONGEST).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let (code, text) = words(status);
    let detail = if said.trim().is_empty() {
        text
    } else {
        said.trim()
    };
    let mut answer = problem(status, code, detail);
    keep(answer.headers_mut(), &head.headers);
    answer
}

/// What a client needs besides.
fn keep(to: &mut HeaderMap, from: &HeaderMap) {
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

const fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("bad_request", "The request cannot be read."),
        StatusCode::UNAUTHORIZED => ("not_signed_in", "Sign in, or send a token."),
        StatusCode::FORBIDDEN => ("forbidden", "This is not allowed."),
        StatusCode::NOT_FOUND => (
            "no_such_path",
            "The API has no such path; /api/v1/openapi.json says which it has.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "This path does not take that method; the header Allow says which it takes.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The body is too long."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported_media_type",
            "Send the body as application/json.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => ("invalid", "The body does not say what this takes."),
        _ if status.as_u16() >= 500 => ("failed", "This failed; the log of the house says why."),
        _ => ("refused", "This was refused."),
    }
}
