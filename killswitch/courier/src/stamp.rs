//! The stamp an SMS centre puts on a text, as an instant.
//!
//! The stamp is in the centre's local time. ModemManager passes on how far that is from UTC; gammu-smsd 1.42 drops it
//! from the names of its files, so there it has to be configured.

use kill_wire::Timestamp;

/// A stamp further ahead of our own clock than this is not believed, in milliseconds.
const AHEAD: u64 = 120_000;

/// A date and a time of day, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    year: i64,
    month: i64,
    day: i64,
    seconds: i64,
}

impl Written {
    /// From `YYYYMMDD` and `HHMMSS`.
    pub(crate) fn read(date: &str, time: &str) -> Option<Self> {
        let (date, time) = (digits(date, 8)?, digits(time, 6)?);
        let read = Self {
            year: date / 10_000,
            month: date / 100 % 100,
            day: date % 100,
            seconds: time / 10_000 * 3600 + time / 100 % 100 * 60 + time % 100,
        };
        let fits = (1970..=9999).contains(&read.year)
            && (1..=12).contains(&read.month)
            && (1..=31).contains(&read.day)
            && time / 10_000 < 24
            && time / 100 % 100 < 60
            && time % 100 <= 60;
        fits.then_some(read)
    }

    /// The instant, if the clock it was read from stands `minutes` east of UTC.
    pub(crate) fn east(self, minutes: i64) -> Option<Timestamp> {
        // Days since the epoch by era arithmetic of the proleptic Gregorian calendar (ISO 8601), years from March.
        let year = self.year - i64::from(self.month <= 2);
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        let era = year / 400;
        let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
        let days = era * 146_097 + of_era - 719_468;
        let seconds = days * 86_400 + self.seconds - minutes * 60;
        u64::try_from(seconds)
            .ok()
            .map(|seconds| Timestamp::from_millis(seconds * 1000))
    }
}

/// Exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// What ModemManager writes: `2026-11-21T10:45:00+01:00`, also `+01` and `Z`. Without an offset it is no instant.
pub(crate) fn read_iso_8601(text: &str) -> Option<Timestamp> {
    let (local, offset) = text.split_at_checked(19)?;
    let (date, time) = local.split_once('T')?;
    Written::read(&date.replace('-', ""), &time.replace(':', ""))?.east(read_offset(offset)?)
}

/// Minutes east of UTC: `+01:00`, `-0330`, `+01` or `Z`; GSM 03.40 knows quarters of an hour up to 19:45.
pub(crate) fn read_offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let rest = rest.replace(':', "");
    let (hours, minutes) = match rest.len() {
        2 => (digits(&rest, 2)?, 0),
        4 => (digits(&rest, 4)? / 100, digits(&rest, 4)? % 100),
        _ => return None,
    };
    let east = (hours < 20 && minutes < 60).then_some(hours * 60 + minutes)?;
    match sign {
        "+" => Some(east),
        "-" => Some(-east),
        _ => None,
    }
}

/// The stamp as an instant: of the clocks it may have been read from, the one that makes it newest without lying ahead
/// of `now`. A text is delayed by minutes, summer time differs by an hour, so that is the right one.
pub(crate) fn believed(written: Written, east: &[i64], now: Timestamp) -> Option<Timestamp> {
    east.iter()
        .filter_map(|minutes| written.east(*minutes))
        .filter(|sent| sent.since(now) <= AHEAD)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        read_iso_8601(text).unwrap().to_string()
    }

    #[test]
    fn stamps_read_with_their_offset() {
        assert_eq!(at("2026-11-21T10:45:00Z"), "2026-11-21T10:45:00.000Z");
        assert_eq!(at("2026-11-21T10:45:00+01:00"), "2026-11-21T09:45:00.000Z");
        assert_eq!(at("2026-11-21T10:45:00+01"), "2026-11-21T09:45:00.000Z");
        assert_eq!(at("2024-02-29T23:30:00-0330"), "2024-03-01T03:00:00.000Z");
        assert_eq!(at("2000-03-01T00:00:00Z"), "2000-03-01T00:00:00.000Z");
        assert_eq!(at("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_stamp_that_is_no_instant_is_none() {
        for text in [
            "",
            "2026-11-21T10:45:00",
            "2026-13-21T10:45:00Z",
            "2026-11-21T25:45:00Z",
            "2026-11-21 10:45:00Z",
            "2026-11-21T10:45:00+25",
            "2026-11-21T10:45:0é+00",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(read_iso_8601(text), None, "{text}");
        }
    }

    #[test]
    fn of_two_clocks_the_one_that_is_not_ahead_is_believed() {
        let written = Written::read("20260701", "120000").unwrap();
        let now = written.east(120).unwrap().plus_millis(30_000);
        assert_eq!(believed(written, &[60, 120], now), written.east(120));
        let winter = written.east(60).unwrap().plus_millis(30_000);
        assert_eq!(believed(written, &[60, 120], winter), written.east(60));
        assert_eq!(believed(written, &[60], now), None);
        assert_eq!(believed(written, &[], now), None);
    }
}
