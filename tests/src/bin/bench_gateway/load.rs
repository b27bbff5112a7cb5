//! Kinds of load: as fast as it goes, at a fixed rate, streams that are held open.

use crate::client::{Client, Question};
use anyhow::Context as _;
use site_tests::bench::clock::{mark, ms};
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::LocalSet,
    time::sleep_until,
};

/// One answer's milliseconds.
type Answer = anyhow::Result<f64>;

/// Runs `connections` side by side and gathers what they tell.
async fn gather<F>(
    connections: usize,
    one: impl Fn(mpsc::UnboundedSender<Answer>) -> F,
) -> anyhow::Result<Vec<f64>>
where
    F: Future<Output = anyhow::Result<()>> + 'static,
{
    let tasks = LocalSet::new();
    let (done, mut answers) = mpsc::unbounded_channel();
    for _ in 0..connections {
        let (work, failed) = (one(done.clone()), done.clone());
        tasks.spawn_local(async move {
            if let Err(error) = work.await {
                // The other side is gone only when this run has failed.
                let _told = failed.send(Err(error));
            }
        });
    }
    drop(done);
    tasks.await;
    let mut all = Vec::new();
    while let Some(answer) = answers.recv().await {
        all.push(answer?);
    }
    Ok(all)
}

/// `total` requests over `connections` kept connections, each asking again as soon as it is answered: the seconds all
/// of it took.
pub(crate) async fn closed(
    question: &Question,
    connections: usize,
    total: usize,
) -> anyhow::Result<f64> {
    let left = Rc::new(Cell::new(total));
    let began = mark();
    gather(connections.min(total), |_| {
        let (question, left) = (question.clone(), Rc::clone(&left));
        async move {
            let mut client = Client::connect(question.to).await?;
            while left.get() > 0 {
                left.set(left.get() - 1);
                client.ask(&question).await?;
            }
            Ok(())
        }
    })
    .await?;
    Ok(ms(began, mark()) / 1000.0)
}

/// What is timed of a request that was due at a time of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    FirstByte,
    Answered,
}

/// `total` requests, `rate` a second, whether or not the ones before are answered: milliseconds from when each was due
/// to be sent, so that what waits for a free connection counts as late.
pub(crate) async fn open(
    question: &Question,
    rate: usize,
    total: usize,
    until: Until,
) -> anyhow::Result<Vec<f64>> {
    const CONNECTIONS: usize = 64;
    let began = mark() + Duration::from_millis(20);
    let next = Rc::new(Cell::new(0_usize));
    gather(CONNECTIONS.min(total), |done| {
        let (question, next) = (question.clone(), Rc::clone(&next));
        async move {
            let mut client = Client::connect(question.to).await?;
            loop {
                let at = next.get();
                if at >= total {
                    return Ok(());
                }
                next.set(at + 1);
                let micros = u64::try_from(at * 1_000_000 / rate).context("too long")?;
                let due = began + Duration::from_micros(micros);
                sleep_until(due).await;
                let first = client.ask(&question).await?;
                let end = match until {
                    Until::FirstByte => first,
                    Until::Answered => mark(),
                };
                let _told = done.send(Ok(ms(due, end)));
            }
        }
    })
    .await
}

/// How streams that are held begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    OneByOne,
    AtOnce,
}

/// Opens `count` streams, each of which has begun then; they end when they are dropped.
pub(crate) async fn held(
    question: &Question,
    count: usize,
    begin: Begin,
) -> anyhow::Result<Vec<TcpStream>> {
    let request = question.as_text();
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(question.to).await?;
        stream.write_all(request.as_bytes()).await?;
        if begin == Begin::OneByOne {
            begun(&mut stream).await?;
        }
        held.push(stream);
    }
    if begin == Begin::AtOnce {
        for stream in &mut held {
            begun(stream).await?;
        }
    }
    Ok(held)
}

/// Waits until an answer has begun.
async fn begun(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut piece = [0_u8; 12];
    stream.read_exact(&mut piece).await?;
    anyhow::ensure!(
        piece.ends_with(b"200"),
        "a stream was refused: {}",
        String::from_utf8_lossy(&piece)
    );
    Ok(())
}
