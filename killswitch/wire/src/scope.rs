//! What a command is about, parsed once.

use crate::name::Name;
use crate::probe::{Class, RouteKind, Subject};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

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
