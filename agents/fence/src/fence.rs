//! Holds one fence: puts in force what is wanted, reads it back, and puts it back where somebody else changed it.

use crate::element::{Element, Presence, Set, Standing, elements};
use crate::netlink::{Netlink, NetlinkError};
use crate::plan::Plan;
use crate::program::{Mode, nft};
use crate::ruleset;
use std::net::IpAddr;

/// Why a fence does not stand as it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// Neither netlink nor the program `nft` could make the change.
    #[error("{netlink}; {program}")]
    Unchanged {
        /// What the kernel said.
        netlink: String,
        /// What the program said.
        program: String,
    },
    /// The table could not be made.
    #[error("no table: {0}")]
    NoTable(String),
    /// What stands there could not be read back.
    #[error("cannot be read back: {0}")]
    Unread(String),
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// All as it was put.
    Same,
    /// Somebody had changed elements; they were put back.
    Elements,
    /// Somebody had changed or flushed the rules; the table was made anew.
    Rules,
}

/// One fence.
#[derive(Debug)]
pub struct Fence {
    plan: Plan,
    netlink: Option<Netlink>,
    /// What was put last.
    wanted: Vec<Element>,
    /// The rules as the kernel listed them when they were made.
    rules: Vec<u8>,
    /// The number of changes at which everything was last seen to be as it should.
    generation: Option<u32>,
}

impl Fence {
    /// Whether the kernel would take the table, without changing anything.
    ///
    /// # Errors
    /// What `nft` said.
    pub fn check(plan: &Plan) -> Result<(), FenceError> {
        let closed = elements(&plan.ways, &[]);
        nft(&plan.nft, Mode::Check, &ruleset::table(plan, &closed)).map_err(FenceError::NoTable)
    }

    /// A fence that has touched nothing yet; [`Fence::put`] makes its table.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            wanted: elements(&plan.ways, &[]),
            plan,
            netlink: None,
            rules: Vec::new(),
            generation: None,
        }
    }

    /// What it can close.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Puts each way where it should stand, in the order of the plan; a way that nobody speaks of is closed. Over netlink,
    /// or by the program where that fails.
    ///
    /// # Errors
    /// When neither way worked. What was in force is then still in force.
    pub fn put(&mut self, standings: &[Standing]) -> Result<(), FenceError> {
        self.wanted = elements(&self.plan.ways, standings);
        if self.rules.is_empty() {
            return self.make();
        }
        let by_netlink = match self.put_elements() {
            Ok(()) => return Ok(()),
            // The table is gone, with whatever it closed: nothing but making it anew helps.
            Err(NetlinkError::Refused(rustix::io::Errno::NOENT)) => return self.make(),
            Err(why) => why,
        };
        self.netlink = None;
        self.generation = None;
        let changes = ruleset::changes(&self.plan, &self.wanted);
        nft(&self.plan.nft, Mode::Load, &changes).or_else(|program| {
            self.make().map_err(|_| FenceError::Unchanged {
                netlink: by_netlink.to_string(),
                program,
            })
        })
    }

    /// The same by the program alone, without the socket.
    ///
    /// # Errors
    /// What `nft` said.
    pub fn put_by_program(&mut self, standings: &[Standing]) -> Result<(), FenceError> {
        self.wanted = elements(&self.plan.ways, standings);
        let changes = ruleset::changes(&self.plan, &self.wanted);
        nft(&self.plan.nft, Mode::Load, &changes).map_err(FenceError::NoTable)
    }

    /// Makes the table anew with what is wanted now, in one transaction.
    fn make(&mut self) -> Result<(), FenceError> {
        self.generation = None;
        let text = ruleset::table(&self.plan, &self.wanted);
        nft(&self.plan.nft, Mode::Load, &text).map_err(FenceError::NoTable)?;
        let table = self.plan.table.as_str().to_owned();
        let listed = self.kernel().and_then(|kernel| kernel.rules(&table));
        // Made, but not read back: the next look compares with nothing and makes it again.
        self.rules = listed.unwrap_or_default();
        Ok(())
    }

    /// Compares what stands there with what was put, and puts each way where it should stand now if somebody changed it.
    /// Costs one question to the kernel where nobody changed any rule of any table.
    ///
    /// # Errors
    /// When it could not be read or put back.
    pub fn look(&mut self, now: &[Standing]) -> Result<Looked, FenceError> {
        let unread = |why: NetlinkError| FenceError::Unread(why.to_string());
        let generation = self
            .kernel()
            .and_then(Netlink::generation)
            .map_err(unread)?;
        if self.generation == Some(generation) {
            return Ok(Looked::Same);
        }
        let found = self.compare().map_err(unread)?;
        match found {
            Looked::Same => self.generation = Some(generation),
            Looked::Elements => self.put(now)?,
            Looked::Rules => {
                self.wanted = elements(&self.plan.ways, now);
                self.make()?;
            }
        }
        Ok(found)
    }

    fn compare(&mut self) -> Result<Looked, NetlinkError> {
        let table = self.plan.table.as_str().to_owned();
        let rules = match self.kernel()?.rules(&table) {
            Err(NetlinkError::Refused(rustix::io::Errno::NOENT)) => Vec::new(),
            other => other?,
        };
        if rules.is_empty() || rules != self.rules {
            return Ok(Looked::Rules);
        }
        let mut same = true;
        for set in Set::ALL {
            let there = self.kernel()?.elements(&table, set)?;
            let of_set = self.wanted.iter().filter(|element| element.set == set);
            let fits = |(key, ends): &(IpAddr, bool)| {
                let mut all = of_set.clone().filter(|element| element.key == *key);
                all.any(|element| match element.there {
                    Presence::Absent => false,
                    Presence::Present(timeout) => timeout.is_some() == *ends,
                })
            };
            // A lease that has run out is gone by itself.
            let stays = |it: &&Element| it.there == Presence::Present(None);
            let mut must = of_set.clone().filter(stays);
            same &= there.iter().all(fits);
            same &= must.all(|element| there.contains(&(element.key, false)));
        }
        Ok(if same { Looked::Same } else { Looked::Elements })
    }

    fn put_elements(&mut self) -> Result<(), NetlinkError> {
        let table = self.plan.table.as_str().to_owned();
        let wanted = self.wanted.clone();
        self.kernel()?.put(&table, &wanted)
    }

    fn kernel(&mut self) -> Result<&mut Netlink, NetlinkError> {
        match &mut self.netlink {
            Some(_) => {}
            none => *none = Some(Netlink::netfilter()?),
        }
        self.netlink.as_mut().ok_or(NetlinkError::Silent)
    }
}
