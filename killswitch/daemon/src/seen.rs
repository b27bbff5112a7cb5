//! What was seen to work, kept over restarts, so that a cut asked for again can still be proven and an old silence is known.
//!
//! It is evidence, not state: nothing is cut or opened by it, and losing it costs a proof and no more. So it is written
//! now and then, off every way that matters, and a file that cannot be read is no doubt.

use crate::book::Book;
use crate::clock;
use crate::switch::Switch;
use crate::vantage::{Canaries, Vantage};
use kill_wire::{DrillState, ProbePoint, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two looks at what has changed.
const EVERY: Duration = Duration::from_secs(15);
/// For the last writing, at shutdown.
const LAST: Duration = Duration::from_secs(1);
/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    ways: Vec<Way>,
    pub(crate) book: Book,
    pub(crate) drill: Option<DrillState>,
    /// When it was written.
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Way {
    gateway: SocketAddr,
    point: ProbePoint,
    worked: bool,
}

/// Inside a state folder.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("seen.json")
}

impl Seen {
    /// Reads it; nothing, where it is not there or not in this form.
    pub(crate) fn load(path: &Path) -> Self {
        let Ok(file) = File::open(path) else {
            return Self::default();
        };
        let mut text = String::new();
        let read = file.take(MAX_BYTES).read_to_string(&mut text);
        let seen = read
            .map_err(|why| why.to_string())
            .and_then(|_| serde_json::from_str(&text).map_err(|why| why.to_string()));
        seen.unwrap_or_else(|why| {
            tracing::warn!(file = %path.display(), %why, "What was seen before cannot be read.");
            Self::default()
        })
    }

    /// What probes saw, from vantages that are still there.
    pub(crate) fn canaries(&self, vantages: &[Vantage]) -> Canaries {
        let at = |gateway| vantages.iter().position(|known| known.gateway == gateway);
        let ways = self.ways.iter();
        let worked =
            ways.filter_map(|way| Some(((at(way.gateway)?, way.point.clone()), way.worked)));
        Canaries {
            worked: worked.collect(),
            ..Canaries::default()
        }
    }

    fn now(switch: &Switch) -> Self {
        let canaries = switch.canaries();
        let ways = canaries.worked.iter().filter_map(|((at, point), worked)| {
            Some(Way {
                gateway: switch.vantages.get(*at)?.gateway,
                point: point.clone(),
                worked: *worked,
            })
        });
        let ways = ways.collect();
        drop(canaries);
        Self {
            ways,
            book: switch.book().clone(),
            drill: switch.drill().clone(),
            at: None,
        }
    }
}

/// Writes it when it has changed, and at shutdown.
pub(crate) async fn keep(switch: Arc<Switch>) {
    let mut written = None;
    loop {
        let over = switch
            .stop
            .run_until_cancelled(sleep(EVERY))
            .await
            .is_none();
        let now = Seen::now(&switch);
        if written.as_ref() != Some(&now) {
            let writing = write(&switch, &now);
            let limit = if over { LAST } else { Duration::MAX };
            if let Ok(Err(why)) = timeout(limit, writing).await {
                tracing::debug!(%why, "What was seen cannot be written.");
            }
            written = Some(now);
        }
        if over {
            return;
        }
    }
}

async fn write(switch: &Switch, seen: &Seen) -> Result<(), String> {
    let mut form = serde_json::to_value(seen).map_err(|why| why.to_string())?;
    if let Some(fields) = form.as_object_mut() {
        fields.insert("at".to_owned(), clock::now().millis().into());
    }
    let (text, path) = (form.to_string(), switch.seen_file.clone());
    // On another thread: a disk that hangs must not hold up this one.
    let writing = tokio::task::spawn_blocking(move || {
        kill_files::write_atomic(&path, text.as_bytes(), 0o600)
    });
    match writing.await {
        Ok(outcome) => outcome.map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    }
}
