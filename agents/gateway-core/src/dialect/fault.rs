//! An error before it has the shape of any API.

use kill_wire::Incident;

/// What went wrong, in words that every API has a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault<'a> {
    /// For people.
    pub message: &'a str,
    /// Of which kind it is.
    pub kind: Kind,
    /// A word for programs.
    pub code: &'a str,
    /// The member of the request that is wrong.
    pub param: Option<&'a str>,
    /// The incident behind it, if it is a cut.
    pub incident: Option<Incident>,
    /// The id under which the exchange is recorded, once it has one.
    pub request_id: Option<&'a str>,
    /// The number of its event, where the API numbers the events of a stream.
    pub number: u64,
}

/// Kinds of errors that the APIs tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be served as it stands.
    Invalid,
    /// No key, or one nobody has.
    Key,
    /// The key is good, and yet this is not allowed.
    Forbidden,
    /// No such path or model.
    Missing,
    /// Too long.
    TooLarge,
    /// A limit or budget is reached.
    Limited,
    /// A latch holds.
    Cut,
    /// The kill switch is silent.
    Paused,
    /// Nothing may pass yet.
    Closed,
    /// Too much at once, or stopping.
    Busy,
    /// The target failed.
    Upstream,
}

impl Kind {
    /// The `type` of an OpenAI error. A cut, a pause and a closed gateway have words of their own, which no client takes
    /// for an outage: <https://platform.openai.com/docs/guides/error-codes>.
    #[must_use]
    pub const fn openai(self) -> &'static str {
        match self {
            Self::Invalid | Self::Key | Self::Missing | Self::TooLarge => "invalid_request_error",
            Self::Forbidden => "permission_error",
            Self::Limited => "rate_limit_error",
            Self::Cut => "portcullis_cut",
            Self::Paused => "portcullis_paused",
            Self::Closed => "portcullis_closed",
            Self::Busy | Self::Upstream => "server_error",
        }
    }

    /// The `type` of an Anthropic error, out of its fixed list: <https://docs.anthropic.com/en/api/errors>. What is
    /// closed by decision is no `overloaded_error` and no `api_error`: clients would ask again at once.
    #[must_use]
    pub const fn anthropic(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_request_error",
            Self::Key => "authentication_error",
            Self::Forbidden | Self::Cut | Self::Paused | Self::Closed => "permission_error",
            Self::Missing => "not_found_error",
            Self::TooLarge => "request_too_large",
            Self::Limited => "rate_limit_error",
            Self::Busy => "overloaded_error",
            Self::Upstream => "api_error",
        }
    }
}
