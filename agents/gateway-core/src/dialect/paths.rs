//! Which path is what, at the gateway and at a target.

use net_model::Api;

/// What a client asks a path for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Work of a model: `POST` with a body that names it.
    Call(Api),
    /// A session with a model: a WebSocket whose query names it.
    Session,
    /// What a consumer could ask for: `GET`.
    Listing(Listing<'a>),
    /// Ollama's `POST /api/show`: what a model can do. Costs nothing.
    Show,
}

/// Lists, each in the shape of its API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing<'a> {
    /// `GET /v1/models`, of OpenAI and of Anthropic.
    Models,
    /// `GET /v1/models/{id}`, one entry of it.
    Model(&'a str),
    /// Ollama's `GET /api/tags`: the models it has.
    Tags,
    /// Ollama's `GET /api/ps`: those it holds in memory.
    Running,
    /// Ollama's `GET /api/version`.
    Version,
}

/// Every path that takes a model's work, as clients write it.
pub const CALLS: [(&str, Api); 9] = [
    ("/v1/chat/completions", Api::Chat),
    ("/v1/completions", Api::Completions),
    ("/v1/embeddings", Api::Embeddings),
    ("/v1/responses", Api::Responses),
    ("/v1/messages", Api::Messages),
    ("/api/chat", Api::OllamaChat),
    ("/api/generate", Api::OllamaGenerate),
    ("/api/embed", Api::OllamaEmbed),
    ("/api/embeddings", Api::OllamaEmbed),
];

/// What stands at a path; `None` where nothing does.
#[must_use]
pub fn place(path: &str) -> Option<Place<'_>> {
    if let Some((_, api)) = CALLS.iter().find(|(known, _)| *known == path) {
        return Some(Place::Call(*api));
    }
    Some(match path {
        "/v1/realtime" => Place::Session,
        "/v1/models" => Place::Listing(Listing::Models),
        "/api/tags" => Place::Listing(Listing::Tags),
        "/api/ps" => Place::Listing(Listing::Running),
        "/api/version" => Place::Listing(Listing::Version),
        "/api/show" => Place::Show,
        _ => {
            let id = path.strip_prefix("/v1/models/")?;
            // Names such as `org/model` hold slashes.
            (!id.is_empty()).then_some(Place::Listing(Listing::Model(id)))?
        }
    })
}

/// Where a target has what a client asked for: its base URL's path is `prefix`, the client's path and query `asked`.
///
/// A base URL ends in `/v1`, as OpenAI's clients write it. Anthropic's paths begin with the same; Ollama's own stand
/// beside it.
#[must_use]
pub fn at_target(prefix: &str, asked: &str) -> String {
    match asked.strip_prefix("/v1/") {
        Some(rest) => [prefix, "/", rest].concat(),
        None => [prefix.strip_suffix("/v1").unwrap_or(prefix), asked].concat(),
    }
}

/// A path's last part without its percent signs, as clients write names with a slash; `None` where that is no text.
#[must_use]
pub fn unescaped(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_exactly() {
        assert_eq!(place("/v1/messages"), Some(Place::Call(Api::Messages)));
        assert_eq!(place("/v1/realtime"), Some(Place::Session));
        assert_eq!(
            place("/v1/models/org/m"),
            Some(Place::Listing(Listing::Model("org/m")))
        );
        for unknown in [
            "/v1/models/",
            "/v1/chat/completions/",
            "/api/pull",
            "/api/delete",
            "/v1/messages/batches",
            "/v1/responses/resp_1",
            "/v1/realtime/client_secrets",
            "//v1/chat/completions",
            "/",
        ] {
            assert_eq!(place(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_meant() {
        assert_eq!(unescaped("org%2Fm%3a8b").as_deref(), Some("org/m:8b"));
        for wrong in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_target_is_asked_where_it_stands() {
        for (prefix, asked, there) in [
            (
                "/v1",
                "/v1/chat/completions?a=b",
                "/v1/chat/completions?a=b",
            ),
            ("/proxy/v1", "/v1/messages", "/proxy/v1/messages"),
            ("/v1", "/api/chat", "/api/chat"),
            ("/proxy/v1", "/api/tags", "/proxy/api/tags"),
            ("", "/v1/models", "/models"),
            ("", "/api/chat", "/api/chat"),
        ] {
            assert_eq!(at_target(prefix, asked), there);
        }
    }
}
