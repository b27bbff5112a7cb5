//! The courier: fetches texts from providers that are asked instead of calling, and carries replies to providers.
//!
//! It is the one part of the kill switch that looks up names and speaks to the internet, and it is a program of its own for
//! that reason. It holds nothing the kill switch needs to act: with the courier dead, webhooks, the lever and the leases
//! go on.
//!
//! **Invariant:** a message is acknowledged at its provider only after the kill switch said that it was decided about.

mod aws;
mod channel;
mod clock;
mod configured;
mod context;
mod courier;
mod endpoint;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gammu;
mod letter;
mod link;
#[cfg(feature = "modem-manager")]
mod modem_manager;
#[cfg(feature = "mqtt")]
mod mqtt;
mod ntfy;
mod replies;
mod settings;
mod shown;
mod sources;
mod sqs;
mod stamp;
mod telegram;
mod web;

pub use channel::ChannelSettings;
pub use configured::KNOWS;
pub use courier::Courier;
pub use settings::{Settings, check, settings};
