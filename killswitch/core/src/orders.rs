//! What is signed for the agents: the whole latch set, and what the others cut, under a number that only grows.

use crate::core::Core;
use kill_wire::{Challenge, Grant, Order, Timestamp};

/// Silence is permission for this long after an agent gave the challenge that is answered.
const LEASE_MS: u64 = 60_000;

impl Core {
    /// The next order to sign: newer than every one before, and than the clock's milliseconds, so
    /// that a kill switch that lost its number is heard all the same. It permits only those agents anything whose
    /// newest challenges are among `answers`.
    pub fn next_order(
        &mut self,
        now: Timestamp,
        nonce: [u8; 16],
        mut answers: Vec<Challenge>,
    ) -> Order {
        answers.truncate(Grant::MOST_ANSWERS);
        self.memory.seq = self.memory.seq.saturating_add(1).max(now.millis());
        Order {
            seq: self.memory.seq,
            issued: now,
            nonce,
            grant: Grant {
                lease_ms: LEASE_MS,
                answers,
                released: self.memory.peers.released(),
            },
            latches: self.memory.latches.clone(),
            theirs: self.memory.peers.latches(),
        }
    }

    /// An agent holds a higher number: never go below it.
    pub fn overtake(&mut self, current: u64) {
        // What an agent answers is not signed: a forged number must not use the numbers up.
        const SANE: u64 = 1 << 52;
        if current <= SANE {
            self.memory.seq = self.memory.seq.max(current);
        }
    }
}
