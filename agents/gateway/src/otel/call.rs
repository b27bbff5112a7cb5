//! A call to a model, as a trace tells of it.

use super::Place;
use kill_wire::{Name, Timestamp};
use memchr::memmem;
use net_model::{Api, TargetKind, UsageRecord};
use std::time::Duration;

/// Longest name of a model that is told.
const MAX_MODEL: usize = 128;

/// A call to a model that has ended.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) place: Option<Place>,
    pub(crate) api: Api,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
    pub(crate) id: Option<String>,
    pub(crate) consumer: Option<Name>,
    pub(crate) model: Option<String>,
    pub(crate) target: Option<CallTarget>,
    pub(crate) response_model: Option<String>,
    pub(crate) status: Option<u16>,
    /// Why it was refused.
    pub(crate) code: Option<&'static str>,
    pub(crate) record: Option<UsageRecord>,
}

/// Who was asked.
#[derive(Clone, Debug)]
pub(crate) struct CallTarget {
    pub(crate) kind: TargetKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The name it knows the model by.
    pub(crate) model: String,
}

impl Call {
    /// What was done, in the words of the conventions.
    pub(super) const fn operation(&self) -> &'static str {
        match self.api {
            Api::Chat | Api::Responses | Api::Realtime | Api::Messages | Api::OllamaChat => "chat",
            Api::Completions | Api::OllamaGenerate => "text_completion",
            Api::Embeddings | Api::OllamaEmbed => "embeddings",
        }
    }

    /// Who answered, in the words of the conventions where they have one. Who was never asked is nobody's: then it is
    /// the family in whose words the client spoke.
    pub(super) fn provider(&self) -> &'static str {
        match self.target.as_ref().map(|target| target.kind) {
            Some(TargetKind::OpenAi) => "openai",
            Some(TargetKind::Anthropic) => "anthropic",
            Some(TargetKind::Ollama) => "ollama",
            Some(TargetKind::Litellm) => "litellm",
            Some(TargetKind::OpenAiCompatible) => "openai_compatible",
            None => "portcullis",
        }
    }

    /// What kept it from a whole answer.
    pub(super) fn error(&self) -> Option<String> {
        if let Some(code) = self.code {
            return Some(code.to_owned());
        }
        let status = self.status.or(self.record.as_ref().map(|it| it.status));
        match (&self.record, status) {
            (Some(record), _) if record.ended != net_model::Ended::Complete => {
                Some(record.ended.as_str().to_owned())
            }
            (_, Some(status)) if status >= 400 => Some(status.to_string()),
            (None, None) => Some(net_model::Ended::ClientGone.as_str().to_owned()),
            _ => None,
        }
    }

    /// Host and port of who was asked.
    pub(super) fn server(&self) -> Option<(&str, u16)> {
        let target = self.target.as_ref()?;
        Some((&target.host, target.port))
    }
}

/// The model that answered, as the first piece of an answer names it. Within a text of the answer its quotes would be
/// escaped.
pub(crate) fn response_model(piece: &[u8]) -> Option<String> {
    let at = memmem::find(piece, b"\"model\"")? + b"\"model\"".len();
    let rest = piece.get(at..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', rest)?;
    let name = std::str::from_utf8(rest.get(..end)?).ok()?;
    let plain = !name.is_empty() && name.len() <= MAX_MODEL && !name.contains('\\');
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answering_model_is_found_in_the_answer_and_not_in_its_text() {
        let of = |text: &str| response_model(text.as_bytes());
        let named = Some("gpt-x".to_owned());
        assert_eq!(
            of(r#"data: {"id":"1","model":"gpt-x","choices":[]}"#),
            named
        );
        assert_eq!(of(r#"{"message":{"model" : "gpt-x"}}"#), named);
        let text = r#"{"content":"say \"model\":\"lie\"","model":"gpt-x"}"#;
        assert_eq!(of(text), named);
        for none in [
            r#"{"model":5}"#,
            r#"{"model":"unfini"#,
            "",
            r#"{"model":""}"#,
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
