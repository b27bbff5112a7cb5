//! A host that is dialled waits here to be let in. Anybody may connect; the token is shown only to who brings the card it was made
//! for and is vouched for by that card's authority, on the same connection.

use crate::identity::{Identity, State};
use crate::join::JoinError;
use crate::key;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use net_link::{Answer, Clock, Credentials, Named, Trust, json, parsed, read, refused, text};
use net_model::{
    CERTIFICATE_PATH, Fingerprint, HouseCard, JOIN_PATH, JoinAnswer, JoinAsk, MAX_TALK_BYTES, Token,
};
use rustls_pki_types::CertificateDer;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// Most connections at a time.
const MOST_CONNECTIONS: usize = 8;
/// How long the last answer has to reach the control plane.
const FAREWELL: Duration = Duration::from_millis(500);

struct Door {
    host: net_model::HostName,
    secret: net_model::TokenSecret,
    house: Fingerprint,
    key: Zeroizing<String>,
    request: String,
    state: State,
    clock: Clock,
    done: mpsc::Sender<Identity>,
}

/// Waits at `listen` until the control plane has let this host in. The caller sets the limit of time.
///
/// # Errors
/// When it cannot listen.
pub async fn wait_to_be_called(
    token: &Token,
    listen: SocketAddr,
    state_dir: &Path,
    clock: Clock,
) -> Result<Identity, JoinError> {
    let listener = TcpListener::bind(listen).await.map_err(JoinError::Listen)?;
    let (certificate, own_key) = key::nobody()?;
    let own = Credentials::from_pem(&certificate, &own_key);
    let own = own.map_err(|_| rustls::Error::General("own certificate".to_owned()))?;
    let config = net_link::stranger_server(&own)?;
    let fresh = key::fresh()?;
    let (done, mut joined) = mpsc::channel(1);
    let door = Arc::new(Door {
        host: token.host.clone(),
        secret: token.secret.clone(),
        house: token.house,
        key: fresh.key,
        request: fresh.request,
        state: State::at(state_dir, clock),
        clock,
        done,
    });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            Some(identity) = joined.recv() => {
                tokio::time::sleep(FAREWELL).await;
                return Ok(identity);
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => accepted,
        };
        let Ok((tcp, from)) = accepted else { continue };
        let (door, config) = (Arc::clone(&door), Arc::clone(&config));
        connections.spawn(async move {
            let served = net_link::serve(tcp, config, |certificate| {
                let caller = Arc::new(Caller {
                    certificate: certificate.map(|it| it.clone().into_owned()),
                    card: Mutex::default(),
                });
                move |request| answer(Arc::clone(&door), Arc::clone(&caller), request)
            });
            if let Err(why) = served.await {
                tracing::debug!(%from, %why, "A call ended early.");
            }
        });
    }
}

/// Who is at the other end of one connection.
struct Caller {
    certificate: Option<CertificateDer<'static>>,
    /// The card it brought, once it was found to be the house that invited.
    card: Mutex<Option<Bytes>>,
}

async fn answer(door: Arc<Door>, caller: Arc<Caller>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Ok(body) = read(body, MAX_TALK_BYTES, BODY).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "too long or too slow");
    };
    match (&head.method, head.uri.path()) {
        (&Method::POST, JOIN_PATH) => door.asked(&caller, body),
        (&Method::POST, CERTIFICATE_PATH) => door.brought(&caller, &body),
        _ => refused(StatusCode::NOT_FOUND, "no such path"),
    }
}

impl Door {
    fn asked(&self, caller: &Caller, card: Bytes) -> Answer {
        if !self.is_the_house(caller, &card) {
            tracing::warn!("Somebody called who is not the house that invited this host.");
            return refused(
                StatusCode::FORBIDDEN,
                "not the house that invited this host",
            );
        }
        *caller.card.lock().unwrap_or_else(PoisonError::into_inner) = Some(card);
        let ask = JoinAsk {
            host: self.host.clone(),
            secret: self.secret.clone(),
            csr: self.request.clone(),
        };
        json(StatusCode::OK, &ask)
    }

    fn is_the_house(&self, caller: &Caller, card: &[u8]) -> bool {
        let vouched = || {
            let right = Fingerprint::of(card) == self.house;
            let card = HouseCard::read(card).ok().filter(|_| right)?;
            let trust = Trust::new(&card.authority, self.clock, card.made).ok()?;
            let peer = trust.vouches(caller.certificate.as_ref()?)?;
            (peer.named == Named::Control(card.site)).then_some(())
        };
        vouched().is_some()
    }

    fn brought(&self, caller: &Caller, body: &Bytes) -> Answer {
        let card = caller.card.lock();
        let card = card.unwrap_or_else(PoisonError::into_inner).take();
        let (Some(card), Ok(joined)) = (card, parsed::<JoinAnswer>(body)) else {
            return refused(
                StatusCode::FORBIDDEN,
                "not the house that invited this host",
            );
        };
        match self.state.keep_joined(&card, &joined, &self.key) {
            Ok(identity) => {
                drop(self.done.try_send(identity));
                text(StatusCode::NO_CONTENT, "text/plain", Bytes::new())
            }
            Err(why) => {
                tracing::error!(%why, "The certificate cannot be used.");
                refused(StatusCode::BAD_REQUEST, "this certificate cannot be used")
            }
        }
    }
}
