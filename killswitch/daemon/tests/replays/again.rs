//! The ways in which a text comes again.

use crate::house::{House, Sent};
use crate::script;
use fastrand::Rng;
use kill_core::{InboundText, Trust};
use kill_inbound::{Incoming, Refusal};
use kill_wire::Timestamp;

/// Of texts that were long on their way one in so many is judged at its stamp: codes of then take a millisecond to make.
const LATE: u64 = 32;

/// What came again.
pub(crate) struct Replay {
    /// What the core is given; none where the channel refused it.
    pub(crate) text: Option<InboundText>,
    /// Whether a signature was verified for it, rather than once before.
    pub(crate) verified: bool,
    /// Whether codes of a day ago are looked at for it.
    pub(crate) late: bool,
}

pub(crate) fn again(
    house: &House,
    chance: &mut Rng,
    (sent, other): (&Sent, &Sent),
    now: Timestamp,
) -> Replay {
    let (mut text, verified) = match chance.usize(..20) {
        0..3 => identical_call(house, chance, sent, now),
        3 => signed_anew(house, chance, (sent, other), now),
        4..9 => (Some(sent.text.clone()), false),
        _ => (Some(reworded(house, chance, sent, other)), false),
    };
    let mut late = false;
    if let Some(text) = &mut text
        && let Some(stamp) = text.sent
        && text.trust == Trust::A
        && now.since(stamp) >= 300_000
    {
        late = chance.u64(..LATE) == 0;
        text.sent = late.then_some(stamp);
    }
    Replay {
        text,
        verified,
        late,
    }
}

/// Byte for byte what was called, to the channel that took it then.
fn identical_call(
    house: &House,
    chance: &mut Rng,
    sent: &Sent,
    now: Timestamp,
) -> (Option<InboundText>, bool) {
    let channel = &house.channels[sent.by];
    let call = match (&sent.call, channel.kind()) {
        (Some(_), "sns") => &house.sns[chance.usize(..house.sns.len())],
        (Some(call), _) => call,
        (None, _) => return (Some(sent.text.clone()), false),
    };
    match call.verify(channel, now) {
        Ok(Incoming::Text(text)) => (Some(text), true),
        Err(Refusal::Stale) => (None, true),
        odd => panic!("{}: {odd:?}", channel.kind()),
    }
}

/// The same code by any channel, or other words under the same id, in a call that was signed just now.
fn signed_anew(
    house: &House,
    chance: &mut Rng,
    (sent, other): (&Sent, &Sent),
    now: Timestamp,
) -> (Option<InboundText>, bool) {
    let again = reworded(house, chance, sent, other);
    let by = house.channels.iter();
    let by = by.zip(0..).find(|(c, _)| c.name() == again.channel);
    let sent = by.and_then(|(_, by)| house.send(by, &again.id, &again.text, now));
    sent.map_or((Some(again), false), |sent| {
        let verified = sent.call.is_some();
        (Some(sent.text), verified)
    })
}

/// Its code in the same or other words, by the same or another channel, under the same or another id.
fn reworded(house: &House, chance: &mut Rng, sent: &Sent, other: &Sent) -> InboundText {
    let mut again = sent.text.clone();
    if chance.u64(..2) == 0 {
        let channel = &house.channels[chance.usize(..house.channels.len())];
        channel.name().clone_into(&mut again.channel);
        again.trust = channel.trust();
        let modem = ["gammu", "modem-manager"].contains(&channel.kind());
        again.sent = modem.then_some(sent.at);
    }
    if chance.u64(..2) == 0 {
        again.id = chance.u64(..).to_string();
    }
    if chance.u64(..4) == 0 {
        again.sender = Some(format!("+{}", chance.usize(..2000)));
    }
    let says = &sent.text.text;
    again.text = match chance.usize(..7) {
        0 => says.to_lowercase(),
        1 => format!("{says} again"),
        2 => says.replace(' ', "\n"),
        3 => format!("{says} {}", other.text.text),
        4 => script::about_another(says, chance.usize(..5)),
        5 => says.split_whitespace().rev().collect::<Vec<_>>().join(" "),
        _ => says.clone(),
    };
    again
}
