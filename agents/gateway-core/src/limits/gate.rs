//! One limit: requests and tokens a minute, and how many at the same time.

use super::{
    bucket::{Bucket, Rate},
    refusal::{Frees, Refusal, Why},
};
use kill_wire::Name;
use net_model::{Limit, Selector};
use std::time::Duration;

/// Tokens after which a running answer is counted again.
const STEP: u64 = 512;

/// One exchange's part in a gate.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which gate.
    pub(super) id: u32,
    /// Tokens counted for this exchange.
    counted: u64,
}

/// One limit and how it stands.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) name: Name,
    pub(super) of: Selector,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    most_open: Option<u32>,
    pub(super) open: u32,
    /// No rule asks for it any more; it goes with its last place.
    pub(super) retired: bool,
}

impl Gate {
    pub(super) fn of(limit: &Limit, now: Duration) -> Self {
        Self {
            name: limit.name.clone(),
            of: limit.of.clone(),
            requests: requests(limit).map(|most| Bucket::full(most, now)),
            tokens: limit.tokens_per_minute.map(|most| Bucket::full(most, now)),
            most_open: limit.open,
            open: 0,
            retired: false,
        }
    }

    /// Takes over other figures; what was drawn stays drawn.
    pub(super) fn take_over(&mut self, limit: &Limit, now: Duration) {
        resize(&mut self.requests, requests(limit), now);
        resize(&mut self.tokens, limit.tokens_per_minute, now);
        self.most_open = limit.open;
        self.retired = false;
    }

    /// Why an exchange with a prompt of so many tokens may not begin now, if so.
    pub(super) fn refuses(&mut self, prompt: u64, now: Duration) -> Option<Refusal> {
        let refusal = |why, frees| Refusal {
            name: self.name.clone(),
            why,
            frees,
        };
        let mut waits = Vec::new();
        if let Some(most) = self.most_open.filter(|most| self.open >= *most) {
            waits.push((Duration::ZERO, Why::Open { most }));
        }
        if let Some(requests) = &mut self.requests
            && let Some(wait) = requests.wait(1, now)
        {
            let most = requests.rate().most;
            waits.push((wait, Why::Requests { most }));
        }
        if let Some(tokens) = &mut self.tokens
            && let Some(wait) = tokens.wait(prompt.max(1), now)
        {
            let most = tokens.rate().most;
            waits.push((wait, Why::Tokens { most }));
        }
        let (wait, why) = waits.into_iter().max_by_key(|(wait, _)| *wait)?;
        let frees = match why {
            Why::Open { .. } => Frees::WithOthers,
            Why::Budget { .. } | Why::Requests { .. } | Why::Tokens { .. } => Frees::After(wait),
        };
        Some(refusal(why, frees))
    }

    /// Lets an exchange in.
    pub(super) fn admit(&mut self, id: u32, prompt: u64) -> Place {
        self.open = self.open.saturating_add(1);
        if let Some(requests) = &mut self.requests {
            requests.take(1);
        }
        if let Some(tokens) = &mut self.tokens {
            tokens.take(prompt);
        }
        Place {
            id,
            counted: prompt,
        }
    }

    /// Counts what an exchange has come to.
    pub(super) fn draw(&mut self, place: &mut Place, so_far: u64) {
        let more = so_far.saturating_sub(place.counted);
        place.counted = place.counted.saturating_add(more);
        if let Some(tokens) = &mut self.tokens {
            tokens.take(more);
        }
    }

    /// Counts the last of an exchange. One that was not served after all takes its request back.
    pub(super) fn settle(&mut self, mut place: Place, last: u64, served: bool) {
        self.draw(&mut place, last);
        if let Some(tokens) = &mut self.tokens {
            tokens.give(place.counted.saturating_sub(last));
        }
        if let Some(requests) = self.requests.as_mut().filter(|_| !served) {
            requests.give(1);
        }
        self.open = self.open.saturating_sub(1);
    }

    /// How far an exchange may go before it must be counted again.
    pub(super) fn covers(&self, place: &Place) -> u64 {
        match self.tokens {
            Some(_) => place.counted.saturating_add(STEP),
            None => u64::MAX,
        }
    }

    /// Requests and tokens, as clients are told.
    pub(super) fn rates(&self) -> (Option<Rate>, Option<Rate>) {
        (
            self.requests.as_ref().map(Bucket::rate),
            self.tokens.as_ref().map(Bucket::rate),
        )
    }
}

fn requests(limit: &Limit) -> Option<u64> {
    limit.requests_per_minute.map(u64::from)
}

fn resize(bucket: &mut Option<Bucket>, most: Option<u64>, now: Duration) {
    match (bucket.as_mut(), most) {
        (Some(bucket), Some(most)) => bucket.resize(most, now),
        (_, most) => *bucket = most.map(|most| Bucket::full(most, now)),
    }
}
