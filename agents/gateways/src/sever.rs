//! Ends what a gateway would go on with: one that takes its routes from elsewhere refuses what comes anew, and serves
//! what it has begun to its end.
//!
//! **Invariant:** this is the one place that says whether open streams have ended, for every driver whose gateway does not
//! say so itself. What was not seen to end goes on: because the owner wrote `sever = false`, because this process may not,
//! or because the kernel was silent. It is said at each order until it has ended or nothing closes it any more.

use crate::{Closing, Severed};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest wait for the kernel; ten thousand connections take a tenth of it.
const WAIT: Duration = Duration::from_millis(300);
/// Why they go on where the owner wants it so.
const OFF: &str = "sever = false";

/// The open streams of one gateway.
#[derive(Debug)]
pub(crate) struct Streams {
    /// How they are ended; none where they are not.
    sever: Option<Sever>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What streams were last ended for.
    ended: Closing,
    /// Why some go on, since the last order.
    goes_on: Option<String>,
}

impl Streams {
    /// Those of a gateway that serves at these addresses, each of this host.
    pub(crate) fn of(data: &[SocketAddr], sever: bool) -> Self {
        Self {
            sever: sever.then(|| Sever::at(data)),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends them, where this closes something whose streams have not ended. To be called once new requests are refused:
    /// what connects later finds nothing open.
    pub(crate) async fn end(&self, closing: &Closing) -> Severed {
        let more = closing.closes_more_than(&self.known().ended);
        let done = match &self.sever {
            _ if !more => Severed::default(),
            Some(sever) => sever.now().await,
            None => going_on(OFF),
        };
        let mut known = self.known();
        known.goes_on.clone_from(&done.goes_on);
        if done.goes_on.is_none() {
            known.ended = closing.clone();
        }
        done
    }

    /// What somebody should know of them; none where a cut ends them, and the last one has.
    pub(crate) fn notice(&self) -> Option<String> {
        let goes_on = self.known().goes_on.clone();
        let now = goes_on.map(|why| format!("streams that were open go on until they end: {why}"));
        let later =
            || format!("streams that are open when a cut comes go on until they end: {OFF}");
        now.or_else(|| self.sever.is_none().then(later))
    }
}

/// How open streams of a gateway are ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sever {
    /// TCP connections of this host whose own port is one of these: every client of the gateway, whatever it does there.
    /// Needs `CAP_NET_ADMIN`.
    Ports(Vec<u16>),
}

impl Sever {
    fn at(data: &[SocketAddr]) -> Self {
        let mut ports: Vec<u16> = data.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        Self::Ports(ports)
    }

    async fn now(&self) -> Severed {
        let Self::Ports(ports) = self.clone();
        let ended = tokio::task::spawn_blocking(move || fence::sever(&ports));
        match tokio::time::timeout(WAIT, ended).await {
            Ok(Ok(done)) => came_of(done),
            Ok(Err(panic)) => going_on(&panic.to_string()),
            Err(_) => going_on("the kernel did not answer"),
        }
    }
}

fn came_of(done: fence::Severed) -> Severed {
    // Where it is not known how many there are, it is not known that none is.
    let goes_on = (!done.whole()).then(|| {
        let why = match (done.denied, done.why) {
            (true, _) => "no CAP_NET_ADMIN".to_owned(),
            (false, why) => why.unwrap_or_else(|| "the kernel did not end them".to_owned()),
        };
        match done.failed {
            0 => why,
            many => format!("{why} ({many} connections)"),
        }
    });
    Severed {
        severed: done.ended.saturating_add(done.failed),
        lingering: done.failed,
        goes_on,
    }
}

fn going_on(why: &str) -> Severed {
    Severed {
        goes_on: Some(why.to_owned()),
        ..Severed::default()
    }
}

#[cfg(test)]
mod tests;
