//! Which minute of the week it is in the house.

pub use jiff::tz::TimeZone as Zone;

use jiff::Timestamp as Instant;
use kill_wire::Timestamp;

/// The name is not in the time zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a time zone, such as `Europe/Berlin`")]
pub struct UnknownZone(String);

/// A minute of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekTime {
    /// Monday is 0.
    pub day: u8,
    /// Of the day.
    pub minute: u16,
}

/// The zone of an IANA name; UTC for none.
///
/// Fails for a name this machine's database does not know.
pub fn zone(name: Option<&str>) -> Result<Zone, UnknownZone> {
    name.map_or(Ok(Zone::UTC), |name| {
        Zone::get(name).map_err(|_| UnknownZone(name.chars().take(40).collect()))
    })
}

/// Where `now` falls in the week of `zone`. Past the calendar's end it stays at the epoch's.
#[must_use]
pub fn week_time(now: Timestamp, zone: &Zone) -> WeekTime {
    let millis = i64::try_from(now.millis()).unwrap_or(i64::MAX);
    let civil = zone.to_datetime(Instant::from_millisecond(millis).unwrap_or_default());
    let day = civil.weekday().to_monday_zero_offset();
    let minute = i16::from(civil.hour()) * 60 + i16::from(civil.minute());
    WeekTime {
        day: u8::try_from(day).unwrap_or_default(),
        minute: u16::try_from(minute).unwrap_or_default(),
    }
}
