//! Probes go a consumer's way, cost nothing, and tell the truth about a cut.

use crate::support::*;
use http_body_util::{BodyExt as _, Full};
use kill_wire::ProbePoints;
use net_model::{ControlReply, ControlRequest, TestFound};
use site_tests::upstream::{Script, Upstream};

async fn probe(site: &Site, key: &str, way: &str) -> Whole {
    let mut request = chat(key, "");
    *request.body_mut() = Full::default();
    request
        .headers_mut()
        .insert("x-portcullis-probe", way.parse().unwrap());
    whole(send(site.addr(), request).await).await
}

const TO_HOME: &str = "consumer=claw;route=chat;target=home";
const TO_AWAY: &str = "consumer=claw;route=chat;target=away";
const RAG_HOME: &str = "consumer=rag;route=side;target=home";

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_passes_works_and_fails_with_its_consumers_calls() {
    let site = Site::open().await;
    for way in [TO_HOME, TO_AWAY, RAG_HOME] {
        let answer = probe(&site, PROBE, way).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, br#"{"probe":"ok"}"#.as_slice()),
            "{way}"
        );
    }
    assert_eq!(
        site.home
            .log()
            .iter()
            .map(|served| served.path.as_str())
            .collect::<Vec<_>>(),
        ["/v1/models"; 2]
    );
    for (seq, scope, open) in [
        (2, "cloud", [true, false, true]),
        (3, "claw", [false, false, true]),
        (4, "side", [true, true, false]),
        (5, "all", [false, false, false]),
    ] {
        site.apply(seq, &[scope]).await;
        for (way, open) in [TO_HOME, TO_AWAY, RAG_HOME].into_iter().zip(open) {
            let answer = probe(&site, PROBE, way).await;
            assert_eq!(
                answer.status.as_u16(),
                if open { 200 } else { 503 },
                "{scope} {way}"
            );
            assert_eq!(
                answer.header("x-portcullis-incident"),
                if open { "" } else { "7" }
            );
        }
    }
    assert_eq!(site.spooled().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_listed_to_the_prober_even_when_all_is_cut() {
    let site = Site::open().await;
    site.apply(2, &["all"]).await;
    let listed = site.get(PROBE, "/v1/portcullis/probe-points").await;
    assert_eq!(listed.status, 200);
    let points: ProbePoints = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(points.points.len(), 3);
    assert_eq!(points.points[0].address().to_string(), TO_HOME);
    assert_eq!(points, site.observed().await.points);
    assert_eq!(
        site.get(CLAW, "/v1/portcullis/probe-points").await.status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_prober_probes_and_only_ways_there_are() {
    let site = Site::open().await;
    assert_eq!(probe(&site, CLAW, TO_HOME).await.status, 401);
    for way in [
        "consumer=rag;route=side;target=away",
        "consumer=x;route=side;target=home",
        "nonsense",
    ] {
        let answer = probe(&site, PROBE, way).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (404, "no_such_way"),
            "{way}"
        );
    }
    let answer = site.post(PROBE, r#"{"model":"steady"}"#).await;
    assert_eq!(answer.status, 404);
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_probe_is_cut_and_not_counted() {
    let site = Site::with(
        Upstream::start_as(Script::Silent).unwrap(),
        Upstream::start().unwrap(),
    );
    site.apply(1, &[]).await;
    let cut = async {
        assert!(site.home.busy(1, LIMIT).await);
        assert_eq!(site.observed().await.open, 0);
        site.apply(2, &["llm"]).await
    };
    let (answer, applied) = tokio::join!(probe(&site, PROBE, TO_HOME), cut);
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.header("x-portcullis-incident")
        ),
        (503, "7")
    );
    assert_eq!(applied, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_answer_fails_the_probe() {
    let site = Site::open_with_home(Script::Silent).await;
    let answer = probe(&site, PROBE, TO_HOME).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (502, "upstream_failed")
    );
}

fn held(way: &str) -> http::Request<Full<bytes::Bytes>> {
    let mut request = chat(PROBE, "");
    let headers = request.headers_mut();
    headers.insert("x-portcullis-probe", way.parse().unwrap());
    headers.insert("x-portcullis-hold", "1".parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_stream_beats_ends_by_its_consumers_cut_and_counts_nowhere() {
    let site = Site::open().await;
    let mut held_open = Vec::new();
    for way in [TO_HOME, TO_AWAY, RAG_HOME] {
        let mut response = send(site.addr(), held(way)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let beat = response.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(beat.data_ref().unwrap(), ": beat\n\n");
        held_open.push(response);
    }
    assert_eq!(site.home.log().len(), 0, "no target is asked");
    assert_eq!(site.observed().await.open, 0);
    let [home, away, rag] = held_open.try_into().unwrap();
    assert_eq!(site.apply(2, &["cloud"]).await, 0);
    assert_ended(away, "7").await;
    assert_eq!(site.apply(3, &["tools", "claw"]).await, 0);
    assert_ended(home, "8").await;
    assert_eq!(site.apply(4, &["all"]).await, 0);
    assert_ended(rag, "7").await;
    let refused = whole(send(site.addr(), held(TO_HOME)).await).await;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.header("x-portcullis-incident")
        ),
        (503, "7")
    );
    assert_eq!(site.spooled().len(), 0);
}

/// The stream ends in order, and its last event names this incident.
async fn assert_ended(response: http::Response<hyper::body::Incoming>, incident: &str) {
    let answer = whole(response).await;
    assert!(answer.clean);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let error: serde_json::Value =
        serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    let member = |path| error.pointer(path).unwrap().to_string();
    assert_eq!(member("/error/incident"), incident);
    assert_eq!(member("/error/type"), "\"portcullis_cut\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_a_held_stream_without_an_incident_and_only_the_prober_may_hold() {
    let site = Site::open().await;
    let response = send(site.addr(), held(TO_HOME)).await;
    let mut paused = overlay(2, &[]);
    paused.paused = vec![kill_wire::Scope::All];
    site.apply_overlay(paused).await;
    let text = whole(response).await.body;
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(
        text.contains("portcullis_paused") && !text.contains("incident"),
        "{text}"
    );
    let mut request = held(TO_HOME);
    let theirs = format!("Bearer {CLAW}").parse().unwrap();
    request.headers_mut().insert("authorization", theirs);
    assert_eq!(whole(send(site.addr(), request).await).await.status, 401);
}

async fn test(site: &Site, target: &str) -> ControlReply {
    let target = target.parse().unwrap();
    let line = serde_json::to_string(&ControlRequest::Test { target }).unwrap();
    site.control(&line).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_asked_when_somebody_wants_to_know_and_never_through_a_cut() {
    let site = Site::open().await;
    let ControlReply::Tested(test_of_home) = test(&site, "home").await else {
        panic!("it was not asked");
    };
    assert_eq!(test_of_home.found, TestFound::Answered { status: 200 });
    let asked = || site.home.log().len();
    assert_eq!(asked(), 1);
    assert_eq!(site.home.log()[0].path, "/v1/models");
    site.apply(2, &["all"]).await;
    let ControlReply::Tested(closed) = test(&site, "home").await else {
        panic!("it was not looked at");
    };
    assert_eq!(closed.found, TestFound::Closed);
    assert_eq!(asked(), 1, "what is cut is not asked");
    let ControlReply::Refused { message } = test(&site, "nowhere").await else {
        panic!("there is no such target");
    };
    assert!(message.contains("nowhere"), "{message}");
    assert_eq!(site.spooled().len(), 0, "a test is no call");
}
