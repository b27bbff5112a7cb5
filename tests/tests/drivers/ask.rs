//! Overlays, and connections that are looked at again and again.

use gateways::{Driver, Gateway as _, GatewayError};
use kill_wire::{Latch, LatchSet, Scope, Timestamp};
use net_model::{Observed, Overlay};
use site_tests::driven::{Answer, Client, Site};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// Until what a cut closes is refused everywhere, of a gateway whose workers read of it one after the other.
const FOLLOWS: Duration = Duration::from_secs(3);

/// An overlay that cuts these scopes, each with the incident beside it.
pub(crate) fn overlay(seq: u64, cut: &[(&str, u32)], paused: &[Scope]) -> Overlay {
    let latch = |(scope, incident): &(&str, u32)| Latch {
        incident: (*incident).try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(1),
    };
    let latches: Vec<Latch> = cut.iter().map(latch).collect();
    Overlay {
        seq,
        latches: LatchSet::try_from(latches).unwrap(),
        paused: paused.to_vec(),
        held: Vec::new(),
    }
}

/// Asks on each of these connections.
pub(crate) async fn ask_all(clients: &mut [Client]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for client in clients {
        answers.push(client.ask().await);
    }
    answers
}

/// Connections of this consumer that have all been served just now.
pub(crate) async fn kept(site: &Site, consumer: &str, many: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..many {
        let mut client = site.door(consumer).unwrap().client().await.unwrap();
        let answer = client.ask().await;
        assert_eq!(answer, Answer::Served, "{consumer}");
        clients.push(client);
    }
    clients
}

/// What a request on a new connection meets.
pub(crate) async fn fresh(site: &Site, consumer: &str) -> Answer {
    site.door(consumer)
        .unwrap()
        .client()
        .await
        .unwrap()
        .ask()
        .await
}

/// Waits until new requests of this consumer meet `wanted`, on several connections one after the other.
pub(crate) async fn until(site: &Site, consumer: &str, wanted: &Answer) {
    let begun = Instant::now();
    let mut well = 0;
    while well < 4 {
        let answer = fresh(site, consumer).await;
        well = if answer == *wanted { well + 1 } else { 0 };
        let late = begun.elapsed() > FOLLOWS;
        assert!(
            !late,
            "{:?}: {consumer} met {answer:?} instead of {wanted:?}",
            site.kind
        );
    }
}

/// Waits until the gateway says that this overlay is in force, telling it again where it does not, as the agent does.
pub(crate) async fn until_in_force(driver: &Driver, overlay: &Overlay) -> Observed {
    let begun = Instant::now();
    loop {
        let observed = driver.observe().await;
        if let Ok(observed) = &observed
            && observed.seq == Some(overlay.seq)
        {
            return observed.clone();
        }
        assert!(begun.elapsed() < LIMIT, "never in force: {observed:?}");
        let _told: Result<_, GatewayError> = driver.apply(overlay).await;
        sleep(Duration::from_millis(50)).await;
    }
}
