//! Reads the counters an APISIX tells Prometheus. Pure and bounded.
//!
//! <https://apisix.apache.org/docs/apisix/plugins/prometheus/>, the text format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

mod series;

use series::Series;

/// Where they are told.
pub const PATH: &str = "/apisix/prometheus/metrics";

/// Most series that are kept, and longest line that is read.
const MOST: usize = 20_000;
const LONGEST: usize = 4_096;

/// Counters since the gateway started; each may begin anew when it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Answers.
    pub answers: Vec<Answers>,
    /// What calls to models came to, where APISIX itself speaks to the model (`ai-proxy`).
    pub models: Vec<ModelCounter>,
    /// Requests since it started, whatever for.
    pub requests: Option<u64>,
    /// Whether it reaches etcd; none where it does not say.
    pub etcd_reachable: Option<bool>,
    /// Lines that were left out: too long, too many, or not readable.
    pub left_out: u32,
}

/// Answers of one status, on one route, to one consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Id of the route, as the gateway calls it.
    pub route: String,
    /// Name of the consumer, as the gateway calls it; empty where none was known.
    pub consumer: String,
    /// Who answered: `address:port` where the owner has added the label `upstream_addr`, else the address alone, or the name
    /// of an instance of `ai-proxy-multi`; empty where the gateway answered itself.
    pub by: String,
    /// HTTP status.
    pub status: u16,
    /// How many.
    pub count: u64,
}

/// One counter of calls to a model, on one route, of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCounter {
    /// What it is known by from look to look: its name and labels, as they were written.
    pub series: String,
    /// What it counts.
    pub counts: Counts,
    /// Id of the route, as the gateway calls it.
    pub route: String,
    /// Name of the consumer, as the gateway calls it; empty where none was known.
    pub consumer: String,
    /// Name of the instance (`ai-proxy-multi`) or address that was asked; empty where the gateway says none.
    pub node: String,
    /// `ai_chat` or `ai_stream`.
    pub kind: String,
    /// The model the client asked for.
    pub asked: String,
    /// The model that was asked.
    pub model: String,
    /// How many.
    pub value: u64,
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Tokens of prompts.
    Prompt,
    /// Tokens of answers.
    Completion,
    /// Answers of this status.
    Answers(u16),
}

/// What a line may be about.
#[derive(Clone, Copy)]
enum Family {
    Status,
    Prompt,
    Completion,
    Requests,
    Etcd,
}

const FAMILIES: [(&[u8], Family); 5] = [
    (b"apisix_http_status{", Family::Status),
    (b"apisix_llm_prompt_tokens{", Family::Prompt),
    (b"apisix_llm_completion_tokens{", Family::Completion),
    (b"apisix_http_requests_total", Family::Requests),
    (b"apisix_etcd_reachable", Family::Etcd),
];

impl Counters {
    /// Reads what was told.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let mut counters = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            let mut families = FAMILIES.iter();
            let Some((_, family)) = families.find(|(begins, _)| line.starts_with(begins)) else {
                continue;
            };
            let full = counters.answers.len().max(counters.models.len()) >= MOST;
            let series = std::str::from_utf8(line).ok();
            let series = series.filter(|line| line.len() <= LONGEST && !full);
            let Some(series) = series.and_then(Series::of) else {
                counters.left_out = counters.left_out.saturating_add(1);
                continue;
            };
            counters.take(*family, &series);
        }
        counters
    }

    fn take(&mut self, family: Family, series: &Series<'_>) {
        let model = match family {
            Family::Status => {
                let answers = answers(series);
                let ai = series.first(&["request_type"]).starts_with("ai_");
                let counts = answers.as_ref().map(|it| Counts::Answers(it.status));
                self.answers.extend(answers);
                counts.filter(|_| ai)
            }
            Family::Prompt => Some(Counts::Prompt),
            Family::Completion => Some(Counts::Completion),
            Family::Requests => {
                self.requests = Some(series.value);
                None
            }
            Family::Etcd => {
                self.etcd_reachable = Some(series.value > 0);
                None
            }
        };
        self.models
            .extend(model.map(|counts| of_model(series, counts)));
    }
}

fn answers(series: &Series<'_>) -> Option<Answers> {
    let tried = series.first(&["upstream_addr"]);
    // Of several servers that were tried the last answered.
    let last = tried.rsplit([',', ' ']).next().filter(|it| !it.is_empty());
    let by = last.map_or_else(|| series.first(&["node"]), str::to_owned);
    Some(Answers {
        route: series.label("route")?,
        consumer: series.first(&["consumer"]),
        by,
        status: series.label("code")?.parse().ok()?,
        count: series.value,
    })
}

fn of_model(series: &Series<'_>, counts: Counts) -> ModelCounter {
    ModelCounter {
        series: series.known_by.to_owned(),
        counts,
        route: series.first(&["route_id", "route"]),
        consumer: series.first(&["consumer"]),
        node: series.first(&["node"]),
        kind: series.first(&["request_type"]),
        asked: series.first(&["request_llm_model"]),
        model: series.first(&["llm_model"]),
        value: series.value,
    }
}

#[cfg(test)]
mod tests;
