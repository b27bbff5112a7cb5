//! Good codes that wait for another of the same person.

use crate::keyring::Minted;
use crate::people::PersonName;
use kill_wire::{Step, Timestamp};

/// How long the first of several codes waits for the others, and how many may wait.
const WAIT_MS: u64 = 600_000;
const MAX_WAITING: usize = 64;

/// Good codes that did not suffice alone. Not written down: after a restart they are sent again.
#[derive(Default)]
pub(crate) struct Halves(Vec<Half>);

struct Half {
    channel: String,
    person: PersonName,
    step: Step,
    at: Timestamp,
}

impl Halves {
    /// Drops what has waited too long.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|half| now.since(half.at) < WAIT_MS);
    }

    /// Steps of this person's codes that came by this channel.
    pub(crate) fn of<'a>(
        &'a self,
        channel: &'a str,
        person: &'a PersonName,
    ) -> impl Iterator<Item = Step> + 'a {
        let all = self.0.iter();
        all.filter(move |half| half.channel == channel && half.person == *person)
            .map(|half| half.step)
    }

    /// Keeps good codes; the oldest of too many goes.
    pub(crate) fn add(&mut self, channel: &str, found: &[Minted], at: Timestamp) {
        for Minted { person, step } in found {
            self.0.retain(|half| {
                half.channel != channel || half.person != *person || half.step != *step
            });
            if self.0.len() >= MAX_WAITING {
                self.0.remove(0);
            }
            self.0.push(Half {
                channel: channel.to_owned(),
                person: person.clone(),
                step: *step,
                at,
            });
        }
    }
}
