//! What was measured.

use site_tests::bench::percentile::{highest, percentile};

/// Figures of one round or of all; times in milliseconds from before the text was sent.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Until the last new request that was let through had been sent, one a round.
    pub(crate) passed: Vec<f64>,
    /// Until the first refusal of a new request had arrived, one a round.
    pub(crate) refused: Vec<f64>,
    /// Until the last byte of each stream.
    pub(crate) last_byte: Vec<f64>,
    /// Until the upstream saw each stream aborted (its clock counts whole milliseconds).
    pub(crate) upstream: Vec<f64>,
    /// Until the reply with the proof, one a round.
    pub(crate) reply: Vec<f64>,
    /// From starting the process to all parts answering, one a round.
    pub(crate) start: Vec<f64>,
    /// Resident memory of the idle house, MB, one a round.
    pub(crate) idle_mb: Vec<f64>,
    /// The same while the streams run.
    pub(crate) busy_mb: Vec<f64>,
    /// Streams that ended without the error event: reset.
    pub(crate) reset: usize,
    /// The last reply's text.
    pub(crate) said: String,
}

impl Figures {
    /// Takes in another round.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed.extend(other.passed);
        self.refused.extend(other.refused);
        self.last_byte.extend(other.last_byte);
        self.upstream.extend(other.upstream);
        self.reply.extend(other.reply);
        self.start.extend(other.start);
        self.idle_mb.extend(other.idle_mb);
        self.busy_mb.extend(other.busy_mb);
        self.reset += other.reset;
        self.said = other.said;
    }

    /// One round in one line.
    pub(crate) fn line(&self) -> String {
        format!(
            "let through until {:.1} ms, refused {:.1} ms, last byte p99 {:.1} ms max {:.1} ms, upstream max {:.0} ms, reply {:.1} ms, start {:.0} ms, idle {:.1} MB, {} reset",
            highest(&self.passed),
            highest(&self.refused),
            percentile(&self.last_byte, 99),
            highest(&self.last_byte),
            highest(&self.upstream),
            highest(&self.reply),
            highest(&self.start),
            highest(&self.idle_mb),
            self.reset
        )
    }
}
