//! Tells people things by text, through the courier. Never on the way of a cut.

use crate::clock;
use crate::courier::outbox::Letter;
use crate::switch::Switch;
use kill_core::{InboundText, PersonName};
use kill_inbound::{Channel, Replies};
use std::collections::BTreeMap;

/// What goes back in the call that brought a text, to a channel that makes a text of it. The answer to a cut always does:
/// it took a code that counts once, so nobody can ask for many.
pub(crate) fn here(
    switch: &Switch,
    channel: &Channel,
    text: &InboundText,
    said: Option<String>,
    cut: bool,
) -> Option<String> {
    // The generic channel's answer goes to a program and costs nothing.
    let free = cut || channel.kind() == "standard-webhooks";
    let number = text.sender.as_deref().unwrap_or_default();
    said.filter(|_| free || switch.hourly.admits(number, clock::now()))
}

/// Answers a text through the courier: once for a message, ten an hour for a sender, and always to a cut. A text without
/// a sender, or by a channel that cannot answer, gets none.
pub(crate) fn back(switch: &Switch, text: &InboundText, said: Option<String>, cut: bool) {
    let (Some(said), Some(to)) = (said, &text.sender) else {
        return;
    };
    let channels = switch.channels();
    let mut able = channels
        .iter()
        .filter(|known| known.replies() != Replies::Never);
    let may = able.any(|known| known.name() == text.channel)
        && (switch.core().may_reply(text, clock::now()) || cut);
    if may {
        post(switch, &text.channel, to, &said, false);
    }
}

/// Tells everybody. Gives how many there is a way to.
pub(crate) fn everyone(switch: &Switch, said: &str) -> u32 {
    people(switch, said, |_| true)
}

/// Tells these people, each once, by the channel they last wrote by. Gives how many there is a way to.
pub(crate) fn people(switch: &Switch, said: &str, whom: impl Fn(&PersonName) -> bool) -> u32 {
    let mut ways: BTreeMap<PersonName, (String, String)> = BTreeMap::new();
    {
        let core = switch.core();
        let book = switch.book();
        for (channel, sender) in book.ways() {
            let person = core.people().sender(sender);
            if let Some(person) = person.filter(|person| whom(&person.name)) {
                ways.insert(person.name.clone(), (channel.to_owned(), sender.to_owned()));
            }
        }
    }
    for (channel, to) in ways.values() {
        post(switch, channel, to, said, false);
    }
    u32::try_from(ways.len()).unwrap_or(u32::MAX)
}

/// A reply could not be sent: said in the state, and tried once by each other way to the same person.
pub(crate) fn not_sent(switch: &Switch, letter: &Letter, why: &str) {
    tracing::warn!(channel = letter.channel, %why, "A reply could not be sent.");
    let others: Vec<(String, String)> = {
        let core = switch.core();
        let mut book = switch.book();
        book.sent(&letter.channel, Some(why.to_owned()));
        let name = |sender: &str| core.people().sender(sender).map(|person| &person.name);
        let meant = name(&letter.to);
        book.ways()
            .filter(|_| !letter.instead && meant.is_some())
            .filter(|(channel, to)| *channel != letter.channel && name(to) == meant)
            .map(|(channel, to)| (channel.to_owned(), to.to_owned()))
            .collect()
    };
    for (channel, to) in others {
        post(switch, &channel, &to, &letter.text, true);
    }
}

fn post(switch: &Switch, channel: &str, to: &str, text: &str, instead: bool) {
    switch.outbox.post(Letter {
        channel: channel.to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        instead,
        at: clock::now(),
    });
}
