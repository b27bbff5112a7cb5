//! One line of the access log. It holds no body, no query and no key.

use super::{Note, Told};
use crate::{clock, deny::CLIENT_CLOSED_REQUEST};
use kill_wire::{Class, Incident, Name};
use net_model::{MicroDollars, UsageRecord};
use serde::Serialize;
use std::{net::IpAddr, time::Duration};

/// What is not known, or does not apply, is left out.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// When the request came, RFC 3339, UTC.
    time: String,
    #[serde(flatten)]
    request: Asking<'a>,
    status: u16,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    ended: &'a str,
    /// Of the answer's body.
    bytes: u64,
    /// Until the head of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    head_ms: Option<u64>,
    took_ms: u64,
    #[serde(flatten)]
    used: Option<Used<'a>>,
}

/// What was asked.
#[derive(Debug, Serialize)]
struct Asking<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<&'a Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a Name>,
    method: &'a str,
    path: &'a str,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

/// What was used at a target, as in the ledger.
#[derive(Debug, Serialize)]
struct Used<'a> {
    route: &'a Name,
    target: &'a Name,
    class: Class,
    prompt_tokens: u64,
    completion_tokens: u64,
    cached_tokens: u64,
    reasoning_tokens: u64,
    estimated: bool,
    /// In millionths of a dollar; absent when the price is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<MicroDollars>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fell_back_from: Option<&'a Name>,
}

impl<'a> Line<'a> {
    pub(super) fn of(note: &'a Note, told: &'a Told, took: Duration) -> Self {
        let (head, record) = (told.head.as_ref(), told.record.as_ref());
        let code = head.and_then(|head| head.code);
        let incident = record.and_then(|record| record.incident);
        let status = head
            .map(|head| head.status)
            .or_else(|| record.map(|record| record.status));
        Self {
            time: note.at.to_string(),
            request: Asking {
                request_id: told.id.as_deref(),
                client: note.client,
                consumer: told.consumer.as_ref(),
                role: told.role.as_ref(),
                method: note.method.as_str(),
                path: &note.path,
                version: format!("{:?}", note.version),
                api: note.api.map(net_model::Api::as_str),
                model: told.model.as_deref(),
                stream: told.stream,
            },
            status: status.unwrap_or(CLIENT_CLOSED_REQUEST),
            code,
            incident: incident.or_else(|| head.and_then(|head| head.incident)),
            ended: match (record, head) {
                (Some(record), _) => record.ended.as_str(),
                (None, Some(_)) if code.is_some() => "refused",
                (None, Some(_)) => "complete",
                (None, None) => "client_gone",
            },
            bytes: told.bytes,
            head_ms: head.map(|head| clock::millis(head.after)),
            took_ms: clock::millis(took),
            used: record.map(used),
        }
    }
}

fn used(record: &UsageRecord) -> Used<'_> {
    Used {
        route: &record.route,
        target: &record.target,
        class: record.class,
        prompt_tokens: record.prompt_tokens,
        completion_tokens: record.completion_tokens,
        cached_tokens: record.cached_tokens,
        reasoning_tokens: record.reasoning_tokens,
        estimated: record.estimated,
        cost: record.cost,
        first_byte_ms: record.first_byte_ms,
        fell_back_from: record.fell_back_from.as_ref(),
    }
}
