//! The unix socket of the courier, which speaks to the internet in our place. What it brings is decided like anything
//! else: codes rule, and how far a channel is trusted stands in our own configuration.
//!
//! **Invariant:** nothing here waits for the courier. It may be dead, slow or hostile: it can bring texts and press the
//! buttons of the house, and neither can restore without a code.

pub(crate) mod outbox;
mod shown;
mod take_in;

use crate::switch::Switch;
use kill_wire::{FromCourier, MAX_COURIER_LINE, ToCourier};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A courier that takes longer to read one line is hung up on.
const SLOW: Duration = Duration::from_secs(10);
/// How often the state is looked at for a change.
const LOOK: Duration = Duration::from_secs(1);
/// Messages decided about at the same time.
const AT_ONCE: usize = 32;

/// Accepts until shutdown. A second courier takes the place of the first: the first may be hanging.
pub(crate) async fn serve(switch: Arc<Switch>, listener: UnixListener) {
    let mut present: Option<CancellationToken> = None;
    loop {
        let accepted = tokio::select! {
            () = switch.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if let Some(before) = present.take() {
            before.cancel();
        }
        let hang_up = switch.stop.child_token();
        present = Some(hang_up.clone());
        let shared = Arc::clone(&switch);
        switch.tasks.spawn(async move {
            talk(&shared, stream, hang_up).await;
        });
    }
}

async fn talk(switch: &Arc<Switch>, stream: UnixStream, hang_up: CancellationToken) {
    let courier = switch.outbox.open();
    tracing::info!("The courier is here.");
    let (read, write) = stream.into_split();
    let ended = tokio::select! {
        () = hang_up.cancelled() => Ok(()),
        ended = hear(switch, read) => ended,
        ended = say(switch, write, courier) => ended,
    };
    switch.outbox.close(courier);
    match ended {
        Ok(()) => tracing::info!("The courier has gone."),
        Err(why) => tracing::warn!(%why, "The courier was hung up on."),
    }
}

/// Reads bounded lines; what comes is decided in tasks of their own, so that one slow decision holds up no other.
async fn hear(switch: &Arc<Switch>, read: OwnedReadHalf) -> io::Result<()> {
    let mut reader = BufReader::new(read);
    let room = Arc::new(Semaphore::new(AT_ONCE));
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
        let message: FromCourier = serde_json::from_slice(&line)
            // What the parser says may quote what was sent: a text may hold a live code.
            .map_err(|why| {
                let at = why.column();
                io::Error::other(format!("it sent a line not understood at byte {at}"))
            })?;
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return Ok(());
        };
        let shared = Arc::clone(switch);
        switch.tasks.spawn(async move {
            take_in::message(&shared, message).await;
            drop(place);
        });
    }
}

/// Hands over what waits, and the state whenever it has changed.
async fn say(switch: &Switch, mut write: OwnedWriteHalf, courier: u64) -> io::Result<()> {
    let mut known: Option<ToCourier> = None;
    loop {
        let state = shown::state(switch);
        if known.as_ref() != Some(&state) {
            line(&mut write, &state).await?;
            known = Some(state);
        }
        while let Some(message) = switch.outbox.next(courier) {
            line(&mut write, &message).await?;
        }
        // No news within the time is no failure: warnings change by time passing, too.
        drop(timeout(LOOK, switch.outbox.news.notified()).await);
    }
}

async fn line(write: &mut OwnedWriteHalf, message: &ToCourier) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(message)?;
    bytes.push(b'\n');
    timeout(SLOW, write.write_all(&bytes))
        .await
        .map_err(|_| io::Error::other("it does not read"))?
}
