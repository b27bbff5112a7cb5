//! The other kill switches of the house, and how each is.

use kill_wire::{PeerHealth, Timestamp, VerifyingKey};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// One that has said nothing for this long is called silent, in milliseconds.
const SILENT_MS: u64 = 30_000;

/// Another kill switch of the house.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it is called here, in screens and in the journal.
    pub name: String,
    /// Where it takes webhooks; a literal address.
    pub address: SocketAddr,
    /// The key that verifies its orders.
    pub key: VerifyingKey,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) all: Vec<Known>,
    instance: Option<u8>,
}

/// One of them, and what was heard of it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) peer: Peer,
    /// There is something to tell it.
    pub(crate) news: Notify,
    state: Mutex<State>,
    /// What it restored is written down by one at a time.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    heard: Option<Timestamp>,
    /// Why it could not be told.
    deaf: Option<String>,
    /// It says it is the one that this one is.
    twin: bool,
}

impl Peers {
    pub(crate) fn new(peers: Vec<Peer>, instance: Option<u8>) -> Self {
        let known = |peer| Known {
            peer,
            news: Notify::new(),
            state: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        };
        Self {
            all: peers.into_iter().map(known).collect(),
            instance,
        }
    }

    /// Something has changed: everybody is told soon. Never waits.
    pub(crate) fn tell(&self) {
        self.all.iter().for_each(|known| known.news.notify_one());
    }

    /// For screens.
    pub(crate) fn health(&self, now: Timestamp) -> Vec<PeerHealth> {
        let health = |known: &Known| {
            let state = known.state().clone();
            let silent = state.heard.is_none_or(|at| now.since(at) > SILENT_MS);
            let problem = if state.twin {
                Some("it has the same `instance` as this one: give each its own".to_owned())
            } else if silent {
                Some(format!(
                    "not heard for {} s: what it cuts is not known here, and a restore here does not open it",
                    SILENT_MS / 1000
                ))
            } else {
                state.deaf.map(|why| format!("cannot be told: {why}"))
            };
            PeerHealth {
                name: known.peer.name.clone(),
                heard: state.heard,
                problem,
            }
        };
        self.all.iter().map(health).collect()
    }

    /// It was heard to say something that it signed at `said`.
    pub(crate) fn heard(&self, known: &Known, instance: u8, said: Timestamp, now: Timestamp) {
        let mut state = known.state();
        // What was held back on its way is as old as it is; a clock that runs ahead makes it no younger.
        state.heard = state.heard.max(Some(said.min(now)));
        state.twin = self.instance.unwrap_or(0) == instance;
    }
}

impl Known {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it could be told; gives whether that has changed.
    pub(crate) fn told(&self, outcome: &Result<(), String>) -> bool {
        let mut state = self.state();
        let was_well = state.deaf.is_none();
        state.deaf = outcome.as_ref().err().cloned();
        was_well != state.deaf.is_none()
    }
}
