//! Kinds of load: as fast as it goes, at a fixed rate, streams side by side.

use crate::client::{Client, Question};
use anyhow::Context as _;
use site_tests::bench::clock::{mark, ms};
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::{sync::mpsc, task::LocalSet, time::sleep_until};

/// `total` requests over `connections` kept connections, each asking again as soon as it is answered: each answer's time
/// to its first byte, and the seconds all of it took.
pub(crate) async fn closed(
    question: &Question,
    connections: usize,
    total: usize,
) -> anyhow::Result<(Vec<f64>, f64)> {
    let left = Rc::new(Cell::new(total));
    let tasks = LocalSet::new();
    let (done, mut answers) = mpsc::unbounded_channel();
    let began = mark();
    for _ in 0..connections.min(total) {
        let (question, left, done) = (question.clone(), Rc::clone(&left), done.clone());
        tasks.spawn_local(async move {
            let work = async {
                let mut client = Client::connect(question.to).await?;
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    // The other side is gone only when this run has failed.
                    let _told = done.send(client.ask(&question).await);
                }
                anyhow::Ok(())
            };
            if let Err(error) = work.await {
                let _told = done.send(Err(error));
            }
        });
    }
    drop(done);
    tasks.await;
    let seconds = ms(began, mark()) / 1000.0;
    let mut all = Vec::with_capacity(total);
    while let Some(answer) = answers.recv().await {
        all.push(answer?);
    }
    Ok((all, seconds))
}

/// `total` requests, `rate` a second, whether or not the ones before are answered: how late each answer was, in
/// milliseconds after it was due to be sent. What waits for a free connection counts as late.
pub(crate) async fn open(
    question: &Question,
    rate: usize,
    total: usize,
) -> anyhow::Result<Vec<f64>> {
    const CONNECTIONS: usize = 64;
    let tasks = LocalSet::new();
    let (done, mut answers) = mpsc::unbounded_channel();
    let began = mark() + Duration::from_millis(20);
    let next = Rc::new(Cell::new(0_usize));
    for _ in 0..CONNECTIONS.min(total) {
        let (question, next, done) = (question.clone(), Rc::clone(&next), done.clone());
        tasks.spawn_local(async move {
            let work = async {
                let mut client = Client::connect(question.to).await?;
                loop {
                    let at = next.get();
                    if at >= total {
                        return anyhow::Ok(());
                    }
                    next.set(at + 1);
                    let micros = u64::try_from(at * 1_000_000 / rate).context("too long")?;
                    let due = began + Duration::from_micros(micros);
                    sleep_until(due).await;
                    client.ask(&question).await?;
                    let _told = done.send(Ok(ms(due, mark())));
                }
            };
            if let Err(error) = work.await {
                let _told = done.send(Err(error));
            }
        });
    }
    drop(done);
    tasks.await;
    let mut all = Vec::with_capacity(total);
    while let Some(answer) = answers.recv().await {
        all.push(answer?);
    }
    Ok(all)
}

/// Streams that say one word a second, held open as long as this lives.
pub(crate) struct Held(Vec<tokio::net::TcpStream>);

impl Held {
    /// Opens `count` of them; each has begun.
    pub(crate) async fn open(question: &Question, count: usize) -> anyhow::Result<Self> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            question.to,
            question.key,
            question.body.len()
        );
        let request = [head.as_bytes(), &question.body].concat();
        let mut held = Vec::with_capacity(count);
        for _ in 0..count {
            let mut stream = tokio::net::TcpStream::connect(question.to).await?;
            stream.write_all(&request).await?;
            held.push(stream);
        }
        for stream in &mut held {
            let mut piece = [0_u8; 12];
            stream.read_exact(&mut piece).await?;
            anyhow::ensure!(
                piece.ends_with(b"200"),
                "a stream was refused: {}",
                String::from_utf8_lossy(&piece)
            );
        }
        Ok(Self(held))
    }

    /// How many are held.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
