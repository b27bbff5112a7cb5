//! Signs the present state and brings it to every agent at the same time.

use crate::clock;
use crate::delivered::Delivered;
use crate::event::Event;
use crate::switch::Switch;
use bytes::Bytes;
use std::sync::Arc;
use tokio::task::JoinSet;

/// What came of bringing one order to all agents.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Exchanges ended.
    pub(crate) severed: u32,
    /// Agents that did not confirm, each with the reason.
    pub(crate) unconfirmed: Vec<String>,
    /// Some agent could not write it down.
    pub(crate) unsaved: bool,
}

/// Sends the present state to every agent at the same time. Bounded by the slowest agent's limit.
pub(crate) async fn deliver(switch: &Arc<Switch>) -> Delivery {
    let mut delivery = Delivery::default();
    let mut waiting: Vec<usize> = (0..switch.links.len()).collect();
    // Twice: an agent that holds a higher number names it and the next order overtakes; one that restarted, or was away
    // for half a minute, gives the challenge that the next order answers.
    for last in [false, true] {
        if waiting.is_empty() {
            break;
        }
        let order = switch.sign();
        let mut calls = JoinSet::new();
        for at in waiting.drain(..) {
            let (switch, order) = (Arc::clone(switch), order.clone());
            calls.spawn(async move { (at, send(&switch, at, order).await) });
        }
        while let Some(Ok((at, delivered))) = calls.join_next().await {
            match delivered {
                Delivered::Done(receipt) => {
                    delivery.severed = delivery.severed.saturating_add(receipt.severed);
                    delivery.unconfirmed.extend(receipt.failed);
                    delivery.unsaved |= receipt.unsaved.is_some();
                }
                Delivered::Again { number, .. } if !last => {
                    switch.overtake(number);
                    waiting.push(at);
                }
                Delivered::Again { why, .. } | Delivered::Failed(why) => delivery
                    .unconfirmed
                    .push(format!("{}: {why}", switch.address(at))),
            }
        }
    }
    if !delivery.unconfirmed.is_empty() {
        switch.hurry.notify_one();
    }
    delivery
}

async fn send(switch: &Arc<Switch>, at: usize, order: Bytes) -> Delivered {
    let Some(link) = switch.links.get(at) else {
        return Delivered::Failed("no such agent".to_owned());
    };
    let (delivered, turned) = link.send(order, clock::now(), &switch.tasks).await;
    if turned {
        let state = link.health.get();
        match &state.problem {
            Some(problem) => {
                tracing::warn!(agent = %state.address, %problem, "Agent does not confirm orders.")
            }
            None => tracing::info!(agent = %state.address, "Agent confirms orders."),
        }
        switch.note(Event::Agent {
            address: state.address,
            problem: state.problem,
        });
    }
    delivered
}
