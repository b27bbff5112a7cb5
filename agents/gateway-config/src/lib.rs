//! The words in which a file says what gateways shall do: targets, routes, consumers, and which gateways a host drives.
//!
//! The program of the house and the agent of a host read them alike, with the same mistakes. A gateway that checks keys
//! itself must know them: only who drives such a gateway is given keys, everybody else what is kept of them.

mod consumer;
mod drivers;
mod limit;
mod made;
mod named;
mod route;
mod secret_file;
mod target;
mod wanted;
mod ways;
mod word;

pub use consumer::Keys;
pub use drivers::{DriverWish, MAX_DRIVERS, Speaks, drivers, keys};
pub use gateway_core::choice::{Zone, zone};
pub use limit::{limits, selector};
pub use made::findings;
pub use named::check_names;
pub use secret_file::read as header_secret;
pub use target::class_of;
pub use wanted::{WantedWish, read_wanted};
pub use ways::{Fallback, KEPT, Ways, ways};
pub use word::{one_of, one_of_or};

/// How routes, targets, consumers and rules are called.
pub const NAME: &str = "a name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter, and no word of the kill switch's grammar";
