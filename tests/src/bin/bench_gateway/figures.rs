//! What was measured of each peer.

use crate::peers::Kind;
use site_tests::bench::percentile::percentile;
use std::collections::BTreeMap;

/// Median and 99th percentile, milliseconds.
pub(crate) type Times = (f64, f64);

/// Lateness of small answers at so many requests a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paces {
    pub(crate) at_20: Option<Times>,
    pub(crate) at_200: Option<Times>,
    pub(crate) at_1000: Option<Times>,
}

/// Of one round; what does not apply is absent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Processor time of one small answer, microseconds.
    pub(crate) small_cpu: Option<f64>,
    /// Small answers a second.
    pub(crate) small_rate: Option<f64>,
    pub(crate) paces: Paces,
    /// Time to the first token of paced streams.
    pub(crate) first_token: Option<Times>,
    /// Processor time of one paced chunk, microseconds.
    pub(crate) paced_cpu: Option<f64>,
    /// Processor time of one stream at full speed, microseconds.
    pub(crate) burst_cpu: Option<f64>,
    /// Streams a second at full speed.
    pub(crate) burst_rate: Option<f64>,
    pub(crate) idle_mb: Option<f64>,
    pub(crate) open_mb: Option<f64>,
    /// Memory added by one open stream, KB.
    pub(crate) stream_kb: Option<f64>,
    pub(crate) start_ms: Option<f64>,
}

impl Figures {
    /// One round in one line.
    pub(crate) fn line(&self) -> String {
        let show =
            |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |f| format!("{f:.1}"));
        format!(
            "small {} us {}/s, paced {} us a chunk, burst {} us {}/s, idle {} MB, {} KB a stream, start {} ms",
            show(self.small_cpu),
            show(self.small_rate),
            show(self.paced_cpu),
            show(self.burst_cpu),
            show(self.burst_rate),
            show(self.idle_mb),
            show(self.stream_kb),
            show(self.start_ms)
        )
    }
}

/// Of all rounds.
#[derive(Debug, Default)]
pub(crate) struct All(BTreeMap<Kind, Vec<Figures>>);

impl All {
    /// Takes in one round.
    pub(crate) fn add(&mut self, kind: Kind, figures: Figures) {
        self.0.entry(kind).or_default().push(figures);
    }

    /// Who was measured.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.keys().copied()
    }

    /// The median of one figure over the rounds.
    pub(crate) fn median(
        &self,
        kind: Kind,
        figure: impl Fn(&Figures) -> Option<f64>,
    ) -> Option<f64> {
        let rounds = self.0.get(&kind)?;
        let all: Vec<f64> = rounds.iter().filter_map(figure).collect();
        (!all.is_empty()).then(|| percentile(&all, 50))
    }
}
