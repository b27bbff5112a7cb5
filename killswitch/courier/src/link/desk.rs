//! What is to be said to the kill switch, and what it has not taken yet.

use kill_wire::FromCourier;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A message not taken is offered again so often: a channel may have become known in the meantime.
const AGAIN: Duration = Duration::from_secs(60);
/// Replies whose end is remembered, so that one handed over twice is not sent twice.
const MAX_ENDED: usize = 512;
/// Replies under way; the kill switch holds fewer.
const MAX_UNDERWAY: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Desk {
    /// By the order they came in.
    offers: BTreeMap<u64, Offer>,
    newest: u64,
    replies: BTreeMap<u64, Reply>,
    health: BTreeMap<String, Health>,
    closed: bool,
}

#[derive(Debug)]
struct Offer {
    channel: String,
    id: String,
    line: Vec<u8>,
    said: Option<Instant>,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
enum Reply {
    Underway,
    Ended { line: Vec<u8>, said: bool },
}

#[derive(Debug, Default)]
struct Health {
    source: Option<String>,
    replies: Option<String>,
    /// What was last said, and when.
    said: Option<(Option<String>, Instant)>,
}

impl Health {
    fn problem(&self) -> Option<String> {
        let replies = self.replies.as_ref().map(|why| format!("replies: {why}"));
        match (self.source.clone(), replies) {
            (Some(source), Some(replies)) => Some(format!("{source}; {replies}")),
            (source, replies) => source.or(replies),
        }
    }

    fn due(&self, now: Instant) -> bool {
        let old = |said: &(Option<String>, Instant)| {
            said.0 != self.problem() || now.duration_since(said.1) >= AGAIN
        };
        self.said.as_ref().is_none_or(old)
    }
}

impl Desk {
    pub(super) fn new(channels: impl IntoIterator<Item = String>) -> Self {
        let health = channels.into_iter().map(|name| (name, Health::default()));
        Self {
            health: health.collect(),
            ..Self::default()
        }
    }

    /// Puts a message here; gives what tells that it was taken, and whether the same message was here already. None
    /// after the end.
    pub(super) fn offer(
        &mut self,
        channel: &str,
        id: &str,
        line: Vec<u8>,
    ) -> Option<(oneshot::Receiver<()>, bool)> {
        if self.closed {
            return None;
        }
        let (tell, taken) = oneshot::channel();
        let mut offers = self.offers.values_mut();
        if let Some(same) = offers.find(|offer| offer.is(channel, id)) {
            same.waiting.push(tell);
            return Some((taken, true));
        }
        self.newest += 1;
        let offer = Offer {
            channel: channel.to_owned(),
            id: id.to_owned(),
            line,
            said: None,
            waiting: vec![tell],
        };
        self.offers.insert(self.newest, offer);
        Some((taken, false))
    }

    /// A message was taken; whether it was here.
    pub(super) fn taken(&mut self, channel: &str, id: &str) -> bool {
        let mut offers = self.offers.iter();
        let Some(number) = offers
            .find(|(_, offer)| offer.is(channel, id))
            .map(|(number, _)| *number)
        else {
            return false;
        };
        for waiting in self
            .offers
            .remove(&number)
            .into_iter()
            .flat_map(|o| o.waiting)
        {
            // Nobody may wait any more.
            waiting.send(()).unwrap_or_default();
        }
        true
    }

    /// There is a new connection: everything is due.
    pub(super) fn connected(&mut self) {
        for offer in self.offers.values_mut() {
            offer.said = None;
        }
        for health in self.health.values_mut() {
            health.said = None;
        }
    }

    /// The next line to say; it counts as said.
    pub(super) fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        let due = |said: Option<Instant>| said.is_none_or(|said| now.duration_since(said) >= AGAIN);
        let mut offers = self.offers.values_mut();
        if let Some(offer) = offers.find(|offer| due(offer.said)) {
            offer.said = Some(now);
            return Some(offer.line.clone());
        }
        for reply in self.replies.values_mut() {
            if let Reply::Ended { line, said } = reply
                && !*said
            {
                *said = true;
                return Some(line.clone());
            }
        }
        let mut channels = self.health.iter_mut();
        let (channel, health) = channels.find(|(_, health)| health.due(now))?;
        let problem = health.problem();
        health.said = Some((problem.clone(), now));
        super::line(&FromCourier::Health {
            channel: channel.clone(),
            problem,
        })
    }

    pub(super) fn source_health(&mut self, channel: &str, problem: Option<String>) -> bool {
        let health = self.health.entry(channel.to_owned()).or_default();
        let changed = health.source != problem;
        health.source = problem;
        changed
    }

    pub(super) fn reply_health(&mut self, channel: &str, problem: Option<String>) -> bool {
        let health = self.health.entry(channel.to_owned()).or_default();
        let changed = health.replies != problem;
        health.replies = problem;
        changed
    }

    /// Whether this reply is new and there is room for it. The end of a known one is said again.
    pub(super) fn reply_begins(&mut self, number: u64) -> bool {
        if let Some(known) = self.replies.get_mut(&number) {
            if let Reply::Ended { said, .. } = known {
                *said = false;
            }
            return false;
        }
        let underway = |reply: &&Reply| matches!(reply, Reply::Underway);
        if self.replies.values().filter(underway).count() >= MAX_UNDERWAY {
            // The kill switch hands it over again after the next connection.
            return false;
        }
        self.replies.insert(number, Reply::Underway);
        true
    }

    pub(super) fn reply_ended(&mut self, number: u64, line: Vec<u8>) {
        let said = false;
        self.replies.insert(number, Reply::Ended { line, said });
        let ended = |reply: &Reply| matches!(reply, Reply::Ended { said: true, .. });
        while self.replies.len() > MAX_ENDED {
            let oldest = self.replies.iter().find(|(_, reply)| ended(reply));
            let Some(oldest) = oldest.map(|(number, _)| *number) else {
                return;
            };
            self.replies.remove(&oldest);
        }
    }

    /// Lets go of everybody who waits.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.offers.clear();
    }
}

impl Offer {
    fn is(&self, channel: &str, id: &str) -> bool {
        self.channel == channel && self.id == id
    }
}
