//! The one byte form of an order: readable lines, signed with Ed25519 (RFC 8032), verified strictly.
//!
//! An order is level-triggered: it carries the whole latch set and a number that only grows. An agent
//! applies the newest and refuses the rest, so a lost, late or repeated order can open nothing.
//! The same message, sent again and again, is the lease.

use crate::latch::{Latch, LatchSet};
use crate::time::Timestamp;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt::Write as _;

/// Longest accepted order in bytes: a full latch set with room to spare.
pub const MAX_ORDER_BYTES: usize = 32 * 1024;

const HEAD: &str = "portcullis-order 1\n";

/// What agents must hold from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Grows with every order; an agent refuses one that is not newer.
    pub seq: u64,
    /// When it was signed.
    pub issued: Timestamp,
    /// Past this instant an agent refuses it.
    pub expires: Timestamp,
    /// Until when silence is still permission.
    pub lease_until: Timestamp,
    /// Makes each order's bytes unlike any other's.
    pub nonce: [u8; 16],
    /// The whole latch set.
    pub latches: LatchSet,
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
    #[error("order is not in the form of version 1")]
    Form,
}

impl Order {
    /// The signed bytes to send.
    #[must_use]
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        let mut text = self.body();
        let signature = key.sign(text.as_bytes());
        text.push_str("sig ");
        HEXLOWER.encode_append(&signature.to_bytes(), &mut text);
        text.push('\n');
        text.into_bytes()
    }

    /// Verifies, then parses. Nothing is read before the signature holds.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, OrderError> {
        if bytes.len() > MAX_ORDER_BYTES {
            return Err(OrderError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| OrderError::Signature)?;
        let (body, signature) = text.rsplit_once("sig ").ok_or(OrderError::Signature)?;
        let hex = signature.strip_suffix('\n').ok_or(OrderError::Signature)?;
        let raw = HEXLOWER
            .decode(hex.as_bytes())
            .map_err(|_| OrderError::Signature)?;
        let signature = Signature::from_slice(&raw).map_err(|_| OrderError::Signature)?;
        key.verify_strict(body.as_bytes(), &signature)
            .map_err(|_| OrderError::Signature)?;
        let order = Self::parse(body).ok_or(OrderError::Form)?;
        // One order, one byte form: what prints differently was not made by `seal`.
        if order.body() == body {
            Ok(order)
        } else {
            Err(OrderError::Form)
        }
    }

    fn body(&self) -> String {
        let mut text = String::with_capacity(256 + self.latches.as_slice().len() * 64);
        text.push_str(HEAD);
        for (key, value) in [
            ("seq", self.seq),
            ("issued", self.issued.millis()),
            ("expires", self.expires.millis()),
            ("lease", self.lease_until.millis()),
        ] {
            write_line(&mut text, format_args!("{key} {value}\n"));
        }
        write_line(
            &mut text,
            format_args!("nonce {}\n", HEXLOWER.encode(&self.nonce)),
        );
        for Latch {
            incident,
            scope,
            since,
        } in self.latches.as_slice()
        {
            write_line(
                &mut text,
                format_args!("latch {} {scope} {}\n", incident.get(), since.millis()),
            );
        }
        text
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.strip_prefix(HEAD)?.lines();
        let mut number = |key: &str| lines.next()?.strip_prefix(key)?.parse::<u64>().ok();
        let seq = number("seq ")?;
        let issued = Timestamp::from_millis(number("issued ")?);
        let expires = Timestamp::from_millis(number("expires ")?);
        let lease_until = Timestamp::from_millis(number("lease ")?);
        let nonce = HEXLOWER
            .decode(lines.next()?.strip_prefix("nonce ")?.as_bytes())
            .ok()?;
        let latches: Vec<Latch> = lines.map(parse_latch).collect::<Option<_>>()?;
        Some(Self {
            seq,
            issued,
            expires,
            lease_until,
            nonce: nonce.try_into().ok()?,
            latches: latches.try_into().ok()?,
        })
    }
}

fn parse_latch(line: &str) -> Option<Latch> {
    let mut words = line.strip_prefix("latch ")?.split(' ');
    let incident = words.next()?.parse().ok()?;
    let scope = words.next()?.parse().ok()?;
    let since = Timestamp::from_millis(words.next()?.parse().ok()?);
    words.next().is_none().then_some(Latch {
        incident,
        scope,
        since,
    })
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail; the Result is the trait's.
    let written = text.write_fmt(line);
    debug_assert!(written.is_ok());
}
