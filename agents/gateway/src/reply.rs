//! The gateway's answers: its own words, its refusals, and what passes through from a target.

use crate::{deny::Denied, hold::Hold, named::name_to_client, relay::Relay};
use bytes::Bytes;
use gateway_core::limits::ceil_secs;
use http::{HeaderName, HeaderValue, Response, header};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use kill_wire::INCIDENT_HEADER;
use net_model::{Alias, Family};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Told to whoever is refused by a cut: seconds until asking again makes sense.
const RETRY_AFTER: &str = "30";

/// Official SDKs obey this header; without it they sleep through `retry-after` and ask again by themselves.
const SHOULD_RETRY: &str = "x-should-retry";

/// Longest time that a client shall wait by itself for a limit to free.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Our own words.
    Whole(Full<Bytes>),
    /// A target's answer, passing through.
    Relay(Box<Relay>),
    /// A probe's stream, held until it is cut.
    Hold(Box<Hold>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Whole(full) => Pin::new(full)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Relay(relay) => Pin::new(relay.as_mut()).poll_frame(cx),
            Self::Hold(hold) => hold.poll_next(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(full) => full.is_end_stream(),
            Self::Relay(relay) => relay.is_end_stream(),
            Self::Hold(hold) => hold.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(full) => full.size_hint(),
            Self::Relay(relay) => relay.size_hint(),
            Self::Hold(_) => SizeHint::default(),
        }
    }
}

/// Our own words, as JSON text.
pub(crate) fn json(text: Vec<u8>) -> Response<Reply> {
    ours(text, JSON)
}

/// Figures for Prometheus.
pub(crate) fn metrics(text: String) -> Response<Reply> {
    ours(text, METRICS)
}

/// A refusal as a client of this family knows it, with what clients need to obey it.
pub(crate) fn refusal(
    denied: &Denied,
    family: Family,
    id: &str,
    asked_as: Option<&Alias>,
) -> Response<Reply> {
    let mut response = json(denied.json(family, Some(id)));
    *response.status_mut() = denied.status();
    let headers = response.headers_mut();
    name_to_client(headers, id, asked_as);
    if let Some(incident) = denied.incident() {
        headers.insert(
            HeaderName::from_static(INCIDENT_HEADER),
            HeaderValue::from(incident.get()),
        );
    }
    if matches!(denied, Denied::Cut(..) | Denied::Paused(_) | Denied::Closed) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        headers.insert(
            HeaderName::from_static(SHOULD_RETRY),
            HeaderValue::from_static("false"),
        );
    }
    if matches!(denied, Denied::Tripped(..)) {
        headers.insert(
            HeaderName::from_static(SHOULD_RETRY),
            HeaderValue::from_static("false"),
        );
    }
    if let Denied::Limited(limited) = denied {
        if let Some(wait) = limited.wait {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(ceil_secs(wait).max(1)),
            );
        }
        if limited.wait.is_none_or(|wait| wait > LONGEST_WAIT) {
            headers.insert(
                HeaderName::from_static(SHOULD_RETRY),
                HeaderValue::from_static("false"),
            );
        }
    }
    if matches!(denied, Denied::NoUpgrade) {
        // RFC 9110 section 15.5.22, RFC 6455 section 4.4.
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
    }
    if let Denied::NoTarget(_, after) = denied {
        let seconds = after.as_secs().saturating_add(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(
        denied,
        Denied::TooLarge | Denied::SlowBody | Denied::Draining
    ) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn ours(text: impl Into<Bytes>, content: HeaderValue) -> Response<Reply> {
    let mut response = Response::new(Reply::Whole(Full::new(text.into())));
    response.headers_mut().insert(header::CONTENT_TYPE, content);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Scope;

    #[test]
    fn a_cut_reads_as_probes_expect() {
        let response = refusal(
            &Denied::Cut(Scope::Llm, "7".parse().unwrap()),
            Family::OpenAi,
            "b-1",
            None,
        );
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["x-portcullis-request-id"], "b-1");
        assert_eq!(response.headers()["x-portcullis-incident"], "7");
        assert_eq!(response.headers()["retry-after"], "30");
    }

    #[test]
    fn the_answer_to_a_pause_names_no_incident() {
        let response = refusal(&Denied::Paused(Scope::All), Family::OpenAi, "b-1", None);
        assert!(!response.headers().contains_key(INCIDENT_HEADER));
    }
}
