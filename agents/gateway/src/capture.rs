//! Bodies of one consumer's exchanges, written down for a while because a person asked for it.
//!
//! Off, it costs one look at a pointer. It ends by itself, by time or by size, and does not outlive the process. What
//! is held in memory counts against its size. Headers are not written, and known secrets are struck out of bodies.

use crate::{
    app::App,
    lines::{Lines, LinesFile},
};
use arc_swap::ArcSwapOption;
use http::{HeaderMap, header};
use kill_wire::{Name, Timestamp};
use net_model::{CaptureAsk, CaptureView, UsageRecord};
use serde::Serialize;
use std::{
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Longest time of a capture.
const MAX_SECONDS: u64 = 24 * 60 * 60;
/// Most bytes of a capture.
const MAX_BYTES: u64 = 1_000_000_000;
/// Longest word about who started it.
const MAX_BY: usize = 64;
/// How long its end waits for what is still to be written.
const LAST: Duration = Duration::from_millis(250);
/// What stands in place of a secret.
const STRUCK: &str = "[secret]";

/// The capture that runs, if one does.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    running: ArcSwapOption<Capture>,
}

/// A running capture.
#[derive(Debug)]
struct Capture {
    ask: CaptureAsk,
    path: PathBuf,
    until: Timestamp,
    /// Bytes that may still be taken.
    left: AtomicU64,
    exchanges: AtomicU64,
    /// Its size is used up.
    full: CancellationToken,
    /// Nothing more is written.
    over: CancellationToken,
    lines: Lines,
    /// Of the targets.
    secrets: Vec<String>,
}

/// What is captured of one exchange.
#[derive(Debug)]
pub(crate) struct Tape {
    capture: Arc<Capture>,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// What the client showed as its key.
    shown: Vec<String>,
    whole: bool,
}

/// One exchange as it is written.
#[derive(Serialize)]
struct Captured<'a> {
    #[serde(flatten)]
    record: &'a UsageRecord,
    request: String,
    answer: String,
    /// False where the size of the capture was reached within it.
    whole: bool,
}

impl Captures {
    /// Starts one; a refusal says why. It ends in the gateway's tasks.
    pub(crate) fn start(
        &self,
        app: &Arc<App>,
        ask: CaptureAsk,
        now: Timestamp,
    ) -> Result<(), String> {
        let table = app.table.load_full();
        let consumers = table.wanted().consumers();
        if !consumers.iter().any(|it| it.name == ask.consumer) {
            return Err(format!("there is no consumer `{}`", ask.consumer));
        }
        if !(1..=MAX_SECONDS).contains(&ask.seconds) || !(1..=MAX_BYTES).contains(&ask.max_bytes) {
            return Err("a capture lasts from 1 s to 24 h and has at most 1 GB".to_owned());
        }
        if self.running.load().is_some() {
            return Err("a capture runs already; stop it first".to_owned());
        }
        let path = app.captures_dir.join(format!("{}.jsonl", now.millis()));
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&app.captures_dir);
        made.map_err(|error| format!("{}: {error}", app.captures_dir.display()))?;
        let place = LinesFile {
            path: Some(path.clone()),
            // Its size is counted as it comes in.
            max_bytes: u64::MAX,
            keep: 0,
        };
        let figures = app.books.metrics.following();
        let lines = Lines::start("capture", place, &figures.capture_dropped);
        let targets = table.wanted().targets().iter();
        let keys = targets.filter_map(|target| target.key.as_ref());
        let capture = Arc::new(Capture {
            path,
            until: now.plus_millis(ask.seconds.saturating_mul(1000)),
            left: AtomicU64::new(ask.max_bytes),
            exchanges: AtomicU64::new(0),
            full: CancellationToken::new(),
            over: CancellationToken::new(),
            lines: lines.map_err(|error| error.to_string())?,
            secrets: keys.map(|key| key.expose().to_owned()).collect(),
            ask: CaptureAsk {
                by: plain(&ask.by),
                ..ask
            },
        });
        tracing::warn!(consumer = %capture.ask.consumer, by = capture.ask.by, until = %capture.until, path = %capture.path.display(), "Bodies are captured.");
        figures.capturing.set(1);
        self.running.store(Some(Arc::clone(&capture)));
        let app = Arc::clone(app);
        app.tasks.clone().spawn(async move {
            tokio::select! {
                () = app.stop.draining.cancelled() => {}
                () = capture.over.cancelled() => {}
                () = capture.full.cancelled() => app.captures.forget(&app, &capture, "its size is used up"),
                () = sleep(Duration::from_secs(capture.ask.seconds)) => {
                    app.captures.end(&app, &capture, "its time is over");
                }
            }
        });
        Ok(())
    }

    /// Ends whatever runs; what that was.
    pub(crate) fn stop(&self, app: &App, why: &str) -> Option<CaptureView> {
        let capture = self.running.load_full()?;
        self.end(app, &capture, why);
        Some(capture.view())
    }

    /// Nothing more is taken or written.
    fn end(&self, app: &App, capture: &Arc<Capture>, why: &str) {
        capture.over.cancel();
        self.forget(app, capture, why);
    }

    /// No other exchange is begun; what was begun is written when it ends.
    fn forget(&self, app: &App, capture: &Arc<Capture>, why: &str) {
        let running = self.running.load_full();
        // Another may have been started meanwhile.
        if running.is_none_or(|it| !Arc::ptr_eq(&it, capture)) {
            return;
        }
        self.running.store(None);
        app.books.metrics.following().capturing.set(0);
        tracing::warn!(why, path = %capture.path.display(), exchanges = capture.exchanges.load(Ordering::Relaxed), "Bodies are no longer captured.");
    }

    /// What runs now.
    pub(crate) fn view(&self) -> Option<CaptureView> {
        self.running.load().as_ref().map(|it| it.view())
    }

    /// Said to whoever looks at the gateway while it runs.
    pub(crate) fn notice(&self) -> Option<String> {
        let view = self.view()?;
        Some(format!(
            "Bodies of `{}` are captured until {}, as {} asked, into {}.",
            view.consumer, view.until, view.by, view.path
        ))
    }

    /// Writes out what is left. Blocks until then.
    pub(crate) fn finish(&self, app: &App) {
        if let Some(capture) = self.running.load_full() {
            self.end(app, &capture, "the gateway stops");
            capture.lines.finish(LAST);
        }
    }

    /// Begins with an exchange, if its bodies are wanted.
    pub(crate) fn tape(
        &self,
        consumer: &Name,
        model: &str,
        headers: &HeaderMap,
        request: &[u8],
    ) -> Option<Box<Tape>> {
        let running = self.running.load();
        let capture = running.as_ref().filter(|it| {
            it.ask.consumer == *consumer && it.ask.model.as_deref().is_none_or(|it| it == model)
        })?;
        let mut tape = Box::new(Tape {
            capture: Arc::clone(capture),
            request: Vec::new(),
            answer: Vec::new(),
            shown: shown(headers),
            whole: true,
        });
        tape.whole = take(&tape.capture, &mut tape.request, request);
        Some(tape)
    }
}

impl Capture {
    fn view(&self) -> CaptureView {
        CaptureView {
            consumer: self.ask.consumer.clone(),
            model: self.ask.model.clone(),
            by: self.ask.by.clone(),
            until: self.until,
            path: self.path.display().to_string(),
            exchanges: self.exchanges.load(Ordering::Relaxed),
            bytes_left: self.left.load(Ordering::Relaxed),
        }
    }

    /// A body as it is written.
    fn struck(&self, body: &[u8], shown: &[String]) -> String {
        let mut text = String::from_utf8_lossy(body).into_owned();
        let secrets = self.secrets.iter().chain(shown);
        for secret in secrets.filter(|secret| !secret.is_empty()) {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), STRUCK);
            }
        }
        text
    }
}

impl Tape {
    /// The next bytes of the answer.
    pub(crate) fn answer(&mut self, bytes: &[u8]) {
        self.whole = self.whole && take(&self.capture, &mut self.answer, bytes);
    }

    /// The exchange has ended, within a capture that still runs or not.
    pub(crate) fn end(self, record: &UsageRecord) {
        let capture = &self.capture;
        if capture.over.is_cancelled() {
            return;
        }
        let line = Captured {
            record,
            request: capture.struck(&self.request, &self.shown),
            answer: capture.struck(&self.answer, &self.shown),
            whole: self.whole,
        };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            capture.lines.put(line);
            capture.exchanges.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Takes bytes in as long as there is room; false when there was not.
fn take(capture: &Capture, into: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let wanted = bytes.len() as u64;
    let less = |left: u64| left.checked_sub(wanted);
    let order = Ordering::Relaxed;
    let room = capture.left.fetch_update(order, order, less).is_ok();
    if room {
        into.extend_from_slice(bytes);
    } else {
        capture.full.cancel();
    }
    room
}

/// What a client shows as its key, in whichever header.
fn shown(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::AUTHORIZATION).iter();
    let values = values.chain(headers.get_all("x-api-key"));
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .map(|text| text.rsplit(' ').next().unwrap_or(text).to_owned())
        .collect()
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|it| !it.is_control())
        .take(MAX_BY)
        .collect()
}
