//! Files that must tell the truth after a crash: two-slot state, a reserve of disk space, atomic replacement.
//!
//! Blocking `std` calls only; callers decide on which thread. What is read back is either what was written last,
//! or it is called doubtful: no damage to one or both slots ever passes for good state.

mod atomic;
mod reserve;
mod slot_file;
mod slot_image;
mod slots;

pub use atomic::write_atomic;
pub use reserve::Reserve;
pub use slot_file::sync_folder;
pub use slots::{Loaded, Slots};

/// Size of one slot in bytes, allocated when it is made.
pub const SLOT_BYTES: usize = slot_image::SLOT_BYTES;
/// Longest payload of a slot in bytes.
pub const MAX_PAYLOAD: usize = slot_image::MAX_PAYLOAD;
