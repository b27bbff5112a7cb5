//! The courier: fetches texts from providers that are asked instead of calling, and carries replies to providers.
//!
//! It is the one part of the kill switch that looks up names and speaks to the internet, and it is a program of its own for
//! that reason. It holds nothing the kill switch needs to act: with the courier dead, webhooks, the lever and the leases
//! go on.
//!
//! **Invariant:** a message is acknowledged at its provider only after the kill switch said that it was decided about.

mod clock;
mod context;
mod courier;
mod link;
mod replies;
mod settings;
mod sources;
mod telegram;
mod web;

pub use courier::Courier;
pub use settings::{ChannelSettings, Settings, check, settings};
