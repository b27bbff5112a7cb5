//! The access log: one JSON line for each answer.

use super::line::Line;
use crate::{
    lines::{Lines, Place},
    metrics::Metrics,
};
use std::{io, path::PathBuf, time::Duration};

/// How the access log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogWish {
    /// The file; `None` for standard output.
    pub path: Option<PathBuf>,
    /// A file that would grow beyond this many bytes is followed by a fresh one.
    pub max_bytes: u64,
    /// How many older files stay, as `PATH.1` (the newest) and so on.
    pub keep: u32,
}

/// A running access log.
#[derive(Debug)]
pub(crate) struct AccessLog {
    wish: AccessLogWish,
    lines: Lines,
}

impl AccessLog {
    pub(super) fn start(wish: AccessLogWish, metrics: &Metrics) -> io::Result<Self> {
        let place = Place {
            path: wish.path.clone(),
            max_bytes: wish.max_bytes,
            keep: wish.keep,
        };
        let lines = Lines::start("access-log", place, &metrics.following().access_dropped)?;
        Ok(Self { wish, lines })
    }

    pub(super) const fn wish(&self) -> &AccessLogWish {
        &self.wish
    }

    pub(super) fn put(&self, line: &Line<'_>) {
        // Texts and numbers: nothing in it can fail.
        if let Ok(mut text) = serde_json::to_vec(line) {
            text.push(b'\n');
            self.lines.put(text);
        }
    }

    pub(super) fn reopen(&self) {
        self.lines.reopen();
    }

    pub(super) fn finish(&self, limit: Duration) {
        self.lines.finish(limit);
    }
}
