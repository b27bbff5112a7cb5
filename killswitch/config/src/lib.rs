//! Reads the configuration file: one TOML file, read whole, every mistake reported at once.
//!
//! Three programs read the same file and each only what is its own, with only the secrets that are its own: the kill switch
//! must come up while the gateway's keys are unreadable, and the courier must not need the kill switch's. A [`Reader`] says who reads.

mod agent;
mod channel;
mod file;
mod house;
mod keys;
mod killswitch;
mod listen;
mod locate;
mod problem;
mod reading;
mod rules;
mod secret;
mod secret_file;
mod span;
mod trouble;
mod vantage;
mod walk;

pub use agent::{AgentSection, holds, read_agent};
pub use channel::{ChannelWish, CourierWish, Knows, LOCAL_CHANNEL, Reader, local};
pub use file::{MAX_BYTES, Small, lever_socket, read_small, read_table, table, text};
pub use house::{DirectWish, PeerWish};
pub use killswitch::{KillSwitchSection, Sockets, read, zone_names};
pub use listen::{ADDRESS, listen, loopback};
pub use locate::{Lines, line_of};
pub use problem::Problem;
pub use reading::Reading;
pub use secret::Secret;
pub use secret_file::read as read_secret;
pub use trouble::{BAD_CONFIG, BadConfig};
pub use vantage::{PointWish, SafeMethod, VantageWish};
pub use walk::{Problems, Section, listed, nearest};
