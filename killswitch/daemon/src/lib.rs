//! The kill switch: hears, verifies, decides, orders, proves and answers. Needs no database, names, sign-in or control plane.
//!
//! It runs on a thread and a runtime of its own, so that nothing else in the process can starve it. The way of a cut is
//! `inbound` → `act` → `kill_core` → `cut` → `orders` → `link`; what follows (`recorder`, `proof`, the reply) comes after the act.

mod act;
mod alarms;
mod answer;
mod book;
mod canary;
mod certificates;
mod check_in;
mod clock;
mod clock_watch;
mod conclude;
mod configured;
mod courier;
mod cut;
mod delivered;
mod dial;
mod direct;
mod drill;
mod event;
mod held;
mod hold;
mod hourly;
mod http;
mod inbound;
mod incidents;
pub mod journal;
mod lease;
mod lever;
mod link;
mod not_after;
mod orders;
mod other;
mod peer_in;
mod peer_out;
mod peers;
mod places;
mod proof;
mod recorder;
mod report;
mod restore;
mod seen;
mod self_call;
mod settings;
mod sockets;
mod start;
mod state;
mod switch;
mod tell;
mod vantage;
mod verified;
mod vouch;
mod warnings;
mod watchdog;

pub use configured::{Beside, channels, guess_bound};
pub use direct::Direct;
pub use event::Event;
pub use peers::Peer;
pub use settings::{Settings, courier_socket, lever_socket};
pub use state::create_state;
pub use vantage::{Point, Vantage};
pub use watchdog::Watchdog;

use kill_inbound::Channel;
use std::net::TcpListener;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use switch::Switch;

/// A running kill switch.
#[derive(Debug)]
pub struct KillSwitch {
    switch: Arc<Switch>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl KillSwitch {
    /// Starts on its own thread. Damaged state comes up cut, and a socket that cannot be made is a warning; only a missing
    /// order key or a listener that cannot be used fails.
    pub fn start(settings: Settings, listener: TcpListener) -> anyhow::Result<Self> {
        let (switch, threads) = start::start(settings, listener)?;
        Ok(Self { switch, threads })
    }

    /// Takes other channels from now on; calls under way end by the old ones.
    pub fn set_channels(&self, channels: Vec<Channel>) {
        *self
            .switch
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(channels);
    }

    /// Stops listening, lets work under way end within `limit`, and waits for the disk. Blocking.
    pub fn stop(self, limit: Duration) {
        let Self { switch, threads } = self;
        switch.stop.cancel();
        drop(switch);
        let mut left = limit;
        for (name, thread) in threads {
            while !thread.is_finished() && !left.is_zero() {
                let nap = left.min(Duration::from_millis(5));
                std::thread::sleep(nap);
                left -= nap;
            }
            if !thread.is_finished() {
                tracing::warn!(thread = name, ?limit, "Did not stop in time.");
            } else if thread.join().is_err() {
                tracing::error!(thread = name, "Had died before shutdown.");
            }
        }
    }
}
