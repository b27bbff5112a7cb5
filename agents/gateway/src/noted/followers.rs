//! Who follows along now.

use super::{Note, Told, access::AccessLog};
use crate::{Operating, clock, metrics::Metrics, proxies::Client};
use arc_swap::ArcSwapOption;
use gateway_core::dialect::{Place, place};
use http::Request;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

/// Longest path that is shown.
const MAX_PATH: usize = 128;

/// Who follows along now.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    access: ArcSwapOption<AccessLog>,
}

impl Followers {
    /// Begins a note on a request, if anybody follows.
    pub(crate) fn note<B>(&self, request: &mut Request<B>) -> Option<Arc<Note>> {
        let access = Some(self.access.load_full()?);
        let path = request.uri().path();
        let api = match place(path) {
            Some(Place::Call(api)) => Some(api),
            Some(Place::Session) => Some(net_model::Api::Realtime),
            Some(Place::Listing(_) | Place::Show) | None => None,
        };
        let note = Arc::new(Note {
            access,
            client: request.extensions().get::<Client>().map(|client| client.0),
            method: request.method().clone(),
            path: path.chars().take(MAX_PATH).collect(),
            version: request.version(),
            at: clock::now(),
            begun: Instant::now(),
            api,
            told: Mutex::new(Told::default()),
        });
        request.extensions_mut().insert(Arc::clone(&note));
        Some(note)
    }

    /// Follows in another way from now on; what stays as it was goes on undisturbed.
    pub(crate) fn follow(&self, wish: Operating, metrics: &Metrics) {
        let now = self.access.load_full();
        if now.as_ref().map(|log| log.wish()) != wish.access_log.as_ref() {
            let log = wish.access_log.and_then(|wish| {
                AccessLog::start(wish, metrics)
                    .inspect_err(|error| tracing::error!(%error, "There is no access log."))
                    .ok()
            });
            self.access.store(log.map(Arc::new));
        }
    }

    /// Opens the access log again by its name.
    pub(crate) fn reopen(&self) {
        if let Some(log) = &*self.access.load() {
            log.reopen();
        }
    }

    /// Writes out what is left, and gives up after `limit`. Blocks until then.
    pub(crate) fn finish(&self, limit: Duration) {
        if let Some(log) = self.access.swap(None) {
            log.finish(limit);
        }
    }
}
