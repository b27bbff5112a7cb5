//! A consumer's connections, read byte by byte: nothing of a client library stands between an answer and who looks at it.

use crate::bench::http::post;
use anyhow::{Context as _, ensure};
use kill_wire::INCIDENT_HEADER;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Until an answer must have come.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const MOST: u64 = 1 << 20;

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It came through.
    Served,
    /// Refused, with the incident it named.
    Cut(u32),
    /// Refused without an incident: 503.
    Closed,
    /// The connection was ended.
    Ended,
    /// Another answer.
    Odd(u16),
}

impl Answer {
    /// Whether nothing came through.
    #[must_use]
    pub const fn refused(&self) -> bool {
        matches!(self, Self::Cut(_) | Self::Closed | Self::Ended)
    }
}

/// Where somebody asks, and as whom.
#[derive(Clone, Debug)]
pub struct Door {
    at: SocketAddr,
    key: String,
    path: String,
}

impl Door {
    /// The way at this address with this key, for any path.
    #[must_use]
    pub fn at(at: SocketAddr, key: &str, path: &str) -> Self {
        Self {
            at,
            key: key.to_owned(),
            path: path.to_owned(),
        }
    }

    /// A connection that is kept.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let stream = TcpStream::connect(self.at).await?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream: BufReader::new(stream),
            request: self.request(r#"{"model":"steady","max_tokens":1,"messages":[]}"#),
        })
    }

    /// A stream that goes on until somebody ends it.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn stream(&self) -> anyhow::Result<Open> {
        let mut stream = BufReader::new(TcpStream::connect(self.at).await?);
        let body = r#"{"model":"paced","stream":true,"max_tokens":100000,"messages":[]}"#;
        let request = self.request(body);
        let opening = async {
            stream.get_mut().write_all(request.as_bytes()).await?;
            let head = head(&mut stream).await?;
            ensure!(answer(&head)? == Answer::Served, "{head}");
            chunk(&mut stream).await
        };
        timeout(LIMIT, opening).await??;
        Ok(Open(stream))
    }

    fn request(&self, body: &str) -> String {
        let bearer = format!("Bearer {}", self.key);
        post(&self.path, &[("authorization", &bearer)], body)
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Client {
    /// Asks once more on the same connection.
    pub async fn ask(&mut self) -> Answer {
        let answer = timeout(LIMIT, exchange(&mut self.stream, &self.request)).await;
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Answer::Ended,
        }
    }
}

async fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> anyhow::Result<Answer> {
    stream.get_mut().write_all(request.as_bytes()).await?;
    let head = head(stream).await?;
    let length = field(&head, "content-length").and_then(|text| text.parse::<u64>().ok());
    let chunked = field(&head, "transfer-encoding").is_some();
    match length {
        Some(length) => {
            ensure!(length <= MOST, "too long");
            let mut body = Vec::new();
            stream.take(length).read_to_end(&mut body).await?;
            ensure!(body.len() as u64 == length, "broken off");
        }
        None if chunked => while chunk(stream).await? > 0 {},
        None => {}
    }
    answer(&head)
}

fn answer(head: &str) -> anyhow::Result<Answer> {
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let incident = field(head, INCIDENT_HEADER).and_then(|text| text.parse().ok());
    Ok(match (status, incident) {
        (200, _) => Answer::Served,
        (503, Some(incident)) => Answer::Cut(incident),
        (503, None) => Answer::Closed,
        (other, _) => Answer::Odd(other),
    })
}

async fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = (&mut *stream).take(MOST).read_line(&mut head).await?;
        ensure!(read > 0 && head.len() as u64 <= MOST, "ended");
    }
    Ok(head.to_ascii_lowercase())
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(field, _)| *field == name)
        .map(|(_, value)| value)
}

/// One chunk; gives its length.
async fn chunk(stream: &mut BufReader<TcpStream>) -> anyhow::Result<u64> {
    let mut line = String::new();
    (&mut *stream).take(64).read_line(&mut line).await?;
    let length = u64::from_str_radix(line.trim_end(), 16)?;
    ensure!(length <= MOST, "too long");
    let mut data = Vec::new();
    stream.take(length + 2).read_to_end(&mut data).await?;
    ensure!(data.len() as u64 == length + 2, "broken off");
    Ok(length)
}

/// A stream under way.
#[derive(Debug)]
pub struct Open(BufReader<TcpStream>);

impl Open {
    /// Whether it ends within this time. What still comes is read.
    pub async fn ends(&mut self, within: Duration) -> bool {
        let ended = async {
            let mut piece = vec![0; 16 << 10];
            while self.0.read(&mut piece).await.is_ok_and(|read| read > 0) {}
        };
        timeout(within, ended).await.is_ok()
    }
}
