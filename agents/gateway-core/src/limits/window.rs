//! When windows turn: by the clock and calendar of the house.

use jiff::{ToSpan as _, Unit, Zoned, ZonedRound, tz::TimeZone};
use kill_wire::Timestamp;
use net_model::Window;

/// The time zone is not one that this machine knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time zone this machine knows; expected an IANA name, such as `Europe/Berlin`"
)]
pub struct UnknownZone(String);

/// The calendar of one time zone.
#[derive(Clone, Debug)]
pub struct Calendar(TimeZone);

impl Calendar {
    /// Of the zone with this IANA name; UTC when there is none.
    pub fn of(zone: Option<&str>) -> Result<Self, UnknownZone> {
        let Some(name) = zone else {
            return Ok(Self::utc());
        };
        let unknown = || UnknownZone(name.chars().take(40).collect());
        if name.eq_ignore_ascii_case("UTC") {
            return Ok(Self::utc());
        }
        TimeZone::get(name).map(Self).map_err(|_| unknown())
    }

    /// Of UTC.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The first instant after `now` at which a window of this length turns.
    #[must_use]
    pub fn end(&self, window: Window, now: Timestamp) -> Timestamp {
        let end = self
            .local(now)
            .and_then(|local| end(window, &local))
            .and_then(|end| u64::try_from(end.timestamp().as_millisecond()).ok())
            .map(Timestamp::from_millis);
        // A calendar that has no such instant (the year 9999, a zone that skips) must not stop the windows.
        end.filter(|end| *end > now)
            .unwrap_or_else(|| now.plus_millis(usual(window)))
    }

    fn local(&self, now: Timestamp) -> Option<Zoned> {
        let ms = i64::try_from(now.millis()).ok()?;
        let instant = jiff::Timestamp::from_millisecond(ms).ok()?;
        Some(instant.to_zoned(self.0.clone()))
    }
}

fn end(window: Window, local: &Zoned) -> Option<Zoned> {
    let floor = |unit| {
        let down = ZonedRound::new()
            .smallest(unit)
            .mode(jiff::RoundMode::Floor);
        local.round(down).ok()
    };
    match window {
        Window::Minute => floor(Unit::Minute)?.checked_add(1.minute()).ok(),
        Window::Hour => floor(Unit::Hour)?.checked_add(1.hour()).ok(),
        Window::Day => local.tomorrow().ok()?.start_of_day().ok(),
        Window::Month => {
            let first = local.first_of_month().ok()?;
            first.checked_add(1.month()).ok()?.start_of_day().ok()
        }
    }
}

const fn usual(window: Window) -> u64 {
    let minutes = match window {
        Window::Minute => 1,
        Window::Hour => 60,
        Window::Day => 24 * 60,
        Window::Month => 30 * 24 * 60,
    };
    minutes * 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let instant: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(u64::try_from(instant.as_millisecond()).unwrap())
    }

    #[test]
    fn windows_turn_at_the_turn_of_clock_and_calendar() {
        let utc = Calendar::utc();
        let now = at("2026-02-28T23:59:30.5Z");
        for (window, end) in [
            (Window::Minute, "2026-03-01T00:00:00Z"),
            (Window::Hour, "2026-03-01T00:00:00Z"),
            (Window::Day, "2026-03-01T00:00:00Z"),
            (Window::Month, "2026-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc.end(window, now), at(end), "{window:?}");
        }
        let turn = at("2026-03-01T00:00:00Z");
        assert_eq!(utc.end(Window::Month, turn), at("2026-04-01T00:00:00Z"));
        assert_eq!(utc.end(Window::Minute, turn), at("2026-03-01T00:01:00Z"));
    }

    #[test]
    fn a_day_is_the_houses_own_even_when_the_clocks_change() {
        let berlin = Calendar::of(Some("Europe/Berlin")).unwrap();
        let end = |window, now| berlin.end(window, at(now));
        // Summer time begins: that day has 23 hours.
        assert_eq!(
            end(Window::Day, "2026-03-28T23:30:00Z"),
            at("2026-03-29T22:00:00Z")
        );
        // It ends: 25 hours, and the hour after two comes twice.
        assert_eq!(
            end(Window::Day, "2026-10-24T22:00:00Z"),
            at("2026-10-25T23:00:00Z")
        );
        assert_eq!(
            end(Window::Hour, "2026-10-25T00:30:00Z"),
            at("2026-10-25T01:00:00Z")
        );
        assert_eq!(
            end(Window::Month, "2026-10-31T23:30:00Z"),
            at("2026-11-30T23:00:00Z")
        );
    }

    #[test]
    fn a_zone_nobody_knows_is_said() {
        let error = Calendar::of(Some("Europe/Berlim")).unwrap_err().to_string();
        assert!(
            error.contains("`Europe/Berlim` is not a time zone"),
            "{error}"
        );
    }
}
