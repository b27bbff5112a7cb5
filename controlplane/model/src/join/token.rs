//! The token an invited host is given: once, for a quarter of an hour, for one name.

use crate::{Fingerprint, HostName, KeyHash};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use zeroize::Zeroize as _;

/// Longest token in bytes, with its addresses.
pub const MAX_TOKEN_BYTES: usize = 1024;
/// Most addresses of a token.
const MOST: usize = 8;
const PREFIX: &str = "pc1.";

/// What a host joins with: `pc1.HOST.SECRET.FINGERPRINT@REACH`.
///
/// What stands after the `@` says where to go and is not vouched for: whoever answers there must show the house card.
#[derive(Debug)]
pub struct Token {
    /// Who was invited.
    pub host: HostName,
    /// Proves it.
    pub secret: TokenSecret,
    /// The house that invites.
    pub house: Fingerprint,
    /// Who dials whom.
    pub reach: Reach,
}

/// Who dials whom to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The host calls one of these; with none, the person at the host says where.
    Dial(Vec<SocketAddr>),
    /// The host listens at this port and is called.
    Listen(u16),
}

/// 128 bits of chance. Never shown but in the token itself; only its hash is kept by the control plane.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenSecret(String);

impl TokenSecret {
    /// From chance.
    #[must_use]
    pub fn new(chance: &[u8; 16]) -> Self {
        Self(HEXLOWER.encode(chance))
    }

    /// What the control plane keeps.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.as_bytes())
    }
}

impl Drop for TokenSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// A text that is no token; it is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no token of a house: expected pc1.HOST.SECRET.FINGERPRINT, as `portcullis hosts invite` printed it"
)]
pub struct NotAToken;

impl Token {
    /// The whole token, secret and all: to be shown once.
    #[must_use]
    pub fn expose(&self) -> zeroize::Zeroizing<String> {
        let reach = match &self.reach {
            Reach::Dial(to) if to.is_empty() => String::new(),
            Reach::Dial(to) => {
                let to: Vec<String> = to.iter().map(SocketAddr::to_string).collect();
                format!("@{}", to.join(","))
            }
            Reach::Listen(port) => format!("@in:{port}"),
        };
        let (host, secret, house) = (&self.host, &self.secret.0, self.house);
        zeroize::Zeroizing::new(format!("{PREFIX}{host}.{secret}.{house}{reach}"))
    }
}

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim();
        let text = text.strip_prefix(PREFIX).ok_or(NotAToken)?;
        let (token, reach) = match text.split_once('@') {
            Some((token, reach)) => (token, reach.parse()?),
            None => (text, Reach::Dial(Vec::new())),
        };
        // From the right: a host's name may have dots.
        let mut parts = token.rsplitn(3, '.');
        let mut part = || parts.next().ok_or(NotAToken);
        let (house, secret, host) = (part()?, part()?, part()?);
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if secret.len() != 32 || !secret.bytes().all(hex) {
            return Err(NotAToken);
        }
        Ok(Self {
            host: host.parse().map_err(|_| NotAToken)?,
            secret: TokenSecret(secret.to_owned()),
            house: house.parse().map_err(|()| NotAToken)?,
            reach,
        })
    }
}

impl FromStr for Reach {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        if let Some(port) = text.strip_prefix("in:") {
            let port = port.parse().ok().filter(|port| *port != 0);
            return port.map(Self::Listen).ok_or(NotAToken);
        }
        let to: Result<Vec<SocketAddr>, _> = text.split(',').map(str::parse).collect();
        let to = to.map_err(|_| NotAToken)?;
        (to.len() <= MOST)
            .then_some(Self::Dial(to))
            .ok_or(NotAToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(host: &str, reach: Reach) -> Token {
        Token {
            host: host.parse().unwrap(),
            secret: TokenSecret::new(&[7; 16]),
            house: Fingerprint::of(b"card"),
            reach,
        }
    }

    #[test]
    fn a_token_reads_as_it_is_shown_also_with_dots_in_the_name() {
        let to = |text: &str| Reach::Dial(vec![text.parse().unwrap()]);
        for reach in [
            Reach::Dial(Vec::new()),
            to("192.0.2.1:7414"),
            to("[2001:db8::1]:7414"),
            Reach::Listen(7415),
        ] {
            let shown = token("gpu.rack-1", reach.clone()).expose();
            let read: Token = shown.parse().unwrap();
            assert_eq!(read.host.as_str(), "gpu.rack-1");
            assert_eq!(read.secret.hash(), TokenSecret::new(&[7; 16]).hash());
            assert_eq!(read.house, Fingerprint::of(b"card"));
            assert_eq!(read.reach, reach);
            assert!(shown.len() <= MAX_TOKEN_BYTES);
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_in_form_is_no_token_and_is_never_repeated() {
        let whole = token("claw1", Reach::Listen(7415)).expose();
        for text in [
            "",
            "pc1.",
            "pc2.claw1.aa.bb",
            &whole[..60],
            "pc1.claw1@in:0",
        ] {
            let error = text.parse::<Token>().unwrap_err();
            assert_eq!(error, NotAToken);
        }
        let debugged = format!("{:?}", token("claw1", Reach::Listen(7415)));
        assert!(!debugged.contains("0707"), "{debugged}");
    }
}
