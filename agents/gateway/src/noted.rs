//! What is noted of a request for whoever follows along.
//!
//! Nothing is noted while nobody follows. A note is held by whoever still has something to add, the answer's head and
//! the account; when the last of them lets go, it is told.

mod access;
mod followers;
mod line;

pub use access::AccessLogWish;
pub(crate) use followers::Followers;

use crate::{deny::Denied, reply::Reply};
use access::AccessLog;
use http::{Method, Response, Version};
use hyper::body::Body as _;
use kill_wire::{Incident, Name, Timestamp};
use line::Line;
use net_model::{Api, Consumer, UsageRecord};
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

    /// The next bytes of the answer.
    pub(crate) fn passed(&self, bytes: &[u8]) {
        self.told().bytes += bytes.len() as u64;
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
    }
}
