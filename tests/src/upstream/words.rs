//! The words of each API: what the scripted upstream says, in the shape the real servers say it.

mod anthropic;
mod ollama;
mod openai;
mod responses;

use serde_json::Value;

/// What a usage frame claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub(super) prompt: u64,
    /// Tokens of the answer, those of reasoning included.
    pub(super) completion: u64,
    /// Of the prompt's.
    pub(super) cached: u64,
    /// Of the answer's.
    pub(super) reasoning: u64,
}

/// Which API a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Chat,
    Completions,
    Embeddings,
    Responses,
    Messages,
    OllamaChat,
    OllamaGenerate,
    OllamaEmbed,
    /// `/api/embeddings`, which takes one text.
    OllamaEmbedding,
}

/// The end of a stream: what ends the text, what claims usage, what ends it all.
pub(super) type Closing = [String; 3];

impl Format {
    /// By the path asked for; chat where the path says nothing.
    pub(super) fn of(path: &str) -> Self {
        match path.strip_prefix("/v1").unwrap_or(path) {
            "/completions" => Self::Completions,
            "/embeddings" => Self::Embeddings,
            "/responses" => Self::Responses,
            "/messages" => Self::Messages,
            "/api/chat" => Self::OllamaChat,
            "/api/generate" => Self::OllamaGenerate,
            "/api/embed" => Self::OllamaEmbed,
            "/api/embeddings" => Self::OllamaEmbedding,
            _ => Self::Chat,
        }
    }

    fn is_ollama(self) -> bool {
        matches!(
            self,
            Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed | Self::OllamaEmbedding
        )
    }

    /// Whether this request wants a stream.
    pub(super) fn streams(self, asked: &Value) -> bool {
        let said = asked.get("stream").and_then(Value::as_bool);
        match self {
            Self::Embeddings | Self::OllamaEmbed | Self::OllamaEmbedding => false,
            Self::OllamaChat | Self::OllamaGenerate => said.unwrap_or(true),
            Self::Chat | Self::Completions | Self::Responses | Self::Messages => {
                said.unwrap_or(false)
            }
        }
    }

    /// How long the answer may be, where the request says so.
    pub(super) fn max_tokens(self, asked: &Value) -> Option<u64> {
        let places: &[&str] = if self == Self::Responses {
            &["/max_output_tokens"]
        } else if self.is_ollama() {
            &["/options/num_predict"]
        } else {
            &["/max_completion_tokens", "/max_tokens"]
        };
        places
            .iter()
            .find_map(|place| asked.pointer(place)?.as_u64())
    }

    /// Whether the client wants to be told of usage.
    pub(super) fn asks_for_usage(self, asked: &Value) -> bool {
        let only_on_request = matches!(self, Self::Chat | Self::Completions) && self.streams(asked);
        !only_on_request
            || asked.pointer("/stream_options/include_usage") == Some(&Value::Bool(true))
    }

    /// The `content-type` of an answer.
    pub(super) fn content_type(self, streams: bool) -> &'static str {
        match (streams, self.is_ollama()) {
            (true, true) => "application/x-ndjson",
            (true, false) => "text/event-stream",
            (false, _) => "application/json",
        }
    }

    /// What comes before the first chunk of text.
    pub(super) fn opening(self, model: &str, usage: Option<Usage>) -> String {
        match self {
            Self::Responses => responses::opening(model),
            Self::Messages => anthropic::opening(model, usage),
            Self::Chat
            | Self::Completions
            | Self::Embeddings
            | Self::OllamaChat
            | Self::OllamaGenerate
            | Self::OllamaEmbed
            | Self::OllamaEmbedding => String::new(),
        }
    }

    /// One chunk of text of a stream.
    pub(super) fn chunk(self, model: &str, at: u64) -> String {
        match self {
            Self::Chat | Self::Embeddings => openai::chat_chunk(model, at),
            Self::Completions => openai::completions_chunk(model, at),
            Self::Responses => responses::chunk(at),
            Self::Messages => anthropic::chunk(at),
            Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed | Self::OllamaEmbedding => {
                ollama::chunk(self, model, at)
            }
        }
    }

    /// The end of a stream.
    pub(super) fn closing(self, model: &str, chunks: u64, usage: Option<Usage>) -> Closing {
        match self {
            Self::Chat | Self::Embeddings => openai::chat_closing(model, usage),
            Self::Completions => openai::completions_closing(model, usage),
            Self::Responses => responses::closing(model, chunks, usage),
            Self::Messages => anthropic::closing(usage),
            Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed | Self::OllamaEmbedding => {
                ollama::closing(self, model, usage)
            }
        }
    }

    /// An answer that does not stream. With `tool`, it calls that one.
    pub(super) fn whole(self, whole: &Whole<'_>) -> String {
        match self {
            Self::Chat => openai::chat(whole),
            Self::Completions => openai::completions(whole),
            Self::Embeddings => openai::embeddings(whole),
            Self::Responses => responses::whole(whole),
            Self::Messages => anthropic::whole(whole),
            Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed | Self::OllamaEmbedding => {
                ollama::whole(self, whole)
            }
        }
    }

    /// A failure with this status.
    pub(super) fn failure(self, status: u16) -> String {
        let code = format!("scripted_{status}");
        let body = if self == Self::Messages {
            serde_json::json!({"type": "error", "error": {"type": "api_error", "message": "scripted failure"}, "request_id": code})
        } else if self.is_ollama() {
            serde_json::json!({"error": "scripted failure"})
        } else {
            serde_json::json!({"error": {"message": "scripted failure", "type": "server_error", "param": null, "code": code}})
        };
        body.to_string()
    }
}

/// What an answer that does not stream is made of.
pub(super) struct Whole<'a> {
    pub(super) model: &'a str,
    pub(super) chunks: u64,
    pub(super) usage: Option<Usage>,
    /// The tool that is called instead of saying anything.
    pub(super) tool: Option<&'a str>,
    /// How many texts were to be embedded.
    pub(super) texts: usize,
}

impl Whole<'_> {
    fn text(&self) -> String {
        (0..self.chunks).map(word).collect()
    }
}

/// The text of one chunk.
fn word(at: u64) -> String {
    format!("w{at} ")
}

/// What tools are called with.
const ARGUMENTS: &str = r#"{"place":"here"}"#;
/// An embedding of any text.
const VECTOR: [f64; 4] = [0.25, -0.5, 0.125, 1.0];

/// A list that stands at `path`, if one does.
pub(super) fn list(path: &str, names: &[&str], anthropic: bool) -> Option<String> {
    Some(match path {
        "/v1/models" if anthropic => anthropic::models(names),
        "/v1/models" => openai::models(names),
        "/api/tags" => ollama::tags(names),
        "/api/ps" => ollama::running(names),
        "/api/version" => r#"{"version":"0.0.1-scripted"}"#.to_owned(),
        "/api/show" => ollama::shown(),
        _ => return None,
    })
}
