//! The unix socket of the kill switch: JSON lines both ways, connected again and again until shutdown.
//!
//! **Invariant:** what was offered stays on the desk until the kill switch says it has taken it; a lost connection only
//! makes it be offered again.

mod desk;

use crate::letter::Letter;
use crate::shown::Shown;
use desk::Desk;
use kill_wire::{FromCourier, MAX_COURIER_LINE, ToCourier};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Messages offered at the same time; a source that has more waits.
const MAX_OFFERS: usize = 512;
/// A kill switch that takes longer to read a line is hung up on.
const SLOW: Duration = Duration::from_secs(10);
/// How often the desk is looked at for what is due again.
const LOOK: Duration = Duration::from_secs(1);
/// First and longest time between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Why a message will not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// The courier stops: leave the message where it is.
    Stopping,
    /// It does not fit into a line: no kind sends such a thing in earnest.
    TooLong,
}

/// The courier's end of the socket, shared by all sources and replies.
#[derive(Clone, Debug)]
pub(crate) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    desk: Mutex<Desk>,
    /// Something on the desk has changed.
    news: Notify,
    room: Semaphore,
    states: watch::Sender<Option<Shown>>,
}

impl Link {
    pub(crate) fn new(channels: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(Shared {
            desk: Mutex::new(Desk::new(channels)),
            news: Notify::new(),
            room: Semaphore::new(MAX_OFFERS),
            states: watch::Sender::new(None),
        }))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message on the desk and waits until it is taken.
    pub(crate) async fn offer(
        &self,
        channel: &str,
        id: &str,
        message: &FromCourier,
    ) -> Result<(), Untaken> {
        let line = line(message).ok_or(Untaken::TooLong)?;
        let room = self.0.room.acquire().await;
        // Given back when the message is taken, not when the one who waits for it goes away.
        room.map_err(|_| Untaken::Stopping)?.forget();
        let (taken, joined) = self
            .desk()
            .offer(channel, id, line)
            .ok_or(Untaken::Stopping)?;
        if joined {
            self.0.room.add_permits(1);
        }
        self.0.news.notify_one();
        taken.await.map_err(|_| Untaken::Stopping)
    }

    /// How the source of a channel is.
    pub(crate) fn source_health(&self, channel: &str, problem: Option<String>) {
        if self.desk().source_health(channel, problem) {
            self.0.news.notify_one();
        }
    }

    /// How the replies of a channel fare.
    pub(crate) fn reply_health(&self, channel: &str, problem: Option<String>) {
        if self.desk().reply_health(channel, problem) {
            self.0.news.notify_one();
        }
    }

    /// A reply came; whether it is a new one, for which there is room.
    pub(crate) fn reply_begins(&self, number: u64) -> bool {
        let new = self.desk().reply_begins(number);
        self.0.news.notify_one();
        new
    }

    /// What became of a reply.
    pub(crate) fn reply_ended(&self, number: u64, result: Result<(), String>) {
        let message = match result {
            Ok(()) => FromCourier::Sent { number },
            Err(why) => FromCourier::NotSent { number, why },
        };
        if let Some(line) = line(&message) {
            self.desk().reply_ended(number, line);
            self.0.news.notify_one();
        }
    }

    /// What is cut.
    pub(crate) fn states(&self) -> watch::Receiver<Option<Shown>> {
        self.0.states.subscribe()
    }

    /// Talks to the kill switch until shutdown. What it wants sent by a channel is given to `send`, which must not wait.
    pub(crate) async fn run(
        &self,
        socket: &Path,
        send: &impl Fn(&str, Letter),
        stop: &CancellationToken,
    ) {
        let mut pause = PAUSES.0;
        let mut told = String::new();
        while !stop.is_cancelled() {
            let before = Instant::now();
            let ended = tokio::select! {
                () = stop.cancelled() => break,
                ended = self.connection(socket, send) => ended,
            };
            if before.elapsed() > PAUSES.1 {
                pause = PAUSES.0;
            }
            let why = ended.to_string();
            if why != told {
                tracing::warn!(%why, "No connection to the kill switch.");
                told = why;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSES.1);
        }
        self.0.room.close();
        self.desk().close();
    }

    async fn connection(&self, socket: &Path, send: &impl Fn(&str, Letter)) -> io::Error {
        let stream = match UnixStream::connect(socket).await {
            Ok(stream) => stream,
            Err(why) => return why,
        };
        tracing::info!("Connected to the kill switch.");
        self.desk().connected();
        let (read, write) = stream.into_split();
        let ended = tokio::select! {
            ended = self.hear(read, send) => ended,
            ended = self.say(write) => ended,
        };
        // What was said is not known to hold any more.
        self.0.states.send_replace(None);
        ended
            .err()
            .unwrap_or_else(|| io::Error::other("it hung up"))
    }

    /// Writes what is due, whenever something is.
    async fn say(&self, mut write: OwnedWriteHalf) -> io::Result<()> {
        loop {
            loop {
                let due = self.desk().due(Instant::now());
                let Some(line) = due else { break };
                timeout(SLOW, write.write_all(&line))
                    .await
                    .map_err(|_| io::Error::other("it does not read"))??;
            }
            // No news within the time is no failure: some things are due again by time passing.
            drop(timeout(LOOK, self.0.news.notified()).await);
        }
    }

    async fn hear(&self, read: OwnedReadHalf, send: &impl Fn(&str, Letter)) -> io::Result<()> {
        let mut reader = BufReader::new(read);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut bounded = (&mut reader).take(MAX_COURIER_LINE as u64);
            if bounded.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            if line.last() != Some(&b'\n') {
                return Err(io::Error::other("it sent a line too long or half a line"));
            }
            match serde_json::from_slice(&line) {
                Ok(message) => self.heard(message, send),
                // What the parser says may quote a text.
                Err(_) => return Err(io::Error::other("it sent a line not understood")),
            }
        }
    }

    fn heard(&self, message: ToCourier, send: &impl Fn(&str, Letter)) {
        match message {
            ToCourier::Taken { channel, id } => {
                if self.desk().taken(&channel, &id) {
                    self.0.room.add_permits(1);
                }
            }
            ToCourier::Reply {
                number,
                channel,
                to,
                text,
            } => {
                let letter = Letter { number, to, text };
                send(&channel, letter);
            }
            ToCourier::State {
                scopes,
                cut,
                incidents,
                warnings,
            } => {
                let shown = Some(Shown::new(scopes, cut, &incidents, warnings));
                self.0.states.send_if_modified(|known| {
                    let changed = *known != shown;
                    *known = shown;
                    changed
                });
            }
        }
    }
}

/// One line; none where it is too long.
fn line(message: &FromCourier) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(message).ok()?;
    line.push(b'\n');
    (line.len() <= MAX_COURIER_LINE).then_some(line)
}
