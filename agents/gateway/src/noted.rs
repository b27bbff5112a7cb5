//! What is noted of a request for whoever follows along.
//!
//! Nothing is noted while nobody follows. A note is held by whoever still has something to add, the answer's head and
//! the account; when the last of them lets go, it is told.

mod access;
mod followers;
mod line;

pub(crate) use followers::Followers;

use crate::{
    deny::Denied,
    otel::{self, Call, CallTarget, Traces},
    reply::Reply,
};
use access::AccessLog;
use http::{Method, Response, Version};
use hyper::body::Body as _;
use kill_wire::{Incident, Name, Timestamp};
use line::Line;
use net_model::{Api, Consumer, Target, UsageRecord};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What is noted of one request.
#[derive(Debug)]
pub(crate) struct Note {
    access: Option<Arc<AccessLog>>,
    traces: Option<(Arc<Traces>, Option<otel::Place>)>,
    client: Option<IpAddr>,
    method: Method,
    path: String,
    version: Version,
    at: Timestamp,
    begun: Instant,
    api: Option<Api>,
    told: Mutex<Told>,
}

/// What becomes known on the way.
#[derive(Debug, Default)]
struct Told {
    consumer: Option<Name>,
    role: Option<Name>,
    model: Option<String>,
    stream: Option<bool>,
    id: Option<String>,
    target: Option<CallTarget>,
    response_model: Option<String>,
    bytes: u64,
    head: Option<Head>,
    record: Option<UsageRecord>,
}

/// The head of the answer.
#[derive(Debug)]
struct Head {
    status: u16,
    /// Why it is a refusal.
    code: Option<&'static str>,
    incident: Option<Incident>,
    after: Duration,
}

impl Note {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who calls, as which exchange.
    pub(crate) fn called(&self, consumer: &Consumer, id: &str) {
        let mut told = self.told();
        told.consumer = Some(consumer.name.clone());
        told.role.clone_from(&consumer.role);
        told.id = Some(id.to_owned());
    }

    /// What is asked for.
    pub(crate) fn asked(&self, model: &str, stream: bool) {
        let mut told = self.told();
        told.model = Some(model.to_owned());
        told.stream = Some(stream);
    }

    /// Who is asked, and for which model by its own name.
    pub(crate) fn asking(&self, target: &Target, model: &str) {
        self.told().target = Some(CallTarget {
            kind: target.kind,
            host: target.base_url.host().to_owned(),
            port: target.base_url.port(),
            model: model.to_owned(),
        });
    }

    /// The next bytes of the answer.
    pub(crate) fn passed(&self, bytes: &[u8]) {
        let mut told = self.told();
        if told.bytes == 0 && self.traces.is_some() {
            told.response_model = otel::response_model(bytes);
        }
        told.bytes += bytes.len() as u64;
    }

    /// The head of the answer goes out.
    pub(crate) fn answered(&self, response: &Response<Reply>, denied: Option<&Denied>) {
        let mut told = self.told();
        if let Reply::Whole(whole) = response.body() {
            told.bytes = whole.size_hint().exact().unwrap_or(0);
        }
        told.head = Some(Head {
            status: response.status().as_u16(),
            code: denied.map(Denied::code),
            incident: denied.and_then(Denied::incident),
            after: self.begun.elapsed(),
        });
    }

    /// What the ledger says of it.
    pub(crate) fn settled(&self, record: &UsageRecord) {
        self.told().record = Some(record.clone());
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let told = std::mem::take(&mut *self.told());
        if let Some(access) = &self.access {
            access.put(&Line::of(self, &told, took));
        }
        if let (Some((traces, place)), Some(api)) = (self.traces.take(), self.api) {
            traces.put(Call {
                place,
                api,
                began: self.at,
                took,
                id: told.id,
                consumer: told.consumer,
                model: told.model,
                target: told.target,
                response_model: told.response_model,
                status: told.head.as_ref().map(|head| head.status),
                code: told.head.and_then(|head| head.code),
                record: told.record,
            });
        }
    }
}
