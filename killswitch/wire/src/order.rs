//! The one byte form of an order: readable lines, signed with Ed25519 (RFC 8032), verified strictly.
//!
//! An order is level-triggered: it carries the whole latch set and a number that only grows. An agent
//! applies the newest and refuses the rest, so a lost, late or repeated order can open nothing.
//! The same message, sent again and again, is the lease: what it permits stands in its [`Grant`].

use crate::grant::Grant;
use crate::latch::{Latch, LatchSet};
use crate::seal::{seal, unseal};
use crate::time::Timestamp;
use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};

/// Longest accepted order in bytes: full latch sets and a full grant with room to spare.
pub const MAX_ORDER_BYTES: usize = 40 * 1024;

const HEAD: &str = "portcullis-order 2\n";

/// What agents must hold from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Grows with every order of one kill switch; an agent refuses one that is not newer.
    pub seq: u64,
    /// When it was signed, by the signer's clock; for people, nothing is decided by it.
    pub issued: Timestamp,
    /// Makes each order's bytes unlike any other's.
    pub nonce: [u8; 16],
    /// What it permits, to whom, and which latches were restored.
    pub grant: Grant,
    /// The whole latch set of the kill switch that signed it.
    pub latches: LatchSet,
    /// What the house's other kill switches were heard to have cut; at most [`Order::MOST_THEIRS`].
    pub theirs: Vec<Latch>,
}

/// Why bytes are not an order of this house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Longer than [`MAX_ORDER_BYTES`].
    #[error("order is longer than {MAX_ORDER_BYTES} bytes")]
    TooLong,
    /// The signature is absent, malformed or of another key.
    #[error("order is not signed by this house's kill switch")]
    Signature,
    /// Signed, but not in the one byte form.
    #[error("order is not in the form of version 2")]
    Form,
}

impl Order {
    /// Most latches of others in one order.
    pub const MOST_THEIRS: usize = 128;

    /// The signed bytes to send.
    #[must_use]
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        seal(self.body(), key)
    }

    /// Verifies, then parses. Nothing is read before the signature holds.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, OrderError> {
        if bytes.len() > MAX_ORDER_BYTES {
            return Err(OrderError::TooLong);
        }
        let body = unseal(bytes, key).ok_or(OrderError::Signature)?;
        let order = Self::parse(body).ok_or(OrderError::Form)?;
        // One order, one byte form: what prints differently was not made by `seal`.
        if order.body() == body {
            Ok(order)
        } else {
            Err(OrderError::Form)
        }
    }

    fn body(&self) -> String {
        let (seq, issued) = (self.seq, self.issued.millis());
        let nonce = HEXLOWER.encode(&self.nonce);
        let grant = &self.grant;
        let mut text = format!("{HEAD}seq {seq}\nissued {issued}\nnonce {nonce}\n{grant}");
        for (word, latches) in [("latch", self.latches.as_slice()), ("their", &self.theirs)] {
            for latch in latches {
                let (n, since) = (latch.incident.get(), latch.since.millis());
                text += &format!("{word} {n} {} {since}\n", latch.scope);
            }
        }
        text
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.strip_prefix(HEAD)?.lines().peekable();
        let seq = lines.next()?.strip_prefix("seq ")?.parse().ok()?;
        let issued = lines.next()?.strip_prefix("issued ")?.parse().ok()?;
        let nonce = lines.next()?.strip_prefix("nonce ")?;
        let nonce = HEXLOWER.decode(nonce.as_bytes()).ok()?.try_into().ok()?;
        let grant = Grant::parse(&mut lines)?;
        let (mut latches, mut theirs) = (Vec::new(), Vec::new());
        for line in lines {
            match line.split_once(' ')? {
                ("latch", latch) => latches.push(parse_latch(latch)?),
                ("their", latch) => theirs.push(parse_latch(latch)?),
                _ => return None,
            }
        }
        (theirs.len() <= Self::MOST_THEIRS).then_some(Self {
            seq,
            issued: Timestamp::from_millis(issued),
            nonce,
            grant,
            latches: latches.try_into().ok()?,
            theirs,
        })
    }
}

fn parse_latch(text: &str) -> Option<Latch> {
    let mut words = text.split(' ');
    let incident = words.next()?.parse().ok()?;
    let scope = words.next()?.parse().ok()?;
    let since = Timestamp::from_millis(words.next()?.parse().ok()?);
    words.next().is_none().then_some(Latch {
        incident,
        scope,
        since,
    })
}
