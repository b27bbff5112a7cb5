//! Decides for a host: what the texts of its kernel and services say, how a container stands, what a buffer keeps.
//!
//! Pure: no file, socket or clock. Texts and `now` in, values out; what cannot be read is unknown, never well.

pub mod buffer;
pub mod canary;
pub mod fit;
pub mod kernel;
pub mod posture;
pub mod services;
