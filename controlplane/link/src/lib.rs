//! Mutual TLS between the machines of one house, and one bounded HTTP exchange over it.
//!
//! **Invariant:** who is at the other end is read from the certificate of the connection and from nowhere else. Only the two
//! configurations for strangers ([`stranger_client`], [`stranger_server`]) take an unknown certificate, and what is said over
//! them before [`Trust::vouches`] agreed is public.
//!
//! TLS 1.3 alone; no session is resumed, so every connection shows its certificate.

mod answer;
mod credentials;
mod crypto;
mod serve;
mod stranger;
mod talk;
mod trust;
mod who;

pub use answer::{Answer, TooMuch, json, parsed, read, refused, text};
pub use credentials::{BadPem, Credentials};
pub use serve::{Served, serve};
pub use stranger::{stranger_client, stranger_server};
pub use talk::{Reply, Talk, TalkError};
pub use trust::{Clock, Trust};
pub use who::{Named, Peer};

/// What the control plane's certificate is called in every house (its DNS name); which house, the authority says.
pub const CONTROL_NAME: &str = "portcullis-control";
/// What every host's certificate is called; which host, its URI says.
pub const HOST_NAME: &str = "portcullis-host";
