//! Speaks HTTP/1.1 to targets: one exchange at a time on a connection of its own.
//!
//! No task drives a connection: whoever waits for the answer does, and nobody else is woken. While nothing comes it holds
//! no buffer. Dropping it closes the socket at once, which is how a cut reaches a target.

mod broken;
mod connector;
mod flow;
mod live;
mod pool;
mod question;
mod room;
mod socket;
#[cfg(test)]
mod tests;

pub(crate) use broken::Broken;
pub(crate) use connector::Connector;
pub(crate) use flow::Flow;
pub(crate) use live::Live;
pub(crate) use pool::Pool;
pub(crate) use question::Question;
pub(crate) use socket::Socket;
