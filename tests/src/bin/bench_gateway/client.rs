//! A connection that asks one thing after the other and times what comes.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use site_tests::bench::{
    clock::{Mark, mark},
    http::post,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

const LIMIT: Duration = Duration::from_secs(60);

/// What is asked again and again.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) to: SocketAddr,
    pub(crate) key: String,
    pub(crate) body: String,
}

/// Where it is asked.
const PATH: &str = "/v1/chat/completions";

impl Question {
    /// What `words` words of the scripted upstream's `model` are asked for with.
    pub(crate) fn new(to: SocketAddr, key: &str, model: &str, words: usize, stream: bool) -> Self {
        let body = serde_json::json!({
            "model": model, "stream": stream, "max_tokens": words,
            "messages": [{"role": "user", "content": "Please say as many words as you are asked for."}],
        });
        Self {
            to,
            key: key.to_owned(),
            body: body.to_string(),
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// The request as bytes, for a connection that is kept.
    pub(crate) fn as_text(&self) -> String {
        post(PATH, &[("authorization", &self.bearer())], &self.body)
    }
}

/// One kept connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    _driving: JoinSet<()>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driving = JoinSet::new();
        driving.spawn(async move {
            // How it ends is told to whoever asks.
            let _how = connection.await;
        });
        Ok(Self {
            sender,
            _driving: driving,
        })
    }

    /// Asks once and reads the answer to its end; anything but 200 is an error. When the first byte of its body came.
    pub(crate) async fn ask(&mut self, question: &Question) -> anyhow::Result<Mark> {
        timeout(LIMIT, self.exchange(question))
            .await
            .context("no answer in time")?
    }

    async fn exchange(&mut self, question: &Question) -> anyhow::Result<Mark> {
        let request = Request::post(PATH)
            .header(header::HOST, question.to.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, question.bearer())
            .body(Full::new(Bytes::from(question.body.clone())))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let mut body = answer.into_body();
        let (mut first, mut text) = (None, Vec::new());
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                first.get_or_insert_with(mark);
                if !status.is_success() {
                    text.extend_from_slice(&data);
                }
            }
        }
        ensure!(
            status.is_success(),
            "{status}: {}",
            String::from_utf8_lossy(&text)
        );
        first.context("an answer without a body")
    }
}
