//! Bodies, bounded in length and time.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use net_model::Refused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// What is answered.
pub type Answer = Response<Full<Bytes>>;

/// A body that was too long, too slow, or broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long, too slow, or broken off")]
pub struct TooMuch;

/// The whole body, within `most` bytes and `limit`.
///
/// # Errors
/// When it is longer, slower, or ends early.
pub async fn read(body: Incoming, most: usize, limit: Duration) -> Result<Bytes, TooMuch> {
    let whole = Limited::new(body, most).collect();
    match tokio::time::timeout(limit, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) | Err(_) => Err(TooMuch),
    }
}

/// A body as the value it stands for.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|why| {
        let (line, column) = (why.line(), why.column());
        format!("not the expected JSON: line {line}, column {column}")
    })
}

/// An answer in JSON.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => text(status, "application/json", body),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Vec::new()),
    }
}

/// A refusal that says why.
#[must_use]
pub fn refused(status: StatusCode, why: &str) -> Answer {
    let why = Refused {
        error: why.to_owned(),
    };
    json(status, &why)
}

/// Any other answer.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
