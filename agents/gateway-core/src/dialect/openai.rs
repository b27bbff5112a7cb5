//! OpenAI's APIs: <https://platform.openai.com/docs/api-reference>.

use super::fault::Fault;
use kill_wire::Incident;
use memchr::memmem;
use net_model::Api;
use serde::Serialize;

#[derive(Serialize)]
struct Shape<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl<'a> Inner<'a> {
    fn of(fault: &Fault<'a>) -> Self {
        Self {
            message: fault.message,
            kind: fault.kind.openai(),
            param: fault.param,
            code: fault.code,
            incident: fault.incident,
            request_id: fault.request_id,
        }
    }
}

/// The last event of a broken stream of `/v1/responses`: the `error` event of that API, and beside its members the
/// error object for which the official clients look in every event.
#[derive(Serialize)]
struct ResponsesEvent<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    code: &'a str,
    message: &'a str,
    param: Option<&'a str>,
    /// The API counts the events of a stream from 0.
    sequence_number: u64,
    error: Inner<'a>,
}

/// The `error` event of the realtime API.
#[derive(Serialize)]
struct RealtimeEvent<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    event_id: &'a str,
    error: Inner<'a>,
}

/// The number that the next event of a stream of `/v1/responses` has, after these bytes of it; `None` when no event of
/// them says its own. Text of the model holds no such word: its quotes are escaped.
pub(super) fn next_number(bytes: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"sequence_number\":";
    let at = memmem::rfind(bytes, KEY)? + KEY.len();
    let digits = bytes.get(at..)?.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
    let digits = digits.get(..end.unwrap_or(digits.len()))?;
    let last: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    last.checked_add(1)
}

pub(super) fn error_body(fault: &Fault<'_>) -> Vec<u8> {
    let shape = Shape {
        error: Inner::of(fault),
    };
    serde_json::to_vec(&shape).unwrap_or_default()
}

pub(super) fn error_event(api: Api, fault: &Fault<'_>) -> Vec<u8> {
    if api == Api::Realtime {
        let event = RealtimeEvent {
            event: "error",
            event_id: "event_portcullis",
            error: Inner::of(fault),
        };
        return serde_json::to_vec(&event).unwrap_or_default();
    }
    let (head, json) = if api == Api::Responses {
        let event = ResponsesEvent {
            event: "error",
            code: fault.code,
            message: fault.message,
            param: fault.param,
            sequence_number: fault.number,
            error: Inner::of(fault),
        };
        let json = serde_json::to_vec(&event).unwrap_or_default();
        (&b"event: error\ndata: "[..], json)
    } else {
        (&b"data: "[..], error_body(fault))
    };
    [head, &json, b"\n\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_event_has_the_number_after_the_last_that_was_said() {
        let two = br#"event: a
data: {"type":"a","sequence_number":8}

event: b
data: {"type":"b","delta":"\"sequence_number\":70","sequence_number": 9}

"#;
        assert_eq!(next_number(two), Some(10));
        for none in [
            &b"data: {}"[..],
            b"\"sequence_number\":x",
            b"\"sequence_number\":",
        ] {
            assert_eq!(next_number(none), None);
        }
    }
}
