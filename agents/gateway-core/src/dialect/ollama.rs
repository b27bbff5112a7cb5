//! Ollama's API: <https://docs.ollama.com/api/errors>, <https://docs.ollama.com/api/streaming>.

use super::fault::Fault;
use kill_wire::Incident;
use serde::Serialize;

#[derive(Serialize)]
struct Shape<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

pub(super) fn error_body(fault: &Fault<'_>) -> Vec<u8> {
    let shape = Shape {
        error: fault.message,
        code: fault.code,
        incident: fault.incident,
        request_id: fault.request_id,
    };
    serde_json::to_vec(&shape).unwrap_or_default()
}

/// One line of a stream of JSON objects.
pub(super) fn error_event(fault: &Fault<'_>) -> Vec<u8> {
    let mut line = error_body(fault);
    line.push(b'\n');
    line
}
