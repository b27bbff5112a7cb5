//! Ends what a gateway would go on with: one that takes its routes from elsewhere refuses what comes anew, and serves
//! what it has begun to its end.

use crate::{GatewayError, Severed};
use std::net::SocketAddr;
use std::time::Duration;

/// Longest wait for the kernel; ten thousand connections take a tenth of it.
const WAIT: Duration = Duration::from_millis(300);

/// How open streams of a gateway are ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sever {
    /// TCP connections of this host whose own port is one of these: every client of the gateway, whatever it does there.
    /// Needs `CAP_NET_ADMIN`.
    Ports(Vec<u16>),
}

impl Sever {
    /// For a gateway that serves at these addresses, each of this host.
    #[must_use]
    pub fn at(data: &[SocketAddr]) -> Self {
        let mut ports: Vec<u16> = data.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        Self::Ports(ports)
    }

    /// Ends them. To be called once new requests are refused: what connects later finds nothing open.
    ///
    /// # Errors
    /// When it is not known how many go on: without the right, when even that cannot be counted, or when the kernel is
    /// silent.
    pub async fn now(&self) -> Result<Severed, GatewayError> {
        let Self::Ports(ports) = self.clone();
        let ended = tokio::task::spawn_blocking(move || fence::sever(&ports));
        let done = match tokio::time::timeout(WAIT, ended).await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => return Err(goes_on(&panic.to_string())),
            Err(_) => return Err(goes_on("the kernel did not answer")),
        };
        match done.why {
            Some(why) if done.failed == 0 => Err(goes_on(&why)),
            _ => Ok(Severed {
                severed: done.ended.saturating_add(done.failed),
                lingering: done.failed,
            }),
        }
    }
}

/// What is said wherever open streams could not be ended.
fn goes_on(why: &str) -> GatewayError {
    GatewayError::Refused(format!(
        "streams that were open go on until they end: {why}"
    ))
}
