//! Sends spans and histograms to their receiver, as OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/>).

use super::{Call, OtelWish, attributes::Attributes, figures::Figures, span::span};
use crate::{app::App, clock, upstream::Ask};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use kill_wire::Class;
use net_model::Target;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::InstrumentationScope,
    metrics::v1::{Metric, ResourceMetrics, ScopeMetrics},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

/// Spans of one request.
const BATCH: usize = 512;
/// Longest time a span waits for others.
const SPANS_AFTER: Duration = Duration::from_secs(2);
/// Between two reports of figures.
const FIGURES_AFTER: Duration = Duration::from_secs(15);
/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The same when the gateway stops.
const LAST_LIMIT: Duration = Duration::from_millis(150);
/// The version of the conventions that names and values follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// Exports until nobody sends calls any more, or the gateway stops.
pub(super) async fn run(app: Arc<App>, wish: OtelWish, mut calls: Receiver<Box<Call>>) {
    let Some(mut export) = Export::new(&app, wish) else {
        return;
    };
    let mut figures_due = Instant::now() + FIGURES_AFTER;
    loop {
        let mut batch = Vec::new();
        let first = tokio::select! {
            () = app.stop.abandon.cancelled() => break,
            () = sleep_until(figures_due) => {
                export.figures(LIMIT).await;
                figures_due = Instant::now() + FIGURES_AFTER;
                continue;
            }
            first = calls.recv() => first,
        };
        let Some(first) = first else { break };
        export.take(&first, &mut batch);
        let due = Instant::now() + SPANS_AFTER;
        while batch.len() < BATCH {
            let next = tokio::select! {
                () = app.stop.abandon.cancelled() => break,
                () = sleep_until(due) => break,
                next = calls.recv() => next,
            };
            match next {
                Some(call) => export.take(&call, &mut batch),
                None => break,
            }
        }
        // A receiver that hangs holds up nobody but this.
        let stopping = app.stop.abandon.is_cancelled();
        export
            .spans(batch, if stopping { LAST_LIMIT } else { LIMIT })
            .await;
    }
    let mut rest = Vec::new();
    while let Ok(call) = calls.try_recv() {
        export.take(&call, &mut rest);
    }
    tokio::join!(export.spans(rest, LAST_LIMIT), export.figures(LAST_LIMIT));
}

struct Export {
    app: Arc<App>,
    wish: OtelWish,
    target: Target,
    figures: Figures,
    failing: std::sync::atomic::AtomicBool,
}

impl Export {
    /// The receiver is called like a target, over the gateway's own connections.
    fn new(app: &Arc<App>, wish: OtelWish) -> Option<Self> {
        let name = "otel".parse().ok()?;
        Some(Self {
            app: Arc::clone(app),
            target: Target::new(name, Class::Cloud, wish.endpoint.clone()),
            wish,
            figures: Figures::new(clock::now()),
            failing: false.into(),
        })
    }

    fn take(&mut self, call: &Call, batch: &mut Vec<Span>) {
        self.figures.add(call);
        batch.extend(span(call));
    }

    async fn spans(&self, spans: Vec<Span>, limit: Duration) {
        if spans.is_empty() {
            return;
        }
        let count = spans.len() as u64;
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope()),
                    spans,
                    schema_url: SCHEMA.to_owned(),
                }],
                schema_url: SCHEMA.to_owned(),
            }],
        };
        if !self
            .send("/v1/traces", request.encode_to_vec(), limit)
            .await
        {
            let figures = self.app.books.metrics.following();
            figures.spans_dropped.inc_by(count);
        }
    }

    /// They are counted on whatever becomes of the report.
    async fn figures(&self, limit: Duration) {
        let metrics: Vec<Metric> = self.figures.metrics(clock::now());
        if metrics.is_empty() {
            return;
        }
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope()),
                    metrics,
                    schema_url: SCHEMA.to_owned(),
                }],
                schema_url: SCHEMA.to_owned(),
            }],
        };
        self.send("/v1/metrics", request.encode_to_vec(), limit)
            .await;
    }

    fn resource(&self) -> Resource {
        Resource {
            attributes: Attributes::default()
                .text("service.name", &self.wish.service_name)
                .text("service.version", env!("CARGO_PKG_VERSION"))
                .text("service.instance.id", &self.app.boot)
                .list(),
            ..Resource::default()
        }
    }

    /// Whether it was taken.
    async fn send(&self, path: &str, body: Vec<u8>, limit: Duration) -> bool {
        let mut headers: HeaderMap = self.wish.headers.0.clone();
        headers.insert(header::CONTENT_TYPE, PROTOBUF);
        if let Ok(host) = HeaderValue::from_str(self.target.base_url.authority()) {
            headers.insert(header::HOST, host);
        }
        let prefix = self.target.base_url.prefix();
        let ask = Ask {
            target: &self.target,
            method: Method::POST,
            path: &format!("{}{path}", prefix.trim_end_matches('/')),
            headers,
            body: Bytes::from(body),
        };
        let why = match self.app.upstreams.whole(&ask, limit).await {
            Ok((status, _)) if status.is_success() => None,
            Ok((status, _)) => Some(format!("it answered {status}")),
            Err(error) => Some(error.to_string()),
        };
        let failing = why.is_some();
        let before = self
            .failing
            .swap(failing, std::sync::atomic::Ordering::Relaxed);
        match why {
            Some(why) if !before => {
                tracing::warn!(endpoint = %self.wish.endpoint, why, "OpenTelemetry is not taken; spans are lost until this is mended.");
            }
            _ => {}
        }
        !failing
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "portcullis.gateway".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
