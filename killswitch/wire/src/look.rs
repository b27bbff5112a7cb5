//! What the kill switch asks a host to look at: can this address be reached from there, past the gateway?

use crate::seal::{seal, unseal};
use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Longest accepted look in bytes.
pub const MAX_LOOK_BYTES: usize = 4 * 1024;

/// Where a node agent takes looks.
pub const LOOKS_PATH: &str = "/v1/looks";

const HEAD: &str = "portcullis-look 1\n";

/// Asks a host to try these addresses, once, by no more than a TCP connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Comes back in [`Looked`].
    pub nonce: [u8; 16],
    /// Literal socket addresses, such as `192.0.2.1:443` or `[2001:db8::1]:443`; at most [`Look::MAX`].
    pub addresses: Vec<String>,
}

impl Look {
    /// Most addresses of one look.
    pub const MAX: usize = 32;

    /// The signed bytes to send. Addresses past [`Look::MAX`] are left out.
    #[must_use]
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        seal(self.body(), key)
    }

    /// Verifies, then parses; `None` when it is not a look of this key.
    #[must_use]
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Option<Self> {
        if bytes.len() > MAX_LOOK_BYTES {
            return None;
        }
        let body = unseal(bytes, key)?;
        let mut lines = body.strip_prefix(HEAD)?.lines();
        let nonce = lines.next()?.strip_prefix("nonce ")?;
        let nonce = HEXLOWER.decode(nonce.as_bytes()).ok()?.try_into().ok()?;
        let addresses = lines
            .map(|line| line.strip_prefix("address ").map(str::to_owned))
            .collect::<Option<Vec<_>>>()?;
        let look = Self { nonce, addresses };
        (look.body() == body).then_some(look)
    }

    fn body(&self) -> String {
        let mut text = format!("{HEAD}nonce {}\n", HEXLOWER.encode(&self.nonce));
        for address in self.addresses.iter().take(Self::MAX) {
            text.push_str("address ");
            text.push_str(address);
            text.push('\n');
        }
        text
    }
}

/// What one address looked like from a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// A connection came about.
    Open,
    /// Something said no: the address itself, a router or this host.
    Refused,
    /// Nothing answered in time.
    Silent,
    /// It was not tried: this host's own configuration does not list it.
    Unlisted,
    /// It could not be tried, for a reason of this host: that says nothing of the way.
    Untried,
}

/// What an agent answers to a [`Look`]. Not signed: it counts for that host only, and only as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The look's, in hexadecimal.
    pub nonce: String,
    /// The host that answers.
    pub node: String,
    /// Each address of the look, in its order.
    pub seen: Vec<(String, Reached)>,
}
