//! Which targets may serve a consumer, and when.

use kill_wire::Class;
use std::fmt;

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// What one consumer may use: by class of target.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    /// Targets inside the house.
    pub local: Allowance,
    /// Targets outside the house.
    pub cloud: Allowance,
}

/// When targets of one class may serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Whether at all.
    pub when: When,
    /// Whether models without a known price may be asked for.
    pub unknown_price: bool,
}

/// At which times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At all times.
    Always,
    /// Never.
    Never,
    /// In these spans of the week.
    Hours(Vec<Span>),
}

impl Default for Allowance {
    /// At all times, whatever it costs: what a route leads to was chosen by who wrote it.
    fn default() -> Self {
        Self {
            when: When::Always,
            unknown_price: true,
        }
    }
}

/// From one minute of a day to another, on some days of the week; past midnight when the end is not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Days on which it begins: Monday first.
    pub days: [bool; 7],
    /// First minute of the day.
    pub from: u16,
    /// First minute that is no longer in it.
    pub until: u16,
}

impl Policy {
    /// What holds for a class.
    #[must_use]
    pub const fn of(&self, class: Class) -> &Allowance {
        match class {
            Class::Local => &self.local,
            Class::Cloud => &self.cloud,
        }
    }
}

impl When {
    /// Whether it is allowed at this minute of this day of the week (Monday is 0).
    #[must_use]
    pub fn allows(&self, day: u8, minute: u16) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Hours(spans) => spans.iter().any(|span| span.covers(day, minute)),
        }
    }
}

impl Span {
    /// Whether this minute of this day of the week lies in it.
    #[must_use]
    pub fn covers(&self, day: u8, minute: u16) -> bool {
        let begins = |day: u8| self.days.get(usize::from(day % 7)).copied() == Some(true);
        if self.from < self.until {
            return begins(day) && (self.from..self.until).contains(&minute);
        }
        (begins(day) && minute >= self.from) || (begins(day + 6) && minute < self.until)
    }

    /// Reads `mon-fri 08:00-18:00`, `sat,sun 22:00-02:00` or `08:00-18:00` (every day).
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let short: String = text.chars().take(40).collect();
            format!("`{short}` is not a span of the week, such as `mon-fri 08:00-18:00`")
        };
        let lower = text.trim().to_ascii_lowercase();
        let (days, hours) = match lower.split_once(' ') {
            Some((days, hours)) => (parse_days(days).ok_or_else(wrong)?, hours.trim()),
            None => ([true; 7], lower.as_str()),
        };
        let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, until) = (parse_minute(from), parse_minute(until));
        match (from, until) {
            (Some(from), Some(until)) if from < DAY_MINUTES && from != until => {
                Ok(Self { days, from, until })
            }
            _ => Err(wrong()),
        }
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let place = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (place(first)?, place(last)?);
        loop {
            *days.get_mut(at)? = true;
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Some(days)
}

fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = DAYS.iter().zip(self.days).filter(|(_, on)| *on);
        let days: Vec<&str> = named.map(|(day, _)| *day).collect();
        let (from, until) = (self.from, self.until);
        write!(
            f,
            "{} {:02}:{:02}-{:02}:{:02}",
            days.join(","),
            from / 60,
            from % 60,
            until / 60,
            until % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_may_run_past_midnight() {
        let night = Span::parse("fri 22:00-02:00").unwrap();
        assert!(night.covers(4, 23 * 60) && night.covers(5, 60));
        assert!(!night.covers(5, 23 * 60) && !night.covers(4, 60) && !night.covers(5, 120));
        let sunday = Span::parse("sun 23:00-01:00").unwrap();
        assert!(sunday.covers(0, 30));
    }

    #[test]
    fn spans_are_read_and_shown_the_same() {
        for text in [
            "mon-fri 08:00-18:00",
            "sat,sun 22:00-02:00",
            "0:00-24:00",
            "fri-mon 1:30-2:00",
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(Span::parse(&span.to_string()), Ok(span), "{text}");
        }
        for wrong in [
            "",
            "mon",
            "mon 8-18",
            "mon 08:00",
            "xyz 08:00-09:00",
            "25:00-26:00",
            "08:00-08:00",
            "08:60-09:00",
        ] {
            assert!(Span::parse(wrong).is_err(), "{wrong}");
        }
    }
}
