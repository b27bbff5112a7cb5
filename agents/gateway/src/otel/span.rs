//! The span of one call.

use super::{Call, attributes::Attributes};
use kill_wire::Class;
use net_model::UsageRecord;
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};
use std::time::Duration;

/// Nanoseconds of a millisecond.
const NANOS: u64 = 1_000_000;

/// The span; `None` when whoever began the trace does not want to see it.
pub(super) fn span(call: &Call) -> Option<Span> {
    let place = call.place.as_ref().filter(|place| place.sampled)?;
    let began = call.began.millis().saturating_mul(NANOS);
    let error = call.error();
    let name = match &call.model {
        Some(model) => format!("{} {model}", call.operation()),
        None => call.operation().to_owned(),
    };
    Some(Span {
        trace_id: place.trace.to_vec(),
        span_id: place.span.to_vec(),
        parent_span_id: place.parent.map(Vec::from).unwrap_or_default(),
        flags: 1,
        name,
        kind: SpanKind::Client.into(),
        start_time_unix_nano: began,
        end_time_unix_nano: began.saturating_add(nanos(call.took)),
        attributes: attributes(call, error.as_deref()),
        status: error.map(|message| Status {
            message,
            code: StatusCode::Error.into(),
        }),
        ..Span::default()
    })
}

fn attributes(call: &Call, error: Option<&str>) -> Vec<KeyValue> {
    let server = call.server();
    let sent = call.target.as_ref().map(|target| target.model.as_str());
    let mut all = Attributes::default()
        .text("gen_ai.operation.name", call.operation())
        .text("gen_ai.provider.name", call.provider())
        .maybe("gen_ai.request.model", call.model.as_deref())
        .maybe("gen_ai.response.model", call.response_model.as_deref())
        .maybe("server.address", server.map(|(host, _)| host))
        .maybe("error.type", error)
        .maybe("portcullis.request.id", call.id.as_deref())
        .maybe(
            "portcullis.consumer",
            call.consumer.as_ref().map(|it| it.as_str()),
        )
        .maybe("portcullis.target.model", sent)
        .text("portcullis.api", call.api.as_str());
    if let Some((_, port)) = server {
        all = all.number("server.port", port.into());
    }
    if let Some(status) = call.status {
        all = all.number("http.response.status_code", status.into());
    }
    match &call.record {
        Some(record) => used(all, record).list(),
        None => all.list(),
    }
}

fn used(all: Attributes, record: &UsageRecord) -> Attributes {
    let all = all
        .number("gen_ai.usage.input_tokens", record.prompt_tokens)
        .number("gen_ai.usage.output_tokens", record.completion_tokens)
        .number("gen_ai.usage.cache_read.input_tokens", record.cached_tokens)
        .flag("portcullis.usage.estimated", record.estimated)
        .text("portcullis.route", record.route.as_str())
        .text("portcullis.target", record.target.as_str())
        .text("portcullis.class", class(record.class))
        .text("portcullis.ended", record.ended.as_str())
        .maybe(
            "portcullis.fell_back_from",
            record.fell_back_from.as_ref().map(|it| it.as_str()),
        );
    let all = match record.cost {
        Some(cost) => all.number("portcullis.cost_microdollars", cost.0),
        None => all,
    };
    match record.incident {
        Some(incident) => all.text("portcullis.incident", &incident.to_string()),
        None => all,
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Local => "local",
        Class::Cloud => "cloud",
    }
}

/// In nanoseconds.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
