//! Speaks to targets: a small pool of HTTP/1 connections, each of which can be dropped at once.

use crate::{
    headers,
    target_http::{Broken, Connector, Flow, Live, Pool, Question},
};
use bytes::{Bytes, BytesMut};
use gateway_core::dialect::at_target;
use http::{HeaderMap, Method, StatusCode, response::Parts};
use net_model::Target;
use std::{error::Error as StdError, time::Duration};
use tokio::time::timeout;

/// Longest answer that is read whole: a list of models, or what one of them can do.
const MAX_LIST: usize = 4 * 1024 * 1024;

/// Why a target gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Nobody there, or no TLS with them.
    #[error("could not connect")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// The request as built cannot be sent.
    #[error("the request could not be built")]
    Build(#[source] http::Error),
    /// The connection broke before the answer's headers were complete.
    #[error("no answer")]
    NoAnswer(#[source] Broken),
    /// The answer's body broke off or was too long.
    #[error("the answer could not be read")]
    Unreadable,
    /// Not in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// One request for a target.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) target: &'a Target,
    pub(crate) method: Method,
    /// Path and query at the target.
    pub(crate) path: &'a str,
    /// Made by [`headers::for_target`].
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask<'_> {
    fn question(&self) -> Result<Question, UpstreamError> {
        Question::new(&self.method, self.path, &self.headers, self.body.clone())
            .map_err(UpstreamError::Build)
    }
}

/// All targets' connections.
#[derive(Debug)]
pub(crate) struct Upstreams {
    connector: Connector,
    pool: Pool,
}

impl Upstreams {
    /// Trusts the host's certificate authorities; without any, only targets without TLS can be reached.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        Ok(Self {
            connector: Connector::new()?,
            pool: Pool::default(),
        })
    }

    /// Sends and waits for the answer's headers. A connection that idled may have been closed by the target
    /// meanwhile: then, and only before any answer, the request is sent once more on a fresh one. Connecting is bounded
    /// here; how long the answer may take is for the caller to say.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<(Parts, Flow), UpstreamError> {
        let question = ask.question()?;
        // Shared by all targets of one server.
        if let Some(live) = self.pool.take(ask.target.base_url.server()) {
            match live.send(question.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(broken) if broken.was_stale() => {}
                Err(broken) => return Err(UpstreamError::NoAnswer(broken)),
            }
        }
        let live = Box::pin(self.connect(ask.target)).await?;
        live.send(question).await.map_err(UpstreamError::NoAnswer)
    }

    /// Asks a target for its models: status and, when that is a success, the body.
    pub(crate) async fn models(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), UpstreamError> {
        let ask = Ask {
            target,
            method: Method::GET,
            path: &at_target(target.base_url.prefix(), "/v1/models"),
            headers: headers::for_target(&HeaderMap::new(), target),
            body: Bytes::new(),
        };
        self.whole(&ask, limit).await
    }

    /// Asks, and reads all of the answer, which is short: status and body.
    pub(crate) async fn whole(
        &self,
        ask: &Ask<'_>,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), UpstreamError> {
        let whole = async {
            let (head, mut flow) = self.ask(ask).await?;
            let mut body = BytesMut::new();
            while let Some(piece) = flow.piece().await {
                let piece = piece.map_err(|_| UpstreamError::Unreadable)?;
                if body.len() + piece.len() > MAX_LIST {
                    return Err(UpstreamError::Unreadable);
                }
                body.extend_from_slice(&piece);
            }
            flow.park();
            Ok((head.status, body.freeze()))
        };
        timeout(limit, whole)
            .await
            .unwrap_or(Err(UpstreamError::Late(limit)))
    }

    /// Lets go of connections that idled too long.
    pub(crate) fn prune(&self) {
        self.pool.prune(false);
    }

    /// Closes what is idle.
    pub(crate) fn close(&self) {
        self.pool.prune(true);
    }

    async fn connect(&self, target: &Target) -> Result<Live, UpstreamError> {
        let connecting = self.connector.connect(&target.base_url);
        let socket = timeout(target.timeouts.connect, connecting)
            .await
            .map_err(|_| UpstreamError::Connect("not in time".into()))?
            .map_err(UpstreamError::Connect)?;
        Ok(Live::new(
            socket,
            target.base_url.server().clone(),
            &self.pool,
        ))
    }
}
