//! A house with people, cards and one channel of every kind, and what a restart of its kill switch is.

use crate::signers::{self, Call};
use kill_core::{Card, Core, Digits, InboundText, Key, Memory, People, Person, Restorable, Rules};
use kill_inbound::{Channel, Incoming, Options};
use kill_wire::{Step, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;

/// First millisecond of the step in which Amazon SNS' message was signed.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_248_120_000);
/// Who sends all but SNS' message.
pub(crate) const PEOPLE: [&str; 4] = ["anna", "ben", "carl", "dora"];
/// Whose KILL code in the step before [`START`] is the one in SNS' message, found by trying: nobody here can sign another.
const SNS_PERSON: &str = "emil";
const SNS_KEY: u32 = 31_662_991;

/// The part of a file of vectors that says how SNS is configured and what it posted.
#[derive(Deserialize)]
struct Posted {
    settings: BTreeMap<String, String>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    settings: BTreeMap<String, String>,
    body: String,
    expect: serde_json::Value,
}

/// Who has keys and cards, and by which channels they text.
pub(crate) struct House {
    pub(crate) people: People,
    pub(crate) cards: Vec<Card>,
    pub(crate) channels: Vec<Channel>,
    /// One message of SNS in several wordings, all of one id and with one code.
    pub(crate) sns: Vec<Call>,
}

/// A text that was carried out, and the way it came.
pub(crate) struct Sent {
    /// Which of the channels.
    pub(crate) by: usize,
    /// What was called; none where the courier fetched it.
    pub(crate) call: Option<Call>,
    pub(crate) text: InboundText,
    pub(crate) at: Timestamp,
}

impl House {
    pub(crate) fn new() -> Self {
        let posted: Posted =
            serde_json::from_str(include_str!("../../../inbound/vectors/sns.json")).unwrap();
        let sns = posted.vectors.into_iter().filter(|vector| {
            let says = vector.expect["text"].as_str().unwrap_or_default();
            vector.settings.is_empty() && says.starts_with("KILL")
        });
        let channels = Channel::KINDS.iter().map(|kind| {
            let options = match *kind {
                "sns" => Options {
                    settings: posted.settings.clone(),
                    ..Options::default()
                },
                kind => signers::options(kind),
            };
            Channel::new(kind, kind, options).unwrap()
        });
        let cards: Vec<Card> = (1..=40_u8)
            .map(|n| match n % 2 {
                0 => Card::from_random([n; 9]),
                _ => Card::digits_from_random([n; 16]),
            })
            .collect();
        Self {
            people: people(&cards),
            channels: channels.collect(),
            sns: sns.map(|vector| Call::of_body(&vector.body)).collect(),
            cards,
        }
    }

    /// The kill switch after a restart: what was written down, and nothing else.
    pub(crate) fn core(&self, memory: Memory) -> Core {
        let rules = Rules {
            text_restorable: Restorable::All,
            restore_guesses_per_day: 2,
            ..Rules::default()
        };
        rules.check(&self.people).unwrap();
        let mut core = Core::new(memory, self.people.clone());
        core.set_rules(rules);
        core
    }

    pub(crate) fn kill_code(&self, person: &str, step: u64) -> String {
        let person = self.people.get(person).unwrap();
        person.kill.code_at(Step::new(step))
    }

    pub(crate) fn restore_code(&self, person: &str, step: u64) -> String {
        let person = self.people.get(person).unwrap();
        person.restore.code_at(Step::new(step))
    }

    /// A text as this channel brings it now; `None` where nobody here can sign one.
    pub(crate) fn send(&self, by: usize, id: &str, says: &str, now: Timestamp) -> Option<Sent> {
        let channel = &self.channels[by];
        let from = format!("+49151{by:05}");
        let (call, text) = if channel.pulled() {
            (
                None,
                channel.text(id, Some(&from), says, Some(now)).unwrap(),
            )
        } else {
            let call = signers::signed(channel.kind(), id, &from, says, now)?;
            let text = said(call.verify(channel, now).unwrap());
            assert_eq!((&*text.id, &*text.text), (id, says), "{}", channel.kind());
            (Some(call), text)
        };
        let at = now;
        Some(Sent { by, call, text, at })
    }

    /// SNS' message, as it was posted.
    pub(crate) fn posted(&self, now: Timestamp) -> Sent {
        let by = self.channels.iter().position(|c| c.kind() == "sns");
        let by = by.unwrap();
        let call = Call::of_body(self.sns[0].body());
        let text = said(call.verify(&self.channels[by], now).unwrap());
        Sent {
            by,
            call: Some(call),
            text,
            at: now,
        }
    }
}

fn said(incoming: Incoming) -> InboundText {
    match incoming {
        Incoming::Text(text) => text,
        Incoming::Nothing | Incoming::Confirm { .. } => panic!("{incoming:?} is no text"),
    }
}

fn people(cards: &[Card]) -> People {
    let mut people = People::default();
    let key = |seed: u8| Key::from_random([seed; 20], Digits::Eight);
    for (n, name) in (1_u8..).zip(PEOPLE.into_iter().chain([SNS_PERSON])) {
        let mut secret = [n; 20];
        if name == SNS_PERSON {
            secret.copy_from_slice(&SNS_KEY.to_be_bytes().repeat(5));
        }
        let own = cards.iter().skip(usize::from(n) - 1).step_by(5);
        let person = Person {
            name: name.parse().unwrap(),
            kill: Key::from_random(secret, Digits::Eight),
            restore: key(100 + n),
            check_in: Some(key(150 + n)),
            duress: None,
            cards: own.map(Card::hash).collect(),
            senders: vec![format!("+49151{n:05}")],
        };
        people.add(person).unwrap();
    }
    people
}
