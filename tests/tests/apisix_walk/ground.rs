//! What is really there: two targets that say who they are, and one connection to each worker of the data plane.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kill_wire::Class;
use site_tests::talk::{Connection, request};
use std::net::SocketAddr;
use tokio::{net::TcpListener, task::JoinSet};

/// Who answered, through one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A target of this class.
    Open(Class),
    /// Our refusal: a cut or a pause.
    Refused,
    /// Anything else: no route, no key, nothing.
    Other(u16),
}

/// A target whose every answer is its class.
pub(crate) async fn target(class: Class, tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let says = service_fn(move |request: Request<Incoming>| async move {
                let _whole = request.into_body().collect().await?;
                let word = if class == Class::Local {
                    "local"
                } else {
                    "cloud"
                };
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(word))))
            });
            open.spawn(async move {
                let _how = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), says)
                    .await;
            });
            while open.try_join_next().is_some() {}
        }
    });
    at
}

/// A kept connection to a worker.
pub(crate) struct Line(Connection);

impl Line {
    pub(crate) async fn to(at: SocketAddr) -> Option<Self> {
        Connection::to(at).await.map(Self)
    }

    /// What a consumer with this key sees at `path`; none where the connection is gone.
    pub(crate) async fn ask(&mut self, path: &str, key: &str) -> Option<Seen> {
        let bearer = format!("Bearer {key}");
        let ask = request(&Method::GET, path, &[("authorization", &bearer)], "");
        let answer = self.0.ask(ask).await?;
        let ours = [&b"portcullis_cut"[..], b"portcullis_paused"];
        let body = &answer.body;
        let has = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
        Some(match (answer.status, &**body) {
            (200, b"local") => Seen::Open(Class::Local),
            (200, b"cloud") => Seen::Open(Class::Cloud),
            (503, _) if ours.into_iter().any(has) => Seen::Refused,
            (status, _) => Seen::Other(status),
        })
    }
}
