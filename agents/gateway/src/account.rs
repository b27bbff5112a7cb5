//! What one exchange used and how it ended: written down exactly once, whatever ends it.

mod books;
mod told;

pub(crate) use books::Books;

use crate::{
    capture::Tape,
    clock,
    cord::Cord,
    deny::{CLIENT_CLOSED_REQUEST, Denied},
    governor::Permit,
    metrics::OfWay,
    named::Named,
    noted::Note,
    rates,
    runaway::{Trail, outcome},
    telling::Telling,
};
use gateway_core::usage::{Form, Meter, Yardstick};
use http::HeaderMap;
use kill_wire::{Class, Name, ProbePoint, Timestamp};
use net_model::{Api, Consumer, Ended, Target, Tokens, UsageRecord};
use prices::Price;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What is asked of one target.
#[derive(Debug)]
struct Way {
    point: ProbePoint,
    figures: Arc<OfWay>,
    /// The name it knows the model by, where that is another.
    sent: Option<String>,
    expected: Expected,
}

/// What an exchange is expected to come to at one target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// Tokens of the prompt.
    pub(crate) prompt: u64,
    /// `None` when it is unknown.
    pub(crate) price: Option<Price>,
    /// How that target counts.
    yardstick: Yardstick,
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
    prompt_bytes: u64,
    way: Option<Way>,
    /// The right to be under way at this target.
    permit: Option<Permit>,
    /// What tells whether this consumer is a runaway.
    trail: Option<Trail>,
    /// For who follows along.
    note: Option<Arc<Note>>,
    /// What a capture takes of it.
    tape: Option<Box<Tape>>,
    status: Option<u16>,
    meter: Option<Meter>,
    ended: Option<Ended>,
    first_byte_ms: Option<u64>,
    fell_back_from: Option<Name>,
    consumer: Option<Name>,
    /// What decided on its way, for who asks why later.
    telling: Telling,
    refused: Option<Denied>,
    /// When the target asked last was asked.
    asked_after: Duration,
}

impl Account {
    /// Opens the account of the exchange with this id, asked in `api`.
    pub(crate) fn open(
        books: &Books,
        cord: &Arc<Cord>,
        (id, named): (String, &Named),
        api: Api,
    ) -> Self {
        named.is_told();
        Self {
            books: books.clone(),
            cord: Arc::clone(cord),
            id,
            api,
            begun: named.begun,
            model: String::new(),
            stream: false,
            prompt_bytes: 0,
            way: None,
            permit: None,
            trail: None,
            note: None,
            tape: None,
            status: None,
            meter: None,
            ended: None,
            first_byte_ms: None,
            fell_back_from: None,
            consumer: None,
            telling: Telling::of(&named.aliases),
            refused: None,
            asked_after: Duration::ZERO,
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

    /// Lets who follows along know who calls.
    pub(crate) fn noted(&mut self, note: Option<Arc<Note>>, consumer: &Consumer) {
        self.consumer = Some(consumer.name.clone());
        if let Some(note) = &note {
            note.called(consumer, &self.id);
        }
        self.note = note;
    }

    /// Lets a capture take the bodies in.
    pub(crate) fn captured(&mut self, tape: Option<Box<Tape>>) {
        self.tape = tape;
    }

    /// What was asked for; `prompt_bytes`: of words for the model.
    pub(crate) fn asked(&mut self, model: String, stream: bool, prompt_bytes: u64) {
        if let Some(note) = &self.note {
            note.asked(&model, stream);
        }
        self.model = model;
        self.stream = stream;
        self.prompt_bytes = prompt_bytes;
    }

    /// Lets `trail` see what becomes of it.
    pub(crate) fn follow(&mut self, trail: Option<Trail>) {
        self.trail = trail;
    }

    /// What this is expected to come to at a target.
    pub(crate) fn expects(&self, target: &Target) -> Expected {
        let sent = target.model(&self.model);
        let known = &self.books.known;
        let price = match target.class {
            Class::Local => Some(Price::FREE),
            Class::Cloud => known.prices().of(sent).copied(),
        };
        let yardstick = known.yardstick(&target.name, sent);
        Expected {
            prompt: yardstick.prompt(self.prompt_bytes),
            price,
            yardstick,
        }
    }

    /// A target is being asked: from here on there is something to write down.
    pub(crate) fn asking(
        &mut self,
        point: ProbePoint,
        target: &Target,
        permit: Permit,
        expected: Expected,
    ) {
        self.asked_after = self.begun.elapsed();
        let sent = target.model(&self.model);
        if let Some(note) = &self.note {
            note.asking(target, sent);
        }
        self.permit = Some(permit);
        self.way = Some(Way {
            figures: self.books.metrics.way(&point),
            sent: (sent != self.model).then(|| sent.to_owned()),
            expected,
            point,
        });
    }

    /// The target takes the place of the first choice.
    pub(crate) fn fell_back(&mut self, from: &Name) {
        self.fell_back_from = Some(from.clone());
    }

    /// The target answered, in this form.
    pub(crate) fn answered(&mut self, status: u16, form: Form) {
        self.status = Some(status);
        // A target that refused read no prompt.
        let prompt_bytes = if status < 400 { self.prompt_bytes } else { 0 };
        let yardstick = self.way.as_ref().map(|way| way.expected.yardstick);
        let yardstick = yardstick.unwrap_or_default();
        self.meter = Some(Meter::new(self.api, form, prompt_bytes, yardstick));
    }

    /// The next bytes of the answer.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if let (None, Some(way)) = (self.first_byte_ms, &self.way) {
            let after = self.begun.elapsed();
            self.first_byte_ms = Some(clock::millis(after));
            self.books.metrics.first_byte(&way.figures, after);
        }
        if let Some(note) = &self.note {
            note.passed(bytes);
        }
        if let Some(tape) = &mut self.tape {
            tape.answer(bytes);
        }
        if let Some(meter) = &mut self.meter {
            meter.feed(bytes);
        }
        self.draw();
    }

    /// An event of a session's client, on its way to the target.
    pub(crate) fn hear(&mut self, event: &[u8]) {
        if let Some(meter) = &mut self.meter {
            meter.asked(event);
        }
        self.draw();
    }

    /// Whether nothing of the model's is under way in a session.
    pub(crate) fn is_quiet(&self) -> bool {
        self.meter.as_ref().is_some_and(Meter::is_quiet)
    }

    /// Draws the permit down to what has passed; a budget that is gone cuts the exchange off.
    fn draw(&mut self) {
        if let Some(meter) = &self.meter {
            if let (Some(permit), Some(way)) = (&mut self.permit, &self.way)
                && let Err(denied) = permit.draw(&meter.so_far(), way.expected.price.as_ref())
                && !meter.is_done()
            {
                self.cord.sever(denied);
            }
            if let Some(trail) = &mut self.trail {
                trail.passed(|| meter.so_far().total());
            }
        }
    }

    /// Whether a budget or a limit counts it.
    pub(crate) fn is_bound(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_bound)
    }

    /// Tells the client how its limits stand.
    pub(crate) fn tell_rates(&self, headers: &mut HeaderMap) {
        if let Some(permit) = &self.permit {
            rates::tell(headers, permit.rates());
        }
    }

    /// Says how it ended, if nothing has said so before.
    pub(crate) fn ended(&mut self, how: Ended, status: Option<u16>) {
        self.ended.get_or_insert(how);
        self.status = self.status.or(status);
    }

    /// Nothing more of it is passed on, though more may yet be counted.
    pub(crate) fn goes_no_further(&mut self) {
        self.ended(self.how_it_stands(), None);
    }

    /// How it has ended, where nothing more comes.
    fn how_it_stands(&self) -> Ended {
        match self.cord.why() {
            Some(why) => why.ends(),
            None if self.meter.as_ref().is_some_and(Meter::is_done) => Ended::Complete,
            None => Ended::ClientGone,
        }
    }

    fn settle(&mut self, now: Timestamp) -> Option<UsageRecord> {
        let way = self.way.take()?;
        let cord = Arc::clone(&self.cord);
        let why = cord.why();
        let ended = self.ended.unwrap_or_else(|| self.how_it_stands());
        let status = self
            .status
            .unwrap_or_else(|| why.map_or(CLIENT_CLOSED_REQUEST, |why| why.status().as_u16()));
        let tokens = self.count(&way, ended);
        let cost = way.expected.price.map(|price| price.cost(&tokens));
        self.settle_permit(&tokens, ended, cost);
        let took = self.begun.elapsed();
        let point = way.point;
        self.books.metrics.ended(
            &way.figures,
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
            took_ms: clock::millis(took),
            ended,
            incident: (ended == Ended::Cut)
                .then(|| why.and_then(|why| why.incident()))
                .flatten(),
            api: self.api,
            cached_tokens: tokens.cached,
            reasoning_tokens: tokens.reasoning,
            cost,
            fell_back_from: self.fell_back_from.take(),
            first_byte_ms: self.first_byte_ms,
        })
    }

    /// What was used. An answer that came whole with figures also teaches; one without is measured by what was learned
    /// until now.
    fn count(&mut self, way: &Way, ended: Ended) -> Tokens {
        let known = &self.books.known;
        let target = &way.point.target;
        let model = way.sent.as_deref().unwrap_or(&self.model);
        let Some(meter) = &mut self.meter else {
            // Whether a target that never answered read the prompt is not known; one that failed most likely did not.
            let bytes = if ended == Ended::UpstreamFailed {
                0
            } else {
                self.prompt_bytes
            };
            return Tokens {
                prompt: way.expected.yardstick.prompt(bytes),
                estimated: true,
                ..Tokens::default()
            };
        };
        let tokens = meter.total();
        if tokens.estimated {
            meter.measure_by(known.yardstick(target, model));
            return meter.so_far();
        }
        if ended == Ended::Complete
            && let Some(seen) = meter.seen()
        {
            known.learn(target, model, &seen);
        }
        tokens
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let now = clock::now();
        let Some(record) = self.settle(now) else {
            self.tell_refusal(now);
            return;
        };
        if let Some(trail) = self.trail.take() {
            let tokens = record
                .prompt_tokens
                .saturating_add(record.completion_tokens);
            trail.ended(outcome(record.ended, record.status), (tokens, record.cost));
        }
        if let Some(note) = &self.note {
            note.settled(&record);
        }
        if let Some(tape) = self.tape.take() {
            tape.end(&record);
        }
        let story = self.story(&record);
        if !self.books.spool.keep(record) {
            self.books.metrics.dropped(1);
        }
        if let Some(story) = story {
            self.books.tell(story);
        }
    }
}
