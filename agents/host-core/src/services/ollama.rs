//! Ollama's own list of what it has and what it holds in memory (`docs/api.md` of Ollama).

use super::Answer;
use net_model::report::{Few, Liveness, Ollama, OllamaLoaded, OllamaModel, Printable};
use serde::Deserialize;

/// Asked for its version.
pub const OLLAMA_VERSION: &str = "/api/version";
/// Asked for the models on its disk.
pub const OLLAMA_MODELS: &str = "/api/tags";
/// Asked for the models in its memory.
pub const OLLAMA_LOADED: &str = "/api/ps";

/// Digits of a digest that are reported: enough that no two models of a house share them by chance.
const DIGITS: usize = 16;

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Models {
    // An empty list is `null` in some versions.
    #[serde(default)]
    models: Option<Vec<Model>>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    size_vram: u64,
}

/// What the three answers come to, and how many models found no place in the report.
#[must_use]
pub fn ollama(version: &Answer, models: &Answer, loaded: &Answer) -> (Ollama, usize) {
    let said = version
        .json::<Version>()
        .map(|v| Printable::clipped(&v.version));
    let list = |answer: &Answer| {
        let read = answer.json::<Models>().and_then(|m| m.models);
        read.unwrap_or_default()
    };
    let (models, more) = Few::first_of(list(models).iter().map(|m| OllamaModel {
        name: Printable::clipped(&m.name),
        digest: digest(&m.digest),
        size_bytes: m.size,
    }));
    let (loaded, _) = Few::first_of(list(loaded).iter().map(|m| OllamaLoaded {
        name: Printable::clipped(&m.name),
        digest: digest(&m.digest),
        size_bytes: m.size,
        vram_bytes: m.size_vram,
        spilled_bytes: m.size.saturating_sub(m.size_vram),
    }));
    let live = match (version, &said) {
        (Answer::Body { status: 200, .. }, Some(_)) => Liveness::Up,
        (Answer::Refused, _) => Liveness::Down,
        (Answer::Body { status, .. }, _) if *status >= 500 => Liveness::Down,
        (Answer::Body { .. } | Answer::Silent, _) => Liveness::Unknown,
    };
    (
        Ollama {
            live,
            version: said,
            models,
            loaded,
        },
        more,
    )
}

fn digest(text: &str) -> Printable {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    Printable::clipped(&digits.chars().take(DIGITS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Answer {
        Answer::Body {
            status: 200,
            body: text.as_bytes().to_vec(),
            took_ms: 1,
        }
    }

    #[test]
    fn what_spills_over_the_graphics_memory_is_counted() {
        let tags = r#"{"models":[{"name":"llama3.1:8b","model":"llama3.1:8b","size":4920753328,"digest":"46e0c10c039e019119339687c3c1757cc81b9da49709a3b3924863ba87ca666e","details":{"format":"gguf"}}]}"#;
        let ps = r#"{"models":[{"name":"llama3.1:8b","size":7000,"digest":"46e0c10c039e0191ff","size_vram":4000,"expires_at":"2026-11-21T10:00:00Z"}]}"#;
        let (found, more) = ollama(&body(r#"{"version":"0.12.6"}"#), &body(tags), &body(ps));
        assert_eq!((found.live, more), (Liveness::Up, 0));
        assert_eq!(found.models[0].digest.as_str(), "46e0c10c039e0191");
        assert_eq!(
            (found.loaded[0].spilled_bytes, found.loaded[0].vram_bytes),
            (3000, 4000)
        );
    }

    #[test]
    fn what_cannot_be_read_is_never_called_up() {
        for text in ["", "{}", "{\"version\":5}", "<html>", "[[[["] {
            let (found, _) = ollama(&body(text), &body(text), &body("{\"models\":null}"));
            assert_eq!(found.live, Liveness::Unknown, "{text}");
            assert!(found.models.is_empty());
        }
        let (found, _) = ollama(&Answer::Refused, &Answer::Refused, &Answer::Refused);
        assert_eq!(found.live, Liveness::Down);
    }

    #[test]
    fn models_without_a_place_are_counted() {
        let one = r#"{"name":"m","size":1,"digest":"a"}"#;
        let tags = format!(r#"{{"models":[{}]}}"#, vec![one; 70].join(","));
        let (found, more) = ollama(&Answer::Silent, &body(&tags), &Answer::Silent);
        assert_eq!((found.models.len(), more), (64, 6));
    }
}
