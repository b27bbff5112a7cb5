//! What a message on the broker means: a press, a text, or nothing.

use super::panel::{Panel, word};
use kill_wire::Scope;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Longest content of a press; longest text in bytes.
const MOST_PRESS: usize = 256;
const MOST_TEXT: usize = 4096;

/// What a message means.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Someone pressed the button of this scope.
    Press(Scope),
    /// A text with codes.
    Text(Text),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// A text as published.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Text {
    /// What it says.
    text: String,
    /// The publisher's own number of it: the same message twice is one.
    id: Option<String>,
    /// Who it says it is from; comes back as `to` with the reply.
    from: Option<String>,
}

impl Text {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn sender(&self) -> &str {
        self.from.as_deref().unwrap_or("mqtt")
    }

    /// Of id and content: a publisher that always gives the same id must not silence its second code.
    pub(crate) fn id(&self) -> Option<String> {
        let mut hash = Sha256::new();
        hash.update(self.id.as_deref()?);
        hash.update([0]);
        hash.update(&self.text);
        let digest = hash.finalize();
        digest
            .get(..16)
            .map(|half| data_encoding::HEXLOWER.encode(half))
    }
}

/// Reads one message. What the broker kept is old: nobody pressed just now.
///
/// No look at the DUP flag: the session is clean, so a broker never sends again what this connection has had.
pub(crate) fn read(panel: &Panel, topic: &str, content: &[u8], retained: bool) -> Heard {
    if retained {
        return Heard::Nothing("it was retained");
    }
    if content.is_empty() {
        return Heard::Nothing("it is empty, as what clears a retained message");
    }
    if topic == panel.text() {
        return text(content);
    }
    match topic.strip_prefix(&panel.cut()) {
        Some(scope) if content.len() <= MOST_PRESS => press(panel, scope),
        Some(_) => Heard::Nothing("it is too long for a press"),
        None => Heard::Nothing("its topic is not listened to"),
    }
}

/// The scope with that word, if it has a button. For any other word everything is cut, where that has a button: who
/// presses the wrong thing in an emergency means to cut.
fn press(panel: &Panel, asked: &str) -> Heard {
    let has = |scope: &&Scope| word(scope) == asked.to_ascii_lowercase();
    if let Some(scope) = panel.buttons.iter().find(has) {
        Heard::Press(scope.clone())
    } else if panel.buttons.contains(&Scope::All) {
        Heard::Press(Scope::All)
    } else {
        Heard::Nothing("its scope has no button")
    }
}

fn text(content: &[u8]) -> Heard {
    if content.len() > MOST_TEXT {
        return Heard::Nothing("it is too long for a text");
    }
    match serde_json::from_slice(content) {
        Ok(text) => Heard::Text(text),
        Err(_) => Heard::Nothing("it is not JSON with `text` in it"),
    }
}

/// Shows neither the text, which may hold a live code, nor who sent it.
impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Press(scope) => write!(f, "Press({scope})"),
            Self::Text(_) => f.write_str("Text"),
            Self::Nothing(why) => write!(f, "Nothing({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(buttons: &[Scope]) -> Panel {
        Panel {
            instance: "house".into(),
            discovery: "homeassistant".into(),
            buttons: buttons.to_vec(),
        }
    }

    fn heard(buttons: &[Scope], topic: &str, content: &str, retained: bool) -> Heard {
        read(&panel(buttons), topic, content.as_bytes(), retained)
    }

    #[test]
    fn a_press_cuts_the_scope_of_its_button() {
        let both = [Scope::All, Scope::Llm];
        for (topic, scope) in [
            ("portcullis/house/cut/llm", Scope::Llm),
            ("portcullis/house/cut/LLM", Scope::Llm),
            ("portcullis/house/cut/all", Scope::All),
        ] {
            assert_eq!(heard(&both, topic, "PRESS", false), Heard::Press(scope));
        }
    }

    #[test]
    fn a_press_without_a_button_cuts_everything_where_that_has_one_and_else_nothing() {
        let topic = "portcullis/house/cut/lmm";
        assert_eq!(
            heard(&[Scope::All], topic, "1", false),
            Heard::Press(Scope::All)
        );
        assert!(matches!(
            heard(&[Scope::Llm], topic, "1", false),
            Heard::Nothing(_)
        ));
        assert!(matches!(heard(&[], topic, "1", false), Heard::Nothing(_)));
    }

    #[test]
    fn what_was_retained_or_clears_it_is_no_press() {
        let topic = "portcullis/house/cut/all";
        assert!(matches!(
            heard(&[Scope::All], topic, "PRESS", true),
            Heard::Nothing(_)
        ));
        assert!(matches!(
            heard(&[Scope::All], topic, "", false),
            Heard::Nothing(_)
        ));
        let text = r#"{"text":"KILL 12345678"}"#;
        assert!(matches!(
            heard(&[], "portcullis/house/text", text, true),
            Heard::Nothing(_)
        ));
    }

    #[test]
    fn a_text_keeps_its_id_only_with_its_content() {
        let id = |content: &str| match heard(&[], "portcullis/house/text", content, false) {
            Heard::Text(text) => text.id(),
            other @ (Heard::Press(_) | Heard::Nothing(_)) => panic!("{other:?}"),
        };
        let first = id(r#"{"text":"KILL 12345678","id":"ha"}"#);
        assert_eq!(first, id(r#"{"id":"ha","text":"KILL 12345678"}"#));
        assert_ne!(first, id(r#"{"text":"KILL 87654321","id":"ha"}"#));
        assert_eq!(id(r#"{"text":"STATUS"}"#), None);
    }

    #[test]
    fn what_is_neither_is_nothing() {
        for (topic, content) in [
            ("portcullis/house/text", "KILL 12345678"),
            ("portcullis/house/text", r#"{"id":"1"}"#),
            ("portcullis/house/text", &"x".repeat(5000)),
            ("portcullis/house/cut/all", &"x".repeat(300)),
            ("portcullis/other/cut/all", "PRESS"),
            ("portcullis/house/restore/all", "PRESS"),
            ("portcullis/house/cut", "PRESS"),
        ] {
            let heard = heard(&[Scope::All], topic, content, false);
            assert!(matches!(heard, Heard::Nothing(_)), "{topic}");
        }
    }
}
