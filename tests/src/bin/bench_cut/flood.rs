//! A flood of forged webhooks, and a cut in the middle of it: `--flood 5000`.

use crate::house::{House, Template};
use crate::http::exchange;
use crate::round::{said, signed_text};
use crate::volley::Volley;
use anyhow::{Context as _, ensure};
use site_tests::bench::clock::{mark, ms, wall_ms};
use site_tests::bench::configured::KEY;
use site_tests::bench::http::post;
use site_tests::bench::percentile::{highest, percentile};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Connections that forged requests come by, each kept open as a proxy would.
const CONNECTIONS: u32 = 32;
/// How long the flood has been under way when the text is sent.
const BEFORE: Duration = Duration::from_secs(2);

/// Figures of a cut, in milliseconds from before its text was sent.
#[derive(Debug, Default)]
pub(crate) struct Felt {
    passed: Vec<f64>,
    ordered: Vec<f64>,
    reply: Vec<f64>,
    /// Forged requests answered a second.
    rate: Vec<f64>,
}

/// The same cut with nothing else going on, and in a flood.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    quiet: Felt,
    flooded: Felt,
}

impl Pair {
    /// Plays one cut of each kind, each on a fresh house.
    pub(crate) async fn play(&mut self, template: &Template, rate: u32) -> anyhow::Result<String> {
        once(template, 0, &mut self.quiet).await?;
        once(template, rate, &mut self.flooded).await?;
        let last = |felt: &Felt| felt.reply.last().copied().unwrap_or(f64::NAN);
        Ok(format!(
            "reply {:.1} ms quiet, {:.1} ms at {:.0} forged requests a second",
            last(&self.quiet),
            last(&self.flooded),
            self.flooded.rate.last().copied().unwrap_or_default(),
        ))
    }

    /// The table as Markdown.
    pub(crate) fn draw(&self, rounds: u32, rate: u32) -> String {
        let mut text = format!(
            "{rounds} cuts each, without and within a flood of {rate} forged webhooks a second (answered with 403: median {:.0} a second, {CONNECTIONS} connections).\n\n\
             | what | quiet | in the flood | ratio |\n|---|---|---|---|\n",
            percentile(&self.flooded.rate, 50)
        );
        let (quiet, flooded) = (&self.quiet, &self.flooded);
        for (what, quiet, flooded) in [
            (
                "accepted to ordered and severed",
                &quiet.ordered,
                &flooded.ordered,
            ),
            (
                "text sent to last new request let through",
                &quiet.passed,
                &flooded.passed,
            ),
            (
                "text sent to reply with the proof",
                &quiet.reply,
                &flooded.reply,
            ),
        ] {
            for (name, pick) in [("median", 50), ("p99", 99)] {
                let (a, b) = (percentile(quiet, pick), percentile(flooded, pick));
                // Writing to a String cannot fail.
                let _infallible = writeln!(
                    text,
                    "| {what}, {name} | {a:.1} ms | {b:.1} ms | {:.1} |",
                    b / a.max(0.1)
                );
            }
        }
        let worst = highest(&flooded.reply);
        let _infallible = writeln!(text, "\nWorst reply in the flood: {worst:.1} ms.");
        text
    }
}

async fn once(template: &Template, rate: u32, felt: &mut Felt) -> anyhow::Result<()> {
    let house = template.start()?;
    house.await_canaries()?;
    let flood = (rate > 0).then(|| Flood::start(house.kill_switch, rate));
    tokio::time::sleep(BEFORE).await;
    let text = signed_text(&house)?;
    let models =
        format!("GET /v1/models HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\n\r\n");
    let volley = Volley::fire(house.gateway, &models)?;
    let sent = mark();
    let answer = exchange(house.kill_switch, &text).await;
    felt.reply.push(ms(sent, mark()));
    said(answer?)?;
    let passed = volley.shots()?.into_iter().filter(|shot| shot.passed);
    let last = passed.map(|shot| shot.sent).max();
    felt.passed
        .push(ms(sent, last.context("nothing passed before the cut")?));
    felt.ordered.push(ordered_ms(&house)?);
    if let Some(flood) = flood {
        felt.rate.push(flood.end().await?);
    }
    Ok(())
}

/// From accepted to ordered and severed, as the journal has it.
fn ordered_ms(house: &House) -> anyhow::Result<f64> {
    let journal = house.journal()?;
    let proved = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|entry| entry.pointer("/event/is").and_then(|is| is.as_str()) == Some("proved"))
        .context("the journal holds no proof")?;
    let ms = proved
        .pointer("/event/severed_ms")
        .and_then(serde_json::Value::as_f64);
    ms.context("no severed_ms")
}

/// Forged requests at a steady rate.
#[derive(Debug)]
struct Flood {
    answered: Arc<AtomicU64>,
    wrong: Arc<AtomicU64>,
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
    began: site_tests::bench::clock::Mark,
}

impl Flood {
    /// Begins, on a thread and a runtime of its own.
    fn start(at: SocketAddr, rate: u32) -> Self {
        let (answered, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let stop = CancellationToken::new();
        let shared = (Arc::clone(&answered), Arc::clone(&wrong), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let mut all = tokio::task::JoinSet::new();
                for _ in 0..CONNECTIONS {
                    let (answered, wrong, stop) = shared.clone();
                    all.spawn(async move {
                        let pouring = pour(at, rate / CONNECTIONS, &answered, &wrong);
                        stop.run_until_cancelled(pouring).await;
                    });
                }
                while all.join_next().await.is_some() {}
            });
        });
        Self {
            answered,
            wrong,
            stop,
            thread,
            began: mark(),
        }
    }

    /// Stops; gives how many forged requests were answered a second. Every one must have been refused.
    async fn end(self) -> anyhow::Result<f64> {
        let took = ms(self.began, mark()) / 1000.0;
        let answered = self.answered.load(Ordering::Relaxed);
        self.stop.cancel();
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join())
            .await?
            .map_err(|_| anyhow::anyhow!("the flood panicked"))?;
        let wrong = self.wrong.load(Ordering::Relaxed);
        ensure!(
            wrong == 0,
            "{wrong} forged requests were not answered with 403"
        );
        Ok(f64::from(u32::try_from(answered)?) / took)
    }
}

/// One connection's share. A rate that cannot be kept up is not caught up with.
async fn pour(at: SocketAddr, rate: u32, answered: &AtomicU64, wrong: &AtomicU64) -> Option<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let mut stream = TcpStream::connect(at).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut answer = [0_u8; 1024];
        loop {
            tick.tick().await;
            if stream.write_all(forged().as_bytes()).await.is_err() {
                break;
            }
            match stream.read(&mut answer).await {
                // Connections have a longest life; the next one takes over.
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if !answer.starts_with(b"HTTP/1.1 403") {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }
}

/// Well formed, with the right time and a signature of nobody.
fn forged() -> String {
    let at = (wall_ms() / 1000).to_string();
    let body = r#"{"text":"KILL ALL 12345678"}"#;
    post(
        "/v1/inbound/local",
        &[
            ("webhook-id", "msg_forged"),
            ("webhook-timestamp", &at),
            (
                "webhook-signature",
                "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ),
        ],
        body,
    )
}
