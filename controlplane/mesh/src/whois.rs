//! Who calls the dashboard over the mesh: one factor, by the address that the accepted socket tells, never by a header.
//!
//! **Invariant:** whatever cannot be decided is refused. Rights come from what the policy grants under our own capability,
//! never from a login's name; machines with tags and machines that carry other networks are nobody.

use crate::local::{LocalApi, LocalError, WhoIs};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// So long an answer counts.
const FRESH: Duration = Duration::from_secs(5);
/// Most addresses remembered.
const MOST: usize = 256;
/// So long somebody waits for an answer, with those that wait for the same one.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a visitor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    Viewer,
    /// Look and cut.
    Operator,
    /// Look, cut, restore with a code, and change what can be changed.
    Admin,
}

/// A person on the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The id of the node, which stays. A certificate that the node shows must be bound to the same.
    pub stable_id: String,
    /// The node's name.
    pub node: String,
    /// The person.
    pub login: String,
    /// The person's name for people.
    pub display: String,
    /// The most that is granted.
    pub role: Role,
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhoisRefusal {
    /// The address is not one of another machine.
    #[error("{0} is not an address of another machine")]
    NotAPeer(IpAddr),
    /// The mesh knows nobody there.
    #[error("the mesh knows nobody at {0}")]
    Nobody(IpAddr),
    /// The node is tagged: a machine, behind which no person stands.
    #[error("{0} is a machine with tags, not a person's")]
    Tagged(String),
    /// The node carries networks: who comes from it may be anybody behind it.
    #[error("{0} carries other networks: who comes from it may be anybody")]
    Router(String),
    /// Its key has ended.
    #[error("the key of {0} has ended")]
    Ended(String),
    /// The policy grants nothing here.
    #[error("the mesh's policy grants {0} nothing here")]
    NoGrant(String),
    /// Nobody could be asked.
    #[error("who is at {0} cannot be asked: {1}")]
    Unanswered(IpAddr, String),
}

/// Answers who is at an address, from the mesh service of this machine.
#[derive(Clone, Debug)]
pub struct Whois {
    local: LocalApi,
    capability: Arc<str>,
    known: Arc<Mutex<Known>>,
    asking: Arc<Mutex<Asking>>,
}

/// One question at a time about an address: whoever sends many requests keeps nobody else waiting.
type Asking = BTreeMap<IpAddr, Arc<tokio::sync::Mutex<()>>>;

#[derive(Debug, Default)]
struct Known {
    /// Counts how often everything was forgotten: an answer that was asked for before is not remembered after.
    age: u64,
    visitors: BTreeMap<IpAddr, (Instant, Visitor)>,
}

impl Whois {
    /// Grants under `capability` count, such as `portcullis.example/cap/dashboard` with `[{"role": "operator"}]`.
    #[must_use]
    pub fn new(local: LocalApi, capability: &str) -> Self {
        Self {
            local,
            capability: capability.into(),
            known: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// The person at the far end of an accepted connection. An answer counts for 5 s; a refusal is never remembered.
    ///
    /// # Errors
    /// See [`WhoisRefusal`]; each of them means that nobody is let in.
    pub async fn of(&self, peer: SocketAddr) -> Result<Visitor, WhoisRefusal> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let at = peer.ip();
        if at.is_loopback() || at.is_unspecified() || at.is_multicast() {
            return Err(WhoisRefusal::NotAPeer(at));
        }
        let found = timeout(PATIENCE, self.in_turn(peer)).await;
        found.unwrap_or_else(|_| Err(WhoisRefusal::Unanswered(at, "it takes too long".to_owned())))
    }

    async fn in_turn(&self, peer: SocketAddr) -> Result<Visitor, WhoisRefusal> {
        let at = peer.ip();
        if let Ok(visitor) = self.remembered(at) {
            return Ok(visitor);
        }
        let turn = self.turn(at);
        let _turn = turn.lock().await;
        // Whoever was before may have been told.
        let age = match self.remembered(at) {
            Ok(visitor) => return Ok(visitor),
            Err(age) => age,
        };
        let asked = Instant::now();
        let answer = self.local.whois(peer).await;
        let visitor = self.decided(at, answer)?;
        let mut known = self.known();
        if known.age == age {
            if known.visitors.len() >= MOST {
                known.visitors.clear();
            }
            known.visitors.insert(at, (asked, visitor.clone()));
        }
        Ok(visitor)
    }

    /// Forgets every answer: the mesh has changed.
    pub fn forget(&self) {
        let mut known = self.known();
        known.age += 1;
        known.visitors.clear();
    }

    /// Who is there, or how often everything was forgotten so far.
    fn remembered(&self, at: IpAddr) -> Result<Visitor, u64> {
        let known = self.known();
        match known.visitors.get(&at) {
            Some((asked, visitor)) if asked.elapsed() < FRESH => Ok(visitor.clone()),
            _ => Err(known.age),
        }
    }

    fn turn(&self, at: IpAddr) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if asking.len() >= MOST {
            asking.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(asking.entry(at).or_default())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn decided(
        &self,
        at: IpAddr,
        answer: Result<WhoIs, LocalError>,
    ) -> Result<Visitor, WhoisRefusal> {
        let who = match answer {
            Ok(who) => who,
            Err(LocalError::Nobody) => return Err(WhoisRefusal::Nobody(at)),
            Err(why) => return Err(WhoisRefusal::Unanswered(at, why.to_string())),
        };
        if !who.tags.is_empty() || who.login.is_empty() || who.login == "tagged-devices" {
            return Err(WhoisRefusal::Tagged(who.node));
        }
        if who.routes_others {
            return Err(WhoisRefusal::Router(who.node));
        }
        if who.expired {
            return Err(WhoisRefusal::Ended(who.node));
        }
        let role = granted(&who, &self.capability);
        let role = role.ok_or_else(|| WhoisRefusal::NoGrant(who.login.clone()))?;
        Ok(Visitor {
            stable_id: who.stable_id,
            node: who.node,
            login: who.login,
            display: who.display,
            role,
        })
    }
}

/// The most that the grants under our capability give; words that are not known give nothing.
fn granted(who: &WhoIs, capability: &str) -> Option<Role> {
    let grants = who.grants.get(capability)?;
    let role = |grant: &serde_json::Value| match grant.get("role")?.as_str()? {
        "admin" => Some(Role::Admin),
        "operator" => Some(Role::Operator),
        "viewer" => Some(Role::Viewer),
        _ => None,
    };
    grants.iter().filter_map(role).max()
}
