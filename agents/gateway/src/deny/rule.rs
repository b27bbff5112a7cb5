//! Which rule a refusal comes from, and where on the way of a request that rule stands.

use super::Denied;
use net_model::Stage;

impl Denied {
    /// Where on the way of a request this is decided.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::WrongKey => Stage::Identity,
            Self::UnknownPath
            | Self::WrongMethod
            | Self::NoUpgrade
            | Self::NotOverHttp2
            | Self::OtherModel
            | Self::NotJson
            | Self::Ambiguous
            | Self::Background
            | Self::NoModel
            | Self::NoSuchWay(_)
            | Self::TooLarge
            | Self::SlowBody
            | Self::Busy
            | Self::Draining => Stage::Request,
            Self::UnknownModel(_) | Self::NoSuchApi(_) | Self::NotAllowed(_) => Stage::Policy,
            Self::Closed | Self::Cut(..) | Self::Paused(_) | Self::Tripped(..) => Stage::Latch,
            Self::Limited(_) => Stage::Budget,
            Self::NoTarget(..) => Stage::Breaker,
            Self::UpstreamFailed | Self::BrokenOff => Stage::Target,
        }
    }

    /// The rule: a scope, the name of a budget or limit, else the word of the refusal.
    pub(crate) fn rule(&self) -> String {
        match self {
            Self::Cut(scope, _) | Self::Paused(scope) | Self::Tripped(scope, _) => {
                scope.to_string()
            }
            Self::Limited(limited) => limited.rule.clone(),
            Self::WrongKey
            | Self::UnknownPath
            | Self::WrongMethod
            | Self::NoUpgrade
            | Self::NotOverHttp2
            | Self::OtherModel
            | Self::NotJson
            | Self::Ambiguous
            | Self::Background
            | Self::NoModel
            | Self::UnknownModel(_)
            | Self::NoSuchApi(_)
            | Self::NoSuchWay(_)
            | Self::TooLarge
            | Self::SlowBody
            | Self::Busy
            | Self::Closed
            | Self::Draining
            | Self::NotAllowed(_)
            | Self::NoTarget(..)
            | Self::UpstreamFailed
            | Self::BrokenOff => self.code().to_owned(),
        }
    }
}
