//! Verifies raw webhook bytes and yields a text, or refuses. One file per provider; no network, no
//! clock, no state: whether a text was seen before is for `kill-core` to know.
//!
//! **Invariant:** an [`InboundText`] leaves this crate only after its signature was checked.

mod about;
mod address;
mod channel;
mod config;
mod elks46;
mod fetched;
mod fields;
mod form;
mod fresh;
mod incoming;
mod jwt;
mod messagebird;
mod options;
mod plivo;
mod pulled;
mod refusal;
mod request;
mod same;
mod self_call;
mod shown;
mod sinch;
mod sms_gate;
mod sns;
pub mod standard_webhooks;
mod telnyx;
mod twilio;
mod unguessable;
mod vonage_messages;
mod vonage_sms;
mod xml;

pub use channel::Channel;
pub use incoming::{Incoming, Replies};
pub use kill_core::{InboundText, Trust};
pub use options::{Options, Setting};
pub use refusal::{Answer, Refusal};
pub use request::{MAX_BODY, RawRequest};
pub use self_call::SelfCall;
