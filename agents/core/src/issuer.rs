//! One kill switch whose orders count, and what it was heard to order last.

use crate::lease::Lease;
use kill_wire::{Latch, LatchId, LatchSet, Order, Scope, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one kill switch ordered last, as far as it outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Number of its newest order.
    pub seq: u64,
    /// What it cut.
    pub latches: LatchSet,
    /// What it said that others cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theirs: Vec<Latch>,
    /// What it restored, its own latches and others'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<LatchId>,
    /// It may have cut more than stands here: nothing opens until it was heard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

/// Most latches of others that are kept one by one when late orders add to them; more are kept as a cut of everything.
const MOST_THEIRS: usize = 256;

impl Held {
    /// Everything it says is cut.
    pub(crate) fn latches(&self) -> impl Iterator<Item = &Latch> {
        self.latches.as_slice().iter().chain(&self.theirs)
    }

    /// Closes what this closes more; whether that was anything.
    pub(crate) fn add(&mut self, more: &Self) -> bool {
        let before = self.clone();
        let own = self.latches.as_slice().iter();
        self.latches = LatchSet::union(own.chain(more.latches.as_slice()));
        for latch in &more.theirs {
            if !self.theirs.contains(latch) {
                self.theirs.push(latch.clone());
            }
        }
        if self.theirs.len() > MOST_THEIRS {
            self.theirs.truncate(1);
            self.theirs.iter_mut().for_each(|it| it.scope = Scope::All);
        }
        *self != before
    }
}

/// What outlives the process: what each kill switch ordered, by its key in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form")]
pub struct Saved {
    /// One entry for each that was ever heard.
    pub issuers: BTreeMap<String, Held>,
    /// From before there could be several: counts for every key, because it does not say whose it is.
    #[serde(skip)]
    before: Option<Held>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Several(Several),
    One(Held),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    issuers: BTreeMap<String, Held>,
}

impl From<Form> for Saved {
    fn from(form: Form) -> Self {
        match form {
            Form::Several(Several { issuers }) => Self {
                issuers,
                before: None,
            },
            Form::One(held) => Self {
                issuers: BTreeMap::new(),
                before: Some(held),
            },
        }
    }
}

/// One kill switch.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) key: VerifyingKey,
    pub(crate) held: Held,
    /// Number of the newest order that was read, also of one that came late or waits for the disk: what is older than
    /// that says nothing any more, however fresh it is.
    pub(crate) read: u64,
    pub(crate) lease: Lease,
}

impl Issuer {
    pub(crate) fn new(key: VerifyingKey, saved: &Saved, doubtful: bool) -> Self {
        let known = saved.issuers.get(&id(&key)).or(saved.before.as_ref());
        let mut held = known.cloned().unwrap_or_default();
        held.doubtful |= doubtful;
        Self {
            key,
            read: held.seq,
            held,
            lease: Lease::Awaited,
        }
    }

    pub(crate) fn id(&self) -> String {
        id(&self.key)
    }
}

fn id(key: &VerifyingKey) -> String {
    let bytes = key.as_bytes().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

impl From<Order> for Held {
    fn from(order: Order) -> Self {
        Self {
            seq: order.seq,
            latches: order.latches,
            theirs: order.theirs,
            released: order.grant.released,
            doubtful: false,
        }
    }
}
