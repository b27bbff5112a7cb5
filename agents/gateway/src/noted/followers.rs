//! Who follows along now.

use super::{Note, Told, access::AccessLog};
use crate::{
    Operating,
    app::App,
    clock,
    otel::{Place as InTrace, Traces},
    proxies::Client,
};
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
    traces: ArcSwapOption<Traces>,
}

impl Followers {
    /// Begins a note on a request, if anybody follows.
    pub(crate) fn note<B>(&self, request: &mut Request<B>) -> Option<Arc<Note>> {
        let (access, traces) = (self.access.load_full(), self.traces.load_full());
        if access.is_none() && traces.is_none() {
            return None;
        }
        let path = request.uri().path();
        let api = match place(path) {
            Some(Place::Call(api)) => Some(api),
            Some(Place::Session) => Some(net_model::Api::Realtime),
            Some(Place::Listing(_) | Place::Show) | None => None,
        };
        let path = path.chars().take(MAX_PATH).collect();
        let traces = traces.filter(|_| api.is_some());
        let traces = traces.map(|traces| (traces, InTrace::take(request.headers_mut())));
        let note = Arc::new(Note {
            access,
            traces,
            client: request.extensions().get::<Client>().map(|client| client.0),
            method: request.method().clone(),
            path,
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
    pub(crate) fn follow(&self, app: &Arc<App>, wish: Operating) {
        let now = self.access.load_full();
        if now.as_ref().map(|log| log.wish()) != wish.access_log.as_ref() {
            let log = wish.access_log.and_then(|wish| {
                AccessLog::start(wish, &app.books.metrics)
                    .inspect_err(|error| tracing::error!(%error, "There is no access log."))
                    .ok()
            });
            self.access.store(log.map(Arc::new));
        }
        let now = self.traces.load_full();
        if now.as_ref().map(|traces| traces.wish()) != wish.otel.as_ref() {
            let traces = wish.otel.map(|wish| Traces::start(app, wish));
            self.traces.store(traces.map(Arc::new));
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
        self.traces.store(None);
        if let Some(log) = self.access.swap(None) {
            log.finish(limit);
        }
    }
}
