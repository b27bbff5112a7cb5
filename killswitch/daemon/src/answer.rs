//! What the webhook listener answers with.

use bytes::Bytes;
use http::{StatusCode, header};
use http_body_util::Full;

/// What is answered here.
pub(crate) type Response = http::Response<Full<Bytes>>;

/// A line for whoever looks.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response {
    reply(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(text.as_bytes()),
    )
}

/// A value in its JSON form.
pub(crate) fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => reply(StatusCode::OK, "application/json", body.into()),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "No JSON form.\n"),
    }
}

/// An answer nobody may keep.
pub(crate) fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = http::Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
