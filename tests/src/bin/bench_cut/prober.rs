//! Asks for something new again and again on a thread of its own, to see when it is first refused.

use anyhow::Context as _;
use site_tests::bench::clock::{Mark, mark};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Between two requests: finer than what is measured, and no load.
const PAUSE: Duration = Duration::from_micros(200);
/// It gives up after this many.
const MOST: u32 = 100_000;

/// A running prober.
#[derive(Debug)]
pub(crate) struct Prober {
    passed: Arc<AtomicU32>,
    thread: JoinHandle<anyhow::Result<Mark>>,
}

impl Prober {
    /// Starts asking.
    pub(crate) fn start(at: SocketAddr, request: &str) -> anyhow::Result<Self> {
        let passed = Arc::new(AtomicU32::new(0));
        let request = request.to_owned();
        let count = Arc::clone(&passed);
        let thread = std::thread::Builder::new()
            .name("prober".to_owned())
            .spawn(move || run(at, &request, &count))?;
        Ok(Self { passed, thread })
    }

    /// How many requests were let through so far.
    pub(crate) fn passed(&self) -> u32 {
        self.passed.load(Ordering::Relaxed)
    }

    /// When the first refusal had arrived.
    pub(crate) fn refused_at(self) -> anyhow::Result<Mark> {
        self.thread
            .join()
            .map_err(|_| anyhow::anyhow!("the prober panicked"))?
    }
}

fn run(at: SocketAddr, request: &str, passed: &AtomicU32) -> anyhow::Result<Mark> {
    let mut connection: Option<TcpStream> = None;
    for _ in 0..MOST {
        let stream = match connection.take() {
            Some(stream) => stream,
            None => connect(at)?,
        };
        // A kept connection may be closed by the cut: the next request takes a new one.
        match ask(stream, request) {
            Ok((200, stream)) => {
                passed.fetch_add(1, Ordering::Relaxed);
                connection = Some(stream);
            }
            Ok((503, _)) => return Ok(mark()),
            Ok((other, _)) => anyhow::bail!("the prober got status {other}"),
            Err(_) => connection = None,
        }
        std::thread::sleep(PAUSE);
    }
    anyhow::bail!("nothing was ever refused")
}

pub(crate) fn connect(at: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(at).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(stream)
}

fn ask(mut stream: TcpStream, request: &str) -> std::io::Result<(u16, TcpStream)> {
    stream.write_all(request.as_bytes())?;
    read_status(&mut stream).map(|status| (status, stream))
}

/// Reads one answer and gives its status; the rest of a refusal is of no interest, its arrival is what is timed.
pub(crate) fn read_status(stream: &mut TcpStream) -> std::io::Result<u16> {
    let mut answer = Vec::new();
    let mut piece = [0_u8; 8192];
    loop {
        let got = stream.read(&mut piece)?;
        answer.extend_from_slice(piece.get(..got).unwrap_or_default());
        let status = answer
            .get(9..12)
            .and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        match status {
            Some(503) => return Ok(503),
            Some(status) if got == 0 || ends(&answer) => return Ok(status),
            _ if got == 0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
}

/// Whether the answer is complete, by its length or its last chunk.
fn ends(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) => body.len() >= length,
        None => body.ends_with("0\r\n\r\n"),
    }
}
