//! Whatever can go wrong with a write, and what is said of it.

use crate::house::{CUT, House, WAYS};
use gateways::{Gateway as _, GatewayError, LIMIT, Mode};
use serde_json::json;
use site_tests::apisix::{EtcdState, Fault, Lags, Options, Trouble};
use site_tests::talk::until;
use std::net::TcpListener;
use std::time::Duration;

fn on_the_rule(trouble: Trouble, method: &str) -> Fault {
    Fault::new(trouble)
        .method(method)
        .path("/apisix/admin/global_rules/")
}

#[tokio::test]
async fn a_place_that_is_taken_is_found_before_a_cut() {
    let house = House::open(Options::default()).await;
    assert_eq!(grave(&house).await, Vec::<String>::new());
    let theirs = json!({ "plugins": { "fault-injection": { "delay": { "duration": 0 } } } });
    house.twin.place("global_rules/theirs", theirs).unwrap();
    let found = grave(&house).await;
    assert!(
        found.len() == 1 && found[0].contains("global rule `theirs`"),
        "{found:?}"
    );
    let notices = house.driver.observe().await.unwrap().notices;
    assert!(notices.iter().any(|line| line.contains("`theirs`")));
    let why = house.apply(2, &["ALL"]).await.unwrap_err().to_string();
    assert!(why.contains("already exists in global rule"), "{why}");
    assert_eq!(house.seq().await, None);
}

async fn grave(house: &House) -> Vec<String> {
    let found = house.driver.check().await.unwrap();
    found
        .into_iter()
        .filter(|one| one.grave)
        .map(|one| one.text)
        .collect()
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_named_and_never_shown() {
    let house = House::open(Options::default()).await;
    house.twin.keys("another-key", "viewer");
    let why = house.apply(2, &["ALL"]).await.unwrap_err().to_string();
    assert!(
        why.contains("the admin key is not taken (401): wrong apikey"),
        "{why}"
    );
    assert!(house.driver.observe().await.is_err());
    let found = grave(&house).await;
    assert!(
        found[0].contains("not taken") && !found[0].contains("twin-admin-key"),
        "{found:?}"
    );
    assert!(!format!("{:?}", house.driver).contains("twin-admin-key"));
}

#[tokio::test]
async fn a_key_that_may_only_read_is_found_before_a_cut() {
    let house = House::open(Options::default()).await;
    house.twin.keys("another-key", "twin-admin-key");
    let found = grave(&house).await;
    assert!(
        found.len() == 1 && found[0].contains("nothing can be written"),
        "{found:?}"
    );
}

#[tokio::test]
async fn streams_below_http_are_named() {
    let house = House::open(Options::default()).await;
    let tcp = json!({ "server_port": 9100, "upstream": { "type": "roundrobin", "nodes": { "127.0.0.1:1": 1 } } });
    house.twin.place("stream_routes/tcp", tcp).unwrap();
    let found = grave(&house).await;
    assert!(
        found.len() == 1 && found[0].contains("1 stream routes"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_gateway_that_is_gone_is_unreachable() {
    let house = House::open(Options::default()).await;
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let astray = House::with(Options::default(), |settings| settings.admin = nobody);
    let gone = astray.apply(2, &["ALL"]).await.unwrap_err();
    assert!(matches!(gone, GatewayError::Unreachable(_)), "{gone}");
    assert!(grave(&astray).await[0].contains("cannot be reached"));
    // One that comes back with other connections is reached by the next word.
    house.twin.restart();
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_cut_that_was_not_answered_is_in_force_when_etcd_is_back() {
    let house = House::open(Options::default()).await;
    house.twin.etcd(EtcdState::Hung);
    let began = tokio::time::Instant::now();
    let silent = house.apply(2, &["ALL"]).await.unwrap_err();
    assert!(matches!(silent, GatewayError::Silent(_)), "{silent}");
    assert!(began.elapsed() < LIMIT * 2);
    assert!(house.driver.observe().await.is_err());
    assert!(house.refused().await.is_empty());
    house.twin.etcd(EtcdState::Up);
    until("the late cut", async || {
        house
            .driver
            .observe()
            .await
            .is_ok_and(|seen| seen.seq == Some(2))
    })
    .await;
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_restore_is_not_sent_to_a_gateway_that_cannot_be_read() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    house.twin.etcd(EtcdState::Hung);
    let before = house.twin.calls().len();
    house.apply(3, &[]).await.unwrap_err();
    assert!(house.writes(before).is_empty());
    house.twin.etcd(EtcdState::Up);
    until("etcd", async || house.driver.observe().await.is_ok()).await;
    assert!(house.twin.stored(CUT).is_some());
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_restore_that_was_not_answered_is_fenced_before_it_is_called_refused() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    house
        .twin
        .fault(on_the_rule(Trouble::Hang, "DELETE").times(1));
    let why = house.apply(3, &[]).await.unwrap_err().to_string();
    assert!(
        why.contains("the cut was written again and stands"),
        "{why}"
    );
    assert_eq!(house.refused().await.len(), WAYS.len());
    // Asked again, as an agent does, it is restored.
    assert_eq!(house.seq().await, None);
    house.apply(3, &[]).await.unwrap();
    assert!(house.refused().await.is_empty());
}

#[tokio::test]
async fn a_restore_that_comes_about_late_does_not_stay_where_a_cut_came_since() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    let late = Trouble::DoneLate(Duration::from_millis(1_500));
    house.twin.fault(on_the_rule(late, "DELETE").times(1));
    house.apply(3, &[]).await.unwrap_err();
    house.apply(4, &["ALL"]).await.unwrap();
    assert_eq!(house.seq().await, Some(4));
    until("the late restore", async || {
        house.twin.stored(CUT).is_none()
    })
    .await;
    assert_eq!(house.seq().await, None);
    house.apply(4, &["ALL"]).await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_restore_that_also_cuts_falls_back_to_everything() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["files"]).await.unwrap();
    house.twin.fault(on_the_rule(Trouble::Hang, "PUT").times(1));
    house.apply(3, &["chat"]).await.unwrap_err();
    house.twin.settled().await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_write_that_was_done_and_not_answered_is_found_by_reading() {
    let house = House::open(Options::default()).await;
    for (seq, trouble) in (2_u64..).step_by(2).zip([
        Trouble::DoneThenReset,
        Trouble::DoneThenStatus(500),
        Trouble::DoneThenHang,
    ]) {
        house.twin.fault(on_the_rule(trouble, "PUT").times(1));
        house
            .apply(seq, &["ALL"])
            .await
            .unwrap_or_else(|why| panic!("{trouble:?}: {why}"));
        assert_eq!(house.refused().await.len(), WAYS.len(), "{trouble:?}");
        house.twin.calm();
        house.apply(seq + 1, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_fails_once_is_made_again() {
    let house = House::open(Options::default()).await;
    for (seq, trouble) in (2_u64..)
        .step_by(2)
        .zip([Trouble::Reset, Trouble::Status(503)])
    {
        house.twin.fault(on_the_rule(trouble, "PUT").times(1));
        house
            .apply(seq, &["ALL"])
            .await
            .unwrap_or_else(|why| panic!("{trouble:?}: {why}"));
        assert_eq!(house.refused().await.len(), WAYS.len(), "{trouble:?}");
        house.twin.calm();
        house.apply(seq + 1, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_cut_is_not_called_done_before_the_workers_have_followed() {
    let house = House::open(Options::default()).await;
    let lags = |set| Lags {
        set: Duration::from_millis(set),
        ..Lags::default()
    };
    house.twin.lags(lags(250));
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
    house.apply(3, &[]).await.unwrap();
    house.twin.lags(lags(5_000));
    let why = house.apply(4, &["ALL"]).await.unwrap_err().to_string();
    assert!(why.contains("the data port still answers"), "{why}");
    assert_eq!(house.seq().await, None);
    house.twin.settled().await.unwrap();
    assert_eq!(house.seq().await, Some(4));
}

#[tokio::test]
async fn workers_that_no_longer_follow_are_noticed() {
    let house = House::open(Options::default()).await;
    house.twin.etcd(EtcdState::Stale);
    house.apply(2, &["ALL"]).await.unwrap_err();
    let seen = house.driver.observe().await.unwrap();
    assert_eq!(seen.seq, None);
    assert!(
        seen.notices
            .iter()
            .any(|line| line.contains("the rule stands")),
        "{:?}",
        seen.notices
    );
    assert!(house.twin.stored(CUT).is_some());
}

#[tokio::test]
async fn somebody_who_takes_the_rule_away_is_found_out() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    house.twin.remove(CUT);
    assert_eq!(house.seq().await, None);
    house.apply(2, &["ALL"]).await.unwrap();
    let mut weaker = house.twin.stored(CUT).unwrap();
    weaker["plugins"]["fault-injection"]["abort"]["percentage"] = json!(1);
    house.twin.place(CUT, weaker).unwrap();
    assert_eq!(house.seq().await, None);
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.seq().await, Some(2));
}

#[tokio::test]
async fn a_cut_outlives_a_restart_of_the_gateway() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    house.twin.restart();
    assert_eq!(house.refused().await.len(), WAYS.len());
    assert_eq!(house.seq().await, Some(2));
}

#[tokio::test]
async fn a_slow_reconcile_does_not_hold_up_a_cut() {
    let house = House::open(Options::default()).await;
    let slow = Trouble::Slow(Duration::from_millis(600));
    house
        .twin
        .fault(Fault::new(slow).path("/apisix/admin/routes"));
    let mut other = house.wanted.clone();
    other.leads = vec![Some(1), Some(0), Some(0)];
    let cut = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.apply(2, &["ALL"]).await.unwrap();
        house.refused().await.len()
    };
    let (_, refused) = tokio::join!(house.driver.reconcile(&other, Mode::Repair), cut);
    assert_eq!(refused, WAYS.len());
}
