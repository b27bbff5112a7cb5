//! Reads the counters an APISIX tells Prometheus. Pure and bounded.
//!
//! <https://apisix.apache.org/docs/apisix/plugins/prometheus/>, the text format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;

/// Where they are told.
pub const PATH: &str = "/apisix/prometheus/metrics";

/// Most series that are kept, and longest line that is read.
const MOST: usize = 20_000;
const LONGEST: usize = 4_096;
/// Most labels of one series.
const MOST_LABELS: usize = 32;

/// Counters since the gateway started; each may begin anew when it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Answers.
    pub answers: Vec<Answers>,
    /// Tokens, where APISIX itself speaks to the model (`ai-proxy`).
    pub tokens: Vec<Tokens>,
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
    /// The server that answered: `address:port` where the owner has added the label `upstream_addr`, the address alone
    /// otherwise; empty where the gateway answered itself.
    pub by: String,
    /// HTTP status.
    pub status: u16,
    /// How many.
    pub count: u64,
}

/// Tokens of one model, on one route, of one consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Id of the route, as the gateway calls it.
    pub route: String,
    /// Name of the consumer, as the gateway calls it; empty where none was known.
    pub consumer: String,
    /// The model.
    pub model: String,
    /// Of prompts.
    pub prompt: u64,
    /// Of answers.
    pub completion: u64,
}

impl Counters {
    /// Reads what was told.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let mut counters = Self::default();
        let mut tokens: BTreeMap<(String, String, String), (u64, u64)> = BTreeMap::new();
        for line in text.split(|byte| *byte == b'\n') {
            let mark = [
                &b"apisix_http_status{"[..],
                b"apisix_llm_prompt_tokens{",
                b"apisix_llm_completion_tokens{",
                b"apisix_etcd_reachable",
            ];
            let Some(what) = mark.iter().position(|mark| line.starts_with(mark)) else {
                continue;
            };
            let full = counters.answers.len() + tokens.len() >= MOST;
            let series = std::str::from_utf8(line).ok();
            let series = series.filter(|line| line.len() <= LONGEST && !full);
            let Some(series) = series.and_then(Series::of) else {
                counters.left_out = counters.left_out.saturating_add(1);
                continue;
            };
            match what {
                0 => counters.answers.extend(series.answers()),
                3 => counters.etcd_reachable = Some(series.value > 0),
                _ => {
                    let sum = tokens.entry(series.of_model()).or_default();
                    let part = if what == 1 { &mut sum.0 } else { &mut sum.1 };
                    *part = part.saturating_add(series.value);
                }
            }
        }
        let all = tokens.into_iter();
        let all = all.map(|((route, consumer, model), (prompt, completion))| Tokens {
            route,
            consumer,
            model,
            prompt,
            completion,
        });
        counters.tokens = all.collect();
        counters
    }
}

/// One line: labels, and a value that is no fraction.
struct Series {
    labels: Vec<(String, String)>,
    value: u64,
}

impl Series {
    fn of(line: &str) -> Option<Self> {
        let (labels, rest) = match line.split_once('{') {
            Some((_, rest)) => labels(rest)?,
            None => (Vec::new(), line.split_once(' ')?.1),
        };
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        let whole = value.is_finite() && (0.0..9e15).contains(&value);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just looked at"
        )]
        let value = whole.then_some(value as u64)?;
        Some(Self { labels, value })
    }

    fn label(&self, name: &str) -> Option<String> {
        let mut labels = self.labels.iter();
        let label = labels.find(|(label, _)| label == name);
        label.map(|(_, value)| value.clone())
    }

    fn answers(&self) -> Option<Answers> {
        let tried = self.label("upstream_addr").unwrap_or_default();
        // Of several servers that were tried the last answered.
        let last = tried.rsplit([',', ' ']).next().filter(|it| !it.is_empty());
        let by = last.map(str::to_owned).or_else(|| self.label("node"));
        Some(Answers {
            route: self.label("route")?,
            consumer: self.label("consumer").unwrap_or_default(),
            by: by.unwrap_or_default(),
            status: self.label("code")?.parse().ok()?,
            count: self.value,
        })
    }

    fn of_model(&self) -> (String, String, String) {
        let first = |names: [&str; 2]| names.iter().find_map(|name| self.label(name));
        (
            first(["route_id", "route"]).unwrap_or_default(),
            self.label("consumer").unwrap_or_default(),
            first(["llm_model", "request_llm_model"]).unwrap_or_default(),
        )
    }
}

type Labels = Vec<(String, String)>;

/// Labels, and what follows their closing brace.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.push((name.to_owned(), value));
        if labels.len() > MOST_LABELS {
            return None;
        }
        rest = after;
    }
}

/// A value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests;
