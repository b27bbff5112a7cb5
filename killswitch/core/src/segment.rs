//! One GSM-7 segment: what fits into one text message, so that it costs one and arrives whole.

use serde::{Deserialize, Serialize};
use std::fmt;

/// At most 160 characters of the GSM 7-bit default alphabet (3GPP TS 23.038), none of its
/// extension table, so that one character is one septet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Reply(String);

impl Reply {
    /// Longest reply, in characters.
    pub const MAX: usize = 160;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lines up parts; the longest beginning that fits, and of the optional parts those that fit.
    pub(crate) fn of(parts: &[Part]) -> Self {
        let must: usize = parts
            .iter()
            .map(|p| if p.must { p.text.chars().count() } else { 0 })
            .sum();
        let mut room = Self::MAX.saturating_sub(must);
        let mut text = String::new();
        for part in parts {
            let len = part.text.chars().count();
            if part.must {
                text.push_str(&part.text);
            } else if len <= room {
                room -= len;
                text.push_str(&part.text);
            }
        }
        Self::from(text)
    }
}

/// Whatever does not belong becomes `?`; whatever is too long is cut off.
impl From<String> for Reply {
    fn from(text: String) -> Self {
        let safe = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => c,
            '!' | '"' | '#' | '$' | '%' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | '-' | '.'
            | '/' | ':' | ';' | '<' | '=' | '>' | '?' | '@' | '_' => c,
            _ => '?',
        };
        Self(text.chars().map(safe).take(Self::MAX).collect())
    }
}

impl From<Reply> for String {
    fn from(reply: Reply) -> Self {
        reply.0
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A piece of a reply.
pub(crate) struct Part {
    text: String,
    must: bool,
}

/// A piece that must stand.
pub(crate) fn must(text: impl Into<String>) -> Part {
    Part {
        text: text.into(),
        must: true,
    }
}

/// A piece that stands if there is room.
pub(crate) fn may(text: impl Into<String>) -> Part {
    Part {
        text: text.into(),
        must: false,
    }
}
