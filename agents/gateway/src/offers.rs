//! What targets offered a moment ago, so that many clients that ask for models do not become many questions to them.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a target's list is used again.
const FRESH: Duration = Duration::from_secs(5);
/// Most models of one target.
const MAX_MODELS: usize = 2000;

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

/// One target's models: id and entry as the target wrote it.
pub(crate) type Models = Arc<Vec<(String, Box<RawValue>)>>;

/// What each target said, by its base URL.
#[derive(Debug, Default)]
pub(crate) struct Offers(Mutex<BTreeMap<String, (Instant, Models)>>);

impl Offers {
    /// What this target said, when that is fresh.
    pub(crate) fn get(&self, base: &str) -> Option<Models> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, models) = offers.get(base)?;
        (at.elapsed() < FRESH).then(|| Arc::clone(models))
    }

    /// This target said so just now.
    pub(crate) fn put(&self, base: String, models: Models) {
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.retain(|_, (at, _)| at.elapsed() < FRESH);
        offers.insert(base, (Instant::now(), models));
    }
}

/// Reads a target's list.
pub(crate) fn read(body: &[u8]) -> Option<Models> {
    let list: List = serde_json::from_slice(body).ok()?;
    let named = list.data.into_iter().take(MAX_MODELS).filter_map(|entry| {
        let id = serde_json::from_str::<Named<'_>>(entry.get())
            .ok()?
            .id
            .into_owned();
        Some((id, entry))
    });
    Some(Arc::new(named.collect()))
}
