//! The access log: one line for each answer, without bodies and without what a query holds.
//!
//! It is written when the level of the target `access` is `debug`; otherwise nothing is even noted.

use crate::{headers::REQUEST_ID_HEADER, proxies::Client};
use http::{Method, Request, Response, Version};
use std::net::IpAddr;
use tokio::time::Instant;
use tracing::Level;

/// Longest path that is shown.
const MAX_PATH: usize = 128;

/// What a line says of a request.
#[derive(Debug)]
pub(crate) struct Seen {
    client: Option<IpAddr>,
    method: Method,
    path: String,
    version: Version,
    at: Instant,
}

impl Seen {
    /// Notes it, if anybody wants to know.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        tracing::enabled!(target: "access", Level::DEBUG).then(|| Self {
            client: request.extensions().get::<Client>().map(|client| client.0),
            method: request.method().clone(),
            path: request.uri().path().chars().take(MAX_PATH).collect(),
            version: request.version(),
            at: Instant::now(),
        })
    }

    /// The head of the answer goes out.
    pub(crate) fn answered<B>(self, response: &Response<B>) {
        let id = response.headers().get(REQUEST_ID_HEADER);
        tracing::debug!(
            target: "access",
            client = self.client.map(tracing::field::display),
            method = %self.method,
            path = self.path,
            version = ?self.version,
            status = response.status().as_u16(),
            request_id = id.and_then(|id| id.to_str().ok()),
            head_ms = u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX),
            "Answered."
        );
    }
}
