//! The access log: one JSON line for each answer.

use super::line::Line;
use crate::{
    lines::{Lines, LinesFile},
    metrics::Metrics,
};
use std::{io, time::Duration};

/// A running access log.
#[derive(Debug)]
pub(crate) struct AccessLog {
    wish: LinesFile,
    lines: Lines,
}

impl AccessLog {
    pub(super) fn start(wish: LinesFile, metrics: &Metrics) -> io::Result<Self> {
        let dropped = &metrics.following().access_dropped;
        let lines = Lines::start("access-log", wish.clone(), dropped)?;
        Ok(Self { wish, lines })
    }

    pub(super) const fn wish(&self) -> &LinesFile {
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
