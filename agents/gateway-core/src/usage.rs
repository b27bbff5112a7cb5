//! Counts the tokens of an exchange while it passes: by the upstream's figures, else by an own count.
//!
//! The own count has no tokenizer: it measures each model against the figures its server gave before
//! ([`Yardsticks`]), and goes by deltas and bytes until there are some. The docs page `metering.md` says why.

mod ask;
mod frames;
mod meter;
mod talk;
mod text;
mod yardstick;

pub use ask::{with_usage, without_figures};
pub use meter::{Form, Meter};
pub use text::prompt_bytes;
pub use yardstick::{Seen, Yardstick, Yardsticks};
