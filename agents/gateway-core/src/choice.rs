//! Which target may serve an exchange: policy, breakers, health, room.
//!
//! The order is the route's own. [`Wish::may_use`] says of each target whether this consumer may be served by it now, and why
//! not; a [`Breaker`] says whether a target is asked at all. Nothing here opens what a cut closes: a cut is judged
//! apart, and before.

mod breaker;
mod calendar;
mod wish;

pub use breaker::{Breaker, Change, Failure, LONGEST_REST, Pass, Resting};
pub use calendar::{UnknownZone, WeekTime, Zone, week_time, zone};
pub use wish::{Passed, Wish};

#[cfg(test)]
mod tests;
