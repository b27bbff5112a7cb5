//! One host that has joined, and sends what is no report, as often as it likes, over several connections.

use crate::join::{LIMIT, Member};
use hyper::{Method, StatusCode};
use net_link::Talk;
use net_model::{MAX_TALK_BYTES, REPORTS_PATH};
use site_tests::bench::clock::{Mark, mark};
use site_tests::bench::report::hostile;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

/// Connections at a time.
const LINES: u32 = 4;

/// What was said to a flood.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Sent in all.
    pub(crate) sent: u32,
    /// Read and judged, each report of it.
    pub(crate) judged: u32,
    /// Turned away: it is not this host's turn.
    pub(crate) later: u32,
    /// Broken off, or answered otherwise.
    pub(crate) broken: u32,
}

impl Told {
    pub(crate) fn add(&mut self, more: Self) {
        self.sent += more.sent;
        self.judged += more.judged;
        self.later += more.later;
        self.broken += more.broken;
    }
}

/// Sends so many within the span, evenly; blocks for as long.
pub(crate) fn play(
    to: SocketAddr,
    red: &Member,
    requests: u32,
    span: Duration,
) -> anyhow::Result<Told> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let began = mark();
        let mut lines = JoinSet::new();
        for line in 0..LINES {
            let which = (line..requests).step_by(LINES as usize);
            let due = which.map(move |n| (n, began + span * n / requests.max(1)));
            lines.spawn(one(to, red.clone(), due, began + span));
        }
        let mut told = Told::default();
        while let Some(one) = lines.join_next().await {
            told.add(one?);
        }
        tokio::time::sleep_until(began + span).await;
        Ok(told)
    })
}

/// One connection's share. What is late is sent at once, what is later than the end not at all.
async fn one(
    to: SocketAddr,
    red: Member,
    due: impl Iterator<Item = (u32, Mark)>,
    end: Mark,
) -> Told {
    let (mut told, mut open) = (Told::default(), None::<Talk>);
    for (n, at) in due {
        tokio::time::sleep_until(at).await;
        if mark() >= end {
            break;
        }
        told.sent += 1;
        let mut talk = match open.take().filter(Talk::is_open) {
            Some(talk) => talk,
            None => match red.call(to).await {
                Ok(talk) => talk,
                Err(_) => {
                    told.broken += 1;
                    continue;
                }
            },
        };
        let body = hostile(red.number, n).into();
        let reply = talk.ask(Method::POST, REPORTS_PATH, body, MAX_TALK_BYTES, LIMIT);
        match reply.await.map(|reply| reply.status) {
            Ok(StatusCode::OK) => told.judged += 1,
            Ok(StatusCode::TOO_MANY_REQUESTS) => told.later += 1,
            Ok(_) | Err(_) => {
                told.broken += 1;
                continue;
            }
        }
        open = Some(talk);
    }
    told
}
