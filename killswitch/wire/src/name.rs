//! What a route or a consumer may be called.

use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, str::FromStr, sync::Arc};

/// Words of the command grammar that no route or consumer may be called.
pub const RESERVED_WORDS: [&str; 16] = [
    "all", "llm", "cloud", "agents", "tools", "kill", "cut", "off", "stop", "restore", "status",
    "ok", "drill", "help", "start", "code",
];

/// The name of one route or consumer: 1 to 24 of `a-z 0-9 . _ -`, starting with a letter.
///
/// Each exchange is known by several of them in several places, so a clone shares its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(Arc<str>);

/// Why a text is not a [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Wrong characters or length.
    #[error("`{0}` is not a name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter")]
    Form(String),
    /// A word of the command grammar.
    #[error("`{0}` is a word of the kill switch's own grammar; choose another name")]
    Reserved(String),
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without separators: a text message cannot tell `rag-api` from `rag api`,
    /// so two names of one house must differ in this form.
    #[must_use]
    pub fn squashed(&self) -> String {
        self.0.chars().filter(char::is_ascii_alphanumeric).collect()
    }
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty()
            || text.len() > 24
            || !text.chars().all(ok)
            || !text.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Err(NotAName::Form(text.chars().take(48).collect()));
        }
        let name = Self(text.to_ascii_lowercase().into());
        if RESERVED_WORDS.contains(&name.squashed().as_str()) {
            return Err(NotAName::Reserved(name.into()));
        }
        Ok(name)
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_grammar_are_no_names_even_with_separators() {
        assert!(matches!(
            "re-store".parse::<Name>(),
            Err(NotAName::Reserved(_))
        ));
        assert!(matches!(
            "A.L.L".parse::<Name>(),
            Err(NotAName::Reserved(_))
        ));
    }
}
