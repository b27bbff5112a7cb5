//! Figures of those who follow along, and of the configuration.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// All of them.
#[derive(Debug)]
pub(crate) struct FollowFigures {
    /// Lines of the access log that were lost.
    pub(crate) access_dropped: Counter,
    /// Stories of requests that were not kept.
    pub(crate) stories_dropped: Counter,
    /// Spans that were lost on their way to OpenTelemetry.
    pub(crate) spans_dropped: Counter,
    /// Whether bodies are captured.
    pub(crate) capturing: Gauge,
    /// Exchanges that could not be captured.
    pub(crate) capture_dropped: Counter,
    /// Whether the configuration that was read last is in force.
    pub(crate) reload_good: Gauge,
    /// When it was read, in seconds since the epoch; 0 when not since the start.
    pub(crate) reload_at: Gauge,
}

impl Default for FollowFigures {
    fn default() -> Self {
        let reload_good = Gauge::default();
        // What it started with is in force.
        reload_good.set(1);
        Self {
            access_dropped: Counter::default(),
            stories_dropped: Counter::default(),
            spans_dropped: Counter::default(),
            capturing: Gauge::default(),
            capture_dropped: Counter::default(),
            reload_good,
            reload_at: Gauge::default(),
        }
    }
}

impl FollowFigures {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_gateway_access_log_dropped",
            "Lines of the access log that were lost",
            self.access_dropped.clone(),
        );
        registry.register(
            "portcullis_gateway_stories_dropped",
            "Explanations of requests that were lost; those of refusals beyond their pace are not counted",
            self.stories_dropped.clone(),
        );
        registry.register(
            "portcullis_gateway_otel_spans_dropped",
            "Spans that were lost on their way to OpenTelemetry",
            self.spans_dropped.clone(),
        );
        registry.register(
            "portcullis_gateway_capturing",
            "Whether bodies are captured",
            self.capturing.clone(),
        );
        registry.register(
            "portcullis_gateway_capture_dropped",
            "Exchanges that could not be captured",
            self.capture_dropped.clone(),
        );
        registry.register(
            "portcullis_config_last_reload_successful",
            "Whether the configuration that was read last is in force",
            self.reload_good.clone(),
        );
        registry.register(
            "portcullis_config_last_reload_timestamp_seconds",
            "When the configuration was last read again; 0 when not since the start",
            self.reload_at.clone(),
        );
    }
}
