//! OpenAI's APIs: <https://platform.openai.com/docs/api-reference>.

use super::fault::Fault;
use kill_wire::Incident;
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
}

impl<'a> Inner<'a> {
    fn of(fault: &Fault<'a>) -> Self {
        Self {
            message: fault.message,
            kind: fault.kind.openai(),
            param: fault.param,
            code: fault.code,
            incident: fault.incident,
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
    /// The API counts its events from 0; how many came before is not known here, and nobody needs it of a last one.
    sequence_number: u32,
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
            sequence_number: 0,
            error: Inner::of(fault),
        };
        let json = serde_json::to_vec(&event).unwrap_or_default();
        (&b"event: error\ndata: "[..], json)
    } else {
        (&b"data: "[..], error_body(fault))
    };
    [head, &json, b"\n\n"].concat()
}
