//! What a command is about, parsed once.

use crate::probe::{Class, RouteKind, Subject};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Words of the command grammar that no route or consumer may be called.
pub const RESERVED_WORDS: [&str; 16] = [
    "all", "llm", "cloud", "agents", "tools", "kill", "cut", "off", "stop", "restore", "status",
    "ok", "drill", "help", "start", "code",
];

/// The name of one route or consumer: 1 to 24 of `a-z 0-9 . _ -`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

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
        let name = Self(text.to_ascii_lowercase());
        if RESERVED_WORDS.contains(&name.squashed().as_str()) {
            return Err(NotAName::Reserved(name.0));
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
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a cut closes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Everything governed.
    All,
    /// Every model route.
    Llm,
    /// Targets outside the house: the fallback.
    Cloud,
    /// Everything an agent asks for, and every route to an agent.
    Agents,
    /// Every tool route.
    Tools,
    /// One route or one consumer.
    Named(Name),
}

/// Why a text is not a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: ALL, LLM, CLOUD, AGENTS, TOOLS, or the name of a route or consumer")]
pub struct NotAScope(String);

impl Scope {
    /// Whether a cut of this scope closes `subject`.
    #[must_use]
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Llm => subject.kind == RouteKind::Llm,
            Self::Cloud => subject.class == Some(Class::Cloud),
            Self::Agents => subject.kind == RouteKind::Agent || subject.consumer.is_some(),
            Self::Tools => subject.kind == RouteKind::Tool,
            Self::Named(name) => subject.route == name || subject.consumer == Some(name),
        }
    }
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        match text.to_ascii_lowercase().as_str() {
            "all" => Ok(Self::All),
            "llm" => Ok(Self::Llm),
            "cloud" => Ok(Self::Cloud),
            "agents" => Ok(Self::Agents),
            "tools" => Ok(Self::Tools),
            other => other
                .parse()
                .map(Self::Named)
                .map_err(|_| NotAScope(text.chars().take(48).collect())),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = NotAScope;
    fn try_from(text: String) -> Result<Self, NotAScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "ALL",
            Self::Llm => "LLM",
            Self::Cloud => "CLOUD",
            Self::Agents => "AGENTS",
            Self::Tools => "TOOLS",
            Self::Named(name) => name.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_in_any_case_and_print_one_way() {
        assert_eq!("aLl".parse(), Ok(Scope::All));
        assert_eq!("Rag-API".parse::<Scope>().unwrap().to_string(), "rag-api");
        assert!("".parse::<Scope>().is_err());
        assert!("7up".parse::<Scope>().is_err());
        assert!("a b".parse::<Scope>().is_err());
    }

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

    #[test]
    fn a_scope_covers_what_its_word_says() {
        let (route, other, me): (Name, Name, Name) = (
            "chat".parse().unwrap(),
            "x".parse().unwrap(),
            "claw".parse().unwrap(),
        );
        let subject = Subject {
            kind: RouteKind::Llm,
            route: &route,
            consumer: Some(&me),
            class: Some(Class::Local),
        };
        for (scope, expected) in [
            (Scope::All, true),
            (Scope::Llm, true),
            (Scope::Cloud, false),
            (Scope::Agents, true),
            (Scope::Tools, false),
            (Scope::Named(route.clone()), true),
            (Scope::Named(me.clone()), true),
            (Scope::Named(other), false),
        ] {
            assert_eq!(scope.covers(&subject), expected, "{scope}");
        }
    }
}
