//! What targets offered a moment ago, so that many clients that ask for models do not become many questions to them.

use bytes::Bytes;
use gateway_core::dialect::{Entry, entries};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a target's list is used again.
const FRESH: Duration = Duration::from_secs(5);

/// What one target said.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Its models.
    pub(crate) models: Arc<Vec<Entry>>,
    /// Its whole answer.
    pub(crate) text: Bytes,
}

impl Offer {
    /// Reads a target's answer.
    pub(crate) fn read(text: Bytes) -> Option<Self> {
        let models = Arc::new(entries(&text)?);
        Some(Self { models, text })
    }
}

/// What each target said, by where it was asked.
#[derive(Debug, Default)]
pub(crate) struct Offers(Mutex<BTreeMap<String, (Instant, Offer)>>);

impl Offers {
    /// What was said there, when that is fresh.
    pub(crate) fn get(&self, place: &str) -> Option<Offer> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, offer) = offers.get(place)?;
        (at.elapsed() < FRESH).then(|| offer.clone())
    }

    /// This was said there just now.
    pub(crate) fn put(&self, place: String, offer: Offer) {
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.retain(|_, (at, _)| at.elapsed() < FRESH);
        offers.insert(place, (Instant::now(), offer));
    }
}
