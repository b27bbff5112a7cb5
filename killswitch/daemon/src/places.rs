//! Room for connections, shared out so that a flood ends its own and not the provider's.
//!
//! Not by address: behind a reverse proxy all callers have one, and what a proxy says of them is for anybody to write.
//! Instead a new connection takes the place of the oldest that has brought nothing genuine yet: whoever holds hundreds
//! open without a signed call loses them first, and a provider's call is through in milliseconds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    taken: Mutex<VecDeque<Arc<Holder>>>,
}

#[derive(Debug, Default)]
struct Holder {
    /// Something genuine came by it: it is left alone.
    genuine: AtomicBool,
    leave: CancellationToken,
}

/// One place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<Places>,
    holder: Arc<Holder>,
}

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<Arc<Holder>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place; none when every one is held by somebody genuine.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.len() >= self.most {
            let idle = |holder: &Arc<Holder>| !holder.genuine.load(Ordering::Relaxed);
            let at = taken.iter().position(idle)?;
            taken.remove(at)?.leave.cancel();
        }
        let holder = Arc::<Holder>::default();
        taken.push_back(Arc::clone(&holder));
        Some(Place {
            all: Arc::clone(self),
            holder,
        })
    }
}

impl Place {
    /// Something genuine came: nobody takes this place any more.
    pub(crate) fn keep(&self) {
        self.holder.genuine.store(true, Ordering::Relaxed);
    }

    /// Resolves when somebody else needs the place.
    pub(crate) async fn lost(&self) {
        self.holder.leave.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all
            .taken()
            .retain(|holder| !Arc::ptr_eq(holder, &self.holder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_brought_nothing_makes_room() {
        let places = Places::new(2);
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        first.keep();
        let third = places.take().unwrap();
        assert!(second.holder.leave.is_cancelled());
        assert!(!first.holder.leave.is_cancelled() && !third.holder.leave.is_cancelled());
        third.keep();
        assert!(places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
    }
}
