//! A host that is dialled: only the control plane of its house is heard, and only for these questions.

use crate::Settings;
use crate::identity::{Identity, State};
use crate::key::{self, Fresh};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use net_link::{Answer, Named, json, parsed, read, refused, text};
use net_model::{
    CERTIFICATE_PATH, MAX_BATCH_BYTES, MAX_TALK_BYTES, RENEW_PATH, REPORTS_PATH, RenewAnswer,
    RenewAsk,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// Most connections at a time; one more ends the oldest.
const MOST_CONNECTIONS: usize = 8;
/// Wait after an error.
const BREATH: Duration = Duration::from_secs(1);
/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// How often is looked whether this host has joined anew meanwhile.
const LOOK: Duration = Duration::from_secs(5);

/// What the connections share.
struct Post {
    shelf: crate::Shelf,
    state: State,
    identity: Mutex<Arc<Identity>>,
    /// The key whose certificate was asked for and not brought yet.
    pending: Mutex<Option<Fresh>>,
}

/// Listens until this host is somebody else; gives why.
pub(crate) async fn keep_listening(settings: &Settings, identity: Identity) -> &'static str {
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        Err(why) => {
            tracing::warn!(at = %settings.listen, %why, "Cannot listen for the control plane.");
            tokio::time::sleep(BREATH * 5).await;
            return "cannot listen";
        }
    };
    let post = Arc::new(Post {
        shelf: Arc::clone(&settings.shelf),
        state: State::at(&settings.state_dir, settings.clock),
        identity: Mutex::new(Arc::new(identity)),
        pending: Mutex::default(),
    });
    tokio::select! {
        () = serve(&post, listener) => "the listener ended",
        () = replaced(&post) => "another identity",
    }
}

/// Returns when another identity lies on the disk than this one.
async fn replaced(post: &Post) {
    loop {
        tokio::time::sleep(LOOK).await;
        let here = post.identity();
        if post.state.read().is_ok_and(|now| !now.is(&here)) {
            return;
        }
    }
}

async fn serve(post: &Arc<Post>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((tcp, from)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        oldest_first.retain(|connection| !connection.is_finished());
        if oldest_first.len() >= MOST_CONNECTIONS
            && let Some(oldest) = oldest_first.pop_front()
        {
            oldest.abort();
        }
        let identity = post.identity();
        let config = match identity.trust.server(&identity.credentials, false) {
            Ok(config) => config,
            Err(why) => {
                tracing::error!(%why, "The own certificate cannot be used.");
                continue;
            }
        };
        let post = Arc::clone(post);
        let served = async move {
            let served = net_link::serve(tcp, config, |certificate| {
                let peer = certificate.and_then(|it| identity.trust.vouches(it));
                let control = Named::Control(identity.name.site.clone());
                let heard = peer.is_some_and(|peer| peer.named == control);
                move |request| answer(Arc::clone(&post), heard, request)
            });
            if let Err(why) = served.await {
                tracing::debug!(%from, %why, "A call ended early.");
            }
        };
        oldest_first.push_back(connections.spawn(served));
    }
}

async fn answer(post: Arc<Post>, heard: bool, request: Request<Incoming>) -> Answer {
    if !heard {
        let why = "only the control plane of this house is answered";
        return refused(StatusCode::FORBIDDEN, why);
    }
    let (head, body) = request.into_parts();
    match (&head.method, head.uri.path()) {
        (&Method::GET, REPORTS_PATH) => post.reports(head.uri.query().unwrap_or_default()),
        (&Method::POST, RENEW_PATH) => post.request(),
        (&Method::POST, CERTIFICATE_PATH) => match read(body, MAX_TALK_BYTES, BODY).await {
            Ok(body) => post.certificate(&body),
            Err(_) => refused(StatusCode::PAYLOAD_TOO_LARGE, "too long or too slow"),
        },
        _ => refused(StatusCode::NOT_FOUND, "no such path"),
    }
}

impl Post {
    fn identity(&self) -> Arc<Identity> {
        let identity = self.identity.lock();
        Arc::clone(&identity.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes off the shelf what the control plane has, and gives what follows.
    fn reports(&self, query: &str) -> Answer {
        let through = query.strip_prefix("through=").map(str::parse);
        let Some(Ok(through)) = through else {
            return refused(StatusCode::BAD_REQUEST, "expected through=NUMBER");
        };
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = shelf
            .through(through)
            .and_then(|()| shelf.after(through, MAX_BATCH_BYTES));
        match lines {
            Ok(lines) => text(StatusCode::OK, "application/x-ndjson", lines),
            Err(why) => {
                tracing::error!(%why, "The reports that wait cannot be read.");
                refused(StatusCode::INTERNAL_SERVER_ERROR, "the buffer failed")
            }
        }
    }

    fn request(&self) -> Answer {
        let Ok(fresh) = key::fresh() else {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "no key can be made");
        };
        let ask = RenewAsk {
            csr: fresh.request.clone(),
        };
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        json(StatusCode::OK, &ask)
    }

    fn certificate(&self, body: &Bytes) -> Answer {
        let next = parsed::<RenewAnswer>(body);
        let pending = self.pending.lock();
        let pending = pending.unwrap_or_else(PoisonError::into_inner).take();
        let (Ok(next), Some(fresh)) = (next, pending) else {
            return refused(StatusCode::BAD_REQUEST, "no certificate was asked for");
        };
        let here = self.identity();
        match self
            .state
            .keep_renewed(&here, &next.certificate, &fresh.key)
        {
            Ok(identity) => {
                tracing::info!(host = %identity.name, "The certificate was renewed.");
                let mut here = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
                *here = Arc::new(identity);
                text(StatusCode::NO_CONTENT, "text/plain", Bytes::new())
            }
            Err(why) => {
                tracing::warn!(%why, "The certificate was not renewed.");
                refused(StatusCode::BAD_REQUEST, "this certificate cannot be used")
            }
        }
    }
}
