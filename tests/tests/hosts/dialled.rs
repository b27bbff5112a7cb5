//! Hosts of contained zones: the control plane calls.

use crate::house::{HOUR, House, control_goes_ahead, free, host_now, report, until};
use std::net::TcpListener;

#[tokio::test]
async fn a_host_that_is_called_joins_reports_and_renews_without_ever_dialling() {
    let house = House::with_life(4 * HOUR).await;
    let at = free();
    let token = house.invite("claw1", Some(at), false).await.unwrap();
    let state = house.state("claw1");
    let joined = uplink::wait_to_be_called(&token, at, &state, host_now)
        .await
        .unwrap();
    assert_eq!(joined.name.host.as_str(), "claw1");
    let shelf = house.run("claw1", at);
    report(&shelf);
    report(&shelf);
    until("both reports", || async { house.taken("claw1") == [1, 2] }).await;
    until("an empty shelf", || async {
        shelf.lock().unwrap().waiting() == 0
    })
    .await;
    let certificate = || async {
        let host = house.store.host(&"claw1".parse().unwrap()).await;
        host.unwrap().unwrap().certificate.unwrap().sha256.to_hex()
    };
    let first = certificate().await;
    control_goes_ahead(2 * HOUR + 1000);
    until("a new certificate", || async {
        certificate().await != first
    })
    .await;
    house.end().await;
}

#[tokio::test]
async fn who_calls_without_the_house_s_authority_learns_nothing() {
    let (house, other) = (House::start().await, House::start().await);
    let at = free();
    // The same name and address, invited by another house: its control plane calls, too.
    other.invite("claw1", Some(at), false).await.unwrap();
    let (waits, state) = (free(), house.state("claw1"));
    let token = house.invite("claw1", Some(waits), false).await.unwrap();
    let waiting = uplink::wait_to_be_called(&token, at, &state, host_now);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(4), waiting).await;
    assert!(waited.is_err(), "let in by a stranger");
    let invited = other
        .store
        .host(&"claw1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(invited.state, store::HostState::Invited);
    other.end().await;
    house.end().await;
}

#[tokio::test]
async fn one_that_hangs_delays_no_other() {
    let house = House::start().await;
    // Takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for n in 0..20 {
        let name = format!("a{n}");
        house
            .invite(&name, Some(silent.local_addr().unwrap()), false)
            .await
            .unwrap();
    }
    let at = free();
    let token = house.invite("claw1", Some(at), false).await.unwrap();
    let state = house.state("claw1");
    uplink::wait_to_be_called(&token, at, &state, host_now)
        .await
        .unwrap();
    let shelf = house.run("claw1", at);
    report(&shelf);
    until("its report", || async { house.taken("claw1") == [1] }).await;
    house.end().await;
}
