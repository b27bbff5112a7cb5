//! What the kill switch says of a cut at gateways that go on with what they have begun, through its own way to a real agent
//! and back: plainly cut where the streams have ended, and else CUT PARTIAL, with the gateway's name.

mod house;

use crate::ask::{LIMIT, fresh};
use gateways::{Driver, Litellm, LitellmCutBy, LitellmSettings, Memory};
use house::House;
use kill_wire::{Outcome, StateReport};
use net_model::Secret;
use site_tests::driven::{Answer, KEYS, Kind, NGINX, Site};
use site_tests::litellm::{Double, MASTER};
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// A gateway of this kind with its streams, and a house that cuts it.
async fn built(kind: Kind, name: &str, sever: bool) -> (Site, House) {
    let mut site = Site::severing(kind, sever).await.unwrap();
    let twin = Driver::Memory(Memory::default());
    let driver = std::mem::replace(&mut site.driver, twin);
    let ways: Vec<_> = KEYS.into_iter().collect();
    let house = House::of(name, driver, Some((site.data, &ways)));
    let well = |state: &StateReport| {
        state.canaries.good == 2 && state.agents.iter().all(|it| it.problem.is_none())
    };
    house
        .until("every way works and the agent is well", well)
        .await;
    (site, house)
}

async fn what_goes_on_is_named(kind: Kind, name: &str) {
    let (site, house) = built(kind, name, false).await;
    let mut stream = site.door("claw").unwrap().stream().await.unwrap();
    let named = format!("{name}: streams go on: sever = false");
    for repeated in [false, true] {
        let report = house.cut().await;
        assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
        assert_eq!(report.proof.still_open, [named.as_str()], "{report:?}");
        assert_eq!(report.repeated, repeated);
        let text = format!("STILL OPEN: {named}");
        assert!(report.text.contains(&text), "{}", report.text);
        assert!(!stream.ends(Duration::from_millis(50)).await);
        // What comes anew is refused all the same.
        let refused = Answer::Cut(report.incident.get());
        assert_eq!(fresh(&site, "claw").await, refused);
    }
}

async fn what_has_ended_is_called_cut(kind: Kind, name: &str) {
    let (site, house) = built(kind, name, true).await;
    let mut stream = site.door("claw").unwrap().stream().await.unwrap();
    let report = house.cut().await;
    if fence::may_sever().is_ok() {
        assert_eq!(report.outcome, Outcome::Cut, "{report:?}");
        assert!(stream.ends(LIMIT).await);
    } else {
        assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
        let named = format!("{name}: streams go on: no CAP_NET_ADMIN");
        assert!(report.proof.still_open[0].starts_with(&named), "{report:?}");
    }
}

fn without_nginx() -> bool {
    let without = !Path::new(NGINX).exists();
    if without {
        eprintln!("SKIPPED: no {NGINX}");
    }
    without
}

#[tokio::test]
async fn streams_that_an_nginx_goes_on_with_are_named_at_each_cut() {
    if !without_nginx() {
        what_goes_on_is_named(Kind::Nginx, "nginx").await;
    }
}

#[tokio::test]
async fn a_cut_of_an_nginx_whose_streams_have_ended_is_called_so() {
    if !without_nginx() {
        what_has_ended_is_called_cut(Kind::Nginx, "nginx").await;
    }
}

#[tokio::test]
async fn streams_that_an_apisix_goes_on_with_are_named_at_each_cut() {
    what_goes_on_is_named(Kind::Apisix, "apisix").await;
}

#[tokio::test]
async fn a_cut_of_an_apisix_whose_streams_have_ended_is_called_so() {
    what_has_ended_is_called_cut(Kind::Apisix, "apisix").await;
}

/// LiteLLM refuses nobody with an incident, so that nothing of it is ever proven by probes: what is looked at is what the
/// agent confirms. A connection that says nothing stands for a stream.
#[tokio::test]
async fn streams_that_a_litellm_goes_on_with_are_named_whether_or_not_it_can_block() {
    for cut_by in [LitellmCutBy::Keys, LitellmCutBy::None] {
        for sever in [false, true] {
            let double = Double::start().await;
            double.key("claw");
            double.model("llama", "http://10.0.0.7:11434", true);
            let driver = Driver::Litellm(Litellm::new(LitellmSettings {
                at: double.at,
                master_key: Secret::new(MASTER).unwrap(),
                cut_by,
                sever,
            }));
            let house = House::of("litellm", driver, None);
            let well = |state: &StateReport| state.agents.iter().all(|it| it.problem.is_none());
            house.until("the agent is well", well).await;
            let mut stream = TcpStream::connect(double.at).await.unwrap();
            let report = house.cut().await;
            let ended = sever && fence::may_sever().is_ok();
            if ended {
                assert_eq!(report.outcome, Outcome::Unproven, "{report:?}");
            } else {
                assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
                let named = &report.proof.still_open[0];
                assert!(named.starts_with("litellm: streams go on: "), "{report:?}");
            }
            let within = if ended {
                LIMIT
            } else {
                Duration::from_millis(50)
            };
            let read = tokio::time::timeout(within, stream.read_u8()).await;
            assert_eq!(read.is_ok(), ended);
            let blocked = double.blocked().len();
            assert_eq!(blocked, usize::from(cut_by == LitellmCutBy::Keys));
        }
    }
}
