//! What became of one request, step by step: a line of the gateway's spool beside the usage, where there is more to
//! say than that says. It holds no body, no key and no address.

use crate::{api::Api, trip::shown};
use kill_wire::{Incident, Name, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Most steps of one request; what a route's targets say fits.
pub const MAX_STEPS: usize = 16;

/// Longest text of a step in characters.
const LONGEST_TEXT: usize = 300;

/// Longest name of a model in characters.
const LONGEST_MODEL: usize = 128;

/// Longest id that a neighbour may give.
const LONGEST_ALIAS: usize = 128;

/// Longest id of the gateway's own.
const LONGEST_ID: usize = 64;

/// What a neighbour calls a request: 1 to 128 letters, digits and `- _ . : / + = @`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

/// The text is no id of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of a request is 1 to 128 letters, digits and `- _ . : / + = @`")]
pub struct NotAnAlias;

impl Alias {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = NotAnAlias;

    fn from_str(text: &str) -> Result<Self, NotAnAlias> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
        let good = !text.is_empty() && text.len() <= LONGEST_ALIAS && text.bytes().all(fine);
        good.then(|| Self(text.to_owned())).ok_or(NotAnAlias)
    }
}

impl TryFrom<String> for Alias {
    type Error = NotAnAlias;

    fn try_from(text: String) -> Result<Self, NotAnAlias> {
        text.parse()
    }
}

impl From<Alias> for String {
    fn from(alias: Alias) -> Self {
        alias.0
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where on its way a request was looked at, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What was asked: path, method, body.
    Request,
    /// Whose key it is.
    Identity,
    /// What this consumer may use.
    Policy,
    /// What the kill switch, or the gateway by itself, holds closed.
    Latch,
    /// Budgets, limits and what runs away.
    Budget,
    /// How the target fares.
    Breaker,
    /// What the target did.
    Target,
    /// What the client was given.
    Answer,
}

impl Stage {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Request,
        Self::Identity,
        Self::Policy,
        Self::Latch,
        Self::Budget,
        Self::Breaker,
        Self::Target,
        Self::Answer,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Identity => "identity",
            Self::Policy => "policy",
            Self::Latch => "latch",
            Self::Budget => "budget",
            Self::Breaker => "breaker",
            Self::Target => "target",
            Self::Answer => "answer",
        }
    }

    /// In which order the gateway asks: a latch before anything that costs time.
    #[must_use]
    pub const fn turn(self) -> u8 {
        match self {
            Self::Identity => 0,
            Self::Latch => 1,
            Self::Request => 2,
            Self::Policy => 3,
            Self::Breaker => 4,
            Self::Budget => 5,
            Self::Target => 6,
            Self::Answer => 7,
        }
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The request went on.
    Passed,
    /// It went on another way: this target was passed over, or failed.
    PassedOver,
    /// It was refused here.
    Refused,
    /// It was ended here, in the middle.
    CutOff,
    /// It never came so far.
    NotReached,
}

impl Verdict {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::PassedOver => "passed_over",
            Self::Refused => "refused",
            Self::CutOff => "cut_off",
            Self::NotReached => "not_reached",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Since the request came, milliseconds.
    pub after_ms: u64,
    /// Where.
    pub stage: Stage,
    /// What it came to.
    pub verdict: Verdict,
    /// The rule that decided: the name of a budget, a scope, a word of the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The target it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Name>,
    /// The incident behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// The same for people, with the figures.
    pub text: String,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The gateway's id, the same as in the usage.
    pub id: String,
    /// When the request came.
    pub at: Timestamp,
    /// What the client calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_as: Option<Alias>,
    /// Its trace (W3C Trace Context), 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Alias>,
    /// What the target calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_as: Option<Alias>,
    /// Who asked, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<Name>,
    /// In which API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// For which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// HTTP status given to the client.
    pub status: u16,
    /// The word of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// From request to end, milliseconds.
    pub took_ms: u64,
    /// What decided, in the order of time.
    pub steps: Vec<Step>,
}

impl Story {
    /// The same within its bounds; none where its id is no id. Whoever reads one that another wrote asks this once.
    #[must_use]
    pub fn bounded(mut self) -> Option<Self> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.id.is_empty() || self.id.len() > LONGEST_ID || !self.id.bytes().all(fine) {
            return None;
        }
        self.steps.truncate(MAX_STEPS);
        for step in &mut self.steps {
            step.text = shown(&step.text, LONGEST_TEXT);
            step.rule = step.rule.as_deref().map(|rule| shown(rule, 64));
        }
        self.model = self.model.as_deref().map(|it| shown(it, LONGEST_MODEL));
        self.code = self.code.as_deref().map(|code| shown(code, 64));
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_neighbour_calls_a_request_is_short_and_harmless() {
        for good in [
            "a",
            "req_01H",
            "550e8400-e29b-41d4-a716-446655440000",
            "a/b+c=@",
        ] {
            assert_eq!(good.parse::<Alias>().unwrap().as_str(), good);
        }
        let long = "x".repeat(129);
        for bad in ["", "a b", "a\n", "<b>", "é", "a\"", long.as_str()] {
            assert_eq!(bad.parse::<Alias>(), Err(NotAnAlias), "{bad}");
        }
    }

    #[test]
    fn a_story_is_bounded_whoever_wrote_it() {
        let step = Step {
            after_ms: 0,
            stage: Stage::Latch,
            verdict: Verdict::Refused,
            rule: Some("y".repeat(500)),
            target: None,
            incident: None,
            text: "\u{1b}".repeat(5000),
        };
        let story = Story {
            id: "a-1".to_owned(),
            at: Timestamp::default(),
            asked_as: None,
            trace: None,
            told_as: None,
            consumer: None,
            api: None,
            model: Some("m".repeat(9000)),
            status: 503,
            code: None,
            took_ms: 0,
            steps: vec![step; 100],
        };
        let bounded = story.clone().bounded().unwrap();
        assert_eq!(bounded.steps.len(), MAX_STEPS);
        assert!(serde_json::to_vec(&bounded).unwrap().len() < 40_000);
        assert!(!bounded.steps[0].text.contains('\u{1b}'));
        for id in ["", "a b", "a/1"] {
            let id = id.to_owned();
            assert_eq!(
                Story {
                    id,
                    ..story.clone()
                }
                .bounded(),
                None
            );
        }
    }
}
