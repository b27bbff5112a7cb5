//! Answers looks: tries from this host whether the addresses of its own list can be reached past the gateway.
//!
//! **Invariant:** only addresses this host's own configuration lists are tried, each by a TCP connect and no byte more:
//! whoever holds an order key cannot make a host scan its network.

use crate::hand::Hand;
use data_encoding::HEXLOWER;
use kill_wire::{Look, Looked, Reached};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long one address may take; all are tried at the same time.
const LIMIT: Duration = Duration::from_millis(400);

/// `None` when it is not a look of this house. One at a time: looks that come meanwhile wait.
pub(crate) async fn look(hand: &Hand, bytes: &[u8]) -> Option<Looked> {
    let mut keys = hand.keys.iter();
    let look = keys.find_map(|key| Look::open(bytes, key))?;
    let _one_at_a_time = hand.looking.lock().await;
    let mut tries = JoinSet::new();
    for (at, address) in look.addresses.iter().enumerate() {
        let listed = address
            .parse()
            .ok()
            .filter(|address| hand.direct.contains(address));
        tries.spawn(async move { (at, reach(listed).await) });
    }
    let mut seen: Vec<(String, Reached)> = look
        .addresses
        .into_iter()
        .map(|address| (address, Reached::Untried))
        .collect();
    while let Some(tried) = tries.join_next().await {
        if let Ok((at, reached)) = tried
            && let Some(place) = seen.get_mut(at)
        {
            place.1 = reached;
        }
    }
    Some(Looked {
        nonce: HEXLOWER.encode(&look.nonce),
        node: hand.node.clone(),
        seen,
    })
}

async fn reach(address: Option<SocketAddr>) -> Reached {
    let Some(address) = address else {
        return Reached::Unlisted;
    };
    match tokio::time::timeout(LIMIT, TcpStream::connect(address)).await {
        Err(_) => Reached::Silent,
        Ok(Ok(stream)) => {
            // A reset in place of an orderly close: nothing is left waiting on either side.
            drop(stream.set_zero_linger());
            Reached::Open
        }
        Ok(Err(error)) => refused(&error),
    }
}

/// Whether an error says that the way is closed, or only that this host could not try.
fn refused(error: &std::io::Error) -> Reached {
    let closed = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::TimedOut,
        // This host's own firewall drops what goes out.
        ErrorKind::PermissionDenied,
    ];
    if closed.contains(&error.kind()) {
        Reached::Refused
    } else {
        Reached::Untried
    }
}
