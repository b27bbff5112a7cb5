//! What one kill switch of a house tells another: which codes were used, and its newest order.
//!
//! The order inside is one as the agents get: it says what this kill switch cut and which latches were restored.

use crate::order::Order;
use crate::seal::{seal, unseal};
use crate::time::Step;
use ed25519_dalek::{SigningKey, VerifyingKey};

/// Longest accepted state in bytes.
pub const MAX_PEER_BYTES: usize = 64 * 1024;

/// Where a kill switch takes the state of another.
pub const PEER_PATH: &str = "/v1/peer";

const HEAD: &str = "portcullis-peer 1\n";

/// What a code was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// It cut.
    Kill,
    /// It restored, or was the first of two.
    Restore,
}

/// One code that was used. Says whose and of which half minute, nothing of the code itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedCode {
    /// What for.
    pub verb: Verb,
    /// Of which half minute.
    pub step: Step,
    /// Whose.
    pub person: String,
}

/// The state of one kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// Which of the house's kill switches it is: 0 to 3, each with incident numbers of its own.
    pub instance: u8,
    /// Newest step of any KILL it knows of.
    pub last_kill: Step,
    /// Step of the newest RESTORE it knows of.
    pub last_restore: Step,
    /// Codes that were used there, at most [`PeerState::MOST_USED`].
    pub used: Vec<UsedCode>,
    /// Its newest order, as sealed by it.
    pub order: String,
}

impl PeerState {
    /// Most used codes of one state.
    pub const MOST_USED: usize = 512;

    /// The signed bytes to send.
    #[must_use]
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        seal(self.body(), key)
    }

    /// Verifies both signatures, then parses; `None` when it is not a state of this key.
    #[must_use]
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Option<(Self, Order)> {
        if bytes.len() > MAX_PEER_BYTES {
            return None;
        }
        let body = unseal(bytes, key)?;
        let state = Self::parse(body)?;
        let order = Order::open(state.order.as_bytes(), key).ok()?;
        (state.body() == body).then_some((state, order))
    }

    fn body(&self) -> String {
        let mut text = format!(
            "{HEAD}instance {}\nkill {}\nrestore {}\n",
            self.instance,
            self.last_kill.get(),
            self.last_restore.get()
        );
        for UsedCode { verb, step, person } in self.used.iter().take(Self::MOST_USED) {
            let verb = match verb {
                Verb::Kill => "kill",
                Verb::Restore => "restore",
            };
            text += &format!("used {verb} {} {person}\n", step.get());
        }
        text + "order\n" + &self.order
    }

    fn parse(body: &str) -> Option<Self> {
        let (said, order) = body.strip_prefix(HEAD)?.split_once("order\n")?;
        let mut lines = said.lines();
        let instance = lines.next()?.strip_prefix("instance ")?.parse().ok()?;
        let last_kill = lines.next()?.strip_prefix("kill ")?.parse().ok()?;
        let last_restore = lines.next()?.strip_prefix("restore ")?.parse().ok()?;
        let used: Vec<UsedCode> = lines.map(parse_used).collect::<Option<_>>()?;
        let bounded = instance < 4 && used.len() <= Self::MOST_USED;
        bounded.then(|| Self {
            instance,
            last_kill: Step::new(last_kill),
            last_restore: Step::new(last_restore),
            used,
            order: order.to_owned(),
        })
    }
}

fn parse_used(line: &str) -> Option<UsedCode> {
    let mut words = line.strip_prefix("used ")?.split(' ');
    let verb = match words.next()? {
        "kill" => Verb::Kill,
        "restore" => Verb::Restore,
        _ => return None,
    };
    let step = Step::new(words.next()?.parse().ok()?);
    let person = words.next()?.to_owned();
    words
        .next()
        .is_none()
        .then_some(UsedCode { verb, step, person })
}
