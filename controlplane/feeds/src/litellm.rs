//! LiteLLM's rows: what its `generic_api` callback posts (`StandardLoggingPayload`), and what its database keeps
//! (`LiteLLM_SpendLogs`, by `GET /spend/logs/v2`).
//!
//! Read in and against LiteLLM 1.102.4. A call is known by `litellm_call_id` and the moment it began: the id alone may be
//! chosen by the client (`x-litellm-call-id`), and the id of the answer may be one and the same for all answers of an
//! upstream. Either alone would let calls vanish from the ledger.

use crate::call;
use crate::figures::{Figure, text};
use crate::rows::NotUsage;
use crate::{Fed, MAX_ROWS, Reading};
use kill_wire::{Class, Name};
use net_model::{Api, Ended, MicroDollars, Tokens, UsageRecord, class_for, name_for};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What stands in place of the key where the caller used the master key.
const MASTER: &str = "litellm_proxy_master_key";

#[derive(Deserialize)]
struct Payload {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    litellm_call_id: String,
    #[serde(default, deserialize_with = "text")]
    call_type: String,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    cache_hit: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    custom_llm_provider: String,
    #[serde(default, rename = "startTime")]
    start: Figure,
    #[serde(default, rename = "endTime")]
    end: Figure,
    #[serde(default, rename = "completionStartTime")]
    first: Figure,
    #[serde(default, deserialize_with = "text")]
    model: String,
    #[serde(default, deserialize_with = "text")]
    model_group: String,
    #[serde(default, deserialize_with = "text")]
    api_base: String,
    #[serde(default)]
    prompt_tokens: Figure,
    #[serde(default)]
    completion_tokens: Figure,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    hidden_params: Option<Hidden>,
    #[serde(default)]
    error_information: Option<ErrorInformation>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "text")]
    user_api_key_alias: String,
    #[serde(default, deserialize_with = "text")]
    user_api_key_hash: String,
    #[serde(default)]
    usage_object: Option<UsageObject>,
}

#[derive(Default, Deserialize)]
struct UsageObject {
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Figure,
    #[serde(default)]
    cache_creation_tokens: Figure,
    #[serde(default)]
    reasoning_tokens: Figure,
}

#[derive(Default, Deserialize)]
struct Hidden {
    #[serde(default, deserialize_with = "text")]
    api_base: String,
}

#[derive(Default, Deserialize)]
struct ErrorInformation {
    #[serde(default)]
    error_code: Figure,
}

/// One posted row; none where it is no call.
pub(crate) fn record(row: &str, with: &Reading<'_>) -> Option<UsageRecord> {
    let row: Payload = serde_json::from_str(row).ok()?;
    // Who was refused at the door called no model: such a row's call type is the path it was refused on.
    if row.call_type.starts_with('/') {
        return None;
    }
    let called = [&row.litellm_call_id, &row.id];
    let called = called.into_iter().find(|id| !id.is_empty())?;
    // In seconds since 1970, with what LiteLLM has of microseconds.
    let began = row.start.get()?;
    let meta = row.metadata.unwrap_or_default();
    let hidden = row.hidden_params.unwrap_or_default();
    let call = Call {
        id: call::id(&format!("{called}@{began:.6}"))?,
        began: row.start,
        ended: row.end,
        first: row.stream.unwrap_or_default().then_some(row.first),
        alias: meta.user_api_key_alias,
        key: meta.user_api_key_hash,
        provider: row.custom_llm_provider,
        base: if row.api_base.is_empty() {
            hidden.api_base
        } else {
            row.api_base
        },
        asked: row.model_group,
        sent: row.model,
        api: api(&row.call_type),
        good: row.status != "failure",
        code: row.error_information.unwrap_or_default().error_code,
        from_cache: row.cache_hit.unwrap_or_default(),
        tokens: tokens(row.prompt_tokens, row.completion_tokens, meta.usage_object),
        stream: row.stream.unwrap_or_default(),
    };
    call.record(with)
}

fn tokens(prompt: Figure, completion: Figure, usage: Option<UsageObject>) -> Tokens {
    let usage = usage.unwrap_or_default();
    let asked = usage.prompt_tokens_details.unwrap_or_default();
    let said = usage.completion_tokens_details.unwrap_or_default();
    Tokens {
        prompt: prompt.whole(),
        completion: completion.whole(),
        cached: asked.cached_tokens.whole(),
        cache_written: asked.cache_creation_tokens.whole(),
        reasoning: said.reasoning_tokens.whole(),
        ..Tokens::default()
    }
}

/// Both kinds of rows, as far as they agree.
struct Call {
    id: String,
    began: Figure,
    ended: Figure,
    first: Option<Figure>,
    alias: String,
    key: String,
    provider: String,
    base: String,
    asked: String,
    sent: String,
    api: Api,
    good: bool,
    code: Figure,
    from_cache: bool,
    tokens: Tokens,
    stream: bool,
}

impl Call {
    fn record(self, with: &Reading<'_>) -> Option<UsageRecord> {
        let began = self.began.ms()?;
        let ended = self.ended.ms();
        let class = class_for(&self.base);
        let price = if self.sent.is_empty() {
            &self.asked
        } else {
            &self.sent
        };
        let cost = match (self.from_cache, class) {
            (true, Class::Local | Class::Cloud) => Some(MicroDollars::ZERO),
            (false, class) => call::cost(with.prices, price, class, &self.tokens),
        };
        let status = if self.good { 200 } else { failed(self.code) };
        let model = if self.asked.is_empty() {
            &self.sent
        } else {
            &self.asked
        };
        let since = |at: Option<u64>| at.map_or(0, |at| at.saturating_sub(began));
        Some(UsageRecord {
            at: call::at(ended.or(Some(began)), with.now),
            consumer: self.consumer(with.source),
            route: with.source.clone(),
            target: name_for(&self.provider).unwrap_or_else(|| with.source.clone()),
            class,
            model: call::model(model),
            stream: self.stream,
            status,
            prompt_tokens: self.tokens.prompt,
            completion_tokens: self.tokens.completion,
            estimated: self.tokens.estimated,
            took_ms: since(ended),
            ended: if self.good {
                Ended::Complete
            } else {
                Ended::UpstreamFailed
            },
            incident: None,
            api: self.api,
            cached_tokens: self.tokens.cached,
            reasoning_tokens: self.tokens.reasoning,
            cost,
            fell_back_from: None,
            first_byte_ms: self.first.and_then(Figure::ms).map(|at| since(Some(at))),
            id: self.id,
        })
    }

    /// By the key alone: what a caller says of itself (`user`, `end_user`) it can say of anybody.
    fn consumer(&self, source: &Name) -> Name {
        let of_key = || {
            let start = self.key.get(..8).filter(|_| self.key != MASTER)?;
            name_for(&format!("key-{start}"))
        };
        let name = name_for(&self.alias).or_else(of_key);
        name.unwrap_or_else(|| source.clone())
    }
}

fn failed(code: Figure) -> u16 {
    let code = u16::try_from(code.whole()).unwrap_or_default();
    if (400..600).contains(&code) {
        code
    } else {
        500
    }
}

/// LiteLLM's call types, with and without the `a` of its asynchronous functions; what else there is counts as chat.
fn api(call_type: &str) -> Api {
    match call_type.strip_prefix('a').unwrap_or(call_type) {
        "text_completion" => Api::Completions,
        "embedding" => Api::Embeddings,
        "responses" => Api::Responses,
        "realtime" => Api::Realtime,
        "nthropic_messages" => Api::Messages,
        _ => Api::Chat,
    }
}

/// One page of `GET /spend/logs/v2`.
#[derive(Debug)]
pub struct Page {
    /// Its rows.
    pub fed: Fed,
    /// How many pages there are.
    pub pages: u64,
}

#[derive(Deserialize)]
struct SpendPage<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(default)]
    total_pages: Figure,
}

#[derive(Deserialize)]
struct SpendLog {
    #[serde(default, deserialize_with = "text")]
    request_id: String,
    #[serde(default, deserialize_with = "text")]
    call_type: String,
    #[serde(default, deserialize_with = "text")]
    api_key: String,
    #[serde(default, rename = "startTime", deserialize_with = "text")]
    start: String,
    #[serde(default, rename = "endTime", deserialize_with = "text")]
    end: String,
    #[serde(default, deserialize_with = "text")]
    model: String,
    #[serde(default, deserialize_with = "text")]
    model_group: String,
    #[serde(default, deserialize_with = "text")]
    custom_llm_provider: String,
    #[serde(default, deserialize_with = "text")]
    api_base: String,
    #[serde(default, deserialize_with = "text")]
    cache_hit: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default)]
    prompt_tokens: Figure,
    #[serde(default)]
    completion_tokens: Figure,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Reads one page of LiteLLM's own ledger. Its rows are known by `request_id`, the primary key there. `time` reads an
/// instant as LiteLLM writes it (ISO 8601, UTC) into milliseconds since 1970.
///
/// # Errors
/// When it is no such page, or has more than [`MAX_ROWS`] rows.
pub fn spend_page(
    body: &[u8],
    with: &Reading<'_>,
    time: impl Fn(&str) -> Option<u64>,
) -> Result<Page, NotUsage> {
    let page: SpendPage<'_> = serde_json::from_slice(body)?;
    if page.data.len() > MAX_ROWS {
        return Err(NotUsage::TooMany);
    }
    let count = page.data.len();
    let rows = page.data.iter();
    let records: Vec<UsageRecord> = rows
        .filter_map(|row| spent(row.get(), with, &time))
        .collect();
    let passed_over = count - records.len();
    Ok(Page {
        fed: Fed {
            records,
            passed_over,
        },
        pages: page.total_pages.whole(),
    })
}

fn spent(row: &str, with: &Reading<'_>, time: impl Fn(&str) -> Option<u64>) -> Option<UsageRecord> {
    let row: SpendLog = serde_json::from_str(row).ok()?;
    if row.call_type.starts_with('/') {
        return None;
    }
    let meta = row.metadata.unwrap_or_default();
    let call = Call {
        id: call::id(&row.request_id)?,
        began: Figure::of_ms(time(&row.start)?),
        ended: time(&row.end).map(Figure::of_ms).unwrap_or_default(),
        first: None,
        alias: meta.user_api_key_alias,
        key: row.api_key,
        provider: row.custom_llm_provider,
        base: row.api_base,
        asked: row.model_group,
        sent: row.model,
        api: api(&row.call_type),
        good: row.status != "failure",
        code: Figure::default(),
        from_cache: row.cache_hit.eq_ignore_ascii_case("true"),
        tokens: tokens(row.prompt_tokens, row.completion_tokens, meta.usage_object),
        stream: false,
    };
    call.record(with)
}
