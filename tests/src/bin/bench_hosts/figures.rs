//! What was measured.

use crate::flood::Told;
use site_tests::bench::clock::{Mark, mark, ms};
use site_tests::bench::controlplane::House;
use site_tests::bench::process::Used;

/// Times in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Until every host had joined, in seconds.
    pub(crate) join_s: f64,
    /// Of the control plane while hosts report and nothing else is done, in percent of a core.
    pub(crate) cpu_percent: f64,
    /// The most memory the control plane ever had, in MB.
    pub(crate) peak_mb: f64,
    /// Reports while nothing else is done.
    pub(crate) quiet: Vec<f64>,
    /// Reports in the whiles between floods.
    pub(crate) calm: Vec<f64>,
    /// Reports of the others while one host floods.
    pub(crate) flooded: Vec<f64>,
    /// Reports that were not taken.
    pub(crate) missed: usize,
    /// What the flooding host was told.
    pub(crate) flood: Told,
    /// Pages of the list.
    pub(crate) list: Vec<f64>,
    /// Pages of one host.
    pub(crate) one: Vec<f64>,
}

/// A while, and what the control plane used in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    began: Mark,
    ended: Mark,
    before: Used,
    pub(crate) cpu_percent: f64,
}

impl Span {
    pub(crate) fn begin(house: &House) -> anyhow::Result<Self> {
        let before = house.used()?;
        let began = mark();
        Ok(Self {
            began,
            ended: began,
            before,
            cpu_percent: 0.0,
        })
    }

    pub(crate) fn end(self, house: &House) -> anyhow::Result<Self> {
        let ended = mark();
        let used = house.used()?.cpu_ms - self.before.cpu_ms;
        Ok(Self {
            ended,
            cpu_percent: 100.0 * used / ms(self.began, ended),
            ..self
        })
    }

    pub(crate) fn holds(&self, at: Mark) -> bool {
        (self.began..self.ended).contains(&at)
    }
}
