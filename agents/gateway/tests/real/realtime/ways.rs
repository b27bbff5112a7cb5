//! Which target a session goes to, under what name, how far its budget reaches, and how it ends with the gateway.

use super::*;
use kill_wire::Class;
use net_model::{AtEnd, Renamed, RouteTable, Rules, TargetKind};
use site_tests::upstream::{Script, Upstream};

/// The usual table, changed.
fn with_home(site: &Site, change: impl FnOnce(&mut net_model::Target)) -> RouteTable {
    let table = table(&[
        ("home", Class::Local, &site.home.base_url()),
        ("away", Class::Cloud, &site.away.base_url()),
    ]);
    let mut targets = table.targets().to_vec();
    change(targets.first_mut().unwrap());
    RouteTable::new(targets, table.routes().to_vec(), table.consumers().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_open_one_gives_way_to_the_next() {
    let site = Site::open().await;
    for script in [Script::Error503, Script::Plain] {
        site.home.play(Some(script));
        let mut session = site.session(CLAW, "steady").await;
        assert_eq!(session.headers["x-portcullis-target"], "away", "{script:?}");
        let fallback = session.headers["x-portcullis-fallback"].to_str().unwrap();
        assert!(fallback.starts_with("home ("), "{fallback}");
        session.ask(1).await;
        session.until("response.done").await;
    }
    site.until_all_is_given_back().await;
    // What speaks no sessions at all is not even asked.
    let asked = site.home.log().len();
    let ollama = with_home(&site, |home| home.kind = TargetKind::Ollama);
    site.gateway.reload(ollama, Rules::default());
    let session = site.session(CLAW, "steady").await;
    assert_eq!(session.headers["x-portcullis-target"], "away");
    assert!(!session.headers.contains_key("x-portcullis-fallback"));
    assert_eq!(site.home.log().len(), asked);
    let refused = site.refused(RAG, "steady").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["error"]["code"]),
        (404, &json!("api_not_served"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_s_own_refusal_reaches_the_client() {
    let site = Site::open().await;
    for (script, status) in [
        (Script::Strict, 401),
        (Script::Plain, 404),
        (Script::Error500, 500),
    ] {
        site.home.play(Some(script));
        let refused = site.refused(RAG, "steady").await;
        assert_eq!(refused.status.as_u16(), status, "{script:?}");
        assert_eq!(refused.body["error"]["code"], "scripted");
    }
    site.until_all_is_given_back().await;
    assert_eq!(site.until_spooled(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_answer_in_time_gives_way() {
    let site = Site::open().await;
    site.home.play(Some(Script::Silent));
    let hasty = with_home(&site, |home| {
        home.timeouts.first_byte = Duration::from_millis(80)
    });
    site.gateway.reload(hasty, Rules::default());
    let session = site.session(CLAW, "steady").await;
    assert_eq!(session.headers["x-portcullis-target"], "away");
    let refused = site.refused(RAG, "steady").await;
    assert_eq!(refused.status.as_u16(), 502);
    drop(session);
    site.until_all_is_given_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_asked_under_its_own_name_for_the_model_and_for_no_other() {
    let site = Site::open().await;
    let renamed = with_home(&site, |home| {
        home.models = vec![Renamed {
            asked: "steady".to_owned(),
            sent: "nousage".to_owned(),
        }];
    });
    site.gateway.reload(renamed, Rules::default());
    let mut session = site.session(CLAW, "steady&x=1").await;
    assert_eq!(
        session.until("session.created").await["session"]["model"],
        "nousage"
    );
    let update =
        |model: &str| json!({"type":"session.update","session":{"type":"realtime","model":model}});
    session.say(&update("steady")).await;
    assert_eq!(
        session.until("session.updated").await["session"]["model"],
        "nousage"
    );
    // Neither of these is passed on, and the session goes on.
    session.say(&update("gpt-other")).await;
    assert_eq!(
        session.hear().await.unwrap()["error"]["code"],
        "model_fixed"
    );
    session.socket.send(Message::text("no json")).await.unwrap();
    assert_eq!(
        session.hear().await.unwrap()["error"]["code"],
        "invalid_body"
    );
    session.socket.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(
        session.hear().await.unwrap()["error"]["code"],
        "invalid_body"
    );
    session.ask(4).await;
    assert_eq!(
        session.until("response.done").await["response"]["usage"],
        Value::Null
    );
    drop(session);
    let record = &site.until_spooled(1).await[0];
    assert_eq!(record.model, "steady");
    assert_eq!((record.completion_tokens, record.estimated), (4, true));
    assert_eq!(record.ended, Ended::ClientGone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_ends_a_session_in_the_middle_and_the_next_is_not_opened() {
    let site = Site::open_with_rules(budget(100, AtEnd::Hard)).await;
    let mut session = site.session(CLAW, "steady").await;
    session.ask(10).await;
    session.until("response.done").await;
    session.ask(100_000).await;
    let (last, close) = session.rest().await;
    assert_eq!(last["error"]["code"], "budget_exceeded", "{last}");
    assert_eq!(close, said(1008, "budget_exceeded"));
    let record = &site.until_spooled(1).await[0];
    let total = record.prompt_tokens + record.completion_tokens;
    assert!((95..=105).contains(&total), "{total}");
    assert_eq!(record.ended, Ended::Budget);
    let refused = site.refused(CLAW, "steady").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["error"]["code"]),
        (429, &json!("budget_exceeded"))
    );
    site.until_all_is_given_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_lets_an_answer_end_and_says_that_it_goes_away() {
    let site = Site::open().await;
    let mut quiet = site.session(CLAW, "steady").await;
    let mut busy = site.session(CLAW, "steady").await;
    busy.ask(15).await;
    busy.until("response.output_text.delta").await;
    let drain = site.gateway.drain(LIMIT);
    let clients = async {
        let (_, close) = quiet.rest().await;
        assert_eq!(close, said(1001, "draining"));
        let (last, close) = busy.rest().await;
        assert_eq!(last["type"], "response.done", "{last}");
        assert_eq!(close, said(1001, "draining"));
    };
    let (drained, ()) = tokio::join!(drain, clients);
    assert_eq!((drained.ended, drained.cut_off), (2, 0));
    let records = site.spooled();
    assert!(records.len() == 2 && records.iter().all(|it| it.ended == Ended::Complete));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_runs_at_the_limit_is_cut_off() {
    let site = Site::open().await;
    let mut session = site.session(CLAW, "steady").await;
    session.ask(100_000).await;
    session.until("response.output_text.delta").await;
    let (drained, (last, close)) = tokio::join!(
        site.gateway.drain(Duration::from_millis(50)),
        session.rest()
    );
    assert_eq!(drained.cut_off, 1);
    assert_eq!(
        (&last["error"]["code"], close),
        (&json!("draining"), said(1001, "draining"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_either_side_is_the_other_s() {
    let site = Site::open().await;
    for (model, ended) in [
        ("reset", Ended::UpstreamFailed),
        ("truncate", Ended::UpstreamFailed),
    ] {
        let mut session = site.session(CLAW, model).await;
        session.ask(100).await;
        let (last, close) = session.rest().await;
        assert_eq!(
            last["error"]["code"], "upstream_broke_off",
            "{model}: {last}"
        );
        assert_eq!(close, said(1011, "upstream_broke_off"));
        site.until_all_is_given_back().await;
        assert_eq!(site.spooled().last().unwrap().ended, ended);
    }
    let mut session = site.session(CLAW, "steady").await;
    session.ask(100_000).await;
    session.until("response.output_text.delta").await;
    let leaving = CloseFrame {
        code: 4001.into(),
        reason: "enough".into(),
    };
    session.socket.close(Some(leaving)).await.unwrap();
    let records = site.until_spooled(3).await;
    assert_eq!(records[2].ended, Ended::ClientGone);
    assert!(records[2].completion_tokens > 0 && records[2].estimated);
    assert_eq!(site.home.ended(3, LIMIT).await[2].end, End::Complete);
    site.until_all_is_given_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_it_is_refused_with_the_reason() {
    let site = Site::open().await;
    let stream = TcpStream::connect(site.addr()).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    let request = http::Request::get("http://gateway/v1/realtime?model=steady")
        .header("authorization", format!("Bearer {CLAW}"))
        .body(())
        .unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let response = timeout(LIMIT, response).await.unwrap().unwrap();
    assert_eq!(response.status(), 505);
    let text = response.into_body().data().await.unwrap().unwrap();
    let body: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(body["error"]["code"], "http_version_not_supported");
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_cut_is_asked_for_no_session() {
    let dead = Upstream::start().unwrap();
    let site = Site::with(dead, Upstream::start().unwrap());
    site.home.play(Some(Script::Error503));
    site.apply(1, &["CLOUD"]).await;
    let refused = site.refused(CLAW, "steady").await;
    assert_eq!(refused.status.as_u16(), 503);
    assert_eq!(site.away.log().len(), 0);
    site.apply(2, &[]).await;
    let mut session = site.session(CLAW, "steady").await;
    assert_eq!(session.headers["x-portcullis-target"], "away");
    assert_eq!(site.apply(3, &["CLOUD"]).await, 1);
    let (last, _) = session.rest().await;
    assert_eq!(last["error"]["code"], "cut");
    site.until_all_is_given_back().await;
}
