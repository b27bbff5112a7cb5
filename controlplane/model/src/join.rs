//! What a host and the control plane say to each other when a host joins: the token, the house card, the questions.
//!
//! The token binds a host to one house: its fingerprint is the SHA-256 of the house card, byte for byte. So a host trusts the
//! card's authority and order keys before it says anything, whoever carried the bytes.

mod card;
mod token;

pub use card::{Fingerprint, HouseCard, NotACard};
pub use token::{MAX_TOKEN_BYTES, NotAToken, Reach, Token, TokenSecret};

use crate::{Dial, HostName, HostRoles, ZoneName};
use serde::{Deserialize, Serialize};

/// Where the card is read, before anything else is known.
pub const CARD_PATH: &str = "/v1/card";
/// Where a host joins; towards a host that is dialled, where the card is brought and the request fetched.
pub const JOIN_PATH: &str = "/v1/join";
/// Where a dialled host is brought its certificate.
pub const CERTIFICATE_PATH: &str = "/v1/certificate";
/// Where a certificate is renewed.
pub const RENEW_PATH: &str = "/v1/renew";
/// Where reports go, or are fetched.
pub const REPORTS_PATH: &str = "/v1/reports";
/// Where the agent's binary is had: followed by the target, and `.sig` for its signature.
pub const AGENT_PATH: &str = "/v1/agent/";

/// Most bytes of one batch of reports.
pub const MAX_BATCH_BYTES: usize = 256 * 1024;
/// Most bytes of any other question or answer of these.
pub const MAX_TALK_BYTES: usize = 32 * 1024;

/// A host's request to be let in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinAsk {
    /// As the token says.
    pub host: HostName,
    /// Proof that this is who was invited; said only to whoever holds the card's authority.
    pub secret: TokenSecret,
    /// Request for a certificate (RFC 2986) in PEM form; of it only the key counts.
    pub csr: String,
}

/// What a host that was let in is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinAnswer {
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for.
    pub roles: HostRoles,
    /// Who dials.
    pub dial: Dial,
    /// Its certificate in PEM form.
    pub certificate: String,
}

/// A request for the next certificate; the key is a new one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewAsk {
    /// Request for a certificate (RFC 2986) in PEM form.
    pub csr: String,
}

/// The next certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewAnswer {
    /// In PEM form.
    pub certificate: String,
}

/// What became of a batch of reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportsAnswer {
    /// Everything up to here is done with, kept or refused, and may leave the host's buffer.
    pub through: u64,
    /// What was refused, each with the reason.
    #[serde(default)]
    pub refused: Vec<RefusedReport>,
    /// The control plane wants to see a new certificate request: half of the certificate's life is over by its clock.
    #[serde(default)]
    pub renew: bool,
}

/// One report that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReport {
    /// Its number; none where it could not be read.
    pub seq: Option<u64>,
    /// Why, for the host's log.
    pub why: String,
}

/// Why something was refused, for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// A sentence.
    pub error: String,
}

/// What vouches for a binary of the agent: an Ed25519 signature over [`BinarySeal::sealed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinarySeal {
    /// For which machines, such as `x86_64-linux`.
    pub target: String,
    /// Its version, three numbers with dots.
    pub version: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Signature, 128 hexadecimal digits.
    pub signature: String,
}

impl BinarySeal {
    /// What the signature is over.
    #[must_use]
    pub fn sealed(&self) -> Vec<u8> {
        let Self {
            target,
            version,
            sha256,
            signature: _,
        } = self;
        format!("portcullis-agent-1\n{target}\n{version}\n{sha256}\n").into_bytes()
    }

    /// The version as numbers, for comparison; none when it is not three numbers.
    #[must_use]
    pub fn numbers(version: &str) -> Option<[u32; 3]> {
        let mut parts = version.split('.').map(|part| part.parse().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(numbers)
    }
}

/// The target this program was built for, as binaries of the agent are named.
#[must_use]
pub fn own_target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}
