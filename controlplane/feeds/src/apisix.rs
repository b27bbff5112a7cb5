//! Rows of APISIX's `http-logger`, in the log format that `docs/metering.md` gives. Its values are nginx and APISIX
//! variables, or words that whoever wrote the route put there: `route`, `target`, `class`.

use crate::Reading;
use crate::call;
use crate::figures::{Figure, text};
use kill_wire::{Class, Incident, Name};
use net_model::{Api, Ended, Tokens, UsageRecord, name_for};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    /// `$request_id`: made by nginx from 16 random bytes for each request; no client has a say in it.
    #[serde(default, deserialize_with = "text")]
    request_id: String,
    /// `$consumer_name`.
    #[serde(default, deserialize_with = "text")]
    consumer: String,
    #[serde(default, deserialize_with = "text")]
    route: String,
    #[serde(default, deserialize_with = "text")]
    target: String,
    #[serde(default, deserialize_with = "text")]
    class: String,
    /// `$request_llm_model`.
    #[serde(default, deserialize_with = "text")]
    model: String,
    /// `$llm_model`.
    #[serde(default, deserialize_with = "text")]
    sent_model: String,
    /// `$llm_prompt_tokens`.
    #[serde(default)]
    prompt_tokens: Figure,
    /// `$llm_completion_tokens`.
    #[serde(default)]
    completion_tokens: Figure,
    /// `$status`.
    #[serde(default)]
    status: Figure,
    /// `$msec`: when it ended, in seconds since 1970.
    #[serde(default)]
    end: Figure,
    /// `$request_time`, in seconds.
    #[serde(default)]
    took: Figure,
    /// `$llm_time_to_first_token`, in milliseconds.
    #[serde(default)]
    first_ms: Figure,
    /// `$request_type`: `ai_chat` or `ai_stream`.
    #[serde(default, deserialize_with = "text")]
    request_type: String,
    /// `$sent_http_x_portcullis_incident`.
    #[serde(default)]
    incident: Figure,
    /// The first choice of the route, where our driver had it lead to another target.
    #[serde(default, deserialize_with = "text")]
    fell_back_from: String,
}

/// One row; none where there is nothing to know it by.
pub(crate) fn record(row: &str, with: &Reading<'_>) -> Option<UsageRecord> {
    let row: Row = serde_json::from_str(row).ok()?;
    let class = match row.class.as_str() {
        "local" => Class::Local,
        _ => Class::Cloud,
    };
    let tokens = Tokens {
        prompt: row.prompt_tokens.whole(),
        completion: row.completion_tokens.whole(),
        ..Tokens::default()
    };
    let (asked, sent) = (&row.model, &row.sent_model);
    let price = if sent.is_empty() { asked } else { sent };
    let status = u16::try_from(row.status.whole()).unwrap_or_default();
    let source = || with.source.clone();
    let incident = u32::try_from(row.incident.whole()).ok();
    let incident = incident.and_then(|number| Incident::try_from(number).ok());
    let first = row.first_ms.whole();
    Some(UsageRecord {
        id: call::id(&row.request_id)?,
        at: call::at(row.end.ms(), with.now),
        consumer: name_for(bare(&row.consumer)).unwrap_or_else(source),
        route: name_for(bare(&row.route)).unwrap_or_else(source),
        target: name_for(&row.target).unwrap_or_else(source),
        class,
        model: call::model(if asked.is_empty() { sent } else { asked }),
        stream: row.request_type == "ai_stream",
        status,
        prompt_tokens: tokens.prompt,
        completion_tokens: tokens.completion,
        estimated: false,
        took_ms: row.took.ms().unwrap_or_default(),
        ended: ended(status, incident.is_some()),
        incident,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: call::cost(with.prices, price, class, &tokens),
        fell_back_from: fell_back_from(&row, status),
        first_byte_ms: (first > 0).then_some(first),
    })
}

/// What our driver makes in an APISIX has a prefix there, and a second route of one name an ending; the ledger knows it
/// without.
pub(crate) fn bare(said: &str) -> &str {
    let ours = ["portcullis_", "portcullis-"];
    let mut bare = ours.iter().filter_map(|prefix| said.strip_prefix(prefix));
    let Some(bare) = bare.next() else {
        return said;
    };
    bare.strip_suffix("-MODELS").unwrap_or(bare)
}

/// A cut or a limit refuses before any target is asked: nobody answered in another's place then.
fn fell_back_from(row: &Row, status: u16) -> Option<Name> {
    let asked = row.incident.whole() == 0 && !matches!(status, 401 | 403 | 429);
    asked.then(|| name_for(&row.fell_back_from)).flatten()
}

/// nginx logs 499 where the client left first.
pub(crate) const fn ended(status: u16, cut: bool) -> Ended {
    match status {
        _ if cut => Ended::Cut,
        499 => Ended::ClientGone,
        500.. | 0 => Ended::UpstreamFailed,
        _ => Ended::Complete,
    }
}
