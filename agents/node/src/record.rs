//! What the agent remembers on disk: `latch.a` and `latch.b` in its state folder.

use agent_core::Saved;
use kill_files::{Loaded, Slots};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::MutexGuard;

const STEM: &str = "latch";

/// The slots, written by one at a time and off the runtime's thread.
#[derive(Debug)]
pub(crate) struct Record {
    slots: Arc<Mutex<Slots>>,
    /// What was written last; `None` when that is not known.
    written: tokio::sync::Mutex<Option<Saved>>,
}

/// What was found at the start.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) saved: Option<Saved>,
    pub(crate) doubtful: bool,
}

/// The right to write. Whoever holds it knows that nothing newer is written meanwhile.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    slots: &'a Arc<Mutex<Slots>>,
    written: MutexGuard<'a, Option<Saved>>,
}

impl Record {
    pub(crate) fn create(dir: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let payload = serde_json::to_vec(&Saved::default())?;
        Slots::create(dir, STEM, &payload).map(drop)
    }

    pub(crate) fn open(dir: &Path) -> io::Result<(Self, Found)> {
        let (slots, loaded) = Slots::open(dir, STEM)?;
        let record = Self {
            slots: Arc::new(Mutex::new(slots)),
            written: tokio::sync::Mutex::default(),
        };
        Ok((record, Found::from(loaded)))
    }

    /// Writes what `newest` gives when it is this writer's turn, unless that is written already.
    pub(crate) async fn write_newest(&self, newest: impl Fn() -> Saved) -> io::Result<()> {
        let mut turn = self.turn().await;
        let saved = newest();
        if turn.written.as_ref() == Some(&saved) {
            return Ok(());
        }
        turn.write(saved).await
    }

    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn {
            slots: &self.slots,
            written: self.written.lock().await,
        }
    }
}

impl Turn<'_> {
    /// Returns when it is on the disk. Keeps the turn, for what must follow before the next write.
    pub(crate) async fn write(&mut self, saved: Saved) -> io::Result<()> {
        let payload = serde_json::to_vec(&saved)?;
        let slots = Arc::clone(self.slots);
        *self.written = None;
        let write = move || {
            let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.write(&payload)
        };
        tokio::task::spawn_blocking(write)
            .await
            .map_err(io::Error::other)??;
        *self.written = Some(saved);
        Ok(())
    }
}

impl From<Loaded> for Found {
    fn from(loaded: Loaded) -> Self {
        let (payload, doubt) = match loaded {
            Loaded::Good(payload) => (Some(payload), None),
            Loaded::Doubtful { newest, why } => (newest, Some(why)),
        };
        let saved = payload.and_then(|payload| serde_json::from_slice::<Saved>(&payload).ok());
        if let Some(why) = &doubt {
            tracing::error!(%why, "The agent's state is in doubt: everything stays paused until an order is written down.");
        } else if saved.is_none() {
            tracing::error!(
                "The agent's state is not of this version: everything stays paused until an order is written down."
            );
        }
        Self {
            doubtful: doubt.is_some() || saved.is_none(),
            saved,
        }
    }
}
