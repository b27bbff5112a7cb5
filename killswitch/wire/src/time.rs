//! Instants and TOTP steps. Wall-clock time in, never read here.

use serde::{Deserialize, Serialize};
use std::fmt;

const DAY_MS: u64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// This instant, `ms` milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The RFC 6238 time step this instant lies in.
    #[must_use]
    pub const fn step(self) -> Step {
        Step(self.0 / (Step::SECONDS * 1000))
    }

    /// Time of day for a text message: `14:02:07Z`.
    #[must_use]
    pub fn clock(self) -> String {
        let s = self.0 % DAY_MS / 1000;
        format!("{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Days to a civil date, counting years from March so that the leap day comes last
        // (era arithmetic of the proleptic Gregorian calendar, ISO 8601).
        let days = self.0 / DAY_MS + 719_468;
        let era = days / 146_097;
        let doe = days % 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + u64::from(month <= 2);
        let ms = self.0 % DAY_MS;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            ms / 3_600_000,
            ms / 60_000 % 60,
            ms / 1000 % 60,
            ms % 1000
        )
    }
}

/// A TOTP time step of 30 seconds (RFC 6238 section 4): the authenticated origin time of a code.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Step(u64);

impl Step {
    /// Length of a step in seconds.
    pub const SECONDS: u64 = 30;

    /// Step number `n` since the epoch.
    #[must_use]
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// Its number since the epoch.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// First second of the step, as RFC 6238's verifier wants it.
    #[must_use]
    pub const fn starts_at_secs(self) -> u64 {
        self.0.saturating_mul(Self::SECONDS)
    }

    /// Steps from `past` before to `future` after this one, newest first.
    pub fn around(self, past: u64, future: u64) -> impl Iterator<Item = Self> {
        (self.0.saturating_sub(past)..=self.0.saturating_add(future))
            .rev()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_as_rfc_3339() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(secs * 1000).to_string(), text);
        }
        assert_eq!(Timestamp::from_millis(50_527_999).clock(), "14:02:07Z");
    }

    #[test]
    fn the_window_runs_newest_first_and_stops_at_the_epoch() {
        let steps: Vec<u64> = Step::new(1).around(3, 1).map(Step::get).collect();
        assert_eq!(steps, [2, 1, 0]);
    }
}
