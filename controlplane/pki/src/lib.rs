//! The house's own authority: who it says a host is, for how long, and who signs the agents' binaries.
//!
//! No files and no clock: keys come in as text, instants and serial numbers as arguments. New keys are drawn by the crypto
//! library itself.
//!
//! **Invariant:** of a request only the public key is taken. Name, zone, uses and life of a certificate are what the control
//! plane says, whatever the request asks for.

mod authority;
mod binary;

pub use authority::{Authority, Issued, Life, Own, PkiError, Serial};
pub use binary::AgentKey;
