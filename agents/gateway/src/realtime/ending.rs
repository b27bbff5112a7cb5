//! How a session ends, and what each side is told of it. Pure.

use crate::deny::Denied;
use gateway_core::choice::Failure;
use net_model::{Api, Ended};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    error::{CapacityError, ProtocolError},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// Its cord was cut.
    Severed(Denied),
    /// The gateway stops, and no answer was under way.
    Drained,
    /// The client said so; with this word, if any.
    ByClient(Option<CloseFrame>),
    /// The target said so.
    ByTarget(Option<CloseFrame>),
    /// The client's side broke, or broke the rules.
    ClientBroke(Error),
    /// The target's side did.
    TargetBroke,
    /// The client gave no sign of life.
    ClientSilent,
    /// The target gave none.
    TargetSilent,
}

/// What follows from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// Messages for the client, the close last.
    pub(super) to_client: Vec<Message>,
    /// A close for the target; without one its socket is just closed.
    pub(super) to_target: Option<CloseFrame>,
    /// What the ledger says, where the cord does not say it.
    pub(super) ended: Option<Ended>,
    /// What the target's breaker is told.
    pub(super) failure: Option<Failure>,
}

impl End {
    /// What follows; `quiet`: no answer was under way.
    pub(super) fn farewell(self, quiet: bool) -> Farewell {
        let whole = if quiet {
            Ended::Complete
        } else {
            Ended::ClientGone
        };
        match self {
            Self::Severed(why) => told(&why, close_code(&why), None, None),
            Self::Drained => Farewell {
                to_client: vec![close(CloseCode::Away, Denied::Draining.code())],
                to_target: Some(frame(CloseCode::Away, "")),
                ended: Some(Ended::Complete),
                failure: None,
            },
            Self::ByClient(word) => Farewell {
                // The answer to a close is written by itself.
                to_client: Vec::new(),
                to_target: Some(passed_on(word)),
                ended: Some(whole),
                failure: None,
            },
            Self::ByTarget(word) if is_failure(word.as_ref()) => Farewell {
                to_client: vec![Message::Close(Some(passed_on(word)))],
                to_target: None,
                ended: Some(Ended::UpstreamFailed),
                failure: Some(Failure::BrokenOff),
            },
            Self::ByTarget(word) => Farewell {
                to_client: vec![Message::Close(Some(passed_on(word)))],
                to_target: None,
                ended: Some(Ended::Complete),
                failure: None,
            },
            Self::ClientBroke(error) => Farewell {
                to_client: broken_rule(&error).into_iter().collect(),
                to_target: None,
                ended: Some(Ended::ClientGone),
                failure: None,
            },
            Self::TargetBroke => broke_off(Failure::BrokenOff),
            Self::TargetSilent => broke_off(Failure::Timeout),
            Self::ClientSilent => Farewell {
                to_client: vec![close(CloseCode::Policy, "silent")],
                to_target: None,
                ended: Some(Ended::ClientGone),
                failure: None,
            },
        }
    }
}

fn broke_off(failure: Failure) -> Farewell {
    let ended = Some(Ended::UpstreamFailed);
    told(&Denied::BrokenOff, CloseCode::Error, ended, Some(failure))
}

/// An error event, then the close, whose reason is the same code.
fn told(why: &Denied, code: CloseCode, ended: Option<Ended>, failure: Option<Failure>) -> Farewell {
    let mut to_client: Vec<Message> = event(why).into_iter().collect();
    to_client.push(close(code, why.code()));
    Farewell {
        to_client,
        to_target: None,
        ended,
        failure,
    }
}

/// The `error` event of the API.
pub(super) fn event(why: &Denied) -> Option<Message> {
    let text = String::from_utf8(why.event(Api::Realtime).into()).ok()?;
    Some(Message::text(text))
}

fn close_code(why: &Denied) -> CloseCode {
    if matches!(why, Denied::Draining) {
        CloseCode::Away
    } else {
        CloseCode::Policy
    }
}

fn close(code: CloseCode, reason: &str) -> Message {
    Message::Close(Some(frame(code, reason)))
}

fn frame(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

/// The other side's word; a close without one is a usual end.
fn passed_on(word: Option<CloseFrame>) -> CloseFrame {
    word.filter(|word| word.code.is_allowed())
        .unwrap_or_else(|| frame(CloseCode::Normal, ""))
}

/// Whether a target says that it cannot go on (RFC 6455 section 7.4, and the registry of codes it made).
fn is_failure(word: Option<&CloseFrame>) -> bool {
    word.is_some_and(|word| (1011..=1014).contains(&u16::from(word.code)))
}

/// Which rule a client broke; nothing when it is just gone.
fn broken_rule(error: &Error) -> Option<Message> {
    let (code, reason) = if let Error::Capacity(CapacityError::MessageTooLong { .. }) = error {
        (CloseCode::Size, Denied::TooLarge.code())
    } else if let Error::Utf8(_) = error {
        (CloseCode::Invalid, Denied::NotJson.code())
    } else if let Error::Protocol(rule) = error
        && *rule != ProtocolError::ResetWithoutClosingHandshake
    {
        (CloseCode::Protocol, "protocol_error")
    } else {
        return None;
    };
    Some(close(code, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Scope;

    fn words(farewell: &Farewell) -> Vec<String> {
        let said = farewell.to_client.iter().map(|message| {
            if let Message::Close(Some(frame)) = message {
                return format!("{} {}", u16::from(frame.code), frame.reason);
            }
            message.to_string()
        });
        said.collect()
    }

    #[test]
    fn a_cut_is_an_error_event_and_then_a_close() {
        let cut = Denied::Cut(Scope::Llm, "7".parse().unwrap());
        let farewell = End::Severed(cut).farewell(false);
        let said = words(&farewell);
        assert_eq!(said.len(), 2);
        let event: serde_json::Value = serde_json::from_str(&said[0]).unwrap();
        assert_eq!(event["type"], "error");
        assert_eq!(event["error"]["code"], "cut");
        assert_eq!(event["error"]["incident"], 7);
        assert_eq!(said[1], "1008 cut");
        // The cord says how it ended, and the target gets no word: its socket is closed.
        assert_eq!((farewell.ended, farewell.to_target), (None, None));
    }

    #[test]
    fn a_gateway_that_stops_says_that_it_goes_away() {
        assert_eq!(words(&End::Drained.farewell(true)), ["1001 draining"]);
        assert_eq!(
            words(&End::Severed(Denied::Draining).farewell(false))[1],
            "1001 draining"
        );
    }

    #[test]
    fn the_word_of_either_side_reaches_the_other() {
        let word = || Some(frame(CloseCode::from(4000), "bye"));
        assert_eq!(words(&End::ByTarget(word()).farewell(true)), ["4000 bye"]);
        assert_eq!(End::ByClient(word()).farewell(true).to_target, word());
        for (quiet, ended) in [(true, Ended::Complete), (false, Ended::ClientGone)] {
            assert_eq!(End::ByClient(None).farewell(quiet).ended, Some(ended));
        }
    }

    #[test]
    fn only_a_target_that_cannot_go_on_has_failed() {
        for (code, failed) in [
            (1000, false),
            (1001, false),
            (1011, true),
            (1013, true),
            (3000, false),
            (4008, false),
        ] {
            let word = Some(frame(CloseCode::from(code), ""));
            let farewell = End::ByTarget(word).farewell(true);
            assert_eq!(farewell.failure.is_some(), failed, "{code}");
            assert_eq!(
                farewell.ended == Some(Ended::UpstreamFailed),
                failed,
                "{code}"
            );
        }
    }

    #[test]
    fn a_client_that_breaks_a_rule_is_told_which() {
        let long = CapacityError::MessageTooLong {
            size: 2,
            max_size: 1,
        };
        for (error, expected) in [
            (Error::Capacity(long), vec!["1009 request_too_large"]),
            (
                Error::Protocol(ProtocolError::UnmaskedFrameFromClient),
                vec!["1002 protocol_error"],
            ),
            (
                Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                vec![],
            ),
            (
                Error::Io(std::io::ErrorKind::ConnectionReset.into()),
                vec![],
            ),
        ] {
            assert_eq!(words(&End::ClientBroke(error).farewell(true)), expected);
        }
    }
}
