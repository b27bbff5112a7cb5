//! The overlay in force: what a node agent laid over the routes, and nothing else can lift.
//!
//! **Invariant:** it is never read from a file and never touched by a reload of the routes. Until the first one is
//! put in place nothing passes.

use crate::deny::Denied;
use arc_swap::ArcSwapOption;
use kill_wire::Subject;
use net_model::Overlay;
use std::sync::{Arc, Mutex, PoisonError};

/// Holds the overlay; readers never wait.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    current: ArcSwapOption<Overlay>,
    /// One change at a time, from the comparison of numbers to the end of the sweep.
    change: Mutex<()>,
}

/// An overlay was refused because a newer one is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("overlay {offered} is older than overlay {in_force}, which is in force")]
pub(crate) struct Older {
    offered: u64,
    in_force: u64,
}

impl InForce {
    /// What is in force now.
    pub(crate) fn load(&self) -> Option<Arc<Overlay>> {
        self.current.load_full()
    }

    /// Whether `subject` may pass now.
    pub(crate) fn admits(&self, subject: &Subject<'_>) -> Result<(), Denied> {
        admits(self.current.load().as_deref(), subject)
    }

    /// Puts `overlay` in place of the one before, then runs `sweep` before any other change is let in.
    ///
    /// Fails when a newer one is in force. The same number again is taken: an agent's pause carries the number of
    /// the order it interrupts.
    pub(crate) fn put<T>(
        &self,
        overlay: Overlay,
        sweep: impl FnOnce(&Overlay) -> T,
    ) -> Result<T, Older> {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = self.load()
            && overlay.seq < current.seq
        {
            return Err(Older {
                offered: overlay.seq,
                in_force: current.seq,
            });
        }
        let overlay = Arc::new(overlay);
        self.current.store(Some(Arc::clone(&overlay)));
        Ok(sweep(&overlay))
    }
}

/// Whether `subject` may pass under `overlay`; under none nothing may.
pub(crate) fn admits(overlay: Option<&Overlay>, subject: &Subject<'_>) -> Result<(), Denied> {
    match overlay {
        None => Err(Denied::Closed),
        Some(overlay) => overlay
            .overrules(subject)
            .map_or(Ok(()), |overruled| Err(overruled.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(seq: u64) -> Overlay {
        Overlay {
            seq,
            ..Overlay::default()
        }
    }

    #[test]
    fn an_older_overlay_never_replaces_a_newer_one() {
        let in_force = InForce::default();
        assert!(in_force.put(numbered(5), |_| ()).is_ok());
        assert!(in_force.put(numbered(5), |_| ()).is_ok());
        assert!(in_force.put(numbered(4), |_| ()).is_err());
        assert_eq!(in_force.load().map(|overlay| overlay.seq), Some(5));
    }
}
