//! A cut refuses what is new and ends what is open, in whatever state it is.

use crate::support::*;
use http_body_util::BodyExt as _;
use kill_wire::{Class, Scope};
use net_model::{Overlay, Rules};
use site_tests::upstream::End;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

fn raw(key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn assert_cut(answer: &Whole, incident: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "cut")
    );
    assert_eq!(answer.header("x-portcullis-incident"), incident);
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(answer.error("incident").to_string(), incident);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_before_the_first_overlay() {
    let site = Site::closed();
    for answer in [
        site.post(CLAW, r#"{"model":"steady"}"#).await,
        site.get(CLAW, "/v1/models").await,
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "closed")
        );
        assert_eq!(answer.json()["error"]["type"], "portcullis_closed");
        assert!(
            answer.json()["error"]["message"]
                .as_str()
                .unwrap()
                .contains("not yet told by its node agent")
        );
    }
    assert_eq!(site.get("", "/healthz").await.json()["status"], "closed");
    assert_eq!(site.home.log().len(), 0);
    site.apply(4, &[]).await;
    assert_eq!(
        site.post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
            .await
            .status,
        200
    );
    let health = site.get("", "/healthz").await.json();
    assert_eq!(
        (health["status"].as_str(), health["seq"].as_u64()),
        (Some("serving"), Some(4))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_stream_ends_with_an_error_event_and_a_restore_opens_again() {
    let site = Site::open().await;
    for (seq, model) in [(2, "steady"), (4, "stall"), (6, "trickle")] {
        let mut response = site.stream(CLAW, model).await;
        assert_eq!(response.status(), 200);
        response.body_mut().frame().await.unwrap().unwrap();
        let observed = site.observed().await;
        assert_eq!(observed.open, 1);
        assert_eq!(observed.exchanges[0].model, model);
        assert!(observed.exchanges[0].streaming);
        let (applied, answer) = tokio::join!(site.apply(seq, &["llm"]), whole(response));
        assert_eq!(applied, 1, "{model}");
        assert!(answer.clean, "{model}");
        let last = answer.body.rsplit(|byte| *byte == b'\n').nth(2).unwrap();
        let error: serde_json::Value =
            serde_json::from_slice(last.strip_prefix(b"data: ").unwrap()).unwrap();
        assert_eq!(error["error"]["incident"], 7, "{model}");
        assert_eq!(error["error"]["type"], "portcullis_cut");
        assert_cut(&site.post(CLAW, r#"{"model":"steady"}"#).await, "7");
        site.apply(seq + 1, &[]).await;
        assert_eq!(
            site.post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
                .await
                .status,
            200
        );
    }
    let aborted = site.home.ended(6, LIMIT).await;
    assert_eq!(
        aborted
            .iter()
            .filter(|served| served.end == End::Aborted)
            .count(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_a_cut_stream_is_closed() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    stream
        .write_all(&raw(CLAW, r#"{"model":"stall","stream":true}"#))
        .await
        .unwrap();
    assert!(site.home.busy(1, LIMIT).await);
    // Until something has come it is no stream yet, and would be refused like any call.
    let mut all = vec![0; 1];
    stream.read_exact(&mut all).await.unwrap();
    let (_, read) = tokio::join!(
        site.apply(2, &["all"]),
        timeout(LIMIT, stream.read_to_end(&mut all))
    );
    read.unwrap().unwrap();
    let text = String::from_utf8(all).unwrap();
    assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{text}");
    assert!(text.contains("portcullis_cut"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_its_target_is_answered_and_the_target_let_go() {
    let site = Site::open().await;
    let waiting = site.post(CLAW, r#"{"model":"silent"}"#);
    let cut = async {
        assert!(site.home.busy(1, LIMIT).await);
        site.apply(2, &["claw"]).await
    };
    let (answer, applied) = tokio::join!(waiting, cut);
    assert_cut(&answer, "7");
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(applied, 1);
    assert_eq!(site.home.ended(1, LIMIT).await[0].end, End::Aborted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_still_uploading_is_answered() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {CLAW}\r\ncontent-length: 1000000\r\n\r\n{{\"model\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    site.until_open(1).await;
    assert_eq!(site.apply(2, &["chat"]).await, 1);
    let mut all = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8(all).unwrap();
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("x-portcullis-incident: 7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_leaves_a_way_open_does_not_end_an_upload() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    let request = raw(CLAW, r#"{"model":"steady","max_tokens":1}"#);
    let (first, rest) = request.split_at(request.len() - 5);
    stream.write_all(first).await.unwrap();
    site.until_open(1).await;
    assert_eq!(site.apply(2, &["cloud"]).await, 0);
    stream.write_all(rest).await.unwrap();
    let mut start = [0; 12];
    timeout(LIMIT, stream.read_exact(&mut start))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stopped_reading_does_not_keep_the_target() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    stream
        .write_all(&raw(CLAW, r#"{"model":"flood","stream":true}"#))
        .await
        .unwrap();
    site.until_open(1).await;
    sleep(Duration::from_millis(300)).await;
    let before = Instant::now();
    let applied = site.apply(2, &["llm"]).await;
    assert_eq!(applied, 1);
    let served = site.home.ended(1, LIMIT).await;
    assert_eq!(served[0].end, End::Aborted);
    println!("the target was let go after {:?}", before.elapsed());
    // What had not left this host is thrown away: the client sees a reset, not a tail of tokens.
    let mut all = Vec::new();
    let read = timeout(LIMIT, stream.read_to_end(&mut all)).await.unwrap();
    assert!(read.is_err());
    assert!((all.len() as u64) < served[0].sent_bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partly_sent_answer_that_is_no_stream_is_reset() {
    let site = Site::open().await;
    let mut response = send(site.addr(), chat(CLAW, r#"{"model":"slow"}"#)).await;
    response.body_mut().frame().await.unwrap().unwrap();
    let (applied, answer) = tokio::join!(site.apply(2, &["all"]), whole(response));
    assert_eq!(applied, 1);
    assert!(!answer.clean);
    assert_eq!(site.home.ended(1, LIMIT).await[0].end, End::Aborted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_cloud_falls_to_the_house() {
    let site = Site::open().await;
    let routes = table(&[
        ("away", Class::Cloud, &site.away.base_url()),
        ("home", Class::Local, &site.home.base_url()),
    ]);
    site.gateway.reload(routes, Rules::default());
    let mut response = site.stream(CLAW, "steady").await;
    assert_eq!(response.headers()["x-portcullis-target"], "away");
    response.body_mut().frame().await.unwrap().unwrap();
    let (applied, answer) = tokio::join!(site.apply(2, &["cloud"]), whole(response));
    assert_eq!(applied, 1);
    assert_eq!(events(&answer.body).last().unwrap()["error"]["incident"], 7);
    let answer = site
        .post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-portcullis-target")),
        (200, "home")
    );
    // Nowhere else to go: the other consumer's only target is the first of the table, the cloud.
    assert_cut(&site.post(RAG, r#"{"model":"steady"}"#).await, "7");
    assert_eq!(site.away.ended(1, LIMIT).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_of_one_consumer_or_route_leaves_the_other_alive() {
    let site = Site::open().await;
    for (seq, scope) in [(2, ["claw"]), (4, ["chat"])] {
        let claw = site.stream(CLAW, "stall").await;
        let mut rag = site.stream(RAG, "steady").await;
        site.until_open(2).await;
        let (applied, claw) = tokio::join!(site.apply(seq, &scope), whole(claw));
        assert_eq!(applied, 1);
        assert_eq!(events(&claw.body).last().unwrap()["error"]["code"], "cut");
        for _ in 0..5 {
            timeout(LIMIT, rag.body_mut().frame())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
        }
        assert_cut(&site.post(CLAW, r#"{"model":"steady"}"#).await, "7");
        assert_eq!(
            site.post(RAG, r#"{"model":"steady","max_tokens":1}"#)
                .await
                .status,
            200
        );
        drop(rag);
        site.apply(seq + 1, &[]).await;
        site.until_open(0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_passes_over_what_its_owner_holds_and_a_latch_does_not() {
    let site = Site::open().await;
    let running = site.stream(RAG, "stall").await;
    let pause = |seq, cut: &[&str]| Overlay {
        paused: vec![Scope::All],
        held: vec!["side".parse().unwrap()],
        ..overlay(seq, cut)
    };
    assert_eq!(site.apply_overlay(pause(2, &[])).await, 0);
    assert_eq!(site.observed().await.held, pause(2, &[]).held);
    let steady = r#"{"model":"steady","max_tokens":1}"#;
    assert_eq!(site.post(CLAW, steady).await.code(), "paused");
    assert_eq!(site.post(RAG, steady).await.status, 200);
    // A client may have its last byte a moment before the gateway notes that it is out.
    site.until_open(1).await;
    let (ended, whole) = tokio::join!(site.apply_overlay(pause(3, &["llm"])), whole(running));
    assert_eq!((ended, whole.clean), (1, true));
    assert_cut(&site.post(RAG, steady).await, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_refuses_without_an_incident() {
    let site = Site::open().await;
    let stalled = site.stream(CLAW, "stall").await;
    let pause = Overlay {
        paused: vec![Scope::All],
        ..overlay(1, &[])
    };
    let (applied, stalled) = tokio::join!(site.apply_overlay(pause), whole(stalled));
    assert_eq!(applied, 1);
    assert_eq!(
        events(&stalled.body).last().unwrap()["error"]["type"],
        "portcullis_paused"
    );
    let answer = site.post(CLAW, r#"{"model":"steady"}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "paused")
    );
    assert_eq!(answer.header("x-portcullis-incident"), "");
    assert_eq!(site.observed().await.paused, [Scope::All]);
    // The end of a pause carries the same number.
    site.apply(1, &[]).await;
    assert_eq!(
        site.post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_routes_never_open_a_cut() {
    let site = Site::open().await;
    site.apply(2, &["chat"]).await;
    for _ in 0..3 {
        site.gateway.reload(
            table(&[
                ("home", Class::Local, &site.home.base_url()),
                ("away", Class::Cloud, &site.away.base_url()),
            ]),
            Rules::default(),
        );
        assert_cut(&site.post(CLAW, r#"{"model":"steady"}"#).await, "7");
    }
    assert_eq!(site.observed().await.seq, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_cut_is_answered_no_request_succeeds() {
    let site = Arc::new(Site::open().await);
    let passed = Arc::new(AtomicU32::new(0));
    for round in 0..200_u64 {
        let callers = 4;
        let mut calls = JoinSet::new();
        let applied = Arc::new(std::sync::atomic::AtomicBool::new(false));
        for _ in 0..callers {
            let (site, applied, passed) =
                (Arc::clone(&site), Arc::clone(&applied), Arc::clone(&passed));
            calls.spawn(async move {
                // Calls until refused. One that begins after the cut was answered must be the refused one.
                loop {
                    let after = applied.load(Ordering::SeqCst);
                    let stream = round % 2 == 0;
                    let body = format!(r#"{{"model":"steady","max_tokens":2,"stream":{stream}}}"#);
                    let Ok(response) = try_send(site.addr(), chat(CLAW, body)).await else {
                        continue;
                    };
                    let refused = response.status() == 503;
                    assert!(
                        refused || !after,
                        "round {round}: a call passed after the cut"
                    );
                    let answer = whole(response).await;
                    if refused {
                        return;
                    }
                    // A call under way at the moment of the cut must not come to a good end after it.
                    let ended_well = answer.clean
                        && !String::from_utf8_lossy(&answer.body).contains("portcullis_cut");
                    passed.fetch_add(u32::from(ended_well), Ordering::Relaxed);
                }
            });
        }
        sleep(Duration::from_micros(round * 37 % 9000)).await;
        site.apply(round * 2 + 2, &["llm"]).await;
        applied.store(true, Ordering::SeqCst);
        while let Some(call) = timeout(LIMIT, calls.join_next()).await.unwrap() {
            call.unwrap();
        }
        site.until_open(0).await;
        site.apply(round * 2 + 3, &[]).await;
    }
    println!(
        "{} calls passed before their cut",
        passed.load(Ordering::Relaxed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_slips_to_a_target_while_its_scope_is_cut() {
    let site = Arc::new(Site::open().await);
    site.gateway.reload(
        table(&[
            ("away", Class::Cloud, &site.away.base_url()),
            ("home", Class::Local, &site.home.base_url()),
        ]),
        Rules::default(),
    );
    for round in 0..60_u64 {
        let mut calls = JoinSet::new();
        for _ in 0..4 {
            let site = Arc::clone(&site);
            calls.spawn(async move { site.stream(CLAW, "stall").await });
        }
        sleep(Duration::from_micros(round * 97 % 4000)).await;
        site.apply(round * 2 + 2, &["cloud"]).await;
        let mut answers = Vec::new();
        while let Some(call) = timeout(LIMIT, calls.join_next()).await.unwrap() {
            answers.push(call.unwrap());
        }
        // Those at home go on; a call that took the cloud must have been found by the cut.
        let until = Instant::now() + Duration::from_secs(3);
        while site.away.open() > 0 {
            assert!(
                Instant::now() < until,
                "round {round}: a stream from the cloud lives on"
            );
            sleep(Duration::from_millis(2)).await;
        }
        drop(answers);
        site.until_open(0).await;
        site.apply(round * 2 + 3, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_end_together() {
    let site = Site::open().await;
    let mut streams = JoinSet::new();
    for at in 0..200 {
        // Some busy, most waiting: an unoptimised build could not carry 200 busy ones.
        let model = if at % 5 == 0 { "steady" } else { "slow" };
        let mut response = site.stream(CLAW, model).await;
        streams.spawn(async move {
            response.body_mut().frame().await.unwrap().unwrap();
            let answer = whole(response).await;
            (answer, Instant::now())
        });
    }
    site.until_open(200).await;
    let cut = Instant::now();
    assert_eq!(site.apply(2, &["all"]).await, 200);
    let answered = cut.elapsed();
    let mut times = Vec::new();
    while let Some(ended) = streams.join_next().await {
        let (answer, at) = ended.unwrap();
        assert!(answer.clean);
        assert_eq!(events(&answer.body).last().unwrap()["error"]["incident"], 7);
        times.push(at.saturating_duration_since(cut));
    }
    times.sort();
    println!(
        "answered {answered:?}, last bytes p50 {:?} p99 {:?} max {:?}",
        times[99], times[197], times[199]
    );
    let served = site.home.ended(200, LIMIT).await;
    assert!(served.iter().all(|served| served.end == End::Aborted));
    assert_eq!(served.len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_between_any_two_bytes_leaves_whole_events() {
    let site = Site::open().await;
    for round in 0..40_u64 {
        let mut response = site.stream(CLAW, "trickle").await;
        response.body_mut().frame().await.unwrap().unwrap();
        let cut = async {
            sleep(Duration::from_micros(round * 731)).await;
            site.apply(round * 2 + 2, &["llm"]).await
        };
        let (applied, answer) = tokio::join!(cut, whole(response));
        assert_eq!(applied, 1);
        assert!(answer.clean);
        // The first frame was taken away above; every event after it is whole.
        assert_eq!(events(&answer.body).last().unwrap()["error"]["incident"], 7);
        site.apply(round * 2 + 3, &[]).await;
    }
}
