//! Every refusal of the gateway, in the error shape of the API it was asked in.

mod rule;

use bytes::Bytes;
use gateway_core::{
    dialect::{Fault, Kind, Unreadable, error_body, error_event},
    limits::Refusal,
    runaway::Wait,
};
use http::StatusCode;
use kill_wire::{Incident, Scope, Timestamp};
use net_model::{Api, Ended, Family, Overruled};
use std::{sync::Arc, time::Duration};

/// Status recorded for a client that left before it was given one (nginx's word for it).
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Why a request is not, or no longer, answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No credential, or one nobody has.
    WrongKey,
    /// No such path.
    UnknownPath,
    /// A path of ours, another method.
    WrongMethod,
    /// No WebSocket is asked for where one is served.
    NoUpgrade,
    /// One is asked for in HTTP/2.
    NotOverHttp2,
    /// A session would go on with another model.
    OtherModel,
    /// The body is not an object this gateway can read.
    NotJson,
    /// Two readers could read the body differently.
    Ambiguous,
    /// The work would go on at the target when its stream is cut.
    Background,
    /// The body names no model.
    NoModel,
    /// No route of this consumer takes the model.
    UnknownModel(String),
    /// No target of the route speaks the API it was asked in.
    NoSuchApi(Api),
    /// The probe header does not name a way through this gateway.
    NoSuchWay(&'static str),
    /// The body is longer than the limit.
    TooLarge,
    /// The body did not arrive in time.
    SlowBody,
    /// Too much at once.
    Busy,
    /// No agent has spoken since the gateway started.
    Closed,
    /// A latch holds.
    Cut(Scope, Incident),
    /// The kill switch is silent.
    Paused(Scope),
    /// The gateway is stopping.
    Draining,
    /// A limit or a budget is reached.
    Limited(Arc<Limited>),
    /// The gateway itself has closed this scope, for the cause given.
    Tripped(Scope, String),
    /// What the consumer may use excludes every target of the route, each for the reason given.
    NotAllowed(String),
    /// No target of the route serves now, each for the reason given; asking again makes sense after this time.
    NoTarget(String, Duration),
    /// No target of the route gave an answer.
    UpstreamFailed,
    /// The target broke its answer off.
    BrokenOff,
}

/// A limit or a budget that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// The `code` member.
    code: &'static str,
    /// Its name.
    rule: String,
    /// Names the rule, and when it frees.
    message: String,
    /// How long until asking again makes sense; `None` when waiting does not help.
    pub(crate) wait: Option<Duration>,
}

impl From<Unreadable> for Denied {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::NotJson => Self::NotJson,
            Unreadable::Ambiguous => Self::Ambiguous,
        }
    }
}

impl From<Overruled<'_>> for Denied {
    fn from(overruled: Overruled<'_>) -> Self {
        match overruled {
            Overruled::Cut(scope, incident) => Self::Cut(scope.clone(), incident),
            Overruled::Paused(scope) => Self::Paused(scope.clone()),
        }
    }
}

impl Denied {
    /// A rule refuses, as at `now`.
    pub(crate) fn limited(refusal: &Refusal, now: Timestamp) -> Self {
        Self::Limited(Arc::new(Limited {
            code: if refusal.is_budget() {
                "budget_exceeded"
            } else {
                "rate_limit_exceeded"
            },
            rule: refusal.name.to_string(),
            message: refusal.to_string(),
            wait: refusal.wait(now),
        }))
    }

    /// This consumer is slowed down.
    pub(crate) fn slowed_down(wait: &Wait) -> Self {
        let (pause, rest) = (wait.pause.as_secs().max(1), wait.rest.as_secs().max(1));
        Self::Limited(Arc::new(Limited {
            code: "runaway_throttled",
            rule: "runaway".to_owned(),
            message: format!(
                "This consumer looks like a runaway: {}. For another {rest} s it may have one request open at a time, with a pause between. Ask again in {pause} s.",
                wait.figures
            ),
            wait: Some(wait.pause),
        }))
    }

    /// The incident behind it, if it is a cut.
    pub(crate) fn incident(&self) -> Option<Incident> {
        if let Self::Cut(_, incident) = self {
            Some(*incident)
        } else {
            None
        }
    }

    /// How an exchange has ended that this cut off.
    pub(crate) const fn ends(&self) -> Ended {
        if matches!(self, Self::Limited(_)) {
            Ended::Budget
        } else if matches!(self, Self::Tripped(..)) {
            Ended::Tripped
        } else if matches!(self, Self::Draining) {
            Ended::Stopped
        } else {
            Ended::Cut
        }
    }

    /// HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::UnknownPath | Self::UnknownModel(_) | Self::NoSuchApi(_) | Self::NoSuchWay(_) => {
                StatusCode::NOT_FOUND
            }
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoUpgrade => StatusCode::UPGRADE_REQUIRED,
            Self::NotOverHttp2 => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::NotJson
            | Self::Ambiguous
            | Self::Background
            | Self::NoModel
            | Self::OtherModel => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAllowed(_) => StatusCode::FORBIDDEN,
            Self::Busy
            | Self::Closed
            | Self::Cut(..)
            | Self::Paused(_)
            | Self::Tripped(..)
            | Self::NoTarget(..)
            | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamFailed | Self::BrokenOff => StatusCode::BAD_GATEWAY,
        }
    }

    /// The `code` member: a word for programs and metrics.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::WrongKey => "invalid_api_key",
            Self::UnknownPath => "unknown_path",
            Self::WrongMethod => "method_not_allowed",
            Self::NoUpgrade => "upgrade_required",
            Self::NotOverHttp2 => "http_version_not_supported",
            Self::OtherModel => "model_fixed",
            Self::NotJson | Self::Ambiguous => "invalid_body",
            Self::Background => "background_not_served",
            Self::NoModel => "model_missing",
            Self::UnknownModel(_) => "model_not_found",
            Self::NoSuchApi(_) => "api_not_served",
            Self::NoSuchWay(_) => "no_such_way",
            Self::TooLarge => "request_too_large",
            Self::SlowBody => "request_timeout",
            Self::Busy => "busy",
            Self::Closed => "closed",
            Self::Cut(..) => "cut",
            Self::Paused(_) => "paused",
            Self::Draining => "draining",
            Self::Limited(limited) => limited.code,
            Self::Tripped(..) => "tripped",
            Self::NotAllowed(_) => "not_allowed",
            Self::NoTarget(..) => "no_target",
            Self::UpstreamFailed => "upstream_failed",
            Self::BrokenOff => "upstream_broke_off",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::WrongKey => Kind::Key,
            Self::UnknownPath | Self::UnknownModel(_) | Self::NoSuchApi(_) | Self::NoSuchWay(_) => {
                Kind::Missing
            }
            Self::TooLarge => Kind::TooLarge,
            Self::WrongMethod
            | Self::NoUpgrade
            | Self::NotOverHttp2
            | Self::OtherModel
            | Self::NotJson
            | Self::Ambiguous
            | Self::Background
            | Self::NoModel
            | Self::SlowBody => Kind::Invalid,
            Self::Closed => Kind::Closed,
            Self::Cut(..) | Self::Tripped(..) => Kind::Cut,
            Self::Limited(_) => Kind::Limited,
            Self::Paused(_) => Kind::Paused,
            Self::NotAllowed(_) => Kind::Forbidden,
            Self::Busy | Self::NoTarget(..) | Self::Draining => Kind::Busy,
            Self::UpstreamFailed | Self::BrokenOff => Kind::Upstream,
        }
    }

    /// For people; it names the rule and its figures.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::WrongKey => "No such key. Send the key of a consumer of this gateway, `pck_…`, as `Authorization: Bearer` or as `x-api-key`.".to_owned(),
            Self::UnknownPath => "This gateway does not serve that path.".to_owned(),
            Self::WrongMethod => "This path does not take that method.".to_owned(),
            Self::NoUpgrade => "Realtime is a WebSocket: ask with `Upgrade: websocket` and version 13 (RFC 6455).".to_owned(),
            Self::NotOverHttp2 => "Realtime is served over HTTP/1.1 alone: ask there for the WebSocket.".to_owned(),
            Self::OtherModel => "This session is with the model that its address names; for another one open another session.".to_owned(),
            Self::NotJson => "The body is not the JSON object that this path takes.".to_owned(),
            Self::Ambiguous => "The body has a member twice, or in letters of another case, so that the target could read another one than this gateway.".to_owned(),
            Self::Background => "`background` is not served: such work goes on at the target when everything here is cut.".to_owned(),
            Self::NoModel => "The body names no `model`.".to_owned(),
            Self::UnknownModel(model) => format!("The model `{model}` does not exist or this consumer may not use it."),
            Self::NoSuchApi(api) => format!("No target of this model's route speaks `{}`.", api.as_str()),
            Self::NoSuchWay(why) => format!("The probe names no way through this gateway: {why}."),
            Self::TooLarge => "The body is longer than 32 MiB.".to_owned(),
            Self::SlowBody => "The body did not arrive in time.".to_owned(),
            Self::Busy => "The gateway holds as much as it may. Try again soon.".to_owned(),
            Self::Closed => "Closed: this gateway was not yet told by its node agent what may pass.".to_owned(),
            Self::Cut(scope, incident) => format!("Cut by the kill switch: incident {incident}, scope {scope}. It stays cut until someone restores it."),
            Self::Paused(scope) => format!("Paused, scope {scope}: the kill switch is silent. It opens when the kill switch speaks again."),
            Self::Draining => "The gateway is stopping.".to_owned(),
            Self::Limited(limited) => limited.message.clone(),
            Self::Tripped(scope, cause) => format!("Closed by the gateway itself, scope {scope}: {cause}. It stays closed until someone restores it."),
            Self::NotAllowed(why) => format!("What this consumer may use excludes every target of the route: {why}."),
            Self::NoTarget(why, _) => format!("No target of this route serves now: {why}."),
            Self::UpstreamFailed => "No target of this route gave an answer.".to_owned(),
            Self::BrokenOff => "The target broke its answer off.".to_owned(),
        }
    }

    /// The error as JSON text, as a client of this family knows it.
    pub(crate) fn json(&self, family: Family, request_id: Option<&str>) -> Vec<u8> {
        self.shaped(0, request_id, |fault| error_body(family, fault))
    }

    /// The same error as the last words of a stream of `api`.
    pub(crate) fn event(&self, api: Api) -> Bytes {
        self.event_of_number(api, 0)
    }

    /// The same, with the number that follows that of the event before it.
    pub(crate) fn event_of_number(&self, api: Api, number: u64) -> Bytes {
        self.shaped(number, None, |fault| error_event(api, fault))
            .into()
    }

    fn shaped(
        &self,
        number: u64,
        request_id: Option<&str>,
        shape: impl FnOnce(&Fault<'_>) -> Vec<u8>,
    ) -> Vec<u8> {
        shape(&Fault {
            message: &self.message(),
            kind: self.kind(),
            code: self.code(),
            param: matches!(self, Self::NoModel | Self::UnknownModel(_)).then_some("model"),
            incident: self.incident(),
            request_id,
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_reads_as_scripts_expect() {
        let denied = Denied::Cut(Scope::Llm, "7".parse().unwrap());
        assert_eq!(
            String::from_utf8(denied.json(Family::OpenAi, None)).unwrap(),
            r##"{"error":{"message":"Cut by the kill switch: incident #7, scope LLM. It stays cut until someone restores it.","type":"portcullis_cut","param":null,"code":"cut","incident":7}}"##
        );
        assert_eq!(denied.status(), 503);
    }

    #[test]
    fn what_cut_an_exchange_off_is_told_apart() {
        for (denied, ends) in [
            (Denied::Cut(Scope::Llm, "7".parse().unwrap()), Ended::Cut),
            (Denied::Paused(Scope::All), Ended::Cut),
            (Denied::Tripped(Scope::Llm, String::new()), Ended::Tripped),
            (Denied::Draining, Ended::Stopped),
        ] {
            assert_eq!(denied.ends(), ends);
        }
    }

    #[test]
    fn a_pause_names_no_incident() {
        let denied = Denied::Paused(Scope::All);
        assert!(
            !String::from_utf8(denied.json(Family::OpenAi, None))
                .unwrap()
                .contains("incident")
        );
        assert_eq!(denied.incident(), None);
    }

    #[test]
    fn an_error_event_is_one_data_line() {
        let event = Denied::Paused(Scope::All).event(Api::Chat);
        assert!(event.starts_with(b"data: {\"error\":"));
        assert!(event.ends_with(b"}\n\n"));
        assert_eq!(event.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
