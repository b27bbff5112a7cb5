//! Tokens and certificates.

use crate::house::{HOUR, House, control_goes_ahead, hosts_believe_it_is, order_key};
use std::os::unix::fs::PermissionsExt as _;
use store::HostState;
use uplink::{JoinError, State};

#[tokio::test]
async fn a_host_joins_once_by_its_token_and_knows_whose_orders_count() {
    let house = House::start().await;
    let token = house.invite("claw1", None, false).await.unwrap();

    let identity = house.join(&token, "claw1").await.unwrap();

    assert_eq!(identity.name.uri(), "portcullis://house/red/claw1");
    assert_eq!(identity.order_keys(), [order_key().verifying_key()]);
    let host = house
        .store
        .host(&"claw1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(host.state, HostState::Joined);
    let file = house.state("claw1").join("identity.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = house.join(&token, "thief").await;
    assert!(matches!(again, Err(JoinError::Refused(_))), "{again:?}");
    assert!(!house.state("thief").exists());
    house.end().await;
}

#[tokio::test]
async fn of_two_that_bring_one_token_in_the_same_moment_one_comes_in() {
    let house = House::start().await;
    let token = house.invite("claw1", None, false).await.unwrap();
    let attempts = (0..8).map(|n| format!("claw1-{n}")).collect::<Vec<_>>();
    let (a, b, c, d) = tokio::join!(
        house.join(&token, &attempts[0]),
        house.join(&token, &attempts[1]),
        house.join(&token, &attempts[2]),
        house.join(&token, &attempts[3]),
    );
    let came_in = [a, b, c, d].iter().filter(|it| it.is_ok()).count();
    assert_eq!(came_in, 1);
    house.end().await;
}

#[tokio::test]
async fn a_token_is_over_after_a_quarter_of_an_hour_by_the_control_plane_s_clock_alone() {
    let house = House::start().await;
    let token = house.invite("claw1", None, false).await.unwrap();
    let late = house.invite("late", None, false).await.unwrap();
    // A board without a battery: the host believes it to be 1970.
    hosts_believe_it_is(1000);
    house.join(&token, "claw1").await.unwrap();
    control_goes_ahead(15 * 60_000);
    let refused = house.join(&late, "late").await;
    assert!(matches!(refused, Err(JoinError::Refused(_))), "{refused:?}");
    house.end().await;
}

#[tokio::test]
async fn a_newer_token_voids_the_older_one_and_a_revocation_voids_all() {
    let house = House::start().await;
    let first = house.invite("claw1", None, false).await.unwrap();
    assert!(house.invite("claw1", None, false).await.is_none(), "known");
    let second = house.invite("claw1", None, true).await.unwrap();
    let refused = house.join(&first, "claw1").await;
    assert!(matches!(refused, Err(JoinError::Refused(_))), "{refused:?}");
    let now = crate::house::control_now();
    assert!(
        house
            .store
            .revoke_host(&"claw1".parse().unwrap(), now)
            .await
            .unwrap()
    );
    let refused = house.join(&second, "claw1").await;
    assert!(matches!(refused, Err(JoinError::Refused(_))), "{refused:?}");
    house.end().await;
}

#[tokio::test]
async fn nothing_of_a_token_is_in_the_database() {
    let house = House::start().await;
    let token = house.invite("claw1", None, false).await.unwrap();
    let shown = token.expose();
    let secret = shown.split('.').nth(2).unwrap().to_owned();
    house.store.close().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            seen += 1;
            let bytes = std::fs::read(&path).unwrap();
            let there = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!there, "{}", path.display());
        }
    }
    assert!(seen > 0);
}

#[tokio::test]
async fn a_certificate_that_is_over_counts_no_more_until_the_host_joins_anew() {
    let house = House::with_life(HOUR).await;
    house.joined("claw1").await;
    let shelf = house.run("claw1", crate::house::free());
    control_goes_ahead(HOUR + 1000);
    crate::house::report(&shelf);
    let token = house.invite("claw1", None, true).await.unwrap();
    assert!(house.taken("claw1").is_empty());
    // While it runs: it finds out by itself that it is somebody again.
    house.join(&token, "claw1").await.unwrap();
    crate::house::until("the report", || async { house.taken("claw1") == [1] }).await;
    house.end().await;
}

#[test]
fn an_authority_is_made_once_and_never_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, site) = (folder.path().join("ca"), "house".parse().unwrap());
    let now = crate::house::control_now();
    hosts::make_house(&ca, &site, now).unwrap();
    let before = std::fs::read(ca.join("authority.key")).unwrap();
    assert!(hosts::make_house(&ca, &site, now).is_err());
    assert_eq!(std::fs::read(ca.join("authority.key")).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    for name in ["authority.key", "agent.key"] {
        let mode = std::fs::metadata(ca.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn an_identity_that_was_damaged_or_mixed_is_none() {
    let house = House::start().await;
    house.joined("claw1").await;
    house.joined("claw2").await;
    let file = |name: &str| house.state(name).join("identity.json");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(file(name)).unwrap()).unwrap()
    };
    let (mut one, two) = (read("claw1"), read("claw2"));
    one["key"] = two["key"].clone();
    std::fs::write(file("claw1"), one.to_string()).unwrap();
    let state = State::at(&house.state("claw1"), crate::house::host_now);
    assert!(matches!(state.read(), Err(uplink::IdentityError::Wrong(_))));
    house.end().await;
}
