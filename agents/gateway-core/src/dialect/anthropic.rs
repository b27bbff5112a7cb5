//! Anthropic's API: <https://docs.anthropic.com/en/api/errors>, <https://docs.anthropic.com/en/docs/build-with-claude/streaming>.

use super::fault::Fault;
use kill_wire::Incident;
use serde::Serialize;

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(rename = "type")]
    what: &'a str,
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
}

pub(super) fn error_body(fault: &Fault<'_>) -> Vec<u8> {
    let shape = Shape {
        what: "error",
        error: Inner {
            kind: fault.kind.anthropic(),
            message: fault.message,
            code: fault.code,
            incident: fault.incident,
        },
        request_id: fault.request_id,
    };
    serde_json::to_vec(&shape).unwrap_or_default()
}

pub(super) fn error_event(fault: &Fault<'_>) -> Vec<u8> {
    [b"event: error\ndata: ", &*error_body(fault), b"\n\n"].concat()
}
