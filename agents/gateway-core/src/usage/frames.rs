//! The figures that upstreams give, in each API's words.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/chat/object>,
//! <https://platform.openai.com/docs/api-reference/responses/object>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>, <https://docs.ollama.com/api/usage>.

use super::text::member;
use memchr::memmem::Finder;
use net_model::{Api, Family};
use serde::Deserialize;
use std::sync::LazyLock;

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));
static PROMPT_EVAL: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"\"prompt_eval_count\""));
static EVAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eval_count\""));
static MESSAGE_START: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"\"message_start\""));

/// What an upstream has said so far; each figure stands until another comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Of the prompt, caches included.
    pub(super) prompt: Option<u64>,
    /// Of the answer.
    pub(super) completion: Option<u64>,
    pub(super) cached: u64,
    pub(super) cache_written: u64,
    pub(super) cache_written_hour: u64,
    pub(super) reasoning: u64,
    /// Of the prompt, sound; and what of that was cached.
    pub(super) heard: u64,
    pub(super) heard_cached: u64,
    /// Of the answer, sound.
    pub(super) spoken: u64,
}

/// A usage object of any API that has one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details", alias = "input_token_details")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(alias = "output_tokens_details", alias = "output_token_details")]
    completion_tokens_details: Option<AnswerDetails>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    /// DeepSeek's word for what was cached.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    cached_tokens_details: Option<CachedDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CachedDetails {
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnswerDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

impl Figures {
    /// Takes in what one line, or one whole answer, says. True when it said how long the answer is.
    pub(super) fn read(&mut self, api: Api, json: &[u8]) -> bool {
        if api.family() == Family::Ollama {
            return self.read_ollama(json);
        }
        let Some(usage) = usage_in(json) else {
            return false;
        };
        if api == Api::Messages {
            self.take_anthropic(&usage);
            // Its answer has only begun: the figure is no count of it.
            if MESSAGE_START.find(json).is_some() {
                return false;
            }
        } else {
            self.take_openai(&usage);
        }
        let completion = usage.completion_tokens.or(usage.output_tokens);
        self.completion = completion.or(self.completion);
        completion.is_some()
    }

    fn take_openai(&mut self, usage: &Usage) {
        self.prompt = usage.prompt_tokens.or(usage.input_tokens).or(self.prompt);
        let details = usage.prompt_tokens_details.as_ref();
        let cached = details.and_then(|it| it.cached_tokens);
        let heard = details.and_then(|it| it.audio_tokens);
        self.heard = heard.unwrap_or(self.heard);
        let of_cached = details.and_then(|it| it.cached_tokens_details.as_ref());
        let heard_cached = of_cached.and_then(|it| it.audio_tokens);
        self.heard_cached = heard_cached.unwrap_or(self.heard_cached);
        self.cached = cached
            .or(usage.prompt_cache_hit_tokens)
            .or(usage.cache_read_input_tokens)
            .unwrap_or(self.cached);
        // LiteLLM's, for what it fetched from Anthropic; it stands within the prompt's figure.
        self.take_written(usage);
        let details = usage.completion_tokens_details.as_ref();
        let reasoning = details.and_then(|it| it.reasoning_tokens);
        self.reasoning = reasoning.unwrap_or(self.reasoning);
        let spoken = details.and_then(|it| it.audio_tokens);
        self.spoken = spoken.unwrap_or(self.spoken);
    }

    /// Anthropic counts what came from or went to a cache apart from the input.
    fn take_anthropic(&mut self, usage: &Usage) {
        self.cached = usage.cache_read_input_tokens.unwrap_or(self.cached);
        self.take_written(usage);
        if let Some(input) = usage.input_tokens {
            let caches = self.cached.saturating_add(self.cache_written);
            self.prompt = Some(input.saturating_add(caches));
        }
    }

    fn take_written(&mut self, usage: &Usage) {
        self.cache_written = usage
            .cache_creation_input_tokens
            .unwrap_or(self.cache_written);
        let parts = usage.cache_creation.as_ref();
        let hour = parts.and_then(|it| it.ephemeral_1h_input_tokens);
        self.cache_written_hour = hour.unwrap_or(self.cache_written_hour);
    }

    /// Ollama leaves the prompt's figure out when all of it was cached.
    fn read_ollama(&mut self, json: &[u8]) -> bool {
        let completion = number_after(&EVAL, json);
        self.prompt = number_after(&PROMPT_EVAL, json).or(self.prompt);
        self.completion = completion.or(self.completion);
        completion.is_some()
    }
}

/// The last usage object of a JSON text.
fn usage_in(json: &[u8]) -> Option<Usage> {
    let objects = USAGE.find_iter(json).filter_map(|at| {
        let value = member(json.get(at + USAGE.needle().len()..)?)?;
        if !value.starts_with(b"{") {
            return None;
        }
        Usage::deserialize(&mut serde_json::Deserializer::from_slice(value)).ok()
    });
    objects.last()
}

fn number_after(key: &Finder<'_>, json: &[u8]) -> Option<u64> {
    let at = key.find(json)?;
    let value = member(json.get(at + key.needle().len()..)?)?;
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(value.get(..digits.count())?)
        .ok()?
        .parse()
        .ok()
}
