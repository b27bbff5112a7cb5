//! Decides for the gateway: what a request asks, who may serve it, what it costs, and when it must stop.
//!
//! No IO, no clock, no randomness: bytes, facts and `now` come in, decisions go out.

pub mod answer;
pub mod choice;
pub mod dialect;
pub mod limits;
pub mod runaway;
pub mod steer;
pub mod usage;
