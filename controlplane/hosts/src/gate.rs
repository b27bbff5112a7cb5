//! How many connections at a time, in all and from one address: who opens many keeps nobody else out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Most connections at a time.
const MOST: usize = 4096;
/// Most from one address. A host needs one; several may stand behind one router.
const MOST_FROM_ONE: usize = 64;

/// Counts the connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One connection.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Gate,
    from: IpAddr,
}

impl Gate {
    /// A pass for one more connection, unless there are too many. This machine itself may open as many as there are places.
    pub(crate) fn enter(&self, from: IpAddr) -> Option<Pass> {
        let from = from.to_canonical();
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, here) = (inside.values().sum::<usize>(), inside.get(&from).copied());
        let here = here.unwrap_or(0);
        if all >= MOST || here >= MOST_FROM_ONE && !from.is_loopback() {
            return None;
        }
        inside.insert(from, here + 1);
        drop(inside);
        Some(Pass {
            gate: self.clone(),
            from,
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inside.get_mut(&self.from) {
            Some(here) if *here > 1 => *here -= 1,
            _ => drop(inside.remove(&self.from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place_and_gives_back_what_it_had() {
        let gate = Gate::default();
        let red: IpAddr = "192.0.2.66".parse().unwrap();
        let passes: Vec<Pass> = (0..MOST_FROM_ONE)
            .map(|_| gate.enter(red).unwrap())
            .collect();
        assert!(gate.enter(red).is_none());
        assert!(gate.enter("::ffff:192.0.2.66".parse().unwrap()).is_none());
        assert!(gate.enter("192.0.2.7".parse().unwrap()).is_some());
        drop(passes);
        assert!(gate.enter(red).is_some());
        assert!(gate.0.lock().unwrap().is_empty());
    }
}
