//! What is really there: two targets that say who they are, and one connection to each worker of the data plane.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming, client::conn::http1 as client, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use kill_wire::Class;
use std::net::SocketAddr;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

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
pub(crate) struct Line {
    sender: client::SendRequest<Full<Bytes>>,
    _runs: JoinSet<()>,
}

impl Line {
    pub(crate) async fn to(at: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(at).await.ok()?;
        let (sender, connection) = client::handshake(TokioIo::new(stream)).await.ok()?;
        let mut runs = JoinSet::new();
        runs.spawn(async move {
            let _how = connection.await;
        });
        Some(Self {
            sender,
            _runs: runs,
        })
    }

    /// What a consumer with this key sees at `path`; none where the connection is gone.
    pub(crate) async fn ask(&mut self, path: &str, key: &str) -> Option<Seen> {
        let ask = Request::get(path)
            .header("host", "apisix.test")
            .header("authorization", format!("Bearer {key}"))
            .body(Full::default())
            .unwrap();
        self.sender.ready().await.ok()?;
        let answer = self.sender.send_request(ask).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        let ours = [&b"portcullis_cut"[..], b"portcullis_paused"];
        let has = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
        Some(match (status, &*body) {
            (200, b"local") => Seen::Open(Class::Local),
            (200, b"cloud") => Seen::Open(Class::Cloud),
            (503, _) if ours.into_iter().any(has) => Seen::Refused,
            _ => Seen::Other(status),
        })
    }
}
