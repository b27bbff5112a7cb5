//! Traces and figures for OpenTelemetry: a span for each call to a model, and histograms, under the names of the
//! conventions for generative AI (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>, version 1.37).
//!
//! They are exported in the background, as protobuf over HTTP (OTLP). The queue is bounded: a receiver that hangs or is
//! gone costs spans, which are counted, and delays nothing. No body is in them.

mod attributes;
mod call;
mod export;
mod figures;
mod place;
mod span;

pub(crate) use call::{Call, CallTarget, response_model};
pub(crate) use place::Place;

use crate::app::App;
use http::{HeaderMap, HeaderName, HeaderValue};
use net_model::BaseUrl;
use prometheus_client::metrics::counter::Counter;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Calls on their way to the exporter; beyond, they are dropped and counted.
const MAX_QUEUED: usize = 2048;
/// Most headers a receiver may want.
const MAX_HEADERS: usize = 32;

/// Where traces and figures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtelWish {
    /// The receiver; `/v1/traces` and `/v1/metrics` below it are called.
    pub endpoint: BaseUrl,
    /// What it wants to see with each call.
    pub headers: OtelHeaders,
    /// `service.name`.
    pub service_name: String,
}

/// What a receiver wants to see with each call, such as a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtelHeaders(HeaderMap);

impl OtelHeaders {
    /// Reads `name: value` lines; empty ones and those that begin with `#` are passed over. The error shows no value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.split_once(':').and_then(|(name, value)| {
                let name: HeaderName = name.trim().parse().ok()?;
                let mut value: HeaderValue = value.trim().parse().ok()?;
                value.set_sensitive(true);
                Some((name, value))
            });
            let Some((name, value)) = pair else {
                return Err(format!("its line {} is no `name: value`", at + 1));
            };
            headers.append(name, value);
        }
        if headers.len() > MAX_HEADERS {
            return Err(format!("it has more than {MAX_HEADERS} headers"));
        }
        Ok(Self(headers))
    }
}

/// Takes calls in for the exporter, which runs as long as somebody holds this.
#[derive(Debug)]
pub(crate) struct Traces {
    wish: OtelWish,
    queue: mpsc::Sender<Box<Call>>,
    dropped: Counter,
}

impl Traces {
    /// Starts the exporter among the gateway's tasks.
    pub(crate) fn start(app: &Arc<App>, wish: OtelWish) -> Self {
        let (queue, calls) = mpsc::channel(MAX_QUEUED);
        let exporting = export::run(Arc::clone(app), wish.clone(), calls);
        app.tasks.spawn_on(exporting, &app.door);
        let dropped = app.books.metrics.following().spans_dropped.clone();
        Self {
            wish,
            queue,
            dropped,
        }
    }

    pub(crate) const fn wish(&self) -> &OtelWish {
        &self.wish
    }

    /// Puts a call into the queue.
    pub(crate) fn put(&self, call: Call) {
        if self.queue.try_send(Box::new(call)).is_err() {
            self.dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_never_shown() {
        let read = OtelHeaders::parse("# key\nauthorization: Bearer s3cret\n\nx-scope : a:b\n");
        let headers = read.unwrap();
        assert_eq!(headers.0["authorization"], "Bearer s3cret");
        assert_eq!(headers.0["x-scope"], "a:b");
        assert!(!format!("{headers:?}").contains("s3cret"));
        let wrong = OtelHeaders::parse("ok: 1\ns3cret");
        assert_eq!(wrong, Err("its line 2 is no `name: value`".to_owned()));
    }
}
