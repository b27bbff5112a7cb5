//! The conventions' histograms, with the buckets they advise
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>).

use super::{Call, attributes::Attributes};
use kill_wire::Timestamp;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, metric::Data,
};
use std::collections::BTreeMap;

const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const DURATION: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const FIRST_TOKEN: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Series of one histogram. What models are called comes from clients: beyond, all stand under one name.
const MAX_SERIES: usize = 1000;
/// That name.
const OTHER: &str = "_OTHER";

/// What a series is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    operation: &'static str,
    provider: &'static str,
    model: String,
    /// `input` or `output`.
    token: Option<&'static str>,
    error: Option<String>,
}

#[derive(Clone, Debug)]
struct Bars {
    count: u64,
    sum: f64,
    bars: Vec<u64>,
}

#[derive(Debug)]
struct Kind {
    name: &'static str,
    unit: &'static str,
    bounds: &'static [f64],
    series: BTreeMap<Series, Bars>,
}

/// All histograms, since `start`.
#[derive(Debug)]
pub(super) struct Figures {
    start: Timestamp,
    tokens: Kind,
    duration: Kind,
    first_token: Kind,
}

impl Figures {
    pub(super) fn new(start: Timestamp) -> Self {
        let kind = |name, unit, bounds| Kind {
            name,
            unit,
            bounds,
            series: BTreeMap::new(),
        };
        Self {
            start,
            tokens: kind("gen_ai.client.token.usage", "{token}", &TOKENS),
            duration: kind("gen_ai.client.operation.duration", "s", &DURATION),
            first_token: kind("gen_ai.server.time_to_first_token", "s", &FIRST_TOKEN),
        }
    }

    /// A call has ended.
    pub(super) fn add(&mut self, call: &Call) {
        let of = |token, error| Series {
            operation: call.operation(),
            provider: call.provider(),
            model: call.model.clone().unwrap_or_default(),
            token,
            error,
        };
        self.duration
            .add(of(None, call.error()), call.took.as_secs_f64());
        let Some(record) = &call.record else { return };
        #[expect(
            clippy::cast_precision_loss,
            reason = "histograms of this protocol are of this kind; token counts are far below 2^53"
        )]
        let float = |number: u64| number as f64;
        self.tokens
            .add(of(Some("input"), None), float(record.prompt_tokens));
        self.tokens
            .add(of(Some("output"), None), float(record.completion_tokens));
        if let Some(first) = record.first_byte_ms {
            self.first_token.add(of(None, None), float(first) / 1000.0);
        }
    }

    /// As they are exported.
    pub(super) fn metrics(&self, now: Timestamp) -> Vec<Metric> {
        [&self.tokens, &self.duration, &self.first_token]
            .into_iter()
            .filter(|kind| !kind.series.is_empty())
            .map(|kind| kind.metric(self.start, now))
            .collect()
    }
}

impl Kind {
    fn add(&mut self, mut series: Series, value: f64) {
        if self.series.len() >= MAX_SERIES && !self.series.contains_key(&series) {
            OTHER.clone_into(&mut series.model);
        }
        let bounds = self.bounds;
        let bars = self.series.entry(series).or_insert_with(|| Bars {
            count: 0,
            sum: 0.0,
            bars: vec![0; bounds.len() + 1],
        });
        bars.count += 1;
        bars.sum += value;
        // A bound belongs to the bar below it.
        let at = bounds.partition_point(|bound| *bound < value);
        if let Some(bar) = bars.bars.get_mut(at) {
            *bar += 1;
        }
    }

    fn metric(&self, start: Timestamp, now: Timestamp) -> Metric {
        let nanos = |at: Timestamp| at.millis().saturating_mul(1_000_000);
        let points = self.series.iter().map(|(series, bars)| HistogramDataPoint {
            attributes: Attributes::default()
                .text("gen_ai.operation.name", series.operation)
                .text("gen_ai.provider.name", series.provider)
                .text("gen_ai.request.model", &series.model)
                .maybe("gen_ai.token.type", series.token)
                .maybe("error.type", series.error.as_deref())
                .list(),
            start_time_unix_nano: nanos(start),
            time_unix_nano: nanos(now),
            count: bars.count,
            sum: Some(bars.sum),
            bucket_counts: bars.bars.clone(),
            explicit_bounds: self.bounds.to_vec(),
            ..HistogramDataPoint::default()
        });
        Metric {
            name: self.name.to_owned(),
            unit: self.unit.to_owned(),
            data: Some(Data::Histogram(Histogram {
                data_points: points.collect(),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            })),
            ..Metric::default()
        }
    }
}
