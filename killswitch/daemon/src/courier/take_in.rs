//! What the courier brings, one message at a time.

use crate::act;
use crate::clock;
use crate::conclude::conclude;
use crate::cut;
use crate::event::Event;
use crate::switch::Switch;
use crate::tell;
use crate::verified;
use kill_core::{Cut, Decision, InboundText};
use kill_inbound::{Channel, RawRequest};
use kill_wire::{FromCourier, Scope};
use std::sync::Arc;
use tokio::time::Instant;

/// Decides about it and says that it was.
///
/// That is said of whatever a channel of ours brought, whether or not the disk took the outcome: by then a cut is ordered
/// and the agents hold it, and a channel that stood still until the disk is mended could bring no second text.
pub(crate) async fn message(switch: &Arc<Switch>, message: FromCourier) {
    match message {
        FromCourier::Text {
            channel,
            id,
            sender,
            text,
            sent,
        } => {
            let taken = with(switch, &channel, Channel::pulled, async |known| {
                if let Some(text) = known.text(&id, sender.as_deref(), &text, sent) {
                    verified::note(switch, &text);
                    decide(switch, &text).await;
                }
            });
            if taken.await {
                switch.outbox.taken(channel, id);
            }
        }
        FromCourier::Webhook {
            channel,
            headers,
            body,
            id,
        } => {
            let called = |known: &Channel| !known.pulled();
            let taken = with(switch, &channel, called, async |known| {
                webhook(switch, known, &headers, &body).await;
            });
            if taken.await {
                switch.outbox.taken(channel, id);
            }
        }
        FromCourier::Button { channel, scope, id } => {
            let taken = with(switch, &channel, Channel::pulled, async |_| {
                button(switch, &channel, scope, &id).await;
            });
            if taken.await {
                switch.outbox.taken(channel, id);
            }
        }
        FromCourier::Sent { number } => {
            if let Some(letter) = switch.outbox.ended(number) {
                switch.book().sent(&letter.channel, None);
            }
        }
        FromCourier::NotSent { number, why } => {
            if let Some(letter) = switch.outbox.ended(number) {
                tell::not_sent(switch, &letter, &bounded(&why));
            }
        }
        FromCourier::Health { channel, problem } => health(switch, &channel, problem),
    }
}

/// Works with the channel of this name, if it is one of ours and of the right sort.
///
/// What comes by another is not taken: the courier offers it again, and after the next change of the configuration it
/// may be known.
async fn with(
    switch: &Switch,
    name: &str,
    right: impl Fn(&Channel) -> bool,
    work: impl AsyncFnOnce(&Channel),
) -> bool {
    let channels = switch.channels();
    let known = channels.iter().find(|channel| channel.name() == name);
    if let Some(channel) = known.filter(|channel| right(channel)) {
        work(channel).await;
        return true;
    }
    let name: String = name.chars().take(24).collect();
    tracing::warn!(
        channel = name,
        "The courier brings something by a channel that is not configured here for it."
    );
    false
}

async fn decide(switch: &Arc<Switch>, text: &InboundText) {
    let (accepted, decision) = act::decide(switch, text);
    let cut = matches!(decision, Decision::Cut(_));
    let said = act::carry_out(switch, text, decision, accepted).await;
    tell::back(switch, text, said, cut);
}

/// A body from a queue: verified as if the provider had called. A forged one is taken, too, so that it leaves the queue.
async fn webhook(
    switch: &Arc<Switch>,
    channel: &Channel,
    headers: &[(String, String)],
    body: &str,
) {
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let raw = RawRequest {
        method: "POST",
        headers: &headers,
        query: None,
        body: body.as_bytes(),
    };
    if let Ok(Some(text)) = verified::text(switch, channel, &raw) {
        decide(switch, &text).await;
    }
}

/// A button of the house: to be there is the credential, and it can only cut. A press that comes twice cuts once.
async fn button(switch: &Arc<Switch>, channel: &str, scope: Scope, id: &str) {
    if !switch.outbox.first_press(channel, id) {
        return;
    }
    let accepted = Instant::now();
    let cut = Cut {
        via: channel.to_owned(),
        ..switch
            .core()
            .lever_cut(scope, "button", "a button was pressed", clock::now())
    };
    let report = cut::carry_out(switch, &cut, accepted).await;
    conclude(switch, &report).await;
}

fn health(switch: &Switch, channel: &str, problem: Option<String>) {
    let channels = switch.channels();
    if !channels.iter().any(|known| known.name() == channel) {
        return;
    }
    let problem = problem.map(|why| bounded(&why));
    if switch.book().provider(channel, problem.clone()) {
        switch.note(Event::Channel {
            channel: channel.to_owned(),
            problem,
        });
    }
}

fn bounded(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(200).collect()
}
