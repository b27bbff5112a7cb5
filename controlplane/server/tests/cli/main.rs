//! The built program from outside: what it prints, what it writes, how it ends.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and runs the program it is about"
)]

mod capturing;
mod codes;
mod config;
mod first_start;
mod hosts;
mod house;
mod reloading;
mod rules;
mod running;
mod spending;
mod texts;
