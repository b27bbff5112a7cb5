//! What one exchange used and how it ended: written down exactly once, whatever ends it.

use crate::{
    clock,
    cord::Cord,
    meter::{Meter, Tokens},
    metrics::Metrics,
    spool::Spool,
};
use kill_wire::{Name, ProbePoint, Timestamp};
use net_model::{Api, Ended, UsageRecord};
use std::sync::Arc;
use tokio::time::Instant;

/// Status recorded for a client that left before it was given one (nginx's word for it).
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Where accounts are written down.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    /// One record for each exchange.
    pub(crate) spool: Arc<Spool>,
    /// The figures of all of them.
    pub(crate) metrics: Arc<Metrics>,
}

/// The open account of one exchange; dropping it settles it.
#[derive(Debug)]
pub(crate) struct Account {
    books: Books,
    cord: Arc<Cord>,
    id: String,
    api: Api,
    begun: Instant,
    model: String,
    stream: bool,
    prompt_estimate: u64,
    point: Option<ProbePoint>,
    status: Option<u16>,
    meter: Option<Meter>,
    ended: Option<Ended>,
    first_byte_ms: Option<u64>,
    fell_back_from: Option<Name>,
}

impl Account {
    /// Opens the account of the exchange with this id, asked in `api`.
    pub(crate) fn open(books: &Books, cord: &Arc<Cord>, id: String, api: Api) -> Self {
        Self {
            books: books.clone(),
            cord: Arc::clone(cord),
            id,
            api,
            begun: Instant::now(),
            model: String::new(),
            stream: false,
            prompt_estimate: 0,
            point: None,
            status: None,
            meter: None,
            ended: None,
            first_byte_ms: None,
            fell_back_from: None,
        }
    }

    /// The id under which it is recorded.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// In which it was asked.
    pub(crate) fn api(&self) -> Api {
        self.api
    }

    /// What was asked for.
    pub(crate) fn asked(&mut self, model: String, stream: bool, prompt_estimate: u64) {
        self.model = model;
        self.stream = stream;
        self.prompt_estimate = prompt_estimate;
    }

    /// A target is being asked: from here on there is something to write down.
    pub(crate) fn asking(&mut self, point: ProbePoint) {
        self.point = Some(point);
    }

    /// The target takes the place of the first choice.
    pub(crate) fn fell_back(&mut self, from: &Name) {
        self.fell_back_from = Some(from.clone());
    }

    /// The target answered; `meter` reads along.
    pub(crate) fn answered(&mut self, status: u16, meter: Meter) {
        self.status = Some(status);
        self.meter = Some(meter);
    }

    /// The next bytes of the answer.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if let (None, Some(point)) = (self.first_byte_ms, &self.point) {
            let after = self.begun.elapsed();
            self.first_byte_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
            self.books.metrics.first_byte(point, after);
        }
        if let Some(meter) = &mut self.meter {
            meter.feed(bytes);
        }
    }

    /// Says how it ended, if nothing has said so before.
    pub(crate) fn ended(&mut self, how: Ended, status: Option<u16>) {
        self.ended.get_or_insert(how);
        self.status = self.status.or(status);
    }

    fn settle(&mut self, now: Timestamp) -> Option<UsageRecord> {
        let point = self.point.take()?;
        let why = self.cord.why();
        let whole = self.meter.as_ref().is_some_and(Meter::is_done);
        let ended = self.ended.unwrap_or(match (why.is_some(), whole) {
            (true, _) => Ended::Cut,
            (false, true) => Ended::Complete,
            (false, false) => Ended::ClientGone,
        });
        let status = self
            .status
            .unwrap_or_else(|| why.map_or(CLIENT_CLOSED_REQUEST, |why| why.status().as_u16()));
        let tokens = match &mut self.meter {
            Some(meter) if status < 400 => meter.total(self.prompt_estimate),
            // A target that refused read no prompt.
            Some(meter) => meter.total(0),
            None if ended == Ended::UpstreamFailed => Tokens {
                estimated: true,
                ..Tokens::default()
            },
            None => Tokens {
                prompt: self.prompt_estimate,
                completion: 0,
                estimated: true,
            },
        };
        let took = self.begun.elapsed();
        self.books.metrics.ended(
            &point,
            ended.as_str(),
            (tokens.prompt, tokens.completion),
            took,
        );
        Some(UsageRecord {
            id: std::mem::take(&mut self.id),
            at: now,
            consumer: point.consumer,
            route: point.route,
            target: point.target,
            class: point.class,
            model: std::mem::take(&mut self.model),
            stream: self.stream,
            status,
            prompt_tokens: tokens.prompt,
            completion_tokens: tokens.completion,
            estimated: tokens.estimated,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ended,
            incident: (ended == Ended::Cut)
                .then(|| why.and_then(|why| why.incident()))
                .flatten(),
            api: self.api,
            cached_tokens: 0,
            reasoning_tokens: 0,
            cost: None,
            fell_back_from: self.fell_back_from.take(),
            first_byte_ms: self.first_byte_ms,
        })
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(record) = self.settle(clock::now())
            && !self.books.spool.keep(record)
        {
            self.books.metrics.dropped(1);
        }
    }
}
