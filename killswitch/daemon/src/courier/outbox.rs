//! What waits for the courier. Bounded: a slow or dead courier holds up nothing and fills nothing.

use kill_wire::{Timestamp, ToCourier};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Replies kept until a courier says what became of them.
const MAX_REPLIES: usize = 256;
/// Acknowledgements kept; a lost one only makes the courier offer its message again.
const MAX_TAKEN: usize = 256;
/// Presses of buttons that are known again.
const MAX_PRESSED: usize = 64;
/// A reply this old helps nobody, in milliseconds.
const LATE_MS: u64 = 3_600_000;
/// So long a reply may wait without a warning, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// One text to somebody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Name of the channel.
    pub(crate) channel: String,
    /// To whom.
    pub(crate) to: String,
    /// One segment.
    pub(crate) text: String,
    /// It takes the place of one that could not be sent; it has no substitute itself.
    pub(crate) instead: bool,
    /// When it was written.
    pub(crate) at: Timestamp,
}

/// Shows neither the text nor the number.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({}, {})", self.channel, self.at)
    }
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    /// There is something to hand over, or the state has changed.
    pub(crate) news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Counts couriers; what an older one says or takes is not heard.
    courier: u64,
    connected: bool,
    taken: VecDeque<(String, String)>,
    /// By number, and whether the present courier has it.
    letters: BTreeMap<u64, (Letter, bool)>,
    /// The newest presses of buttons.
    pressed: VecDeque<(String, String)>,
    /// Number of the newest reply.
    newest: u64,
    lost: u64,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A courier has come: it gets every reply that has no end yet. Gives its number.
    pub(crate) fn open(&self) -> u64 {
        let mut waiting = self.waiting();
        waiting.courier += 1;
        waiting.connected = true;
        // Acknowledgements were for the one before; its messages come again.
        waiting.taken.clear();
        for (_, handed) in waiting.letters.values_mut() {
            *handed = false;
        }
        waiting.courier
    }

    /// That courier has gone.
    pub(crate) fn close(&self, courier: u64) {
        let mut waiting = self.waiting();
        if waiting.courier == courier {
            waiting.connected = false;
        }
    }

    pub(crate) fn connected(&self) -> bool {
        self.waiting().connected
    }

    /// The next thing to hand over.
    pub(crate) fn next(&self, courier: u64) -> Option<ToCourier> {
        let mut waiting = self.waiting();
        if waiting.courier != courier {
            return None;
        }
        if let Some((channel, id)) = waiting.taken.pop_front() {
            return Some(ToCourier::Taken { channel, id });
        }
        let mut letters = waiting.letters.iter_mut();
        let (number, (letter, handed)) = letters.find(|(_, (_, handed))| !handed)?;
        *handed = true;
        Some(ToCourier::Reply {
            number: *number,
            channel: letter.channel.clone(),
            to: letter.to.clone(),
            text: letter.text.clone(),
        })
    }

    /// A message was decided about, whoever brought it.
    pub(crate) fn taken(&self, channel: String, id: String) {
        let mut waiting = self.waiting();
        if waiting.taken.len() >= MAX_TAKEN {
            waiting.taken.pop_front();
        }
        waiting.taken.push_back((channel, id));
        drop(waiting);
        self.news.notify_one();
    }

    /// Whether this press of a button is not one of the newest known: the courier offers again what it is not sure of.
    pub(crate) fn first_press(&self, channel: &str, id: &str) -> bool {
        let mut waiting = self.waiting();
        let press = (channel.to_owned(), id.to_owned());
        if waiting.pressed.contains(&press) {
            return false;
        }
        if waiting.pressed.len() >= MAX_PRESSED {
            waiting.pressed.pop_front();
        }
        waiting.pressed.push_back(press);
        true
    }

    /// Queues a text.
    pub(crate) fn post(&self, letter: Letter) {
        let mut waiting = self.waiting();
        if waiting.letters.len() >= MAX_REPLIES {
            waiting.letters.pop_first();
            waiting.lost += 1;
        }
        // Numbers of another run must not be taken for ours: they start at the clock.
        let number = (waiting.newest + 1).max(letter.at.millis());
        waiting.newest = number;
        waiting.letters.insert(number, (letter, false));
        drop(waiting);
        self.news.notify_one();
    }

    /// The courier says what became of a reply; gives what it was.
    pub(crate) fn ended(&self, number: u64) -> Option<Letter> {
        self.waiting()
            .letters
            .remove(&number)
            .map(|(letter, _)| letter)
    }

    /// Drops what is too late to help; gives how many replies were lost since the last call.
    pub(crate) fn expire(&self, now: Timestamp) -> u64 {
        let mut waiting = self.waiting();
        let all = waiting.letters.len();
        waiting
            .letters
            .retain(|_, (letter, _)| now.since(letter.at) < LATE_MS);
        let late = all - waiting.letters.len();
        std::mem::take(&mut waiting.lost) + late as u64
    }

    /// How many replies have waited too long.
    pub(crate) fn waiting_long(&self, now: Timestamp) -> usize {
        let waiting = self.waiting();
        let letters = waiting.letters.values();
        letters
            .filter(|(letter, _)| now.since(letter.at) > PATIENCE_MS)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, at: u64) -> Letter {
        Letter {
            channel: "telnyx".to_owned(),
            to: "+4712345678".to_owned(),
            text: text.to_owned(),
            instead: false,
            at: Timestamp::from_millis(at),
        }
    }

    fn handed(outbox: &Outbox, courier: u64) -> Vec<(u64, String)> {
        std::iter::from_fn(|| outbox.next(courier))
            .filter_map(|message| match message {
                ToCourier::Reply { number, text, .. } => Some((number, text)),
                ToCourier::Taken { .. } | ToCourier::State { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_reply_waits_for_a_courier_and_goes_to_the_next_until_it_has_an_end() {
        let outbox = Outbox::default();
        outbox.post(letter("CUT", 1_000));
        let first = outbox.open();
        assert_eq!(handed(&outbox, first), [(1_000, "CUT".to_owned())]);
        assert_eq!(handed(&outbox, first), []);
        let second = outbox.open();
        assert_eq!(handed(&outbox, first), [], "an older courier gets nothing");
        assert_eq!(handed(&outbox, second), [(1_000, "CUT".to_owned())]);
        assert!(outbox.ended(1_000).is_some() && outbox.ended(1_000).is_none());
        let third = outbox.open();
        assert_eq!(handed(&outbox, third), []);
    }

    #[test]
    fn a_full_outbox_drops_the_oldest_and_says_so() {
        let outbox = Outbox::default();
        for at in 0..300 {
            outbox.post(letter(&at.to_string(), 5));
        }
        let courier = outbox.open();
        let all = handed(&outbox, courier);
        assert_eq!((all.len(), all[0].1.as_str()), (MAX_REPLIES, "44"));
        assert_eq!(outbox.expire(Timestamp::from_millis(6)), 44);
        assert_eq!(outbox.expire(Timestamp::from_millis(6)), 0);
        assert_eq!(outbox.expire(Timestamp::from_millis(LATE_MS + 5)), 256);
    }
}
