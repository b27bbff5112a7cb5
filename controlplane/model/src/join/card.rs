//! The house card: whom a host of this house trusts.

use data_encoding::{BASE64, HEXLOWER};
use kill_wire::{Name, Timestamp, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Most bytes of a card.
const MAX_CARD_BYTES: usize = 8 * 1024;
/// Most kill switches, and most addresses.
const MOST: usize = 16;

/// Whom a host of this house trusts: its authority, its kill switches, whoever signs its agents, and where it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseCard {
    /// The house.
    pub site: Name,
    /// Since when the authority is good; no clock of a joined host is before this.
    pub made: Timestamp,
    /// The authority's certificate (X.509, DER).
    pub authority: Vec<u8>,
    /// The kill switches whose orders count.
    pub order_keys: Vec<VerifyingKey>,
    /// Signs binaries of the agent.
    pub agent_key: VerifyingKey,
    /// Where hosts that dial out call.
    pub addresses: Vec<SocketAddr>,
}

/// Bytes that are no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no house card of this version")]
pub struct NotACard;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u8,
    site: Name,
    made_ms: u64,
    authority: String,
    order_keys: Vec<String>,
    agent_key: String,
    addresses: Vec<SocketAddr>,
}

impl HouseCard {
    /// The one byte form, which the fingerprint is taken of.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let form = Form {
            v: 1,
            site: self.site.clone(),
            made_ms: self.made.millis(),
            authority: BASE64.encode(&self.authority),
            order_keys: self.order_keys.iter().map(hex).collect(),
            agent_key: hex(&self.agent_key),
            addresses: self.addresses.clone(),
        };
        // Strings and numbers alone: there is nothing in it that JSON could refuse.
        serde_json::to_vec(&form).unwrap_or_default()
    }

    /// Reads a card, only in the one form that this version writes.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, NotACard> {
        if bytes.len() > MAX_CARD_BYTES {
            return Err(NotACard);
        }
        let form: Form = serde_json::from_slice(bytes).map_err(|_| NotACard)?;
        let keys: Option<Vec<VerifyingKey>> = form.order_keys.iter().map(|it| key(it)).collect();
        let card = Self {
            site: form.site,
            made: Timestamp::from_millis(form.made_ms),
            authority: BASE64
                .decode(form.authority.as_bytes())
                .map_err(|_| NotACard)?,
            order_keys: keys.filter(|keys| keys.len() <= MOST).ok_or(NotACard)?,
            agent_key: key(&form.agent_key).ok_or(NotACard)?,
            addresses: form.addresses,
        };
        let good = form.v == 1 && card.addresses.len() <= MOST && card.to_bytes() == bytes;
        good.then_some(card).ok_or(NotACard)
    }
}

fn hex(key: &VerifyingKey) -> String {
    HEXLOWER.encode(key.as_bytes())
}

fn key(text: &str) -> Option<VerifyingKey> {
    let raw = HEXLOWER.decode(text.as_bytes()).ok()?;
    VerifyingKey::from_bytes(&raw.try_into().ok()?).ok()
}

/// SHA-256 of a card's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of these bytes.
    #[must_use]
    pub fn of(card: &[u8]) -> Self {
        Self(Sha256::digest(card).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let raw = HEXLOWER.decode(text.as_bytes()).map_err(|_| ())?;
        raw.try_into().map(Self).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::SigningKey;

    #[test]
    fn a_card_has_one_form_and_every_changed_byte_is_another_house() {
        let key = |n| SigningKey::from_bytes(&[n; 32]).verifying_key();
        let card = HouseCard {
            site: "home".parse().unwrap(),
            made: Timestamp::from_millis(7),
            authority: vec![48, 1, 2],
            order_keys: vec![key(1), key(2)],
            agent_key: key(3),
            addresses: vec!["192.0.2.1:7414".parse().unwrap()],
        };
        let bytes = card.to_bytes();
        assert_eq!(HouseCard::read(&bytes), Ok(card));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(Fingerprint::of(&other), Fingerprint::of(&bytes));
        }
        let spaced = [b" ", bytes.as_slice()].concat();
        assert_eq!(HouseCard::read(&spaced), Err(NotACard));
    }
}
