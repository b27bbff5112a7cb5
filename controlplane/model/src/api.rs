//! The APIs a client may speak, and which of them a target understands.

use serde::{Deserialize, Serialize};

/// What a client asked in. Bodies pass in the format they came in, so a target must speak the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Api {
    /// OpenAI `POST /v1/chat/completions`.
    #[serde(rename = "openai.chat")]
    Chat,
    /// OpenAI `POST /v1/completions`.
    #[serde(rename = "openai.completions")]
    Completions,
    /// OpenAI `POST /v1/embeddings`.
    #[serde(rename = "openai.embeddings")]
    Embeddings,
    /// OpenAI `POST /v1/responses`.
    #[serde(rename = "openai.responses")]
    Responses,
    /// OpenAI `GET /v1/realtime`, a WebSocket.
    #[serde(rename = "openai.realtime")]
    Realtime,
    /// Anthropic `POST /v1/messages`.
    #[serde(rename = "anthropic.messages")]
    Messages,
    /// Ollama `POST /api/chat`.
    #[serde(rename = "ollama.chat")]
    OllamaChat,
    /// Ollama `POST /api/generate`.
    #[serde(rename = "ollama.generate")]
    OllamaGenerate,
    /// Ollama `POST /api/embed`.
    #[serde(rename = "ollama.embed")]
    OllamaEmbed,
}

/// Whose API it is: errors and streams have one shape for all of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// OpenAI's: an error object, server-sent events, `[DONE]` or a last event.
    OpenAi,
    /// Anthropic's: a typed error object, named server-sent events.
    Anthropic,
    /// Ollama's: `{"error": "text"}`, one JSON object a line.
    Ollama,
}

impl Api {
    /// All of them, in the order of their names here.
    pub const ALL: [Self; 9] = [
        Self::Chat,
        Self::Completions,
        Self::Embeddings,
        Self::Responses,
        Self::Realtime,
        Self::Messages,
        Self::OllamaChat,
        Self::OllamaGenerate,
        Self::OllamaEmbed,
    ];

    /// Whose it is.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Chat
            | Self::Completions
            | Self::Embeddings
            | Self::Responses
            | Self::Realtime => Family::OpenAi,
            Self::Messages => Family::Anthropic,
            Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed => Family::Ollama,
        }
    }

    /// As it stands in the ledger, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "openai.chat",
            Self::Completions => "openai.completions",
            Self::Embeddings => "openai.embeddings",
            Self::Responses => "openai.responses",
            Self::Realtime => "openai.realtime",
            Self::Messages => "anthropic.messages",
            Self::OllamaChat => "ollama.chat",
            Self::OllamaGenerate => "ollama.generate",
            Self::OllamaEmbed => "ollama.embed",
        }
    }
}

/// What a target is: which APIs it speaks, how it wants its key, and which of its paths is cheap to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// vLLM, llama.cpp and whatever else speaks OpenAI's chat, completions and embeddings.
    #[default]
    #[serde(rename = "openai-compatible")]
    OpenAiCompatible,
    /// Ollama: its own API, and OpenAI's beside it.
    Ollama,
    /// LiteLLM: OpenAI's and Anthropic's; Gemini and Bedrock are reached through it.
    Litellm,
    /// OpenAI.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic.
    Anthropic,
}

impl TargetKind {
    /// All of them, as the configuration names them.
    pub const ALL: [(&'static str, Self); 5] = [
        ("openai-compatible", Self::OpenAiCompatible),
        ("ollama", Self::Ollama),
        ("litellm", Self::Litellm),
        ("openai", Self::OpenAi),
        ("anthropic", Self::Anthropic),
    ];

    /// What each kind answers at once and for nothing. LiteLLM's `/health` would ask every model it has.
    #[must_use]
    pub const fn health_path(self) -> &'static str {
        match self {
            Self::Ollama => "/api/version",
            Self::Litellm => "/health/liveliness",
            Self::OpenAiCompatible | Self::OpenAi | Self::Anthropic => "/v1/models",
        }
    }

    /// As the configuration names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether a target of this kind understands `api`.
    ///
    /// Sources: <https://docs.ollama.com/api>, <https://docs.litellm.ai/docs/proxy/user_keys>,
    /// <https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html>,
    /// <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>.
    #[must_use]
    pub const fn speaks(self, api: Api) -> bool {
        match (self, api.family()) {
            (Self::Anthropic, family) => matches!(family, Family::Anthropic),
            (Self::OpenAi, family) => matches!(family, Family::OpenAi),
            (Self::Ollama, _) => !matches!(api, Api::Realtime),
            (Self::Litellm | Self::OpenAiCompatible, family) => !matches!(family, Family::Ollama),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_name_is_the_one_that_is_read() {
        for api in Api::ALL {
            let written = serde_json::to_value(api).unwrap();
            assert_eq!(written, api.as_str());
            assert_eq!(serde_json::from_value::<Api>(written).unwrap(), api);
        }
        for (name, kind) in TargetKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
        }
    }

    #[test]
    fn a_target_is_never_asked_in_a_foreign_tongue() {
        assert!(!TargetKind::Anthropic.speaks(Api::Chat));
        assert!(!TargetKind::OpenAi.speaks(Api::Messages));
        assert!(!TargetKind::Litellm.speaks(Api::OllamaChat));
        assert!(TargetKind::Ollama.speaks(Api::Messages));
    }
}
