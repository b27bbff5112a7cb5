//! The edge to the kernel: closes zones behind a router, or the host itself, in an nftables table of its own.
//!
//! The table is made once, closed, before the network is up. Afterwards only elements of its sets change, over a netlink
//! socket held open: an element in a cut set closes, an element in a lease set opens for as long as its timeout runs in
//! the kernel. **Invariant:** with every process of ours dead, what is leased closes when its timeout has run out, and what
//! is cut stays cut.

mod answer;
mod destroy;
mod element;
mod fence;
mod freeze;
mod message;
mod netlink;
mod plan;
mod program;
mod ruleset;
mod sever;
mod snapshot;
mod still;

pub use element::Standing;
pub use fence::{Fence, FenceError, Looked};
pub use plan::{
    Flow, Interface, MOST_ENTRIES, MOST_WAYS, NotAName, Plan, Side, TableName, Way, everything,
};
pub use sever::{Severed, may_sever, sever};
pub use still::{Release, Still, Stilled};
