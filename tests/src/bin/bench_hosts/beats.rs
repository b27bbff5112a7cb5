//! The simulated hosts: each brings a report at its own moment, again and again.

use crate::figures::Span;
use crate::join::{LIMIT, Member};
use anyhow::ensure;
use hyper::{Method, StatusCode};
use net_link::{Talk, parsed};
use net_model::{MAX_TALK_BYTES, REPORTS_PATH, ReportsAnswer};
use site_tests::bench::clock::{Mark, mark, ms};
use site_tests::bench::controlplane::House;
use site_tests::bench::report::report;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The hosts while they run.
#[derive(Debug)]
pub(crate) struct Agents {
    running: JoinSet<Beats>,
    stop: CancellationToken,
}

/// What came of reports.
#[derive(Debug, Default)]
pub(crate) struct Beats {
    /// When each was sent, and milliseconds until it was answered: then it is on disk.
    answered: Vec<(Mark, f64)>,
    /// So many were not taken.
    pub(crate) missed: usize,
}

impl Beats {
    /// How long those took that were sent within these spans.
    pub(crate) fn within(&self, spans: &[Span]) -> Vec<f64> {
        let of = |at: Mark| spans.iter().any(|span| span.holds(at));
        let within = self.answered.iter().filter(|(at, _)| of(*at));
        within.map(|(_, took)| *took).collect()
    }
}

impl Agents {
    /// Starts all of them, spread over the period.
    pub(crate) fn start(house: &House, members: Vec<Member>, period: Duration) -> Self {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let (began, count) = (mark(), u32::try_from(members.len()).unwrap_or(u32::MAX));
        for member in members {
            let first = began + period * member.number / count.max(1);
            let agent = Agent {
                to: house.hosts,
                member,
                talk: None,
                beats: Beats::default(),
            };
            running.spawn(agent.run(first, period, stop.clone()));
        }
        Self { running, stop }
    }

    /// Ends them; what is under way is waited for.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Beats> {
        self.stop.cancel();
        let mut all = Beats::default();
        while let Some(one) = self.running.join_next().await {
            let one = one?;
            all.answered.extend(one.answered);
            all.missed += one.missed;
        }
        Ok(all)
    }
}

struct Agent {
    to: SocketAddr,
    member: Member,
    talk: Option<Talk>,
    beats: Beats,
}

impl Agent {
    async fn run(mut self, first: Mark, period: Duration, stop: CancellationToken) -> Beats {
        let mut next = first;
        let mut seq = 1;
        loop {
            let due = tokio::time::sleep_until(next);
            if stop.run_until_cancelled(due).await.is_none() {
                return self.beats;
            }
            let line = report(self.member.number, seq);
            let sent = mark();
            match self.bring(line, seq).await {
                Ok(()) => {
                    self.beats.answered.push((sent, ms(sent, mark())));
                    seq += 1;
                }
                Err(_) => {
                    self.talk = None;
                    self.beats.missed += 1;
                }
            }
            next += period;
        }
    }

    async fn bring(&mut self, line: String, seq: u64) -> anyhow::Result<()> {
        let mut talk = match self.talk.take().filter(Talk::is_open) {
            Some(talk) => talk,
            None => self.member.call(self.to).await?,
        };
        let (body, most) = (line.into(), MAX_TALK_BYTES);
        let reply = talk.ask(Method::POST, REPORTS_PATH, body, most, LIMIT);
        let reply = reply.await?;
        ensure!(reply.status == StatusCode::OK, "{}", reply.status);
        let answer: ReportsAnswer = parsed(&reply.body).map_err(anyhow::Error::msg)?;
        ensure!(answer.through == seq && answer.refused.is_empty());
        self.talk = Some(talk);
        Ok(())
    }
}
