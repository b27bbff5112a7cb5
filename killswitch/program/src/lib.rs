//! What each program of the house needs to be one: its log, the signals it answers to, and the status it ends with.

mod ending;
mod log;
mod signals;

pub use ending::status;
pub use log::{LogArgs, start_log};
pub use signals::Signals;
