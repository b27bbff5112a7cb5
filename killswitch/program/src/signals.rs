//! The signals a program answers to: two that end it, one that reads the configuration again.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals a program answers to.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself. Call it within a tokio runtime with IO; fails when the
    /// system gives no place for a handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits; true to end, false to read the configuration again.
    pub async fn ended_or_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hangup.recv() => false,
        }
    }

    /// Waits for one that ends.
    pub async fn ended(&mut self) {
        while !self.ended_or_reload().await {}
    }
}
