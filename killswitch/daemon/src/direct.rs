//! Ways past the gateway: hosts are asked whether they can reach addresses that only the gateway should, before a cut and
//! after it.

use crate::clock;
use crate::dial;
use crate::switch::Switch;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use kill_wire::{LOOKS_PATH, Look, Looked, Reached, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// For one host: it tries all addresses at the same time, 400 ms each.
const LIMIT: Duration = Duration::from_millis(900);

/// One way past the gateway.
#[derive(Clone, Debug)]
pub struct Direct {
    /// What a reply calls it.
    pub name: String,
    /// What a cut of closes it, besides ALL.
    pub scope: Scope,
    /// The node agent of the host that tries.
    pub via: SocketAddr,
    /// What it tries; the agent's own list must have it, too.
    pub address: SocketAddr,
}

impl Direct {
    /// Whether a cut of this scope must close it.
    fn closes_with(&self, cut: &Scope) -> bool {
        *cut == Scope::All
            || *cut == self.scope
            || (*cut == Scope::Llm && self.scope == Scope::Cloud)
    }
}

/// What each was like when it last could be open, by its place in the list.
#[derive(Debug, Default)]
pub(crate) struct Before(Mutex<BTreeMap<usize, Reached>>);

impl Before {
    fn get(&self) -> MutexGuard<'_, BTreeMap<usize, Reached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until shutdown.
pub(crate) async fn watch(switch: Arc<Switch>) {
    if switch.direct.is_empty() {
        return;
    }
    loop {
        let latches = switch.latches();
        let seen = look(&switch, (0..switch.direct.len()).collect()).await;
        // What was seen while a cut came says nothing of before.
        if switch.latches() == latches {
            for (at, reached) in seen {
                let cut = |way: &Direct| {
                    let mut all = latches.as_slice().iter();
                    all.any(|latch| way.closes_with(&latch.scope))
                };
                if switch.direct.get(at).is_some_and(|way| !cut(way)) {
                    switch.before.get().insert(at, reached);
                }
            }
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
    }
}

/// What has become of the ways that a cut of this scope closes. A way that is open now is named whatever it was before.
pub(crate) async fn after(switch: &Arc<Switch>, scope: &Scope) -> Ways {
    let closed_by_it = switch.direct.iter().enumerate();
    let which: Vec<usize> = closed_by_it
        .filter(|(_, way)| way.closes_with(scope))
        .map(|(at, _)| at)
        .collect();
    if which.is_empty() {
        return Ways::default();
    }
    let before = switch.before.get().clone();
    let seen = look(switch, which.clone()).await;
    let mut ways = Ways::default();
    for at in which {
        let name = switch.direct.get(at).map_or("?", |way| way.name.as_str());
        ways.count(name, before.get(&at).copied(), seen.get(&at).copied());
    }
    ways
}

/// Every way by name, and whether it is known what it was like before.
pub(crate) fn known(switch: &Switch) -> Vec<(&str, bool)> {
    let before = switch.before.get();
    let seen = |at| {
        let reached = before.get(&at);
        reached.is_some_and(|reached| !matches!(reached, Reached::Unlisted | Reached::Untried))
    };
    let ways = switch.direct.iter().enumerate();
    ways.map(|(at, way)| (way.name.as_str(), seen(at)))
        .collect()
}

/// What became of the ways.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// Open before, closed now.
    pub(crate) dead: u32,
    /// By name.
    pub(crate) open: Vec<String>,
    /// Nobody saw them before, nobody sees them open now.
    pub(crate) unproven: u32,
}

impl Ways {
    fn count(&mut self, name: &str, before: Option<Reached>, now: Option<Reached>) {
        match (before, now) {
            (_, Some(Reached::Open)) => self.open.push(format!("direct {name}")),
            (Some(Reached::Open), Some(Reached::Refused | Reached::Silent)) => self.dead += 1,
            // It was open, and nobody saw it closed.
            (Some(Reached::Open), Some(Reached::Unlisted | Reached::Untried) | None) => {
                self.open.push(format!("direct {name} (not seen)"));
            }
            // It was closed all along: the cut has nothing to show here.
            (Some(Reached::Refused | Reached::Silent), _) => {}
            (Some(Reached::Unlisted | Reached::Untried) | None, _) => self.unproven += 1,
        }
    }
}

/// Asks every host at the same time. What could not be asked is not among the answers.
async fn look(switch: &Arc<Switch>, which: Vec<usize>) -> BTreeMap<usize, Reached> {
    let ways = || {
        which
            .iter()
            .filter_map(|at| Some((*at, switch.direct.get(*at)?)))
    };
    let hosts: BTreeSet<SocketAddr> = ways().map(|(_, way)| way.via).collect();
    let mut asking = JoinSet::new();
    for host in hosts {
        let of_host = ways().filter(|(_, way)| way.via == host);
        let all: Vec<(usize, String)> = of_host
            .map(|(at, way)| (at, way.address.to_string()))
            .collect();
        for some in all.chunks(Look::MAX) {
            let (switch, some) = (Arc::clone(switch), some.to_vec());
            asking.spawn(async move {
                let addresses = some.iter().map(|(_, address)| address.clone()).collect();
                let answer = timeout(LIMIT, ask(&switch, host, addresses)).await;
                let seen = answer.ok().flatten().unwrap_or_default();
                let places = some.into_iter().map(|(at, _)| at);
                places.zip(seen).collect::<Vec<_>>()
            });
        }
    }
    let mut seen = BTreeMap::new();
    while let Some(answered) = asking.join_next().await {
        seen.extend(answered.unwrap_or_default());
    }
    seen
}

/// What one host says of these addresses, in their order.
async fn ask(switch: &Switch, host: SocketAddr, addresses: Vec<String>) -> Option<Vec<Reached>> {
    let look = Look {
        nonce: clock::nonce(),
        addresses,
    };
    let request = Request::builder()
        .method(Method::POST)
        .uri(LOOKS_PATH)
        .header(header::HOST, host.to_string())
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(look.seal(&switch.key))))
        .ok()?;
    let mut sender = dial::connect(host, &switch.tasks).await.ok()?;
    let answer = dial::call(&mut sender, request).await.ok()?;
    if answer.status != StatusCode::OK {
        return None;
    }
    let looked: Looked = serde_json::from_slice(&answer.body).ok()?;
    let ours = looked.nonce == HEXLOWER.encode(&look.nonce);
    let in_order = looked
        .seen
        .iter()
        .map(|(address, _)| address)
        .eq(&look.addresses);
    (ours && in_order).then(|| {
        looked
            .seen
            .into_iter()
            .map(|(_, reached)| reached)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(before: Option<Reached>, now: Option<Reached>) -> Ways {
        let mut ways = Ways::default();
        ways.count("past", before, now);
        ways
    }

    #[test]
    fn a_way_that_is_open_now_is_named_whatever_was_known_before() {
        for before in [None, Some(Reached::Open), Some(Reached::Refused)] {
            let ways = counted(before, Some(Reached::Open));
            assert_eq!(ways.open, ["direct past"], "{before:?}");
        }
    }

    #[test]
    fn only_what_was_seen_open_can_be_shown_dead() {
        let refused = Some(Reached::Refused);
        assert_eq!(counted(Some(Reached::Open), refused).dead, 1);
        assert_eq!(counted(refused, refused), Ways::default());
        assert_eq!(counted(None, refused).unproven, 1);
        assert_eq!(counted(None, None).unproven, 1);
        assert_eq!(counted(Some(Reached::Open), None).open.len(), 1);
    }
}
