//! Just enough HTTP/1.1 to measure with: nothing of a client library stands between a byte and its time.

use anyhow::{Context as _, bail};
use site_tests::bench::clock::{Mark, mark};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

/// Status and text of a whole exchange on a connection of its own.
pub(crate) async fn exchange(at: SocketAddr, request: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut text = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let got = timeout(Duration::from_secs(15), stream.read(&mut piece))
            .await
            .context("no answer")??;
        text.extend_from_slice(piece.get(..got).unwrap_or_default());
        if got == 0 || whole(&text) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.context("no status")?, text))
}

/// Whether an answer with a content length is complete.
fn whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    head.to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .is_some_and(|length: usize| body.len() >= length)
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// When its last byte came.
    pub(crate) last_byte: Mark,
    /// Whether the last event was the refusal.
    pub(crate) told: bool,
}

/// Opens a stream, counts it in `running` once bytes flow, and reads it to its end.
pub(crate) async fn stream(
    at: SocketAddr,
    request: String,
    running: watch::Sender<usize>,
) -> anyhow::Result<Ended> {
    let mut connection = TcpStream::connect(at).await?;
    connection.set_nodelay(true)?;
    connection.write_all(request.as_bytes()).await?;
    let mut piece = [0_u8; 16 * 1024];
    let mut tail: Vec<u8> = Vec::new();
    let (mut reads, mut last_byte) = (0_u32, mark());
    // A reset ends the loop as a close does; `told` says which it was.
    while let Ok(got) = connection.read(&mut piece).await {
        if got == 0 {
            break;
        }
        last_byte = mark();
        tail.extend_from_slice(piece.get(..got).unwrap_or_default());
        let keep = tail.len().saturating_sub(1024);
        tail.drain(..keep);
        reads += 1;
        if reads == 1 && !tail.starts_with(b"HTTP/1.1 200") {
            bail!("stream refused: {}", String::from_utf8_lossy(&tail));
        }
        if reads == 3 {
            running.send_modify(|count| *count += 1);
        }
    }
    let told = String::from_utf8_lossy(&tail).contains("portcullis_cut");
    Ok(Ended { last_byte, told })
}
